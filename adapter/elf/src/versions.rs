//! Versions of symbols: which ones a library defines, and which ones it needs of others.

use std::collections::BTreeMap;

use object::elf::{self, Verdaux, Verdef, Vernaux, Verneed};
use object::endian::Endianness;
use object::read::elf::FileHeader;

use crate::library::Library;
use crate::source::{ElfError, Result, Source, offset};

/// Versions that one library may define, or need; the C library defines about forty.
const MAX_VERSIONS: usize = 4096;
/// Libraries of which versions are needed.
const MAX_LIBRARIES: usize = 512;
/// The bit of a symbol's version that hides it from those who name no version.
pub(crate) const HIDDEN: u16 = 0x8000;

/// A version that a library needs of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededVersion {
    /// Name of the other library, as in `DT_NEEDED`.
    pub library: String,
    /// The version.
    pub version: String,
    /// Whether the loader goes on without it.
    pub weak: bool,
}

/// A version by its index, as symbols name it.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub name: String,
    pub hidden: bool,
    /// The library that it is needed of; `None` where it is the library's own.
    pub of: Option<String>,
}

/// All versions of a library.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    pub(crate) by_index: BTreeMap<u16, Version>,
    /// Those that it defines.
    pub defined: Vec<String>,
    /// Those that it needs.
    pub needed: Vec<NeededVersion>,
    /// Whether it has a table of definitions at all: without one the loader takes any symbol.
    pub defines: bool,
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    /// The versions, which are read once.
    ///
    /// # Errors
    /// [`ElfError`] where a table is broken.
    pub fn versions(&self) -> Result<&Versions> {
        if let Some(versions) = self.versions.get() {
            return Ok(versions);
        }
        let mut versions = Versions::default();
        if let Some(dynamic) = self.dynamic() {
            if let Some(table) = dynamic.version_definitions {
                versions.defines = true;
                self.read_definitions(table, &mut versions)?;
            }
            if let Some(table) = dynamic.version_needs {
                self.read_needs(table, &mut versions)?;
            }
        }
        Ok(self.versions.get_or_init(|| versions))
    }

    fn read_definitions(&self, table: u64, versions: &mut Versions) -> Result<()> {
        let mut at = table;
        for _ in 0..MAX_VERSIONS {
            let entry: Verdef<Endianness> = self.pod_at(at)?;
            let flags = entry.vd_flags.get(self.endian);
            let aux = offset(at, u64::from(entry.vd_aux.get(self.endian)), 1)?;
            let name: Verdaux<Endianness> = self.pod_at(aux)?;
            let name = self.text(u64::from(name.vda_name.get(self.endian)))?;
            // The base is the library's own name and no version (glibc elf/dl-version.c).
            if flags.0 & elf::VER_FLG_BASE.0 == 0 {
                let index = entry.vd_ndx.get(self.endian).0 & !HIDDEN;
                versions.defined.push(name.clone());
                versions.by_index.insert(index, Version { name, hidden: false, of: None });
            } else {
                versions.defined.push(name);
            }
            match entry.vd_next.get(self.endian) {
                0 => return Ok(()),
                next => at = offset(at, u64::from(next), 1)?,
            }
        }
        Err(ElfError::Malformed("its version definitions do not end"))
    }

    fn read_needs(&self, table: u64, versions: &mut Versions) -> Result<()> {
        let mut at = table;
        for _ in 0..MAX_LIBRARIES {
            let entry: Verneed<Endianness> = self.pod_at(at)?;
            let library = self.text(u64::from(entry.vn_file.get(self.endian)))?;
            let mut aux = offset(at, u64::from(entry.vn_aux.get(self.endian)), 1)?;
            loop {
                if versions.needed.len() >= MAX_VERSIONS {
                    return Err(ElfError::Malformed("its needed versions do not end"));
                }
                let need: Vernaux<Endianness> = self.pod_at(aux)?;
                let version = self.text(u64::from(need.vna_name.get(self.endian)))?;
                let other = need.vna_other(self.endian).0;
                let name = version.clone();
                let of = Some(library.clone());
                let hidden = other & HIDDEN != 0;
                versions.by_index.insert(other & !HIDDEN, Version { name, hidden, of });
                versions.needed.push(NeededVersion {
                    library: library.clone(),
                    version,
                    weak: need.vna_flags.get(self.endian).0 & elf::VER_FLG_WEAK.0 != 0,
                });
                match need.vna_next.get(self.endian) {
                    0 => break,
                    next => aux = offset(aux, u64::from(next), 1)?,
                }
            }
            match entry.vn_next.get(self.endian) {
                0 => return Ok(()),
                next => at = offset(at, u64::from(next), 1)?,
            }
        }
        Err(ElfError::Malformed("its needed versions do not end"))
    }

    /// What the version table says of a symbol; `None` where there is no table.
    pub(crate) fn version_of(&self, symbol: u32) -> Result<Option<u16>> {
        let Some(table) = self.dynamic().and_then(|dynamic| dynamic.version_symbols) else {
            return Ok(None);
        };
        let entry: [u8; 2] = {
            let at = self.in_file(offset(table, u64::from(symbol), 2)?, 2)?;
            crate::source::read_array(&self.source, at)?
        };
        Ok(Some(object::endian::Endian::read_u16(self.endian, entry)))
    }
}
