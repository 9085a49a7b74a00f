//! Descriptors that the library lent by `update`, and gets back by `update_return`.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use cami_link::sync::Mutex;
use nix::fcntl::{FcntlArg, fcntl};

/// Updates whose numbers are remembered; older ones are forgotten, and get back what number comes.
const MAX_LENT: usize = 4096;

/// The number that each update's descriptor had. Libraries know their buffers by the number
/// (spec/cami-abi.md, 0.6), so it comes back on its old one when that is free.
#[derive(Debug, Default)]
pub struct LentFds(Mutex<Vec<(u32, RawFd)>>);

impl LentFds {
    /// `update` lends `fd`.
    pub fn lend(&self, upd_id: u32, fd: RawFd) {
        let mut lent = self.0.lock();
        if lent.len() >= MAX_LENT {
            lent.remove(0);
        }
        lent.push((upd_id, fd));
    }

    /// `update_return` gives `fd` back: the same open file under its old number, if that is free.
    #[must_use]
    pub fn restore(&self, upd_id: u32, fd: OwnedFd) -> OwnedFd {
        let number = {
            let mut lent = self.0.lock();
            lent.iter().position(|(found, _)| *found == upd_id).map(|index| lent.remove(index).1)
        };
        let Some(number) = number.filter(|number| *number != fd.as_raw_fd()) else { return fd };
        // The lowest free number that is not below: the old one itself, unless it is taken.
        let Ok(copy) = fcntl(fd.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(number)) else { return fd };
        let copy = owned(copy);
        if copy.as_raw_fd() == number { copy } else { fd }
    }
}

fn owned(fd: RawFd) -> OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: F_DUPFD_CLOEXEC just opened it, and nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, OwnedFd};

    use super::LentFds;

    fn any_fd() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    /// A number far above those that tests in other threads open.
    fn at(number: i32) -> OwnedFd {
        let fd = any_fd();
        super::owned(nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(number)).unwrap())
    }

    #[test]
    fn restore_free_number_gets_it_back() {
        let lent = LentFds::default();
        let fd = at(700);
        let number = fd.as_raw_fd();
        lent.lend(5, number);
        drop(fd);
        assert_eq!(lent.restore(5, any_fd()).as_raw_fd(), number);
    }

    #[test]
    fn restore_taken_number_keeps_the_new_one() {
        let lent = LentFds::default();
        let taken = at(800);
        lent.lend(5, taken.as_raw_fd());
        let fd = any_fd();
        let number = fd.as_raw_fd();
        assert_eq!(lent.restore(5, fd).as_raw_fd(), number);
    }

    #[test]
    fn restore_unknown_update_keeps_the_number() {
        let fd = any_fd();
        let number = fd.as_raw_fd();
        assert_eq!(LentFds::default().restore(5, fd).as_raw_fd(), number);
    }
}
