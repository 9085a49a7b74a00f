//! A measuring program of `programs/`: commands go in, numbers come out.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::failure::Failure;

/// Bytes of a value.
const WORD: usize = 4;
/// More than any command answers.
const MAX_BYTES: usize = 100_000 * WORD;

/// A running program. Dropping it ends it: it leaves at the end of its standard input.
#[derive(Debug)]
pub(crate) struct Driver {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Driver {
    /// Starts a program with an environment of nothing but `variables`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[OsString],
        variables: &[(&str, &Path)],
    ) -> Result<Self, Failure> {
        let name = program.file_name().unwrap_or_default().display().to_string();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::at(&name))?;
        let input = child.stdin.take();
        let Some(output) = child.stdout.take() else {
            return Err(Failure::new(format!("{name} has no standard output")));
        };
        Ok(Self { name, child, input, output })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives a command, waits for the answer.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Vec<u32>, Failure> {
        self.exchange(command).map_err(Failure::at(format!("{}, asked to {command}", self.name)))
    }

    /// The same for an answer of a known size.
    pub(crate) fn ask_for<const COUNT: usize>(
        &mut self,
        command: &str,
    ) -> Result<[u32; COUNT], Failure> {
        let name = &self.name;
        let unexpected = format!("{name} answered {command} with another number of values");
        self.ask(command)?.try_into().map_err(|_| Failure::new(unexpected))
    }

    fn exchange(&mut self, command: &str) -> std::io::Result<Vec<u32>> {
        let Some(input) = &mut self.input else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        writeln!(input, "{command}")?;
        let mut count = [0; WORD];
        self.output.read_exact(&mut count)?;
        let count = u32::from_ne_bytes(count);
        let bytes = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(WORD);
        if bytes > MAX_BYTES {
            return Err(std::io::Error::other(format!("it answers {count} values")));
        }
        let mut values = vec![0; bytes];
        self.output.read_exact(&mut values)?;
        let (words, _) = values.as_chunks::<WORD>();
        Ok(words.iter().map(|word| u32::from_ne_bytes(*word)).collect())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().map_err(Failure::at(&self.name))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.input = None;
        // It was started by us and nobody else reaps it: an error could only be a bug in std.
        let _ = self.child.wait();
    }
}
