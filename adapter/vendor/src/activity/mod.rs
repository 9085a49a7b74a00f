//! What the vendor process is doing, readable after its death.
//!
//! A page of shared memory: the vendor process writes it around every call of the library, the
//! monitor reads it to name the request that was in flight. Nothing else depends on it, because a
//! hostile library can write anything there. The monitor reads with `pread`, never through a
//! mapping.
//!
//! Layout (native endian, offsets in bytes): 0 `u32` stage; 4 `u32` req_id; 8 `i32` handle;
//! 16 `u64` start of the call in ns of `CLOCK_MONOTONIC`; 24 `u64` requests; 32 `u64` callbacks;
//! 40 `u32` exit reason; from 64 [`IN_FLIGHT`] entries of { `u64` start in ns (0: free),
//! `u32` req_id, `i32` handle }; from 1088 the last [`LAST_REQUESTS`] requests (`history`).

mod history;
mod snapshot;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::time::{ClockId, clock_gettime};

pub use history::{LAST_REQUESTS, PastRequest};
pub use snapshot::{InFlight, Snapshot};

use history::History;

/// Requests that are remembered until their callback; the IPU3 and IPU6 clients have at most 6 in
/// flight, MediaTek's at most 44 (spec/cami-abi.md, 5.1).
const IN_FLIGHT: usize = 64;

const PAGE_BYTES: usize = 4096;

/// What the library is being called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// Nothing yet: our own start.
    Starting = 0,
    /// `dlopen`: its constructors run.
    Loading = 1,
    /// Slot 0.
    Initialize = 2,
    /// Slot 1.
    RegisterBuffer = 3,
    /// Slot 2.
    Request = 4,
    /// Slot 3.
    DeregisterBuffers = 5,
    /// Slot 4.
    UpdateReturn = 6,
    /// Slot 5.
    Deinitialize = 7,
    /// It is not being called.
    Idle = 8,
}

impl Stage {
    fn from_number(number: u32) -> Option<Self> {
        const ALL: [Stage; 9] = [
            Stage::Starting,
            Stage::Loading,
            Stage::Initialize,
            Stage::RegisterBuffer,
            Stage::Request,
            Stage::DeregisterBuffers,
            Stage::UpdateReturn,
            Stage::Deinitialize,
            Stage::Idle,
        ];
        ALL.into_iter().find(|stage| *stage as u32 == number)
    }
}

/// Why the vendor process ended itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ExitReason {
    /// It did not: the library did, by `exit` or `_exit`.
    None = 0,
    /// The client hung up.
    HangUp = 1,
    /// The client broke the protocol.
    Protocol = 2,
    /// The client does not read: more callbacks wait than the link may hold.
    ClientDoesNotRead = 3,
    /// The link's descriptor is gone: the library closed it.
    LinkClosed = 4,
    /// The second system call filter could not be installed, and is required.
    Filter = 5,
}

impl ExitReason {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::HangUp,
            2 => Self::Protocol,
            3 => Self::ClientDoesNotRead,
            4 => Self::LinkClosed,
            5 => Self::Filter,
            _ => Self::None,
        }
    }
}

#[derive(Debug)]
#[repr(C)]
struct Entry {
    start_ns: AtomicU64,
    req_id: AtomicU32,
    handle: AtomicI32,
}

#[derive(Debug)]
#[repr(C)]
struct Page {
    stage: AtomicU32,
    req_id: AtomicU32,
    handle: AtomicI32,
    reserved: u32,
    start_ns: AtomicU64,
    requests: AtomicU64,
    callbacks: AtomicU64,
    exit_reason: AtomicU32,
    unused: [u32; 5],
    in_flight: [Entry; IN_FLIGHT],
    history: History,
}

/// Where the history stands.
const HISTORY_AT: usize = 64 + IN_FLIGHT * 16;

const _: () = assert!(size_of::<Page>() == HISTORY_AT + history::BYTES);
const _: () = assert!(size_of::<Page>() <= PAGE_BYTES);

fn now_ns() -> u64 {
    let Ok(time) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return 1 };
    let nanoseconds = Duration::from(time).as_nanos();
    u64::try_from(nanoseconds).unwrap_or(u64::MAX)
}

