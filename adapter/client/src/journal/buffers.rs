//! The register and deregister history, and the HAL's buffers as far as they are still registered.
//!
//! Handles are the library's own numbers. A new vendor process comes to the same ones by going
//! through the same calls in the same order, with dummies for buffers that are gone: libraries count
//! up, or take the one that was given back first (spec/cami-abi.md, 5.1).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use cami_link::{sealed_memory, write_with_seek};
use nix::errno::Errno;
use nix::sys::stat::fstat;

/// Calls that are remembered. IPU6 registers and deregisters per frame; the longest set-up known
/// needs 1024 (spec/cami-abi.md, 5.2).
pub(crate) const MAX_CALLS: usize = 4096;

/// A buffer of the HAL's, or memory of ours in the place of one. The descriptor that the HAL gave
/// with `register_buffer` stays open until it deregisters the buffer, as it would in a library in
/// the HAL's own process.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    memory: Arc<File>,
    bytes: u64,
    /// Which file it is; a HAL may register one twice.
    file: Option<(u64, u64)>,
}

impl Buffer {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let stat = fstat(&fd).ok();
        let bytes = stat.map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        let file = stat.map(|stat| (stat.st_dev, stat.st_ino));
        Self { memory: Arc::new(fd.into()), bytes, file }
    }

    /// Memory of ours for the library, which cannot shrink it.
    pub(crate) fn of_memory(bytes: u64) -> Result<Self, Errno> {
        if u32::try_from(bytes).is_err() {
            return Err(Errno::EFBIG);
        }
        // In the place of a dma-buf, whose size is not known, something that a library takes.
        let memory = sealed_memory("cami-ipa-replay", bytes.max(1)).map_err(errno)?;
        Ok(Self { memory: Arc::new(memory), bytes, file: None })
    }

    /// Whether both are the same memory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.memory, &other.memory) || (self.file.is_some() && self.file == other.file)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Its size by `fstat`: 0 for a dma-buf.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads all of `bytes` at `offset`, by `pread`: the vendor process may shrink a file that we
    /// would map.
    pub(crate) fn read(&self, offset: u32, bytes: &mut [u8]) -> Result<(), Errno> {
        self.memory.read_exact_at(bytes, offset.into()).map_err(errno)
    }

    pub(crate) fn read_u32(&self, offset: u32) -> Option<u32> {
        let mut word = [0; 4];
        self.read(offset, &mut word).ok().map(|()| u32::from_ne_bytes(word))
    }

    pub(crate) fn read_u64(&self, offset: u32) -> Option<u64> {
        let mut word = [0; 8];
        self.read(offset, &mut word).ok().map(|()| u64::from_ne_bytes(word))
    }

    /// Writes an address where the HAL keeps one; never beyond the end, which would let it grow.
    pub(crate) fn write_u64(&self, offset: u32, word: u64) -> Result<(), Errno> {
        if u64::from(offset).saturating_add(8) > self.bytes {
            return Err(Errno::ENODATA);
        }
        self.write(offset, &word.to_ne_bytes())
    }

    /// Writes all of `bytes` at `offset`, and leaves the file's own position alone, which the HAL
    /// shares.
    pub(crate) fn write(&self, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
        let written = if cami_link::system_calls_are_restricted() {
            write_elsewhere("/proc", &self.memory, bytes, offset.into())
        } else {
            self.memory.write_all_at(bytes, offset.into())
        };
        written.map_err(errno)
    }
}

/// What the kernel said; nothing where the file has an end.
fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::ENODATA, Errno::from_raw)
}

/// ChromeOS's filters know no `pwrite64` (spec/cami-abi.md, 3.2): the file is opened once more, for a
/// position of its own. Where that cannot be (no /proc, no descriptor), the position that the HAL shares is
/// moved and put back.
fn write_elsewhere(proc: &str, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let again = open_again(proc, file);
    write_with_seek(again.as_ref().unwrap_or(file), bytes, offset)
}

fn open_again(proc: &str, file: &File) -> Option<File> {
    // On the stack: this is on every request's way.
    let mut path = [0; 40];
    let mut rest = path.as_mut_slice();
    write!(rest, "{proc}/self/fd/{}", file.as_raw_fd()).ok()?;
    let left = rest.len();
    let path = path.get(..path.len().checked_sub(left)?)?;
    File::options().write(true).open(OsStr::from_bytes(path)).ok()
}

/// One call that the library has answered.
#[derive(Clone, Debug)]
pub(crate) enum BufferCall {
    /// The HAL's `register_buffer`; `buffer` is `None` once it was deregistered.
    Register { handle: i32, bytes: u64, buffer: Option<Buffer> },
    /// The HAL's `deregister_buffers`.
    Deregister { handles: Vec<i32> },
    /// A buffer of ours, which an earlier recovery registered for its replay. It stays: the library
    /// may have kept a pointer into it.
    Own { handle: i32 },
}

/// All such calls, in order.
#[derive(Debug)]
pub(crate) struct BufferCalls {
    calls: Vec<BufferCall>,
    /// More are too many; beyond [`MAX_CALLS`] only where there are as many buffers.
    most: usize,
}

impl Default for BufferCalls {
    fn default() -> Self {
        // At once: see `InFlight`.
        Self { calls: Vec::with_capacity(MAX_CALLS + 1), most: MAX_CALLS }
    }
}

