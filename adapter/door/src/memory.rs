//! The memory behind a buffer of libcamera's.
//!
//! libcamera passes dma-bufs, and files in tests. A file's holder can shrink it, and whoever has it
//! mapped then dies of SIGBUS. So a file is never mapped: it is read by `pread` and written by
//! `pwrite`, which shares the pages with every mapping of it and tells of a missing end by an error.
//! A dma-buf cannot be read so, and its size is fixed when it is exported (linux
//! `drivers/dma-buf/dma-buf.c`: it has no `read`, and its inode no `setattr`): it is mapped. What is
//! neither is refused.
//!
//! There is no `DMA_BUF_IOCTL_SYNC`, as libcamera has none: the IPU3 is in x86 machines, whose caches
//! are coherent with it.

use std::fmt;
use std::fs::File;
use std::num::NonZero;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr::{self, NonNull};

use cami_link::{sought_size, write_all_at};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::{SFlag, fstat};

/// `DMA_BUF_MAGIC` (linux `include/uapi/linux/magic.h`).
const DMA_BUF_MAGIC: i64 = 0x444d_4142;

/// A range of a file or a dma-buf, whose bytes can be read and written.
#[derive(Debug)]
pub struct Memory {
    kind: Kind,
    length: usize,
}

#[derive(Debug)]
enum Kind {
    File { file: File, offset: u64 },
    Mapped(Mapping),
}

/// Why there is no such memory, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// The range is not within what the descriptor has.
    TooSmall {
        /// First byte behind the range.
        end: u64,
        /// Bytes that are there.
        size: u64,
    },
    /// A read or a write past the range.
    OutOfRange,
    /// Neither a file nor a dma-buf.
    Foreign,
    /// A system call failed.
    Os(Errno),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { end, size } => write!(f, "ends at {end} in memory of {size} bytes"),
            Self::OutOfRange => f.write_str("is smaller than what it has to hold"),
            Self::Foreign => f.write_str("is neither a dma-buf nor a file"),
            Self::Os(errno) => f.write_str(errno.desc()),
        }
    }
}

impl std::error::Error for MemoryError {}

impl Memory {
    /// The `length` bytes at `offset` of what `fd` names.
    ///
    /// # Errors
    /// A range that is empty or not within its size, and what is neither file nor dma-buf.
    pub fn open(fd: OwnedFd, offset: u32, length: u32) -> Result<Self, MemoryError> {
        let offset = u64::from(offset);
        let end = offset.saturating_add(u64::from(length));
        let length = usize::try_from(length).map_err(|_| MemoryError::OutOfRange)?;
        let file = File::from(fd);
        let status = fstat(&file).map_err(MemoryError::Os)?;
        let regular = SFlag::from_bits_truncate(status.st_mode).contains(SFlag::S_IFREG);
        let size = size(&file, status.st_size)?;
        if length == 0 || end > size {
            return Err(MemoryError::TooSmall { end, size });
        }
        let kind = if regular {
            Kind::File { file, offset }
        } else if is_dma_buf(&file)? {
            Kind::Mapped(Mapping::new(&file, offset, length)?)
        } else {
            return Err(MemoryError::Foreign);
        };
        Ok(Self { kind, length })
    }

    /// Fills `into` from the start of the range.
    ///
    /// # Errors
    /// A range, or a file that was shrunk meanwhile, with fewer bytes.
    pub fn read(&self, into: &mut [u8]) -> Result<(), MemoryError> {
        if into.len() > self.length {
            return Err(MemoryError::OutOfRange);
        }
        match &self.kind {
            Kind::File { file, offset } => file.read_exact_at(into, *offset).map_err(failed),
            Kind::Mapped(mapping) => {
                mapping.read(into);
                Ok(())
            }
        }
    }

    /// Puts `bytes` at the start of the range.
    ///
    /// # Errors
    /// A range with fewer bytes, or a file that may not be written.
    pub fn write(&self, bytes: &[u8]) -> Result<(), MemoryError> {
        if bytes.len() > self.length {
            return Err(MemoryError::OutOfRange);
        }
        match &self.kind {
            Kind::File { file, offset } => write_all_at(file, bytes, *offset).map_err(failed),
            Kind::Mapped(mapping) => {
                mapping.write(bytes);
                Ok(())
            }
        }
    }
}

/// The size that the inode tells, or where it tells none the end that can be sought.
fn size(file: &File, stated: i64) -> Result<u64, MemoryError> {
    if let Ok(size @ 1..) = u64::try_from(stated) {
        return Ok(size);
    }
    sought_size(file.as_fd()).map_err(MemoryError::Os)
}

fn is_dma_buf(file: &File) -> Result<bool, MemoryError> {
    let status = nix::sys::statfs::fstatfs(file.as_fd()).map_err(MemoryError::Os)?;
    // The field's type differs between architectures.
    #[allow(clippy::useless_conversion, reason = "the type of f_type differs")]
    Ok(i64::from(status.filesystem_type().0) == DMA_BUF_MAGIC)
}

