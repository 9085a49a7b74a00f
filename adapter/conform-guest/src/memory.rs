//! Pages with a guard behind them, whose protection can be changed.

use std::num::NonZeroUsize;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect};

/// Some bytes that end where nothing can be read any more. Never freed.
#[derive(Debug)]
pub struct Page {
    /// The page that can be read.
    base: NonNull<u8>,
    page_bytes: usize,
    len: usize,
}

impl Page {
    /// A page that ends with `bytes`; what lies behind cannot be touched. At most one page.
    pub fn ending_with(bytes: &[u8]) -> Result<Self, Errno> {
        let page_bytes = page_bytes();
        let both = NonZeroUsize::new(2 * page_bytes).ok_or(Errno::EINVAL)?;
        let offset = page_bytes.checked_sub(bytes.len()).ok_or(Errno::E2BIG)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe { mmap_anonymous(None, both, access, MapFlags::MAP_PRIVATE) }?;
        let page = Self { base: base.cast(), page_bytes, len: bytes.len() };
        // SAFETY: offset and length lie within the first of the two pages.
        let start = unsafe { page.base.as_ptr().add(offset) };
        // SAFETY: as above; the page is new and nobody else knows it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
        // SAFETY: the second of the two pages.
        let guard = unsafe { page.base.byte_add(page_bytes) };
        // SAFETY: it is ours and holds nothing.
        unsafe { mprotect(guard.cast(), page_bytes, ProtFlags::PROT_NONE) }?;
        Ok(page)
    }

    /// Where the bytes begin.
    pub fn start(&self) -> *const u8 {
        let offset = self.page_bytes.saturating_sub(self.len);
        // SAFETY: `ending_with` has checked that the bytes lie within the page.
        unsafe { self.base.as_ptr().add(offset) }.cast_const()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// From now on they can be read only.
    pub fn read_only(&self) -> Result<(), Errno> {
        // SAFETY: the page is ours; nothing of ours writes to it any more.
        unsafe { mprotect(self.base.cast(), self.page_bytes, ProtFlags::PROT_READ) }
    }

    /// From now on they cannot be touched.
    pub fn take_away(&self) -> Result<(), Errno> {
        // SAFETY: the page is ours; nothing of ours looks at it any more.
        unsafe { mprotect(self.base.cast(), self.page_bytes, ProtFlags::PROT_NONE) }
    }
}

fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_at_the_end_of_the_page() {
        let page = Page::ending_with(&[1, 2, 3]).unwrap();
        assert_eq!((page.start().addr() + page.len()) % page_bytes(), 0);
        page.read_only().unwrap();
        // SAFETY: three bytes that can be read.
        let bytes = unsafe { std::slice::from_raw_parts(page.start(), page.len()) };
        assert_eq!(bytes, [1, 2, 3]);
        assert!(Page::ending_with(&vec![0; page_bytes() + 1]).is_err());
        assert_eq!(Page::ending_with(&[]).unwrap().len(), 0);
    }
}
