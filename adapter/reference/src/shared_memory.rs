//! Memory that is shared with the client.

use std::fmt;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;

use cami_ipu3::{Pod, bytes_of, bytes_of_mut};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;
use zerocopy::IntoBytes;

use crate::refusal::Refusal;

/// Bytes of the words that are copied at a time.
const WORD: usize = size_of::<u64>();

/// A client's buffer, mapped for reading and writing until this is dropped.
///
/// The client can change every byte at any time. So there is never a reference into the mapping:
/// what is needed is copied out once, checked, and answers are copied in.
///
/// A client that shortens the file under the mapping ends the process by SIGBUS; the host that
/// isolates this library keeps it from doing so.
pub struct SharedMemory {
    address: NonNull<u8>,
    size: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread.
unsafe impl Send for SharedMemory {}
// SAFETY: all accesses are volatile copies of bytes, for which any value is valid; threads that
// copy at the same time race with each other as they do with the client.
unsafe impl Sync for SharedMemory {}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("size", &self.size).finish_non_exhaustive()
    }
}

impl SharedMemory {
    /// Maps the whole of a file; its size is what fstat says.
    pub fn map(fd: impl AsFd) -> Result<Self, Errno> {
        let size = usize::try_from(fstat(&fd)?.st_size).map_err(|_| Errno::EOVERFLOW)?;
        let length = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let address = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, fd, 0) }?;
        Ok(Self { address: address.cast(), size })
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Copies a value out.
    pub fn read<T: Pod>(&self, offset: usize) -> Result<T, Refusal> {
        let mut value = T::new_zeroed();
        self.read_into(offset, bytes_of_mut(&mut value))?;
        Ok(value)
    }

    /// Copies `count` values out, which lie one behind the other.
    pub fn read_items<T: Pod>(&self, offset: usize, count: usize) -> Result<Vec<T>, Refusal> {
        self.span(offset, count.saturating_mul(size_of::<T>()))?;
        let mut items = vec![T::new_zeroed(); count];
        self.read_into(offset, items.as_mut_slice().as_mut_bytes())?;
        Ok(items)
    }

    /// Copies a value in.
    pub fn write<T: Pod>(&self, offset: usize, value: &T) -> Result<(), Refusal> {
        self.copy_in(offset, bytes_of(value))
    }

    /// Copies values in, one behind the other.
    pub fn write_items<T: Pod>(&self, offset: usize, items: &[T]) -> Result<(), Refusal> {
        self.copy_in(offset, items.as_bytes())
    }

    /// The address of `length` bytes from `offset` on, which lie inside the mapping.
    fn span(&self, offset: usize, length: usize) -> Result<*mut u8, Refusal> {
        let end = offset.checked_add(length).ok_or(Refusal::Short)?;
        if end > self.size {
            return Err(Refusal::Short);
        }
        // SAFETY: the offset is inside the mapping, or just behind its end.
        Ok(unsafe { self.address.as_ptr().add(offset) })
    }

    /// Copies bytes out.
    pub fn read_into(&self, offset: usize, target: &mut [u8]) -> Result<(), Refusal> {
        let mut source = self.span(offset, target.len())?.cast_const();
        let (head, rest) = target.split_at_mut(source.align_offset(WORD).min(target.len()));
        let (words, tail) = rest.as_chunks_mut::<WORD>();
        for byte in head {
            // SAFETY: `span` checked that the target's length lies inside the mapping.
            *byte = unsafe { source.read_volatile() };
            source = source.wrapping_add(1);
        }
        for word in words {
            // SAFETY: as above; the address is a multiple of the word's size since the head.
            let value = unsafe { source.cast::<u64>().read_volatile() };
            *word = value.to_ne_bytes();
            source = source.wrapping_add(WORD);
        }
        for byte in tail {
            // SAFETY: as above.
            *byte = unsafe { source.read_volatile() };
            source = source.wrapping_add(1);
        }
        Ok(())
    }

    fn copy_in(&self, offset: usize, from: &[u8]) -> Result<(), Refusal> {
        let mut target = self.span(offset, from.len())?;
        let (head, rest) = from.split_at(target.align_offset(WORD).min(from.len()));
        let (words, tail) = rest.as_chunks::<WORD>();
        for byte in head {
            // SAFETY: `span` checked that the source's length lies inside the mapping.
            unsafe { target.write_volatile(*byte) };
            target = target.wrapping_add(1);
        }
        for word in words {
            // SAFETY: as above; the address is a multiple of the word's size since the head.
            unsafe { target.cast::<u64>().write_volatile(u64::from_ne_bytes(*word)) };
            target = target.wrapping_add(WORD);
        }
        for byte in tail {
            // SAFETY: as above.
            unsafe { target.write_volatile(*byte) };
            target = target.wrapping_add(1);
        }
        Ok(())
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `map`; nothing refers into it any more. It can only fail
        // for an address that is not a page's.
        let _ = unsafe { munmap(self.address.cast(), self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::unistd::ftruncate;

    fn memory(size: i64) -> SharedMemory {
        let fd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).expect("a memfd");
        ftruncate(&fd, size).expect("a size");
        SharedMemory::map(fd).expect("a mapping")
    }

    #[test]
    fn what_was_copied_in_comes_out_at_every_offset_and_length() {
        let memory = memory(64);
        for offset in 0..20 {
            for length in 0..40_u8 {
                memory.write_items(0, &[0xff_u8; 64]).expect("it fits");
                let bytes: Vec<u8> = (0..length).collect();
                memory.write_items(offset, &bytes).expect("it fits");
                let all: Vec<u8> = memory.read_items(0, 64).expect("it is there");
                let mut expected = [0xff_u8; 64];
                expected[offset..][..bytes.len()].copy_from_slice(&bytes);
                assert_eq!(all, expected);
                assert_eq!(memory.read_items::<u8>(offset, bytes.len()), Ok(bytes));
            }
        }
    }

    #[test]
    fn nothing_outside_is_touched() {
        let memory = memory(24);
        assert_eq!(memory.read::<u64>(16), Ok(0));
        assert_eq!(memory.read::<u64>(17), Err(Refusal::Short));
        assert_eq!(memory.read::<u8>(usize::MAX), Err(Refusal::Short));
        assert_eq!(memory.read_items::<u64>(0, usize::MAX), Err(Refusal::Short));
        assert_eq!(memory.write(24, &0_u8), Err(Refusal::Short));
        assert_eq!(memory.write_items::<u8>(24, &[]), Ok(()));
    }

    #[test]
    fn what_cannot_be_mapped_is_refused() {
        let (pipe, _other) = nix::unistd::pipe().expect("a pipe");
        assert!(SharedMemory::map(&pipe).is_err());
        let empty = memfd_create(c"empty", MFdFlags::MFD_CLOEXEC).expect("a memfd");
        assert_eq!(SharedMemory::map(&empty).err(), Some(Errno::EINVAL));
        let folder = std::fs::File::open("/").expect("a folder");
        assert!(SharedMemory::map(&folder).is_err());
        let read_only = std::fs::File::open("/proc/self/exe").expect("a file");
        assert_eq!(SharedMemory::map(&read_only).err(), Some(Errno::EACCES));
    }
}
