//! Installing programs.

use std::fmt;

use nix::errno::Errno;
use seccompiler::{BpfProgram, apply_filter, apply_filter_all_threads};

/// Why the kernel did not take a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallError {
    /// `PR_SET_NO_NEW_PRIVS` failed.
    NoNewPrivileges(Errno),
    /// `seccomp` failed.
    Seccomp(Errno),
    /// This thread has filters that the calling one does not have, so both cannot get the same.
    Thread(i64),
    /// There is nothing in the program, or a later version of `seccompiler` knows more errors.
    Other,
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNewPrivileges(errno) => {
                write!(f, "PR_SET_NO_NEW_PRIVS: {errno}; an outer filter refuses prctl")
            }
            Self::Seccomp(errno) => write!(f, "seccomp: {errno}; {}", meaning(*errno)),
            Self::Thread(thread) => write!(
                f,
                "thread {thread} has installed a filter of its own, so the process cannot have one \
                 for all threads"
            ),
            Self::Other => f.write_str("seccomp: the program is not one that can be installed"),
        }
    }
}

impl std::error::Error for InstallError {}

/// What an errno of `seccomp(2)` says of the system.
fn meaning(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOSYS => "the kernel is built without seccomp, or an outer filter hides it",
        Errno::EINVAL => "the kernel is built without CONFIG_SECCOMP_FILTER, or is before 3.17",
        Errno::EPERM => "an outer filter, or one that is there already, refuses further filters",
        Errno::EACCES => "no_new_privs is not set",
        Errno::ENOMEM => "no memory is left, or the filters together are too long for the kernel",
        Errno::ESRCH => "another thread changed its filters at the same moment",
        _ => "the kernel does not take the filter",
    }
}

/// Installs the programs in their order, for this thread and all that it starts; with
/// `all_threads` for those that run already too. Sets `no_new_privs`. What was installed before an
/// error stays: the caller ends, or goes on with less on purpose.
///
/// # Errors
/// Which call failed, and what that means.
pub fn install(programs: &[BpfProgram], all_threads: bool) -> Result<(), InstallError> {
    for program in programs {
        let installed =
            if all_threads { apply_filter_all_threads(program) } else { apply_filter(program) };
        installed.map_err(|error| match error {
            seccompiler::Error::Prctl(error) => InstallError::NoNewPrivileges(errno(&error)),
            seccompiler::Error::Seccomp(error) => InstallError::Seccomp(errno(&error)),
            seccompiler::Error::ThreadSync(thread) => InstallError::Thread(thread),
            _ => InstallError::Other,
        })?;
    }
    Ok(())
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}
