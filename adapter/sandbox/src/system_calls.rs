//! The filters of `cami-seccomp`, as this sandbox uses them.

use cami_seccomp::{Arch, BpfProgram, InstallError, Options, Phase, compile, install, own_signals};

use crate::apply::Outcome;
use crate::layer::LayerError;
use crate::plan::Plan;

/// The filter of a library that is initialised, made before the library can see it.
#[derive(Debug)]
pub struct RunningFilter(Vec<BpfProgram>);

impl RunningFilter {
    /// Puts all threads under it. Those that the library has started are among them.
    ///
    /// # Errors
    /// One line that says what the kernel answered.
    pub fn install(&self) -> Result<(), String> {
        install(&self.0, true).map_err(|error| error.to_string())
    }
}

impl Plan {
    /// The filter for [`Phase::Running`]. `hidden`: the new root stands.
    ///
    /// # Errors
    /// A configured `ioctl` that no library may use.
    pub fn running_filter(&self, hidden: bool) -> Result<RunningFilter, String> {
        compile(Arch::current(), Phase::Running, &self.options(hidden))
            .map(RunningFilter)
            .map_err(|error| error.to_string())
    }

    /// Installs the filter for [`Phase::Loading`].
    pub(crate) fn install_loading_filter(&self, hidden: bool) -> Outcome {
        let failed = |error: cami_seccomp::Error| LayerError::text(error.to_string());
        let arch = Arch::current();
        let mut programs = compile(arch, Phase::Loading, &self.options(hidden)).map_err(failed)?;
        programs.push(own_signals(arch, std::process::id()).map_err(failed)?);
        install(&programs, false).map_err(|error| LayerError {
            errno: match error {
                InstallError::Seccomp(errno) | InstallError::NoNewPrivileges(errno) => errno as i32,
                _ => 0,
            },
            action: error.to_string(),
        })?;
        Ok(None)
    }

    /// Truncating `open`s do no harm where no name leads to the HAL's buffers.
    fn options(&self, hidden: bool) -> Options {
        Options { ioctls: self.ioctls.clone(), may_truncate: hidden && !self.files.show_proc() }
    }
}