/// The writing end, in the vendor process.
#[derive(Clone, Copy, Debug)]
pub struct Activity(&'static Page);

impl Activity {
    /// Maps the page that the monitor made. It stays mapped for the life of the process.
    ///
    /// # Errors
    /// `EINVAL` if `fd` is too small, otherwise what `fstat` and `mmap` say.
    pub fn map(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let size = nix::sys::stat::fstat(fd)?.st_size;
        if usize::try_from(size).is_ok_and(|size| size < PAGE_BYTES) {
            return Err(Errno::EINVAL);
        }
        let length = std::num::NonZeroUsize::new(PAGE_BYTES).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address; the file is sealed against shrinking by
        // `ActivityFile::new`, and checked to be large enough above.
        let address = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, 0) }?;
        let page: NonNull<Page> = address.cast();
        // SAFETY: the mapping is page-aligned, large enough, never unmapped, and Page consists of
        // atomics and padding that nobody reads, for which all bytes are valid.
        Ok(Self(unsafe { page.as_ref() }))
    }

    /// A page that nobody else reads, for a process without a monitor.
    ///
    /// # Errors
    /// What `mmap` says.
    pub fn unwatched() -> Result<Self, Errno> {
        let length = std::num::NonZeroUsize::new(PAGE_BYTES).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address.
        let address = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_PRIVATE) }?;
        let page: NonNull<Page> = address.cast();
        // SAFETY: as in `map`; the bytes are zeroes.
        Ok(Self(unsafe { page.as_ref() }))
    }

    /// The library is about to be called.
    pub fn enter(self, stage: Stage) {
        self.0.start_ns.store(now_ns(), Ordering::Relaxed);
        self.0.stage.store(stage as u32, Ordering::Release);
    }

    /// The library returned.
    pub fn leave(self) {
        self.0.stage.store(Stage::Idle as u32, Ordering::Release);
    }

    /// The library is about to get a request. Belongs to the thread that calls the library.
    pub fn request(self, req_id: u32, handle: i32) {
        let now = now_ns();
        self.0.req_id.store(req_id, Ordering::Relaxed);
        self.0.handle.store(handle, Ordering::Relaxed);
        self.0.start_ns.store(now, Ordering::Relaxed);
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.history.begin(number, now, req_id, handle);
        self.0.stage.store(Stage::Request as u32, Ordering::Release);
        let free =
            self.0.in_flight.iter().find(|entry| entry.start_ns.load(Ordering::Acquire) == 0);
        if let Some(entry) = free {
            entry.req_id.store(req_id, Ordering::Relaxed);
            entry.handle.store(handle, Ordering::Relaxed);
            entry.start_ns.store(now, Ordering::Release);
        }
    }

    /// The library called `return_callback`, on any thread: the oldest request of that number is
    /// no longer in flight.
    pub fn returned(self, req_id: u32, status: u32) {
        self.0.callbacks.fetch_add(1, Ordering::Relaxed);
        let oldest = self
            .0
            .in_flight
            .iter()
            .map(|entry| (entry.start_ns.load(Ordering::Acquire), entry))
            .filter(|(start, entry)| *start != 0 && entry.req_id.load(Ordering::Relaxed) == req_id)
            .min_by_key(|(start, _)| *start);
        if let Some((start, entry)) = oldest {
            // Another thread may have answered the same request at this moment: one is enough.
            let ours =
                entry.start_ns.compare_exchange(start, 0, Ordering::AcqRel, Ordering::Relaxed);
            if ours.is_ok() {
                let requests = self.0.requests.load(Ordering::Relaxed);
                self.0.history.end(requests, start, now_ns(), req_id, status);
            }
        }
    }

    /// Nobody waits for a callback any more.
    pub fn forget_requests(self) {
        for entry in &self.0.in_flight {
            entry.start_ns.store(0, Ordering::Release);
        }
    }

    /// The vendor process is about to end itself.
    pub fn exits(self, reason: ExitReason) {
        self.0.exit_reason.store(reason as u32, Ordering::Release);
    }
}

/// The reading end, in the monitor.
#[derive(Debug)]
pub struct ActivityFile(File);

