//! The dynamic segment, and strings of the string table.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{Dyn, FileHeader};

use crate::library::Library;
use crate::source::{ElfError, Result, Source, offset, read_pod};

/// More dynamic entries than any real library has (they have about forty).
const MAX_DYNAMIC_ENTRIES: u64 = 8192;
/// Libraries that one library may need; Intel's need about ten.
const MAX_NEEDED: usize = 512;
/// A name that is longer is none: symbols of C++ templates have some thousand bytes.
const MAX_NAME: usize = 16 * 1024;
/// Names of files and versions, and search paths, are shorter.
const MAX_TEXT: usize = 4096;

/// What the dynamic segment says. Addresses are relative to where the library is loaded.
#[derive(Debug, Clone, Default)]
pub struct Dynamic {
    pub(crate) strings: u64,
    pub(crate) symbols: u64,
    pub(crate) gnu_hash: Option<u64>,
    pub(crate) sysv_hash: Option<u64>,
    pub(crate) version_symbols: Option<u64>,
    pub(crate) version_needs: Option<u64>,
    pub(crate) version_definitions: Option<u64>,
    pub(crate) needed: Vec<u64>,
    pub(crate) soname: Option<u64>,
    pub(crate) rpath: Option<u64>,
    pub(crate) runpath: Option<u64>,
    /// `DT_FLAGS`.
    pub flags: u64,
    /// `DT_FLAGS_1`.
    pub flags_1: u64,
    /// Whether there is a `DT_TEXTREL`.
    pub text_relocations: bool,
    /// Whether there is a `DT_BIND_NOW`.
    pub bind_now: bool,
    /// Address of the one `DT_INIT` function.
    pub init: Option<u64>,
    /// Bytes of `DT_INIT_ARRAY`.
    pub init_array_bytes: u64,
}

impl Dynamic {
    /// Whether code is written to when it is relocated.
    #[must_use]
    pub fn relocates_text(&self) -> bool {
        self.text_relocations || self.flags & elf::DF_TEXTREL.0 != 0
    }

    /// Whether all functions are bound when it is loaded, so that their table can be made read-only.
    #[must_use]
    pub fn binds_now(&self) -> bool {
        self.bind_now || self.flags & elf::DF_BIND_NOW.0 != 0 || self.flags_1 & elf::DF_1_NOW.0 != 0
    }

    /// Whether its thread-local variables need a place that is laid out when a process starts.
    #[must_use]
    pub fn has_static_tls(&self) -> bool {
        self.flags & elf::DF_STATIC_TLS.0 != 0
    }
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    pub(crate) fn read_dynamic(&self, start: u64, bytes: u64) -> Result<Dynamic> {
        let entry = size_of::<E::Dyn>() as u64;
        let mut dynamic = Dynamic::default();
        for index in 0..(bytes / entry).min(MAX_DYNAMIC_ENTRIES) {
            let item: E::Dyn = read_pod(&self.source, offset(start, index, entry)?)?;
            let value = item.val(self.endian);
            match item.tag(self.endian) {
                elf::DT_NULL => break,
                elf::DT_STRTAB => dynamic.strings = value,
                elf::DT_SYMTAB => dynamic.symbols = value,
                elf::DT_GNU_HASH => dynamic.gnu_hash = Some(value),
                elf::DT_HASH => dynamic.sysv_hash = Some(value),
                elf::DT_VERSYM => dynamic.version_symbols = Some(value),
                elf::DT_VERNEED => dynamic.version_needs = Some(value),
                elf::DT_VERDEF => dynamic.version_definitions = Some(value),
                elf::DT_NEEDED if dynamic.needed.len() < MAX_NEEDED => dynamic.needed.push(value),
                elf::DT_NEEDED => {
                    return Err(ElfError::Malformed("it needs more libraries than any real one"));
                }
                elf::DT_SONAME => dynamic.soname = Some(value),
                elf::DT_RPATH => dynamic.rpath = Some(value),
                elf::DT_RUNPATH => dynamic.runpath = Some(value),
                elf::DT_FLAGS => dynamic.flags = value,
                elf::DT_FLAGS_1 => dynamic.flags_1 = value,
                elf::DT_TEXTREL => dynamic.text_relocations = true,
                elf::DT_BIND_NOW => dynamic.bind_now = true,
                elf::DT_INIT => dynamic.init = Some(value),
                elf::DT_INIT_ARRAYSZ => dynamic.init_array_bytes = value,
                elf::DT_SYMENT if value != size_of::<E::Sym>() as u64 => {
                    return Err(ElfError::Malformed("its symbols have the wrong size"));
                }
                _ => {}
            }
        }
        Ok(dynamic)
    }

