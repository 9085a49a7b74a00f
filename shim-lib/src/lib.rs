//! `libcam_algo.so`: the HAL's door.
//!
//! A camera HAL dlopens this library and looks up `CAMI`, as it would a vendor's. Behind it the
//! vendor's library runs in a process of its own (`cami-client` starts and watches it).
//!
//! This is a guest in the HAL's process. It has no constructor: the first call makes the
//! supervisor, the logger and the panic hook, all of them private to this library, and the first
//! `initialize` the one thread. Nothing here installs a signal handler, forks, keeps thread-local
//! state or replaces the allocator. The library is never unloaded (`-z nodelete`).

use std::sync::LazyLock;

use cami_abi::{CameraAlgorithm, Exported};
use cami_client::{Options, Supervisor};

/// The instance behind `CAMI`. It is never dropped: the reader thread uses it to the end.
static SUPERVISOR: LazyLock<Supervisor> = LazyLock::new(|| {
    let environment_trusted = cami_guest::environment_is_trusted();
    let supervisor = Supervisor::new(Options {
        module: cami_guest::module_path(environment_trusted),
        environment_trusted,
        socket: None,
        host: None,
    });
    let (level, target, complaint) = cami_guest::parse_variable(environment_trusted);
    cami_guest::install(level, target);
    if !complaint.is_empty() {
        log::warn!("{complaint}");
    }
    supervisor
});

/// The HAL's door as a type.
#[derive(Debug)]
struct Door;

impl Exported for Door {
    fn instance() -> &'static dyn CameraAlgorithm {
        &*SUPERVISOR
    }
}

cami_abi::export_cami!(Door);
cami_abi::shim_note!();
