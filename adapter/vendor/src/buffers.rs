//! Buffers before the vendor library sees them.

use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;

use cami_link::sought_size;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// Whether the library may have this buffer; the error is what `register_buffer` answers.
///
/// The libraries test `mmap`'s result for NULL instead of `MAP_FAILED`, and hand out a valid handle
/// for a buffer whose first use is a crash (spec/cami-abi.md, 2.4). So the size is looked up as
/// they do it, by `fstat` and for dma-bufs by `lseek`, and the buffer is mapped on trial as they
/// map it: shared and writable.
///
/// # Errors
/// `EBADFD`, the vendors' own code, for a buffer without a size (or without `st_size`, where
/// `needs_st_size`) or one that cannot be mapped.
pub fn check(fd: BorrowedFd<'_>, needs_st_size: bool) -> Result<(), Errno> {
    let size = match st_size(fd) {
        0 if needs_st_size => {
            log::warn!(
                "register_buffer: refused a buffer without st_size, which this profile needs"
            );
            return Err(Errno::EBADFD);
        }
        0 => sought_size(fd).unwrap_or(0),
        size => u64::try_from(size).unwrap_or(0),
    };
    let Some(length) = usize::try_from(size).ok().and_then(NonZeroUsize::new) else {
        log::warn!("register_buffer: refused a buffer of no size");
        return Err(Errno::EBADFD);
    };
    // SAFETY: the kernel chooses the address, and nothing reads or writes the mapping.
    let mapped = unsafe { mmap(None, length, ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, fd, 0) };
    let address = mapped.map_err(|errno| {
        log::warn!("register_buffer: refused a buffer that cannot be mapped for writing: {errno}");
        Errno::EBADFD
    })?;
    // SAFETY: this is the mapping made above, whole, and nobody else knows of it.
    let unmapped = unsafe { munmap(address, length.get()) };
    if let Err(errno) = unmapped {
        log::warn!("register_buffer: munmap of the trial mapping: {errno}");
    }
    Ok(())
}

fn st_size(fd: BorrowedFd<'_>) -> i64 {
    nix::sys::stat::fstat(fd).map_or(0, |stat| stat.st_size)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use nix::errno::Errno;
    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::check;

    #[test]
    fn check_sized_memfd_is_accepted() {
        let file = File::from(memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap());
        file.set_len(100).unwrap();
        assert_eq!(check(file.as_fd(), true), Ok(()));
    }

    #[test]
    fn check_empty_or_unmappable_is_refused_with_the_vendors_code() {
        let empty = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap();
        assert_eq!(check(empty.as_fd(), false), Err(Errno::EBADFD));
        let read_only = File::open("/proc/self/exe").unwrap();
        assert_eq!(check(read_only.as_fd(), false), Err(Errno::EBADFD));
        let (pipe, _other) = nix::unistd::pipe().unwrap();
        assert_eq!(check(pipe.as_fd(), false), Err(Errno::EBADFD));
    }
}
