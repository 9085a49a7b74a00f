//! Resource limits: what a library that eats memory, processes or files meets.

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::layer::LayerError;

/// Files that may be open: what 1024 buffers of IPU6 ever need many times over. No more, because
/// some libraries walk through all numbers to close them.
const OPEN_FILES: u64 = 65536;
/// Threads and processes together. Intel's libraries run fewer than 20.
const PROCESSES: u64 = 512;
/// The largest file, shared memory included: an `update`'s buffer, or a cache.
const FILE_BYTES: u64 = 1 << 30;
/// Memory that may be locked.
const LOCKED_BYTES: u64 = 8 << 20;
/// Signals that may be queued.
const PENDING_SIGNALS: u64 = 1024;
/// Bounds of `data_bytes`: 3A libraries use less than 200 MiB.
const DATA_BYTES: (u64, u64) = (1 << 30, 4 << 30);

/// Limits beside those that are the same everywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Private writable memory, `RLIMIT_DATA`: half of the machine's, from 1 to 4 GiB. Not
    /// `RLIMIT_AS`: GPU libraries reserve address space that they never use.
    pub data_bytes: u64,
}

impl Limits {
    /// Those for the memory that this machine has.
    #[must_use]
    pub fn for_this_machine() -> Self {
        let pages = nix::unistd::sysconf(nix::unistd::SysconfVar::_PHYS_PAGES);
        let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        let known = |value: nix::Result<Option<libc::c_long>>| {
            value.ok().flatten().and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
        };
        let half = known(pages).saturating_mul(known(size)) / 2;
        Self { data_bytes: half.clamp(DATA_BYTES.0, DATA_BYTES.1) }
    }

    /// Each resource with its limit.
    pub(crate) fn table(&self) -> [(Resource, u64); 8] {
        [
            // A core dump would hold the link open while it is written, and so delay the notice.
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_DATA, self.data_bytes),
            (Resource::RLIMIT_FSIZE, FILE_BYTES),
            (Resource::RLIMIT_MEMLOCK, LOCKED_BYTES),
            (Resource::RLIMIT_MSGQUEUE, 0),
            (Resource::RLIMIT_NOFILE, OPEN_FILES),
            (Resource::RLIMIT_NPROC, PROCESSES),
            (Resource::RLIMIT_SIGPENDING, PENDING_SIGNALS),
        ]
    }

    /// Sets them, hard and soft, and reads them back. `own_namespace`: processes are counted for
    /// this user namespace alone (linux 5.14, 21d1c5e386bc); without one the user's other programs
    /// count too, and their number would be our limit.
    pub(crate) fn apply(&self, own_namespace: bool) -> Result<String, LayerError> {
        for (resource, limit) in self.table() {
            if resource == Resource::RLIMIT_NPROC && !own_namespace {
                continue;
            }
            let at = || format!("setrlimit({resource:?})");
            let (_, hard) = getrlimit(resource).map_err(LayerError::at::<Errno>(at()))?;
            let limit = limit.min(hard);
            setrlimit(resource, limit, limit).map_err(LayerError::at::<Errno>(at()))?;
            if getrlimit(resource) != Ok((limit, limit)) {
                return Err(LayerError::text(format!("{} did not hold", at())));
            }
        }
        let processes = match (own_namespace, nix::unistd::getuid().is_root()) {
            // The kernel exempts the first user, by whatever number a namespace knows it.
            (true, false) => format!("{PROCESSES} threads"),
            _ => "threads unlimited".to_owned(),
        };
        Ok(format!("{} MiB of data, {processes}", self.data_bytes >> 20))
    }
}