impl BufferCalls {
    pub(crate) fn all(&self) -> &[BufferCall] {
        &self.calls
    }

    /// The buffer that has this handle now.
    pub(crate) fn find(&self, handle: i32) -> Option<&Buffer> {
        self.calls.iter().rev().find_map(|call| match call {
            BufferCall::Register { handle: found, buffer: Some(buffer), .. }
                if *found == handle =>
            {
                Some(buffer)
            }
            _ => None,
        })
    }

    pub(crate) fn register(&mut self, handle: i32, buffer: Buffer) {
        let bytes = buffer.bytes();
        self.push(BufferCall::Register { handle, bytes, buffer: Some(buffer) });
    }

    fn push(&mut self, call: BufferCall) {
        if self.calls.len() == self.calls.capacity() {
            // Not grown in place: see `InFlight`.
            let mut more = Vec::with_capacity(self.calls.capacity().saturating_mul(2));
            more.append(&mut self.calls);
            self.calls = more;
        }
        self.calls.push(call);
    }

    /// Whether the number is that of a buffer of ours.
    pub(crate) fn is_own(&self, handle: i32) -> bool {
        let is_it =
            |call: &BufferCall| matches!(call, BufferCall::Own { handle: own } if *own == handle);
        self.calls.iter().any(is_it)
    }

    pub(crate) fn own(&mut self, handle: i32) {
        self.push(BufferCall::Own { handle });
    }

    pub(crate) fn deregister(&mut self, handles: Vec<i32>) {
        for call in &mut self.calls {
            if let BufferCall::Register { handle, buffer, .. } = call
                && handles.contains(handle)
            {
                *buffer = None;
            }
        }
        self.push(BufferCall::Deregister { handles });
    }

    /// Forgets what is of no use to a history that is too long: all but the buffers of now.
    pub(crate) fn shorten(&mut self) {
        let is_buffer =
            |call: &BufferCall| matches!(call, BufferCall::Register { buffer: Some(_), .. });
        self.calls.retain(is_buffer);
        // They are looked for here as long as there are. Not gone through again at each further call.
        self.most = MAX_CALLS.max(self.calls.len().saturating_mul(2));
    }

    /// Whether there have been more than can be gone through again.
    pub(crate) fn is_too_long(&self) -> bool {
        self.calls.len() > self.most
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;
    use nix::unistd::{Whence, lseek};

    use super::{Buffer, BufferCalls, MAX_CALLS, write_elsewhere};
    use nix::sys::memfd::{MFdFlags, memfd_create};

    fn buffer(bytes: &[u8]) -> Buffer {
        let fd = memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap();
        nix::sys::uio::pwrite(&fd, bytes, 0).unwrap();
        Buffer::new(fd)
    }

    #[test]
    fn words_are_read_and_written_inside_the_buffer_only() {
        let buffer = buffer(&[0x11; 16]);
        assert_eq!(buffer.read_u64(8), Some(0x1111_1111_1111_1111));
        assert_eq!(buffer.read_u64(9), None);
        assert!(buffer.write_u64(9, 1).is_err());
        buffer.write_u64(8, 7).unwrap();
        assert_eq!(
            (buffer.read_u64(0), buffer.read_u64(8)),
            (Some(0x1111_1111_1111_1111), Some(7))
        );
    }

    #[test]
    fn writing_elsewhere_leaves_the_shared_position_alone() {
        for proc in ["/proc", "/nonexistent"] {
            let buffer = buffer(&[0; 16]);
            let before = lseek(buffer.fd(), 3, Whence::SeekSet).unwrap();
            write_elsewhere(proc, &buffer.memory, &7u64.to_ne_bytes(), 8).unwrap();
            assert_eq!(buffer.read_u64(8), Some(7), "{proc}");
            assert_eq!(lseek(buffer.fd(), 0, Whence::SeekCur), Ok(before), "{proc}");
        }
    }

    #[test]
    fn memory_is_never_of_no_size() {
        for bytes in [0, 1, 4096] {
            let memory = Buffer::of_memory(bytes).unwrap();
            assert_eq!(
                Buffer::new(memory.fd().try_clone_to_owned().unwrap()).bytes(),
                bytes.max(1)
            );
        }
        assert_eq!(Buffer::of_memory(1 << 32).unwrap_err(), Errno::EFBIG);
    }

    #[test]
    fn deregistered_buffer_is_closed_and_its_handle_is_found_no_more() {
        let mut calls = BufferCalls::default();
        calls.register(1, buffer(&[1; 8]));
        calls.register(2, buffer(&[2; 8]));
        calls.deregister(vec![1, 99]);
        assert!(calls.find(1).is_none());
        assert_eq!(calls.find(2).unwrap().read_u32(0), Some(0x0202_0202));
        // The number is used again: the newer one counts.
        calls.register(1, buffer(&[3; 8]));
        assert_eq!(calls.find(1).unwrap().read_u32(0), Some(0x0303_0303));
        assert_eq!(calls.all().len(), 4);
    }

    #[test]
    fn history_is_bounded() {
        let mut calls = BufferCalls::default();
        for _ in 0..MAX_CALLS {
            calls.deregister(Vec::new());
        }
        assert!(!calls.is_too_long());
        calls.deregister(Vec::new());
        assert!(calls.is_too_long());
    }
}
