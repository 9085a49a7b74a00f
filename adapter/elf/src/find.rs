//! Symbols by their name, through the library's own hash table, as `ld.so` finds them.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader, Sym};

use crate::dynamic::Dynamic;
use crate::library::Library;
use crate::source::{ElfError, Result, Source, offset};
use crate::versions::HIDDEN;

/// A chain of a symbol hash table this long is no hash table (they hold a handful).
const MAX_CHAIN: u32 = 1 << 16;
/// Steps of a chain that cost nothing. Real chains end before.
const FREE_STEPS: u32 = 16;
/// What all longer searches of one library may cost together: hostile chains are long for each of
/// ten thousands of names.
const MAX_EFFORT: u64 = 1 << 22;

/// A symbol that a library defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its address, relative to where the library is loaded.
    pub value: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its type.
    pub kind: elf::SymbolType,
    /// Its binding.
    pub bind: elf::SymbolBind,
}

/// A symbol that another library wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its version, if it names one.
    pub version: Option<&'a str>,
    /// Whether only exactly that version will do.
    pub exact: bool,
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    /// Finds the definition of `name` as dlsym would, versions left aside.
    ///
    /// # Errors
    /// [`ElfError`] where the hash table is broken.
    pub fn find(&self, name: &[u8]) -> Result<Option<Found>> {
        self.search(name, |_, symbol| Ok(Some(self.found(symbol))))
    }

    /// Finds the definition that `ld.so` would bind `wanted` to (glibc elf/dl-lookup.c,
    /// `check_match`).
    ///
    /// # Errors
    /// [`ElfError`] where the hash table or the versions are broken.
    pub fn find_wanted(&self, wanted: Wanted<'_>) -> Result<Option<Found>> {
        let versions = self.versions()?;
        // Without a version the one that is not hidden does, if there is only one.
        let mut sole = None;
        let mut count = 0;
        let found = self.search(wanted.name, |index, symbol| {
            if !self.can_be_bound(symbol) {
                return Ok(None);
            }
            let Some(version) = self.version_of(index)? else {
                return Ok(Some(self.found(symbol)));
            };
            let own = versions.by_index.get(&(version & !HIDDEN));
            let matches = match wanted.version {
                Some(name) => {
                    own.is_some_and(|own| own.name == name)
                        || (!wanted.exact && own.is_none() && version & HIDDEN == 0)
                }
                None if version & !HIDDEN < 3 => true,
                None => {
                    if version & HIDDEN == 0 {
                        count += 1;
                        sole.get_or_insert(self.found(symbol));
                    }
                    false
                }
            };
            Ok(matches.then(|| self.found(symbol)))
        })?;
        Ok(found.or(sole.filter(|_| count == 1)))
    }

    /// Whether others may be bound to it.
    fn can_be_bound(&self, symbol: &E::Sym) -> bool {
        let bind = symbol.st_bind();
        let global =
            bind == elf::STB_GLOBAL || bind == elf::STB_WEAK || bind == elf::STB_GNU_UNIQUE;
        let hidden = matches!(symbol.st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL);
        let value: u64 = symbol.st_value(self.endian).into();
        let is_a_place = value != 0
            || symbol.st_shndx(self.endian) == elf::SHN_ABS
            || symbol.st_type() == elf::STT_TLS;
        global && !hidden && is_a_place
    }

    fn found(&self, symbol: &E::Sym) -> Found {
        Found {
            value: symbol.st_value(self.endian).into(),
            size: symbol.st_size(self.endian).into(),
            kind: symbol.st_type(),
            bind: symbol.st_bind(),
        }
    }

    /// Gives `take` each definition of `name`, until it takes one.
    fn search(
        &self,
        name: &[u8],
        mut take: impl FnMut(u32, &E::Sym) -> Result<Option<Found>>,
    ) -> Result<Option<Found>> {
        let Some(dynamic) = self.dynamic() else { return Ok(None) };
        // ld.so prefers the GNU table where both exist (glibc elf/dl-setup_hash.c).
        match (dynamic.gnu_hash, dynamic.sysv_hash) {
            (Some(table), _) => self.search_gnu(dynamic, table, name, &mut take),
            (None, Some(table)) => self.search_sysv(dynamic, table, name, &mut take),
            (None, None) => Err(ElfError::Malformed("it has no symbol hash table")),
        }
    }

    /// GNU layout: bucket count, first hashed symbol, bloom words, bloom shift, the bloom filter,
    /// buckets, then one word for each hashed symbol whose lowest bit ends a chain.
    fn search_gnu(
        &self,
        dynamic: &Dynamic,
        table: u64,
        name: &[u8],
        take: &mut impl FnMut(u32, &E::Sym) -> Result<Option<Found>>,
    ) -> Result<Option<Found>> {
        let hash = elf::gnu_hash(name);
        let gnu = self.gnu_table(table)?;
        if gnu.buckets == 0 {
            return Ok(None);
        }
        let start = self.word(gnu.bucket_table, hash % gnu.buckets)?;
        if start < gnu.first {
            return Ok(None);
        }
        for step in 0..MAX_CHAIN {
            let Some(index) = start.checked_add(step) else { break };
            self.spend(step, name)?;
            let entry = self.word(gnu.chain_table, index - gnu.first)?;
            if entry | 1 == hash | 1
                && let Some(symbol) = self.defined(dynamic, index, name)?
                && let Some(found) = take(index, &symbol)?
            {
                return Ok(Some(found));
            }
            if entry & 1 == 1 {
                return Ok(None);
            }
        }
        Err(ElfError::Malformed("its symbol hash table does not end"))
    }

    /// Keeps account of long searches.
    fn spend(&self, step: u32, name: &[u8]) -> Result<()> {
        if step < FREE_STEPS {
            return Ok(());
        }
        // Names are compared in pieces of 64 bytes.
        let spent = self.effort.get() + 1 + (name.len() / 64) as u64;
        self.effort.set(spent);
        if spent > MAX_EFFORT {
            return Err(ElfError::Malformed(
                "its symbol hash table has longer chains than any real one",
            ));
        }
        Ok(())
    }

    pub(crate) fn gnu_table(&self, table: u64) -> Result<GnuTable> {
        let buckets = self.word(table, 0)?;
        let first = self.word(table, 1)?;
        let bloom_bytes = u64::from(self.word(table, 2)?) * self.pointer();
        let bucket_table = offset(table, 1, 16 + bloom_bytes)?;
        let chain_table = offset(bucket_table, u64::from(buckets), 4)?;
        Ok(GnuTable { buckets, first, bucket_table, chain_table })
    }

    /// System V layout: bucket count, symbol count, buckets, chains; symbol 0 ends a chain.
    fn search_sysv(
        &self,
        dynamic: &Dynamic,
        table: u64,
        name: &[u8],
        take: &mut impl FnMut(u32, &E::Sym) -> Result<Option<Found>>,
    ) -> Result<Option<Found>> {
        let buckets = self.word(table, 0)?;
        if buckets == 0 {
            return Ok(None);
        }
        let bucket_table = offset(table, 2, 4)?;
        let chain_table = offset(bucket_table, u64::from(buckets), 4)?;
        let mut index = self.word(bucket_table, elf::hash(name) % buckets)?;
        for step in 0..MAX_CHAIN {
            self.spend(step, name)?;
            if index == 0 {
                return Ok(None);
            }
            if let Some(symbol) = self.defined(dynamic, index, name)?
                && let Some(found) = take(index, &symbol)?
            {
                return Ok(Some(found));
            }
            index = self.word(chain_table, index)?;
        }
        Err(ElfError::Malformed("its symbol hash table does not end"))
    }

    /// Symbol `index` of the symbol table.
    pub(crate) fn symbol(&self, dynamic: &Dynamic, index: u32) -> Result<E::Sym> {
        let entry = size_of::<E::Sym>() as u64;
        self.pod_at(offset(dynamic.symbols, u64::from(index), entry)?)
    }

    /// Symbol `index`, if it is a definition of `name`.
    fn defined(&self, dynamic: &Dynamic, index: u32, name: &[u8]) -> Result<Option<E::Sym>> {
        let symbol = self.symbol(dynamic, index)?;
        let is_one = symbol.st_shndx(self.endian) != elf::SHN_UNDEF
            && self.names(symbol.st_name(self.endian), name)?;
        Ok(is_one.then_some(symbol))
    }
}

/// Where the parts of a GNU hash table stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GnuTable {
    pub buckets: u32,
    pub first: u32,
    pub bucket_table: u64,
    pub chain_table: u64,
}
