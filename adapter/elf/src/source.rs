//! Where the bytes of a file come from, and how single structures are read of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::{SFlag, fstat};
use object::pod::{self, Pod};

/// What is read of one note, or of another piece of unknown size, in bytes.
pub(crate) const MAX_PIECE_BYTES: u64 = 64 * 1024;
/// Bytes of a page of [`Pages`].
const PAGE: usize = 16 * 1024;
/// Pages that are kept: 8 MiB.
const MAX_PAGES: usize = 512;

/// Why a file cannot be read as a shared library.
#[derive(Debug)]
pub enum ElfError {
    /// It cannot be read at all.
    Io(io::Error),
    /// It is broken; the text says where.
    Malformed(&'static str),
}

/// What reading gives.
pub type Result<T> = std::result::Result<T, ElfError>;

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Malformed(what) => write!(f, "is a broken ELF file: {what}"),
        }
    }
}

impl std::error::Error for ElfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Malformed(_) => None,
        }
    }
}

/// Bytes by their offset.
pub trait Source {
    /// Fills `buffer` with the bytes from `at` on, in bytes from the file's start.
    ///
    /// # Errors
    /// [`ElfError::Malformed`] where the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()>;
}

impl<S: Source + ?Sized> Source for &S {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        (**self).read_exact_at(buffer, at)
    }
}

impl Source for File {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        // pread takes a signed offset; no file reaches further.
        if i64::try_from(at).is_err() {
            return Err(ElfError::Malformed("it points past its own end"));
        }
        FileExt::read_exact_at(self, buffer, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ElfError::Malformed("it is truncated"),
            _ => ElfError::Io(error),
        })
    }
}

impl Source for [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        let bytes = usize::try_from(at)
            .ok()
            .and_then(|at| self.get(at..at.checked_add(buffer.len())?))
            .ok_or(ElfError::Malformed("it is truncated"))?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// A file of which pages are kept as they are read: a library has thousands of small structures.
/// Memory is bounded, whatever the file's size.
#[derive(Debug)]
pub struct Pages {
    file: File,
    pages: RefCell<HashMap<u64, Vec<u8>>>,
}

impl Pages {
    /// Reads from `file`, which should not change meanwhile; what it reads then is a mixture.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file, pages: RefCell::new(HashMap::new()) }
    }

    fn load(&self, page: u64) -> Result<Vec<u8>> {
        let start = offset(0, page, PAGE as u64)?;
        if i64::try_from(start).is_err() {
            return Err(ElfError::Malformed("it points past its own end"));
        }
        let mut bytes = vec![0; PAGE];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = start.saturating_add(filled as u64);
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ElfError::Io(error)),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

impl Source for Pages {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        let mut pages = self.pages.borrow_mut();
        let mut at = at;
        let mut rest = buffer;
        while !rest.is_empty() {
            let (page, within) = (at / PAGE as u64, at % PAGE as u64);
            if !pages.contains_key(&page) {
                let bytes = self.load(page)?;
                if pages.len() >= MAX_PAGES {
                    pages.clear();
                }
                pages.insert(page, bytes);
            }
            let bytes = pages.get(&page).map(Vec::as_slice).unwrap_or_default();
            let found = usize::try_from(within).ok().and_then(|within| bytes.get(within..));
            let found = found.unwrap_or_default();
            let count = found.len().min(rest.len());
            let (Some(from), Some((to, left))) =
                (found.get(..count), rest.split_at_mut_checked(count))
            else {
                return Err(ElfError::Malformed("it is truncated"));
            };
            if count == 0 {
                return Err(ElfError::Malformed("it is truncated"));
            }
            to.copy_from_slice(from);
            rest = left;
            at = offset(at, count as u64, 1)?;
        }
        Ok(())
    }
}

/// Opens `path` if it is a regular file; `None` where it is another kind of file.
///
/// A pipe does not block, a device is not touched further than open. It is `fstat` and not std's
/// `statx`, which ChromeOS's camera services may not call (spec/cami-abi.md, 3.2).
///
/// # Errors
/// Those of `open`.
pub fn open_regular(path: &Path) -> io::Result<Option<File>> {
    // O_NONBLOCK: the open of a FIFO without a writer returns at once.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let mode = SFlag::from_bits_truncate(fstat(&file)?.st_mode);
    Ok((mode & SFlag::S_IFMT == SFlag::S_IFREG).then_some(file))
}

pub(crate) fn align4(size: u64) -> u64 {
    size.next_multiple_of(4)
}

/// `base + index * size`, or an error where that is no address.
///
/// # Errors
/// [`ElfError::Malformed`].
pub fn offset(base: u64, index: u64, size: u64) -> Result<u64> {
    index
        .checked_mul(size)
        .and_then(|bytes| base.checked_add(bytes))
        .ok_or(ElfError::Malformed("one of its tables is larger than memory"))
}

/// Reads `N` bytes; an offset or size past the end of the file is an error.
///
/// # Errors
/// See [`Source::read_exact_at`].
pub fn read_array<const N: usize>(source: &(impl Source + ?Sized), at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Reads `size` bytes, and no more than 64 KiB.
///
/// # Errors
/// See [`Source::read_exact_at`].
pub fn read_vec(source: &(impl Source + ?Sized), at: u64, size: u64) -> Result<Vec<u8>> {
    let size = usize::try_from(size.min(MAX_PIECE_BYTES)).unwrap_or(0);
    let mut bytes = vec![0; size];
    source.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Reads one ELF structure. All of them are at most 64 bytes.
///
/// # Errors
/// See [`Source::read_exact_at`].
pub fn read_pod<T: Pod>(source: &(impl Source + ?Sized), at: u64) -> Result<T> {
    let mut bytes = [0; 64];
    let buffer = bytes
        .get_mut(..size_of::<T>())
        .ok_or(ElfError::Malformed("one of its structures is larger than known"))?;
    source.read_exact_at(buffer, at)?;
    let (value, _) = pod::from_bytes::<T>(buffer)
        .map_err(|()| ElfError::Malformed("one of its structures is misaligned"))?;
    Ok(*value)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn pages_give_the_files_bytes_across_their_borders() {
        let bytes: Vec<u8> = (0..=250u8).cycle().take(5 * PAGE + 7).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let pages = Pages::new(file);
        for (at, size) in [(0, 1), (PAGE - 3, 7), (PAGE - 1, 3 * PAGE), (5 * PAGE, 7)] {
            let mut found = vec![0; size];
            pages.read_exact_at(&mut found, at as u64).unwrap();
            assert_eq!(found, bytes[at..at + size]);
        }
        for (at, size) in [(bytes.len() as u64, 1), (5 * PAGE as u64, 8), (u64::MAX, 2)] {
            assert!(pages.read_exact_at(&mut vec![0; size], at).is_err(), "{at}");
        }
    }
}
