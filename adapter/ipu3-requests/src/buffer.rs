//! A buffer shared with the library: a memfd of exactly the payload's size.
//!
//! The client reads and writes it through the file and keeps a payload of its own: the library maps
//! the buffer and may change it at any moment, so nothing here ever looks into it in place.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use cami_abi::CameraAlgorithm;
use cami_ipu3::{Command, Pod, bytes_of, bytes_of_mut, zeroed_box};
use cami_link::{sealed_memory, write_all_at};

use crate::request::{Cause, RequestError, Requester};

/// The handle of a buffer that is not registered.
pub(crate) const UNREGISTERED: i32 = -1;

/// A payload and the buffer through which the library sees it.
#[derive(Debug)]
pub struct PayloadBuffer<T: Pod> {
    /// The client's own copy.
    pub payload: Box<T>,
    /// The memory behind it.
    pub shared: SharedBuffer,
}

impl<T: Pod> PayloadBuffer<T> {
    /// A buffer of zeros.
    ///
    /// # Errors
    /// There is no memory, or no descriptor for it.
    pub fn new(name: &str) -> io::Result<Self> {
        Ok(Self { payload: zeroed_box(), shared: SharedBuffer::new(name, size_of::<T>())? })
    }

    /// Gives the library an fd of the buffer.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn register(&mut self, library: &dyn CameraAlgorithm) -> Result<(), RegisterError> {
        self.shared.register(library)
    }

    /// Its handle at the library.
    #[must_use]
    pub fn handle(&self) -> i32 {
        self.shared.handle
    }

    /// Writes the payload, makes the request, reads what the library wrote.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn exchange(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        self.send(requester, command)?;
        self.read(command)
    }

    /// The same, but if the very request is still unanswered, waits for that answer.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn exchange_or_go_on(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        if requester.awaits(command, self.shared.handle) {
            requester.settle_with_success()?;
        } else {
            self.send(requester, command)?;
        }
        self.read(command)
    }

    /// Writes the payload and makes the request; the library writes nothing that is wanted.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn send(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        self.send_parts(requester, command, std::slice::from_ref(&(0..size_of::<T>())))
    }

    /// The same for a payload of which only some bytes are used.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn send_parts(
        &mut self,
        requester: &mut Requester,
        command: Command,
        parts: &[Range<usize>],
    ) -> Result<(), RequestError> {
        // A request that is still unanswered may be looking at this very buffer.
        requester.settle()?;
        let bytes = bytes_of(&*self.payload);
        for part in parts {
            let used = bytes.get(part.clone()).unwrap_or_default();
            let written = if self.shared.is_new {
                write_into_zeros(&self.shared.file, used, part.start)
            } else {
                write_all_at(&self.shared.file, used, part.start as u64)
            };
            written.map_err(|error| RequestError { command, cause: Cause::Buffer(error) })?;
        }
        self.shared.is_new = false;
        requester.request(command, self.shared.handle)
    }

    /// Writes and makes the request, or waits for its answer if it is still unanswered.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn send_or_go_on(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        if requester.awaits(command, self.shared.handle) {
            requester.settle_with_success()
        } else {
            self.send(requester, command)
        }
    }

    /// Writes some bytes of the payload, makes the request, reads some others.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn exchange_parts(
        &mut self,
        requester: &mut Requester,
        command: Command,
        sent: Range<usize>,
        received: Range<usize>,
    ) -> Result<(), RequestError> {
        self.send_parts(requester, command, std::slice::from_ref(&sent))?;
        self.read_part(command, received)
    }

    /// Takes over some bytes of what the library wrote.
    ///
    /// # Errors
    /// [`Cause::Buffer`].
    pub fn read_part(&mut self, command: Command, part: Range<usize>) -> Result<(), RequestError> {
        let start = part.start as u64;
        let target = bytes_of_mut(&mut *self.payload).get_mut(part).unwrap_or_default();
        self.shared
            .file
            .read_exact_at(target, start)
            .map_err(|error| RequestError { command, cause: Cause::Buffer(error) })
    }

    /// Takes over what the library wrote.
    fn read(&mut self, command: Command) -> Result<(), RequestError> {
        self.read_part(command, 0..size_of::<T>())
    }
}

