//! The files that a run writes. They are made before it, so that a wrong path ends it at once.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::record::RunRecord;
use crate::run_options::RunOptions;
use crate::trace::{HEADER, TraceRow};
use crate::{report, trace};

/// The path that stands for standard output.
pub const STANDARD_OUTPUT: &str = "-";

/// The files.
#[derive(Debug)]
pub struct Outputs {
    trace: Option<Output>,
    json: Option<Output>,
    report: Option<Output>,
}

/// One of them.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    /// `None` is standard output.
    file: Option<BufWriter<File>>,
}

impl Outputs {
    /// Makes those that were asked for.
    pub fn create(options: &RunOptions) -> Result<Self, Failure> {
        let mut outputs = Self {
            trace: options.trace.as_deref().map(Output::create).transpose()?,
            json: options.json.as_deref().map(Output::create).transpose()?,
            report: options.report.as_deref().map(Output::create).transpose()?,
        };
        if let Some(trace) = &mut outputs.trace {
            trace.write(HEADER)?;
            trace.write("\n")?;
        }
        Ok(outputs)
    }

    /// Whether `--json` or another file goes to standard output.
    pub fn use_stdout(options: &RunOptions) -> bool {
        [&options.trace, &options.json, &options.report]
            .into_iter()
            .flatten()
            .any(|path| path == Path::new(STANDARD_OUTPUT))
    }

    /// Adds a frame to the trace.
    pub fn trace(&mut self, row: &trace::TraceRow) -> Result<(), Failure> {
        match &mut self.trace {
            Some(trace) => trace.write(&format!("{}\n", TraceRow::line(row))),
            None => Ok(()),
        }
    }

    /// Writes what is known at the end, and makes sure that everything arrived.
    pub fn finish(mut self, run: &RunRecord) -> Result<(), Failure> {
        if let Some(trace) = &mut self.trace {
            trace.flush()?;
        }
        if let Some(json) = &mut self.json {
            json.write(&self::json(&run.figures)?)?;
            json.flush()?;
        }
        if let Some(report) = &mut self.report {
            report.write(&report::render(run))?;
            report.flush()?;
        }
        Ok(())
    }
}

/// What is reported as data, as a text that ends with a line.
pub fn json(data: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(data)
        .map_err(|error| Failure::environment(format!("the JSON: {error}")))?;
    Ok(format!("{text}\n"))
}

impl Output {
    /// Writes a file, or to standard output, as a whole.
    pub fn write_all(path: &Path, text: &str) -> Result<(), Failure> {
        Self::write_bytes(path, text.as_bytes())
    }

    /// The same of bytes that are no text.
    pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let mut output = Self::create(path)?;
        output.put(bytes)?;
        output.flush()
    }

    /// Writes a text to standard output. A reader that goes away early is no error.
    pub fn print(text: &str) -> Result<(), Failure> {
        match io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(failed(Path::new(STANDARD_OUTPUT), &error))
            }
            _ => Ok(()),
        }
    }

    fn create(path: &Path) -> Result<Self, Failure> {
        let file = if path == Path::new(STANDARD_OUTPUT) {
            None
        } else {
            let file = File::create(path).map_err(|error| failed(path, &error))?;
            Some(BufWriter::new(file))
        };
        Ok(Self { path: path.to_path_buf(), file })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.put(text.as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => io::stdout().write_all(bytes),
        };
        written.map_err(|error| failed(&self.path, &error))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let flushed = match &mut self.file {
            Some(file) => file.flush(),
            None => io::stdout().flush(),
        };
        flushed.map_err(|error| failed(&self.path, &error))
    }
}

/// A large file, or standard output, that is written piece by piece.
#[derive(Debug)]
pub struct LineWriter(Output);

impl LineWriter {
    /// Makes it.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        Output::create(path).map(Self)
    }

    /// Writes a piece.
    pub fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.0.write(text)
    }

    /// Makes sure that everything arrived.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush()
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("{} cannot be written: {error}", path.display()))
}
