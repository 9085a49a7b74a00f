//! A buffer of the HAL's, read without being mapped: a HAL that makes its buffer smaller must not end
//! the monitor. What cannot be read but mapped is `dma_buf`'s.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use cami_link::sought_size;
use cami_recording::{MAX_CONTENT_BYTES, Memory, Shadow, Snapshot};
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use super::dma_buf::Contents;

/// Offsets of a buffer that are remembered: many times the parts that any known one has.
const MAX_ENDS: usize = 1024;

/// A buffer's memory, as a file.
#[derive(Debug)]
pub struct BufferMemory {
    file: File,
    /// Whether the file's position is our own, so that holes can be looked for.
    is_own: bool,
    bytes: u64,
    contents: Contents,
    /// Where data that begins at an offset was found to end. Nobody else has to know that it still does:
    /// what has become a hole is read as zeros, and behind the end is asked again.
    ends: HashMap<u64, u64>,
}

impl BufferMemory {
    /// That of a file that is looked at again and again: its holes are not read, where it can be opened
    /// a second time.
    pub fn of(file: File) -> Self {
        let bytes = size_of(file.as_fd());
        let (file, is_own) = match open_again(&file) {
            Some(own) => (own, true),
            None => (file, false),
        };
        Self { file, is_own, bytes, contents: Contents::default(), ends: HashMap::new() }
    }

    /// That of a file that is looked at once.
    pub fn shared(file: File) -> Self {
        let bytes = size_of(file.as_fd());
        Self { file, is_own: false, bytes, contents: Contents::default(), ends: HashMap::new() }
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
        if let Some(&end) = self.ends.get(&begin) {
            return Some(begin..end);
        }
        let end = seek(begin, Whence::SeekHole).unwrap_or(u64::MAX);
        if self.ends.len() >= MAX_ENDS {
            self.ends.clear();
        }
        self.ends.insert(begin, end);
        Some(begin..end)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use nix::fcntl::{FallocateFlags, fallocate};

    use super::*;

    const PAGE: u64 = 4096;

    #[test]
    fn where_data_was_is_no_longer_believed_than_it_is_so() {
        let bytes = 40 * PAGE;
        let file = cami_link::sealed_memory("test", bytes).unwrap();
        let mut memory = BufferMemory::of(file.try_clone().unwrap());
        let mut shadow = Shadow::default();
        let write = |page: u64, pages: usize| {
            file.write_all_at(&vec![7; pages * 4096], page * PAGE).unwrap();
        };
        let punch = |page: u64, pages: u64| {
            let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
            let [at, bytes] = [page, pages].map(|pages| i64::try_from(pages * PAGE).unwrap());
            fallocate(&file, flags, at, bytes).unwrap();
        };
        let steps: [(&dyn Fn(), &[u32]); 6] = [
            (&|| write(3, 4), &[3, 4, 5, 6]),
            // It grows at both ends, and into the middle of what was a hole.
            (&|| write(2, 6), &[2, 7]),
            (&|| write(20, 1), &[20]),
            (&|| punch(3, 2), &[3, 4]),
            (&|| punch(6, 2), &[6, 7]),
            (&|| write(4, 17), &[4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]),
        ];
        memory.look(&mut shadow).unwrap();
        for (step, expected) in steps {
            step();
            assert_eq!(memory.look(&mut shadow).unwrap().pages, expected);
            assert!(memory.look(&mut shadow).unwrap().pages.is_empty());
        }
    }
}