/// Bytes of a page of a memfd.
const PAGE_BYTES: usize = 4096;

/// Writes what is not zero, in whole pages, into memory in which nothing was written: the HAL writes
/// members of a payload, and most of a payload has no page for as long as nobody does.
fn write_into_zeros(file: &File, bytes: &[u8], start: usize) -> io::Result<()> {
    let mut at = start;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (page, behind) = rest.split_at(rest.len().min(PAGE_BYTES - at % PAGE_BYTES));
        if page.iter().any(|byte| *byte != 0) {
            write_all_at(file, page, at as u64)?;
        }
        at += page.len();
        rest = behind;
    }
    Ok(())
}

/// A memfd that the library knows by a handle.
#[derive(Debug)]
pub struct SharedBuffer {
    file: File,
    handle: i32,
    /// Nothing was sent in it: it is zeros.
    is_new: bool,
}

/// Why a buffer was not registered.
#[derive(Debug)]
pub enum RegisterError {
    /// There was no fd to give away.
    Share(io::Error),
    /// The library refused it.
    Refused(io::Error),
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Share(error) => write!(f, "no fd for a shared buffer: {error}"),
            Self::Refused(error) => write!(f, "the library refused a shared buffer: {error}"),
        }
    }
}

impl SharedBuffer {
    /// A buffer of `size` zero bytes, whose size nobody can change.
    ///
    /// # Errors
    /// There is no memory, or no descriptor for it.
    pub fn new(name: &str, size: usize) -> io::Result<Self> {
        let file = sealed_memory(name, size as u64)?;
        Ok(Self { file, handle: UNREGISTERED, is_new: true })
    }

    /// Gives the library an fd of the buffer; the library owns that fd from then on.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn register(&mut self, library: &dyn CameraAlgorithm) -> Result<(), RegisterError> {
        let fd = self.share().map_err(RegisterError::Share)?;
        self.registered(library.register_buffer(fd))
    }

    /// An fd of the buffer to be given away.
    ///
    /// # Errors
    /// There is none left.
    pub fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Takes what `register_buffer` returned for such an fd.
    ///
    /// # Errors
    /// [`RegisterError::Refused`].
    pub fn registered(&mut self, handle: i32) -> Result<(), RegisterError> {
        if handle < 0 {
            let error = io::Error::from_raw_os_error(handle.saturating_neg());
            return Err(RegisterError::Refused(error));
        }
        self.handle = handle;
        Ok(())
    }

    /// Its handle at the library.
    #[must_use]
    pub fn handle(&self) -> i32 {
        self.handle
    }

    /// The memory, as a file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_zero_takes_no_memory_in_a_new_buffer() {
        use std::os::unix::fs::MetadataExt;
        let buffer = SharedBuffer::new("test", 10 * PAGE_BYTES).unwrap();
        let mut bytes = vec![0; 9 * PAGE_BYTES];
        (bytes[0], bytes[3 * PAGE_BYTES], bytes[9 * PAGE_BYTES - 1]) = (1, 2, 3);
        write_into_zeros(buffer.file(), &bytes, PAGE_BYTES - 1).unwrap();
        let mut held = vec![0; 10 * PAGE_BYTES];
        buffer.file().read_exact_at(&mut held, 0).unwrap();
        assert_eq!(held[PAGE_BYTES - 1..][..bytes.len()], bytes);
        // In pages 0, 3 and 9.
        assert_eq!(buffer.file().metadata().unwrap().blocks() * 512, 3 * PAGE_BYTES as u64);
    }

    #[test]
    fn nobody_changes_the_size_of_a_buffer() {
        let buffer = SharedBuffer::new("test", 64).unwrap();
        let theirs = File::from(buffer.share().unwrap());
        assert!(theirs.set_len(32).is_err());
        assert!(theirs.set_len(128).is_err());
        assert_eq!(theirs.metadata().unwrap().len(), 64);
    }
}
