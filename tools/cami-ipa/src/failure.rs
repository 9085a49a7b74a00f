//! Why the program ends without having done what was asked.

use std::fmt;
use std::process::ExitCode;

/// An error with its exit code.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    FallsShort,
    Environment,
}

impl Failure {
    /// The thing examined falls short: exit code 1.
    pub fn falls_short(message: String) -> Self {
        Self { kind: Kind::FallsShort, message }
    }

    /// Wrong usage: exit code 2.
    pub fn usage(message: String) -> Self {
        Self { kind: Kind::Environment, message }
    }

    /// A wrong environment, as a file that is not there: exit code 2.
    pub fn environment(message: String) -> Self {
        Self { kind: Kind::Environment, message }
    }

    /// The exit code that goes with it.
    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::FallsShort => ExitCode::from(1),
            Kind::Environment => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
