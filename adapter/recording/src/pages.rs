//! Which pages a file has already.

use std::collections::{HashMap, HashSet};

use crate::frame::PAGE_BYTES;

/// Pages that are remembered: 1 GiB of contents, about 16 MiB of memory. Beyond that all are
/// forgotten, and pages that come again are stored again.
const MAX_KNOWN: usize = 1 << 18;

/// The number of the page of zeros.
pub const ZEROS: u64 = 0;

/// The pages of a file by what they hold. A vendor library decides what is in a page, so they are
/// told apart by a hash that nobody can collide.
#[derive(Debug)]
pub struct KnownPages {
    by_hash: HashMap<[u8; 32], u64>,
    next: u64,
}

impl KnownPages {
    /// Of a file whose next page gets the number `next`.
    pub fn new(next: u64) -> Self {
        Self { by_hash: HashMap::new(), next: next.max(1) }
    }

    /// The number of a page, and whether it is new to the file. New ones are numbered in the order
    /// of the calls.
    pub fn number(&mut self, page: &[u8]) -> (u64, bool) {
        if page == [0; PAGE_BYTES] {
            return (ZEROS, false);
        }
        let hash = *blake3::hash(page).as_bytes();
        if let Some(&number) = self.by_hash.get(&hash) {
            return (number, false);
        }
        if self.by_hash.len() >= MAX_KNOWN {
            self.by_hash.clear();
        }
        let number = self.next;
        self.next += 1;
        self.by_hash.insert(hash, number);
        (number, true)
    }

    /// The number that the next new page gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Forgets all pages but these.
    pub fn retain(&mut self, pages: &HashSet<u64>) {
        self.by_hash.retain(|_, number| pages.contains(number));
    }

    /// Forgets all: what was told since the last block has not reached the file.
    pub fn forget(&mut self) {
        self.by_hash.clear();
    }
}

/// The two ways in which pages are packed.
pub mod packing {
    /// As they are.
    pub const NONE: u32 = 0;
    /// An LZ4 block.
    pub const LZ4: u32 = 1;
}

/// The most pages of one block: 4 MiB.
pub const MAX_BLOCK_PAGES: usize = 1024;

/// Packs pages; returns how.
pub fn pack(pages: &[u8]) -> (u32, Vec<u8>) {
    let packed = lz4_flex::block::compress(pages);
    if packed.len() < pages.len() {
        (packing::LZ4, packed)
    } else {
        (packing::NONE, pages.to_vec())
    }
}

/// Unpacks pages; `None` where they are not so many.
pub fn unpack(how: u32, packed: &[u8], count: u32) -> Option<Vec<u8>> {
    let count = usize::try_from(count).ok().filter(|&count| count <= MAX_BLOCK_PAGES)?;
    let bytes = count.checked_mul(PAGE_BYTES)?;
    match how {
        packing::NONE => (packed.len() == bytes).then(|| packed.to_vec()),
        packing::LZ4 => {
            let mut pages = vec![0; bytes];
            let length = lz4_flex::block::decompress_into(packed, &mut pages).ok()?;
            (length == bytes).then_some(pages)
        }
        _ => None,
    }
}
