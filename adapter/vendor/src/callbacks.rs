//! From the vendor library's callbacks to the link.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use cami_abi::Callbacks;
use cami_wire::cros::{MAX_HEADER_BYTES, Returned, Updated};

use crate::SharedRef;
use crate::lent_fds::LentFds;

/// Called by the library from any of its threads, at any time: each callback is one packet, sent
/// without waiting. Nothing is matched with requests: unsolicited and doubled callbacks pass.
pub struct LinkCallbacks {
    shared: SharedRef,
    lent: LentFds,
    notify_seen: AtomicBool,
}

impl LinkCallbacks {
    /// Callbacks that go to `shared`'s link.
    pub fn new(shared: SharedRef) -> Self {
        Self { shared, lent: LentFds::default(), notify_seen: AtomicBool::new(false) }
    }

    /// The descriptors that are on their way to the client and back.
    pub fn lent(&self) -> &LentFds {
        &self.lent
    }
}

impl Callbacks for LinkCallbacks {
    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        self.shared.activity.returned(req_id, status);
        let message = Returned { req_id, status, buffer_handle }.encode();
        self.shared.send(&[IoSlice::new(&message)], &[]);
    }

    fn notify(&self, message: u32) {
        // No known server does this: the slot is the client side's own (spec/cami-abi.md, 0.10).
        if !self.notify_seen.swap(true, Ordering::Relaxed) {
            log::warn!("the library called notify({message}); it is not passed on, now or later");
        }
    }

    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        if header.len() > MAX_HEADER_BYTES {
            log::error!("update {upd_id} dropped: its header has {} bytes", header.len());
            return;
        }
        let update = Updated { upd_id, header, has_fd: fd.is_some() };
        let parts = update.parts();
        let slices =
            [IoSlice::new(&parts.head), IoSlice::new(parts.header), IoSlice::new(&parts.tail)];
        match &fd {
            Some(fd) => {
                self.lent.lend(upd_id, fd.as_raw_fd());
                self.shared.send(&slices, &[fd.as_fd()]);
            }
            None => self.shared.send(&slices, &[]),
        }
        // `fd` is closed here: a copy that stayed open would keep its number from coming back.
    }
}
