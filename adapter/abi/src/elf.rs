//! Reads what the dynamic loader would believe of a shared library, without loading it.
//!
//! The program headers and the dynamic segment are read, and symbols are found through the
//! library's own hash table, as `ld.so` does it. Section headers are not looked at: a stripped
//! library has none, and a false one must not deceive us about what `dlsym` will return.
//!
//! The file is hostile: all reads are of bounded size at checked offsets, every loop is bounded,
//! and nothing is allocated by a size that the file claims.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;

use object::elf;
use object::endian::{Endian, Endianness};
use object::pod::{self, Pod};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Sym};

/// More program headers than any real library has (they have about ten).
const MAX_PROGRAM_HEADERS: u16 = 512;
/// More dynamic entries than any real library has (they have about forty).
const MAX_DYNAMIC_ENTRIES: u64 = 8192;
/// Notes are some hundred bytes; more than this of one segment is not read.
const MAX_NOTE_BYTES: u64 = 64 * 1024;
/// A chain of a symbol hash table this long is no hash table (they hold a handful).
const MAX_CHAIN: u32 = 1 << 16;

/// Why a file cannot be read as a shared library.
#[derive(Debug)]
pub(crate) enum ElfError {
    Io(io::Error),
    Malformed(&'static str),
}

type Result<T> = std::result::Result<T, ElfError>;

/// A symbol that the library defines and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub value: u64,
    pub size: u64,
    pub kind: elf::SymbolType,
    pub bind: elf::SymbolBind,
}

/// A note of one PT_NOTE segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub name: Vec<u8>,
    pub kind: u32,
    pub desc: Vec<u8>,
}

/// A loadable segment: where its bytes stand in memory and in the file.
#[derive(Debug, Clone, Copy)]
struct Load {
    address: u64,
    memory: u64,
    offset: u64,
    file: u64,
    readable: bool,
}

/// A shared library's loader view, over one ELF class.
#[derive(Debug)]
pub(crate) struct Library<'f, E> {
    file: &'f File,
    pub endian: Endianness,
    pub machine: elf::Machine,
    pub kind: elf::FileType,
    loads: Vec<Load>,
    notes: Vec<(u64, u64)>,
    dynamic: Option<Dynamic>,
    class: PhantomData<E>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Dynamic {
    strings: u64,
    symbols: u64,
    gnu_hash: Option<u64>,
    sysv_hash: Option<u64>,
}

impl<'f, E: FileHeader<Endian = Endianness>> Library<'f, E> {
    /// Reads the headers. `file` must be a regular file that starts with an ELF identification
    /// of class `E`.
    pub fn read(file: &'f File) -> Result<Self> {
        let header: E = read_pod(file, 0)?;
        let endian =
            header.endian().map_err(|_| ElfError::Malformed("its byte order is unknown"))?;
        let mut library = Self {
            file,
            endian,
            machine: header.e_machine(endian),
            kind: header.e_type(endian),
            loads: Vec::new(),
            notes: Vec::new(),
            dynamic: None,
            class: PhantomData,
        };
        library.read_program_headers(&header)?;
        Ok(library)
    }

    fn read_program_headers(&mut self, header: &E) -> Result<()> {
        let count = header.e_phnum(self.endian);
        if count > MAX_PROGRAM_HEADERS {
            return Err(ElfError::Malformed("it has too many program headers"));
        }
        let entry = size_of::<E::ProgramHeader>() as u64;
        if count != 0 && u64::from(header.e_phentsize(self.endian)) != entry {
            return Err(ElfError::Malformed("its program headers have the wrong size"));
        }
        let table: u64 = header.e_phoff(self.endian).into();
        let mut dynamic = None;
        for index in 0..u64::from(count) {
            let at = offset(table, index, entry)?;
            let segment: E::ProgramHeader = read_pod(self.file, at)?;
            let (start, bytes) = segment.file_range(self.endian);
            match segment.p_type(self.endian) {
                elf::PT_LOAD => self.loads.push(Load {
                    address: segment.p_vaddr(self.endian).into(),
                    memory: segment.p_memsz(self.endian).into(),
                    offset: start,
                    file: bytes,
                    readable: segment.p_flags(self.endian).0 & elf::PF_R.0 != 0,
                }),
                elf::PT_DYNAMIC => dynamic = Some((start, bytes)),
                elf::PT_NOTE => self.notes.push((start, bytes)),
                _ => {}
            }
        }
        if let Some((start, bytes)) = dynamic {
            self.dynamic = Some(self.read_dynamic(start, bytes)?);
        }
        Ok(())
    }

