//! The descriptors of the process. There is no `/proc` in the sandbox: numbers are asked one by one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;

/// Numbers that are looked at. The kernel gives the lowest that is free.
const NUMBERS: RawFd = 4096;

/// What tells a file from others: device and inode.
pub type Identity = (u64, u64);

/// Descriptors by number.
pub type Table = BTreeMap<RawFd, Identity>;

/// A buffer that the library knows.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Its handle.
    pub handle: i32,
    /// The number that was given away.
    pub number: RawFd,
    /// The file.
    pub identity: Identity,
}

/// What is open.
pub fn table() -> Table {
    (0..NUMBERS).filter_map(|number| Some((number, identity_of(number)?))).collect()
}

/// How many descriptors of that file are open.
pub fn count(identity: Identity) -> usize {
    table().values().filter(|found| **found == identity).count()
}

/// Which file a number stands for; `None` where it is not open.
pub fn identity_of(number: RawFd) -> Option<Identity> {
    if number < 0 {
        return None;
    }
    // SAFETY: F_GETFD reads a flag and takes any number.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open now; the library may close it meanwhile, and then fstat fails.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let status = fstat(borrowed).ok()?;
    Some((status.st_dev, status.st_ino))
}

/// A memory file of so many zeros: of its size by its last byte, since the sandbox forbids ftruncate.
pub fn memory(bytes: u64) -> io::Result<(OwnedFd, Identity)> {
    let mut file = File::from(memfd_create(c"conform", MFdFlags::MFD_CLOEXEC)?);
    if let Some(last) = bytes.checked_sub(1) {
        file.seek(SeekFrom::Start(last))?;
        file.write_all(&[0])?;
        file.rewind()?;
    }
    let fd = OwnedFd::from(file);
    let identity = identity_of(fd.as_raw_fd()).ok_or(io::ErrorKind::NotFound)?;
    Ok((fd, identity))
}

/// Gives a descriptor to the library.
pub fn give_away(fd: OwnedFd) -> RawFd {
    fd.into_raw_fd()
}

/// A descriptor of the same file under the number `wanted`, which must be free.
pub fn at_number(fd: &OwnedFd, wanted: RawFd) -> io::Result<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(wanted))?;
    // SAFETY: fcntl has just made it, and nobody else knows it.
    let made = unsafe { OwnedFd::from_raw_fd(number) };
    if number == wanted { Ok(made) } else { Err(io::ErrorKind::AddrInUse.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_its_size_and_its_number_is_known() {
        let (fd, identity) = memory(5000).unwrap();
        assert_eq!(fstat(&fd).unwrap().st_size, 5000);
        assert_eq!(table().get(&fd.as_raw_fd()), Some(&identity));
        assert_eq!(count(identity), 1);
        let other = at_number(&fd, 3000).unwrap();
        assert_eq!(count(identity), 2);
        assert!(at_number(&fd, 3000).is_err());
        drop(other);
        assert_eq!(identity_of(3000), None);
        assert_eq!(identity_of(-1), None);
        let (empty, _) = memory(0).unwrap();
        assert_eq!(fstat(&empty).unwrap().st_size, 0);
    }
}