    /// `DT_NEEDED`, in order.
    ///
    /// # Errors
    /// [`ElfError`] where a name is not there.
    pub fn needed(&self) -> Result<Vec<String>> {
        let Some(dynamic) = self.dynamic() else { return Ok(Vec::new()) };
        dynamic.needed.iter().map(|at| self.text(*at)).collect()
    }

    /// `DT_SONAME`.
    ///
    /// # Errors
    /// [`ElfError`] where it is not there.
    pub fn soname(&self) -> Result<Option<String>> {
        self.text_of(|dynamic| dynamic.soname)
    }

    /// `DT_RPATH`.
    ///
    /// # Errors
    /// [`ElfError`] where it is not there.
    pub fn rpath(&self) -> Result<Option<String>> {
        self.text_of(|dynamic| dynamic.rpath)
    }

    /// `DT_RUNPATH`.
    ///
    /// # Errors
    /// [`ElfError`] where it is not there.
    pub fn runpath(&self) -> Result<Option<String>> {
        self.text_of(|dynamic| dynamic.runpath)
    }

    fn text_of(&self, which: impl Fn(&Dynamic) -> Option<u64>) -> Result<Option<String>> {
        self.dynamic().and_then(which).map(|at| self.text(at)).transpose()
    }

    /// The text at `start` of the string table; what is not UTF-8 is replaced.
    pub(crate) fn text(&self, start: u64) -> Result<String> {
        let mut bytes = Vec::new();
        self.string(start, MAX_TEXT, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The name of a symbol at `start` of the string table.
    pub(crate) fn symbol_name(&self, start: u32, name: &mut Vec<u8>) -> Result<()> {
        self.string(u64::from(start), MAX_NAME, name)
    }

    /// Puts the string at `start` of the string table into `bytes`, without its NUL.
    fn string(&self, start: u64, longest: usize, bytes: &mut Vec<u8>) -> Result<()> {
        const PIECE: usize = 64;
        bytes.clear();
        let strings = self.dynamic().map_or(0, |dynamic| dynamic.strings);
        let mut at = offset(strings, start, 1)?;
        while bytes.len() < longest {
            let piece = usize::try_from(self.bytes_from(at)).unwrap_or(PIECE).clamp(1, PIECE);
            let place = self.in_file(at, piece as u64)?;
            let mut buffer = [0; PIECE];
            let buffer = buffer.get_mut(..piece).unwrap_or_default();
            self.source.read_exact_at(buffer, place)?;
            if let Some(end) = buffer.iter().position(|byte| *byte == 0) {
                bytes.extend(buffer.iter().take(end));
                return Ok(());
            }
            bytes.extend_from_slice(buffer);
            at = offset(at, piece as u64, 1)?;
        }
        Err(ElfError::Malformed("a name in it does not end"))
    }

    /// Whether the string at `start` of the string table is `name`.
    pub(crate) fn names(&self, start: u32, name: &[u8]) -> Result<bool> {
        const PIECE: usize = 64;
        let strings = self.dynamic().map_or(0, |dynamic| dynamic.strings);
        let mut at = offset(strings, u64::from(start), 1)?;
        let mut left = name;
        loop {
            let size = (left.len() + 1).min(PIECE);
            let mut buffer = [0; PIECE];
            let found = buffer.get_mut(..size).unwrap_or_default();
            let Ok(place) = self.in_file(at, size as u64) else {
                // The table ends before: another, shorter string. Outside the file it is an error.
                return self.in_file(at, 1).map(|_| false);
            };
            self.source.read_exact_at(found, place)?;
            let expected = left.iter().chain(&[0]);
            if !found.iter().zip(expected).all(|(found, expected)| found == expected) {
                return Ok(false);
            }
            if size == left.len() + 1 {
                return Ok(true);
            }
            left = left.get(size..).unwrap_or_default();
            at = offset(at, size as u64, 1)?;
        }
    }
}