    fn read_dynamic(&self, start: u64, bytes: u64) -> Result<Dynamic> {
        let entry = size_of::<E::Dyn>() as u64;
        let mut dynamic = Dynamic::default();
        for index in 0..(bytes / entry).min(MAX_DYNAMIC_ENTRIES) {
            let item: E::Dyn = read_pod(self.file, offset(start, index, entry)?)?;
            let value = item.val(self.endian);
            match item.tag(self.endian) {
                elf::DT_NULL => break,
                elf::DT_STRTAB => dynamic.strings = value,
                elf::DT_SYMTAB => dynamic.symbols = value,
                elf::DT_GNU_HASH => dynamic.gnu_hash = Some(value),
                elf::DT_HASH => dynamic.sysv_hash = Some(value),
                elf::DT_SYMENT if value != size_of::<E::Sym>() as u64 => {
                    return Err(ElfError::Malformed("its symbols have the wrong size"));
                }
                _ => {}
            }
        }
        Ok(dynamic)
    }

    /// Whether it has a dynamic segment, which makes it loadable by dlopen.
    pub fn is_dynamic(&self) -> bool {
        self.dynamic.is_some()
    }

    /// The pointer size of the library's class, in bytes.
    pub fn pointer(&self) -> u64 {
        size_of::<E::Word>() as u64
    }

    /// Whether all of `[address, address + size)` is in one readable loaded segment.
    pub fn is_loaded(&self, address: u64, size: u64) -> bool {
        self.loads.iter().any(|load| {
            load.readable
                && address.checked_sub(load.address).is_some_and(|within| {
                    within.checked_add(size).is_some_and(|end| end <= load.memory)
                })
        })
    }

    /// Finds the definition of `name` as dlsym would, versions left aside.
    pub fn find(&self, name: &[u8]) -> Result<Option<Symbol>> {
        let Some(dynamic) = self.dynamic else { return Ok(None) };
        // ld.so prefers the GNU table where both exist (glibc elf/dl-setup_hash.c).
        match (dynamic.gnu_hash, dynamic.sysv_hash) {
            (Some(table), _) => self.find_gnu(dynamic, table, name),
            (None, Some(table)) => self.find_sysv(dynamic, table, name),
            (None, None) => Err(ElfError::Malformed("it has no symbol hash table")),
        }
    }

    /// GNU layout: bucket count, first hashed symbol, bloom words, bloom shift, the bloom filter,
    /// buckets, then one word for each hashed symbol whose lowest bit ends a chain.
    fn find_gnu(&self, dynamic: Dynamic, table: u64, name: &[u8]) -> Result<Option<Symbol>> {
        let hash = elf::gnu_hash(name);
        let buckets = self.word(table, 0)?;
        let first = self.word(table, 1)?;
        let bloom_words = self.word(table, 2)?;
        if buckets == 0 {
            return Ok(None);
        }
        let bloom_bytes = u64::from(bloom_words) * self.pointer();
        let bucket_table = offset(table, 1, 16 + bloom_bytes)?;
        let chain_table = offset(bucket_table, u64::from(buckets), 4)?;
        let start = self.word(bucket_table, hash % buckets)?;
        if start < first {
            return Ok(None);
        }
        for step in 0..MAX_CHAIN {
            let Some(index) = start.checked_add(step) else { break };
            let entry = self.word(chain_table, index - first)?;
            if entry | 1 == hash | 1
                && let Some(symbol) = self.defined(dynamic, index, name)?
            {
                return Ok(Some(symbol));
            }
            if entry & 1 == 1 {
                return Ok(None);
            }
        }
        Err(ElfError::Malformed("its symbol hash table does not end"))
    }

    /// System V layout: bucket count, symbol count, buckets, chains; symbol 0 ends a chain.
    fn find_sysv(&self, dynamic: Dynamic, table: u64, name: &[u8]) -> Result<Option<Symbol>> {
        let buckets = self.word(table, 0)?;
        if buckets == 0 {
            return Ok(None);
        }
        let bucket_table = offset(table, 2, 4)?;
        let chain_table = offset(bucket_table, u64::from(buckets), 4)?;
        let mut index = self.word(bucket_table, elf::hash(name) % buckets)?;
        for _ in 0..MAX_CHAIN {
            if index == 0 {
                return Ok(None);
            }
            if let Some(symbol) = self.defined(dynamic, index, name)? {
                return Ok(Some(symbol));
            }
            index = self.word(chain_table, index)?;
        }
        Err(ElfError::Malformed("its symbol hash table does not end"))
    }

    /// Symbol `index`, if it is a definition of `name`.
    fn defined(&self, dynamic: Dynamic, index: u32, name: &[u8]) -> Result<Option<Symbol>> {
        let entry = size_of::<E::Sym>() as u64;
        let at = offset(dynamic.symbols, u64::from(index), entry)?;
        let symbol: E::Sym = read_pod(self.file, self.in_file(at, entry)?)?;
        if symbol.st_shndx(self.endian) == elf::SHN_UNDEF
            || !self.names(dynamic, symbol.st_name(self.endian), name)?
        {
            return Ok(None);
        }
        Ok(Some(Symbol {
            value: symbol.st_value(self.endian).into(),
            size: symbol.st_size(self.endian).into(),
            kind: symbol.st_type(),
            bind: symbol.st_bind(),
        }))
    }

