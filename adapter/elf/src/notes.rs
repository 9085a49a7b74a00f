//! Notes: the build-id, and the marks of others.

use object::elf;
use object::endian::{Endian, Endianness};
use object::read::elf::FileHeader;

use crate::library::Library;
use crate::source::{
    ElfError, MAX_PIECE_BYTES, Result, Source, align4, offset, read_array, read_vec,
};

/// Bytes of a build-id at most: it is a hash of 16 or 20 bytes; longer ones are none.
pub const MAX_BUILD_ID: usize = 64;

/// A note of one PT_NOTE segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its owner, with the NUL that counts.
    pub name: Vec<u8>,
    /// Its type, of the owner's choice.
    pub kind: u32,
    /// What it says.
    pub desc: Vec<u8>,
}

impl Note {
    /// The linker's build-id in lower-case hexadecimal digits, if this is one.
    #[must_use]
    pub fn build_id(&self) -> Option<String> {
        let is_one = self.name == b"GNU\0"
            && self.kind == elf::NT_GNU_BUILD_ID.0
            && self.desc.len() <= MAX_BUILD_ID;
        is_one.then(|| hex(&self.desc))
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    /// Calls `visit` for each note, in file order.
    ///
    /// # Errors
    /// [`ElfError`] where a note is broken.
    pub fn for_each_note(&self, mut visit: impl FnMut(Note)) -> Result<()> {
        for segment in self.segments.iter().filter(|segment| segment.kind == elf::PT_NOTE) {
            self.notes_in(segment.offset, segment.file.min(MAX_PIECE_BYTES), &mut visit)?;
        }
        Ok(())
    }

    /// The first build-id.
    ///
    /// # Errors
    /// [`ElfError`] where a note is broken.
    pub fn build_id(&self) -> Result<Option<String>> {
        let mut found = None;
        self.for_each_note(|note| {
            if let Some(id) = note.build_id() {
                found.get_or_insert(id);
            }
        })?;
        Ok(found)
    }

    fn notes_in(&self, start: u64, bytes: u64, visit: &mut impl FnMut(Note)) -> Result<()> {
        const HEADER: u64 = 12;
        let mut at = 0;
        while at + HEADER <= bytes {
            let words: [u8; 12] = read_array(&self.source, offset(start, at, 1)?)?;
            let [name_size, desc_size, kind] = self.three_words(words);
            let name_at = at + HEADER;
            let desc_at = name_at + align4(u64::from(name_size));
            let end = desc_at + u64::from(desc_size);
            if end > bytes {
                return Err(ElfError::Malformed("a note reaches past its segment"));
            }
            visit(Note {
                name: read_vec(&self.source, offset(start, name_at, 1)?, u64::from(name_size))?,
                kind,
                desc: read_vec(&self.source, offset(start, desc_at, 1)?, u64::from(desc_size))?,
            });
            at = align4(end);
        }
        Ok(())
    }

    fn three_words(&self, bytes: [u8; 12]) -> [u32; 3] {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(|word| self.endian.read_u32(word))
    }
}
