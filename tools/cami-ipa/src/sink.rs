//! Where lines go. A reader that goes away early is no error: the rest is not written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file, standard output, or nothing.
pub struct Sink {
    out: Option<BufWriter<Box<dyn Write>>>,
    path: PathBuf,
}

impl Sink {
    /// Takes nothing.
    pub fn none() -> Self {
        Self { out: None, path: PathBuf::new() }
    }

    /// Standard output.
    pub fn stdout() -> Self {
        Self { out: Some(BufWriter::new(Box::new(io::stdout()))), path: "-".into() }
    }

    /// A new file.
    pub fn file(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| failed(path, &error))?;
        Ok(Self { out: Some(BufWriter::new(Box::new(file))), path: path.to_owned() })
    }

    /// Whether it takes nothing any more.
    pub fn is_gone(&self) -> bool {
        self.out.is_none()
    }

    /// Writes a text.
    pub fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.with(|out| out.write_all(text.as_bytes()))
    }

    /// Writes a line.
    pub fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.with(|out| {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")
        })
    }

    /// Makes sure that all arrived.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.with(BufWriter::flush)
    }

    fn with(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Some(out) = &mut self.out else { return Ok(()) };
        match write(out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // Dropping the writer would try again.
                if let Some(out) = self.out.take() {
                    drop(out.into_parts());
                }
                Ok(())
            }
            Err(error) => Err(failed(&self.path, &error)),
            Ok(()) => Ok(()),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("{} cannot be written: {error}", path.display()))
}