    /// Whether the string at `start` of the string table is `name`.
    fn names(&self, dynamic: Dynamic, start: u32, name: &[u8]) -> Result<bool> {
        let mut at = offset(dynamic.strings, u64::from(start), 1)?;
        for expected in name.iter().chain(&[0]) {
            let found: u8 = read_pod(self.file, self.in_file(at, 1)?)?;
            if found != *expected {
                return Ok(false);
            }
            at = offset(at, 1, 1)?;
        }
        Ok(true)
    }

    /// The 32-bit word `index` of a table in a loaded segment.
    fn word(&self, table: u64, index: u32) -> Result<u32> {
        let at = self.in_file(offset(table, u64::from(index), 4)?, 4)?;
        let bytes: [u8; 4] = read_array(self.file, at)?;
        Ok(self.endian.read_u32(bytes))
    }

    /// Where the `size` bytes at `address` stand in the file.
    fn in_file(&self, address: u64, size: u64) -> Result<u64> {
        self.loads
            .iter()
            .find_map(|load| {
                let within = address.checked_sub(load.address)?;
                let end = within.checked_add(size)?;
                if end <= load.file { load.offset.checked_add(within) } else { None }
            })
            .ok_or(ElfError::Malformed("its dynamic segment points outside the file"))
    }

    /// Calls `visit` for each note, in file order.
    pub fn for_each_note(&self, mut visit: impl FnMut(Note)) -> Result<()> {
        for &(start, bytes) in &self.notes {
            self.notes_in(start, bytes.min(MAX_NOTE_BYTES), &mut visit)?;
        }
        Ok(())
    }

    fn notes_in(&self, start: u64, bytes: u64, visit: &mut impl FnMut(Note)) -> Result<()> {
        const HEADER: u64 = 12;
        let mut at = 0;
        while at + HEADER <= bytes {
            let words: [u8; 12] = read_array(self.file, offset(start, at, 1)?)?;
            let [name_size, desc_size, kind] = self.three_words(words);
            let name_at = at + HEADER;
            let desc_at = name_at + align4(u64::from(name_size));
            let end = desc_at + u64::from(desc_size);
            if end > bytes {
                return Err(ElfError::Malformed("a note reaches past its segment"));
            }
            visit(Note {
                name: read_vec(self.file, offset(start, name_at, 1)?, u64::from(name_size))?,
                kind,
                desc: read_vec(self.file, offset(start, desc_at, 1)?, u64::from(desc_size))?,
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

pub(crate) fn align4(size: u64) -> u64 {
    size.next_multiple_of(4)
}

/// `base + index * size`, or an error where that is no address.
pub(crate) fn offset(base: u64, index: u64, size: u64) -> Result<u64> {
    index
        .checked_mul(size)
        .and_then(|bytes| base.checked_add(bytes))
        .ok_or(ElfError::Malformed("one of its tables is larger than memory"))
}

/// Reads `N` bytes; an offset or size past the end of the file is an error.
pub(crate) fn read_array<const N: usize>(file: &File, at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    read_exact(file, &mut bytes, at)?;
    Ok(bytes)
}

/// Reads `size` bytes, of which the caller knows that they are at most [`MAX_NOTE_BYTES`].
pub(crate) fn read_vec(file: &File, at: u64, size: u64) -> Result<Vec<u8>> {
    let size = usize::try_from(size.min(MAX_NOTE_BYTES)).unwrap_or(0);
    let mut bytes = vec![0; size];
    read_exact(file, &mut bytes, at)?;
    Ok(bytes)
}

/// Reads one ELF structure. All of them are at most 64 bytes.
pub(crate) fn read_pod<T: Pod>(file: &File, at: u64) -> Result<T> {
    let mut bytes = [0; 64];
    let buffer = bytes
        .get_mut(..size_of::<T>())
        .ok_or(ElfError::Malformed("one of its structures is larger than known"))?;
    read_exact(file, buffer, at)?;
    let (value, _) = pod::from_bytes::<T>(buffer)
        .map_err(|()| ElfError::Malformed("one of its structures is misaligned"))?;
    Ok(*value)
}

fn read_exact(file: &File, buffer: &mut [u8], at: u64) -> Result<()> {
    // pread takes a signed offset; no file reaches further.
    if i64::try_from(at).is_err() {
        return Err(ElfError::Malformed("it points past its own end"));
    }
    file.read_exact_at(buffer, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ElfError::Malformed("it is truncated"),
        _ => ElfError::Io(error),
    })
}
