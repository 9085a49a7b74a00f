//! Memory that processes share, as files; also where the usual system calls are forbidden.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{Whence, lseek};

use crate::restrict::system_calls_are_restricted;

/// A memory file of `bytes` zero bytes; nobody whom it is given to changes its size.
///
/// # Errors
/// There is no memory, or no descriptor for it.
pub fn sealed_memory(name: &str, bytes: u64) -> io::Result<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = File::from(memfd_create(name, flags)?);
    set_new_length(&file, bytes)?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file)
}

/// The size of a file by the end that can be sought: a dma-buf tells no other (spec/cami-abi.md, 2.4). The
/// position, which others may share, is put back.
///
/// # Errors
/// `ESPIPE` for what has no size.
pub fn sought_size(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    let before = lseek(fd, 0, Whence::SeekCur)?;
    let size = lseek(fd, 0, Whence::SeekEnd);
    let _ = lseek(fd, before, Whence::SeekSet);
    size.map(|size| u64::try_from(size).unwrap_or(0))
}

/// Writes `bytes` at `offset`, as [`FileExt::write_all_at`] does.
///
/// Where system calls are restricted there is no `pwrite`: the file's position is moved and put back.
/// Who shares the open file shares its position; nobody who passes buffers uses that.
///
/// # Errors
/// What the kernel says.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    if system_calls_are_restricted() {
        write_with_seek(file, bytes, offset)
    } else {
        file.write_all_at(bytes, offset)
    }
}

/// Gives a new file its length, as [`File::set_len`] does; where that is forbidden, by writing its last
/// byte.
fn set_new_length(file: &File, length: u64) -> io::Result<()> {
    match length.checked_sub(1) {
        Some(last) if system_calls_are_restricted() => write_with_seek(file, &[0], last),
        _ => file.set_len(length),
    }
}

/// The same by moving the file's position, which is put back.
///
/// # Errors
/// What the kernel says.
pub fn write_with_seek(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let before = file.stream_position()?;
    let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
    file.seek(SeekFrom::Start(before))?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn nobody_changes_the_size_of_sealed_memory() {
        let file = sealed_memory("test", 64).unwrap();
        assert!(file.set_len(32).is_err());
        assert!(file.set_len(128).is_err());
        assert_eq!(file.metadata().unwrap().len(), 64);
    }

    #[test]
    fn a_size_that_is_sought_leaves_the_position_as_it_was() {
        let mut file = sealed_memory("test", 100).unwrap();
        file.seek(SeekFrom::Start(3)).unwrap();
        assert_eq!(sought_size(file.as_fd()), Ok(100));
        assert_eq!(file.stream_position().unwrap(), 3);
        let (pipe, _other) = nix::unistd::pipe().unwrap();
        assert_eq!(sought_size(pipe.as_fd()), Err(Errno::ESPIPE));
    }

    #[test]
    fn a_write_that_seeks_leaves_the_position_as_it_was() {
        let mut file = File::from(memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap());
        file.write_all(b"0123456789").unwrap();
        file.seek(SeekFrom::Start(3)).unwrap();
        write_with_seek(&file, b"xy", 7).unwrap();
        assert_eq!(file.stream_position().unwrap(), 3);
        // The last byte of a new length.
        write_with_seek(&file, &[0], 99).unwrap();
        let mut all = [1; 100];
        file.read_exact_at(&mut all, 0).unwrap();
        assert_eq!(&all[..10], b"0123456xy9");
        assert_eq!(all[10..], [0; 90]);
    }
}