impl ActivityFile {
    /// Makes the page, sealed against any change of its size.
    ///
    /// # Errors
    /// What `memfd_create` and `ftruncate` say.
    pub fn new() -> Result<Self, Errno> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let fd: OwnedFd = memfd_create(c"cami-ipa activity", flags)?;
        let file = File::from(fd);
        file.set_len(PAGE_BYTES as u64)
            .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(file.as_fd(), FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self(file))
    }

    /// The descriptor for the vendor process.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// What stands there now.
    #[must_use]
    pub fn read(&self) -> Snapshot {
        let mut bytes = [0u8; size_of::<Page>()];
        // Short only if somebody else made the file; zeros then.
        let _ = self.0.read_at(&mut bytes, 0);
        let word = |offset: usize| {
            let word = bytes.get(offset..).and_then(|rest| rest.first_chunk::<4>());
            u32::from_ne_bytes(*word.unwrap_or(&[0; 4]))
        };
        let long = |offset: usize| {
            let long = bytes.get(offset..).and_then(|rest| rest.first_chunk::<8>());
            u64::from_ne_bytes(*long.unwrap_or(&[0; 8]))
        };
        let last = bytes.get(HISTORY_AT..).unwrap_or_default();
        let now = now_ns();
        let age = |start: u64| Duration::from_nanos(now.saturating_sub(start));
        let mut in_flight: Vec<InFlight> = (0..IN_FLIGHT)
            .map(|index| 64 + index * 16)
            .filter(|offset| long(*offset) != 0)
            .map(|offset| InFlight {
                req_id: word(offset + 8),
                handle: word(offset + 12).cast_signed(),
                age: age(long(offset)),
            })
            .collect();
        in_flight.sort_by_key(|request| std::cmp::Reverse(request.age));
        Snapshot {
            stage: Stage::from_number(word(0)),
            req_id: word(4),
            handle: word(8).cast_signed(),
            in_call_for: age(long(16)),
            requests: long(24),
            callbacks: long(32),
            exit_reason: ExitReason::from_number(word(40)),
            in_flight,
            last_requests: history::read(last, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::{Activity, ActivityFile, ExitReason, Stage};

    #[test]
    fn activity_request_without_callback_is_in_flight_oldest_first() {
        let file = ActivityFile::new().unwrap();
        let activity = Activity::map(file.as_fd()).unwrap();
        activity.request(8, 3);
        activity.leave();
        activity.request(9, 4);
        activity.returned(8, 0);
        activity.request(8, 5);
        let snapshot = file.read();
        assert_eq!(snapshot.stage, Some(Stage::Request));
        assert_eq!((snapshot.requests, snapshot.callbacks), (3, 1));
        let numbers: Vec<_> = snapshot.in_flight.iter().map(|r| (r.req_id, r.handle)).collect();
        assert_eq!(numbers, [(9, 4), (8, 5)]);
        let text = snapshot.to_string();
        assert!(text.starts_with("in request 8 (buffer 5)"), "{text}");
        assert!(text.contains("; in flight: request 9 (buffer 4) since "), "{text}");
        assert_eq!(text.matches("request 8").count(), 1, "{text}");
    }

    #[test]
    fn activity_unsolicited_and_doubled_callbacks_only_count() {
        let file = ActivityFile::new().unwrap();
        let activity = Activity::map(file.as_fd()).unwrap();
        activity.returned(26, 0);
        activity.returned(26, 0);
        let snapshot = file.read();
        assert_eq!(snapshot.callbacks, 2);
        assert!(snapshot.in_flight.is_empty());
    }

    #[test]
    fn activity_more_requests_than_entries_still_count() {
        let file = ActivityFile::new().unwrap();
        let activity = Activity::map(file.as_fd()).unwrap();
        for id in 0..100 {
            activity.request(id, -1);
        }
        let snapshot = file.read();
        assert_eq!((snapshot.requests, snapshot.in_flight.len()), (100, 64));
    }

    #[test]
    fn activity_page_full_of_rubbish_is_read_without_harm() {
        let file = ActivityFile::new().unwrap();
        file.0.write_all_at(&[0xff; 4096], 0).unwrap();
        let snapshot = file.read();
        assert_eq!(snapshot.stage, None);
        assert_eq!(snapshot.exit_reason, ExitReason::None);
        assert!(snapshot.to_string().contains("overwritten"));
        assert_eq!(snapshot.last_requests.len(), super::LAST_REQUESTS);
    }

    #[test]
    fn activity_page_cannot_be_shrunk() {
        let file = ActivityFile::new().unwrap();
        assert!(file.0.set_len(0).is_err());
    }
}