fn failed(error: std::io::Error) -> MemoryError {
    match (error.kind(), error.raw_os_error()) {
        (_, Some(number)) => MemoryError::Os(Errno::from_raw(number)),
        // The file ends before the range does.
        _ => MemoryError::OutOfRange,
    }
}

/// A mapping of a dma-buf.
#[derive(Debug)]
struct Mapping {
    start: NonNull<libc::c_void>,
    bytes: NonZero<usize>,
    /// Where the range begins: a mapping begins at a page.
    skip: usize,
    length: usize,
}

// SAFETY: the mapping is this value's alone; other processes may change its bytes at any time, and
// they are only ever copied as raw bytes.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: &File, offset: u64, length: usize) -> Result<Self, MemoryError> {
        const PAGE: u64 = 4096;
        let begin = offset / PAGE * PAGE;
        let skip = usize::try_from(offset - begin).map_err(|_| MemoryError::OutOfRange)?;
        let bytes = skip.checked_add(length).and_then(NonZero::new);
        let bytes = bytes.ok_or(MemoryError::OutOfRange)?;
        let begin = begin.try_into().map_err(|_| MemoryError::OutOfRange)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so nothing that is there is replaced.
        let start = unsafe { mmap(None, bytes, access, MapFlags::MAP_SHARED, file, begin) }
            .map_err(MemoryError::Os)?;
        Ok(Self { start, bytes, skip, length })
    }

    fn read(&self, into: &mut [u8]) {
        let count = into.len().min(self.length);
        // SAFETY: `skip + length` bytes are mapped, see `new`.
        let from = unsafe { self.start.as_ptr().cast::<u8>().add(self.skip) };
        // SAFETY: `count` bytes at `from` are mapped; `into` is ours and cannot overlap.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), count) };
    }

    fn write(&self, bytes: &[u8]) {
        let count = bytes.len().min(self.length);
        // SAFETY: `skip + length` bytes are mapped, see `new`.
        let to = unsafe { self.start.as_ptr().cast::<u8>().add(self.skip) };
        // SAFETY: `count` bytes at `to` are mapped writable; `bytes` is ours and cannot overlap.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, count) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` mapped these bytes, and nothing points into them.
        let _ = unsafe { munmap(self.start, self.bytes.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};

    fn file(bytes: &[u8]) -> File {
        let file = File::from(memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap());
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn open(file: &File, offset: u32, length: u32) -> Result<Memory, MemoryError> {
        Memory::open(file.as_fd().try_clone_to_owned().unwrap(), offset, length)
    }

    #[test]
    fn a_file_is_read_and_written_in_its_range() {
        let file = file(b"0123456789");
        let memory = open(&file, 2, 4).unwrap();
        let mut bytes = [0; 4];
        memory.read(&mut bytes).unwrap();
        assert_eq!(&bytes, b"2345");
        memory.write(b"ab").unwrap();
        let mut all = [0; 10];
        file.read_exact_at(&mut all, 0).unwrap();
        assert_eq!(&all, b"01ab456789");
        assert_eq!(memory.write(b"12345"), Err(MemoryError::OutOfRange));
        assert_eq!(memory.read(&mut [0; 5]), Err(MemoryError::OutOfRange));
    }

    #[test]
    fn a_range_that_is_not_there_is_refused() {
        let file = file(b"0123456789");
        for (offset, length) in [(0, 11), (10, 1), (u32::MAX, u32::MAX), (0, 0)] {
            let end = u64::from(offset) + u64::from(length);
            assert_eq!(
                open(&file, offset, length).unwrap_err(),
                MemoryError::TooSmall { end, size: 10 }
            );
        }
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_no_signal() {
        let file = file(&[7; 8192]);
        let memory = open(&file, 0, 8192).unwrap();
        file.set_len(100).unwrap();
        assert_eq!(memory.read(&mut [0; 8192]), Err(MemoryError::OutOfRange));
        // The write grows it again, as it grows any file.
        memory.write(&[1; 200]).unwrap();
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        let null = OwnedFd::from(File::options().read(true).write(true).open("/dev/null").unwrap());
        assert!(matches!(Memory::open(null, 0, 1), Err(MemoryError::TooSmall { .. })));
        let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(Memory::open(socket.into(), 0, 1).unwrap_err(), MemoryError::Os(Errno::ESPIPE));
    }

    /// No dma-buf can be made here; a mapping is the same for every file.
    #[test]
    fn a_mapping_shows_and_changes_the_file_at_an_offset_that_is_no_page() {
        let content: Vec<u8> = (0..9000_u32).map(|n| (n % 251) as u8).collect();
        let file = file(&content);
        let mapping = Mapping::new(&file, 4100, 500).unwrap();
        let mut bytes = [0; 500];
        mapping.read(&mut bytes);
        assert_eq!(bytes, content[4100..4600]);
        mapping.write(b"xyz");
        let mut found = [0; 4];
        file.read_exact_at(&mut found, 4099).unwrap();
        assert_eq!(&found[1..], b"xyz");
        assert_eq!(found[0], content[4099]);
    }
}
