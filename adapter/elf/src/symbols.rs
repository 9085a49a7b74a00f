//! All symbols of a library: those that it imports, and the names of those that it exports.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader, Sym};

use crate::library::Library;
use crate::source::{ElfError, Result, Source};

/// Symbols of one library that are looked at; large ones have a hundred thousand.
const MAX_SYMBOLS: u32 = 1 << 20;
/// Buckets of a hash table.
const MAX_BUCKETS: u32 = 1 << 20;
/// Bytes of all names together: hostile names overlap, and are as long as the file each.
const MAX_NAME_BYTES: usize = 64 << 20;
/// Symbols that one library may import.
const MAX_IMPORTS: usize = 1 << 16;

/// A symbol that a library wants of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedSymbol {
    /// Its name; what is not UTF-8 is replaced.
    pub name: String,
    /// The version that it wants.
    pub version: Option<String>,
    /// The library that it wants that version of.
    pub library: Option<String>,
    /// Whether it goes on without it.
    pub weak: bool,
    /// Whether only exactly that version will do.
    pub exact: bool,
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    /// The symbols that the library wants of others.
    ///
    /// # Errors
    /// [`ElfError`] where a table is broken.
    pub fn imports(&self) -> Result<Vec<ImportedSymbol>> {
        let versions = self.versions()?;
        let mut imports = Vec::new();
        self.for_each_symbol(|index, symbol, name| {
            let bind = symbol.st_bind();
            if symbol.st_shndx(self.endian) != elf::SHN_UNDEF
                || name.is_empty()
                || (bind != elf::STB_GLOBAL && bind != elf::STB_WEAK)
            {
                return Ok(());
            }
            if imports.len() >= MAX_IMPORTS {
                return Err(ElfError::Malformed("it imports more symbols than any real library"));
            }
            let index = self.version_of(index)?.unwrap_or(0);
            let version = versions
                .by_index
                .get(&(index & !crate::versions::HIDDEN))
                .filter(|version| version.of.is_some());
            imports.push(ImportedSymbol {
                name: String::from_utf8_lossy(name).into_owned(),
                version: version.map(|version| version.name.clone()),
                library: version.and_then(|version| version.of.clone()),
                weak: bind == elf::STB_WEAK,
                exact: version.is_some_and(|version| version.hidden),
            });
            Ok(())
        })?;
        Ok(imports)
    }

    /// Calls `visit` with the name of each symbol, imported or exported.
    ///
    /// # Errors
    /// [`ElfError`] where a table is broken.
    pub fn for_each_name(&self, mut visit: impl FnMut(&[u8])) -> Result<()> {
        self.for_each_symbol(|_, _, name| {
            visit(name);
            Ok(())
        })
    }

    fn for_each_symbol(
        &self,
        mut visit: impl FnMut(u32, &E::Sym, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let Some(dynamic) = self.dynamic() else { return Ok(()) };
        let mut name = Vec::new();
        let mut bytes = 0;
        for index in 1..self.symbol_count()? {
            let symbol = self.symbol(dynamic, index)?;
            self.symbol_name(symbol.st_name(self.endian), &mut name)?;
            bytes += name.len();
            if bytes > MAX_NAME_BYTES {
                return Err(ElfError::Malformed(
                    "its symbols have longer names than any real ones",
                ));
            }
            visit(index, &symbol, &name)?;
        }
        Ok(())
    }

    /// How many symbols there are: the loader does not need to know, and only the hash table tells.
    fn symbol_count(&self) -> Result<u32> {
        let Some(dynamic) = self.dynamic() else { return Ok(0) };
        let count = match (dynamic.sysv_hash, dynamic.gnu_hash) {
            (Some(table), _) => self.word(table, 1)?,
            (None, Some(table)) => self.gnu_count(table)?,
            (None, None) => return Err(ElfError::Malformed("it has no symbol hash table")),
        };
        if count > MAX_SYMBOLS {
            return Err(ElfError::Malformed("it has more symbols than any real library"));
        }
        Ok(count)
    }

    /// The chain that starts last ends with the last symbol.
    fn gnu_count(&self, table: u64) -> Result<u32> {
        let gnu = self.gnu_table(table)?;
        if gnu.buckets > MAX_BUCKETS {
            return Err(ElfError::Malformed("its symbol hash table is larger than any real one"));
        }
        let mut last = 0;
        for bucket in 0..gnu.buckets {
            last = last.max(self.word(gnu.bucket_table, bucket)?);
        }
        if last < gnu.first {
            return Ok(gnu.first);
        }
        for index in last..=MAX_SYMBOLS {
            if self.word(gnu.chain_table, index - gnu.first)? & 1 == 1 {
                return Ok(index + 1);
            }
        }
        Err(ElfError::Malformed("its symbol hash table does not end"))
    }
}
