//! A buffer of the HAL's, read without being mapped: a HAL that makes its buffer smaller must not end
//! the monitor. What cannot be read but mapped is `dma_buf`'s.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use cami_link::sought_size;
use cami_recording::{MAX_CONTENT_BYTES, Memory, Shadow, Snapshot};
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use super::dma_buf::Contents;

/// A buffer's memory, as a file.
#[derive(Debug)]
pub struct BufferMemory {
    file: File,
    /// Whether the file's position is our own, so that holes can be looked for.
    is_own: bool,
    bytes: u64,
    contents: Contents,
}

impl BufferMemory {
    /// That of a file that is looked at again and again: its holes are not read, where it can be opened
    /// a second time.
    pub fn of(file: File) -> Self {
        let bytes = size_of(file.as_fd());
        match open_again(&file) {
            Some(own) => Self { file: own, is_own: true, bytes, contents: Contents::default() },
            None => Self { file, is_own: false, bytes, contents: Contents::default() },
        }
    }

    /// That of a file that is looked at once.
    pub fn shared(file: File) -> Self {
        let bytes = size_of(file.as_fd());
        Self { file, is_own: false, bytes, contents: Contents::default() }
    }

    /// Its bytes, when it was registered.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads what has changed.
    ///
    /// # Errors
    /// `EFBIG` for more than [`MAX_CONTENT_BYTES`], `ENODATA` where it has been made smaller, and what
    /// the kernel says.
    pub fn look(&mut self, shadow: &mut Shadow) -> Result<Snapshot, Errno> {
        let bytes = self.checked()?;
        let looked = shadow.look(bytes, self);
        self.contents.end();
        looked
    }

    /// Reads what has changed, where it can have changed only there: [`Shadow::look_within`].
    ///
    /// # Errors
    /// As [`BufferMemory::look`].
    pub fn look_within(
        &mut self,
        shadow: &mut Shadow,
        ranges: &[Range<u64>],
    ) -> Result<(Snapshot, Option<u32>), Errno> {
        let bytes = self.checked()?;
        let looked = shadow.look_within(bytes, ranges, self);
        self.contents.end();
        looked
    }

    fn checked(&self) -> Result<usize, Errno> {
        if self.bytes > MAX_CONTENT_BYTES {
            return Err(Errno::EFBIG);
        }
        // Behind the end of one that was made smaller there is no data either.
        if self.file.metadata().is_ok_and(|now| now.is_file() && now.len() < self.bytes) {
            return Err(Errno::ENODATA);
        }
        usize::try_from(self.bytes).map_err(|_| Errno::EFBIG)
    }
}

impl Memory for BufferMemory {
    type Error = Errno;

    fn read(&mut self, out: &mut [u8], at: u64) -> Result<(), Errno> {
        self.contents.read(&self.file, out, at).map_err(|error| {
            match (error.kind(), error.raw_os_error()) {
                // It has been made smaller.
                (ErrorKind::UnexpectedEof, _) => Errno::ENODATA,
                (_, Some(errno)) => Errno::from_raw(errno),
                _ => Errno::EIO,
            }
        })
    }

    /// Where from `from` on somebody has written; a file that cannot say is data.
    fn next_data(&mut self, from: u64) -> Option<Range<u64>> {
        let all = Some(from..u64::MAX);
        if !self.is_own {
            return all;
        }
        let seek = |offset: u64, whence| {
            let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
            let found = lseek(&self.file, offset, whence)?;
            u64::try_from(found).map_err(|_| Errno::EOVERFLOW)
        };
        let begin = match seek(from, Whence::SeekData) {
            Ok(begin) => begin.max(from),
            Err(Errno::ENXIO) => return None,
            Err(_) => return all,
        };
        Some(begin..seek(begin, Whence::SeekHole).unwrap_or(u64::MAX))
    }
}

/// The same file with a position of its own; `None` for what is no plain file, or where no /proc is.
fn open_again(file: &File) -> Option<File> {
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// A buffer's bytes, as libraries look it up.
pub fn size_of(fd: BorrowedFd<'_>) -> u64 {
    match nix::sys::stat::fstat(fd).map_or(0, |stat| stat.st_size) {
        0 => sought_size(fd).unwrap_or(0),
        size => u64::try_from(size).unwrap_or(0),
    }
}
