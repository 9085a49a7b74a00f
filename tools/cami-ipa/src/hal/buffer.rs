//! A buffer shared with the library: a memfd of exactly the payload's size.
//!
//! The HAL reads and writes it through the file and keeps a payload of its own: the library maps
//! the buffer and may change it at any moment, so nothing here ever looks into it in place.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use cami_abi::CameraAlgorithm;
use cami_ipu3::{Command, Pod, bytes_of, bytes_of_mut, zeroed_box};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::request::{Cause, RequestError, Requester};

/// The handle of a buffer that is not registered.
const UNREGISTERED: i32 = -1;

/// A payload and the buffer through which the library sees it.
#[derive(Debug)]
pub struct PayloadBuffer<T: Pod> {
    /// The HAL's own copy.
    pub payload: Box<T>,
    shared: SharedBuffer,
}

impl<T: Pod> PayloadBuffer<T> {
    /// A buffer of zeros.
    pub fn new(name: &str) -> io::Result<Self> {
        Ok(Self { payload: zeroed_box(), shared: SharedBuffer::new(name, size_of::<T>())? })
    }

    /// Gives the library an fd of the buffer.
    pub fn register(&mut self, library: &dyn CameraAlgorithm) -> Result<(), RegisterError> {
        self.shared.register(library)
    }

    /// Its handle at the library.
    pub fn handle(&self) -> i32 {
        self.shared.handle
    }

    /// Writes the payload, makes the request, reads what the library wrote.
    pub fn exchange(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        self.send(requester, command)?;
        self.shared
            .file
            .read_exact_at(bytes_of_mut(&mut *self.payload), 0)
            .map_err(|error| RequestError { command, cause: Cause::Buffer(error) })
    }

    /// Writes the payload and makes the request; the library writes nothing that is wanted.
    pub fn send(
        &mut self,
        requester: &mut Requester,
        command: Command,
    ) -> Result<(), RequestError> {
        self.send_parts(requester, command, std::slice::from_ref(&(0..size_of::<T>())))
    }

    /// The same for a payload of which only some bytes are used.
    pub fn send_parts(
        &mut self,
        requester: &mut Requester,
        command: Command,
        parts: &[Range<usize>],
    ) -> Result<(), RequestError> {
        let bytes = bytes_of(&*self.payload);
        for part in parts {
            let used = bytes.get(part.clone()).unwrap_or_default();
            self.shared
                .file
                .write_all_at(used, part.start as u64)
                .map_err(|error| RequestError { command, cause: Cause::Buffer(error) })?;
        }
        requester.request(command, self.shared.handle)
    }
}

/// A memfd that the library knows by a handle.
#[derive(Debug)]
pub struct SharedBuffer {
    file: File,
    handle: i32,
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
    /// A buffer of `size` zero bytes.
    pub fn new(name: &str, size: usize) -> io::Result<Self> {
        let file = File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?);
        file.set_len(size as u64)?;
        Ok(Self { file, handle: UNREGISTERED })
    }

    /// Gives the library an fd of the buffer; the library owns that fd from then on.
    pub fn register(&mut self, library: &dyn CameraAlgorithm) -> Result<(), RegisterError> {
        let fd: OwnedFd = self.file.try_clone().map_err(RegisterError::Share)?.into();
        let handle = library.register_buffer(fd);
        if handle < 0 {
            return Err(RegisterError::Refused(io::Error::from_raw_os_error(-handle)));
        }
        self.handle = handle;
        Ok(())
    }

    /// Its handle at the library.
    pub fn handle(&self) -> i32 {
        self.handle
    }

    /// The memory, as a file.
    pub fn file(&self) -> &File {
        &self.file
    }
}
