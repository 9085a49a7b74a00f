//! One shared library: its headers, its segments, and addresses within them.

use std::cell::{Cell, OnceCell};
use std::marker::PhantomData;

use object::elf;
use object::endian::{Endian, Endianness};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::dynamic::Dynamic;
use crate::object_file::Platform;
use crate::source::{ElfError, Result, Source, offset, read_array, read_pod};
use crate::versions::Versions;

/// More program headers than any real library has (they have about ten).
const MAX_PROGRAM_HEADERS: u16 = 512;

/// A segment: where its bytes stand in memory and in the file.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// `p_type`.
    pub kind: elf::ProgramType,
    /// `p_flags`: `PF_R`, `PF_W`, `PF_X`.
    pub flags: elf::ProgramFlags,
    /// Its address, relative to where the library is loaded.
    pub address: u64,
    /// Its bytes in memory.
    pub memory: u64,
    /// Where it stands in the file, in bytes.
    pub offset: u64,
    /// Its bytes in the file.
    pub file: u64,
}

impl Segment {
    /// Whether it has all of these flags.
    #[must_use]
    pub fn has(&self, flags: elf::ProgramFlags) -> bool {
        self.flags.0 & flags.0 == flags.0
    }

    /// Whether the `size` bytes at `address` are in the first `whole` bytes of it; then, where.
    fn within(&self, address: u64, size: u64, whole: u64) -> Option<u64> {
        let within = address.checked_sub(self.address)?;
        (within.checked_add(size)? <= whole).then_some(within)
    }
}

/// A shared library's loader view, over one ELF class.
#[derive(Debug)]
pub struct Library<S, E> {
    pub(crate) source: S,
    /// Its byte order.
    pub endian: Endianness,
    /// `e_machine`.
    pub machine: elf::Machine,
    /// `e_type`.
    pub kind: elf::FileType,
    /// All segments, in file order.
    pub segments: Vec<Segment>,
    dynamic: Option<Dynamic>,
    pub(crate) versions: OnceCell<Versions>,
    /// What long searches have cost.
    pub(crate) effort: Cell<u64>,
    class: PhantomData<E>,
}

impl<S: Source, E: FileHeader<Endian = Endianness>> Library<S, E> {
    /// Reads the headers and the dynamic segment. `source` must start with an ELF identification of
    /// class `E`.
    ///
    /// # Errors
    /// [`ElfError`] where they cannot be read or are broken.
    pub fn read(source: S) -> Result<Self> {
        let header: E = read_pod(&source, 0)?;
        let endian =
            header.endian().map_err(|_| ElfError::Malformed("its byte order is unknown"))?;
        let mut library = Self {
            source,
            endian,
            machine: header.e_machine(endian),
            kind: header.e_type(endian),
            segments: Vec::new(),
            dynamic: None,
            versions: OnceCell::new(),
            effort: Cell::new(0),
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
        for index in 0..u64::from(count) {
            let segment: E::ProgramHeader = read_pod(&self.source, offset(table, index, entry)?)?;
            let (start, bytes) = segment.file_range(self.endian);
            self.segments.push(Segment {
                kind: segment.p_type(self.endian),
                flags: segment.p_flags(self.endian),
                address: segment.p_vaddr(self.endian).into(),
                memory: segment.p_memsz(self.endian).into(),
                offset: start,
                file: bytes,
            });
        }
        let dynamic = self.segments.iter().rfind(|segment| segment.kind == elf::PT_DYNAMIC);
        if let Some(Segment { offset, file, .. }) = dynamic {
            self.dynamic = Some(self.read_dynamic(*offset, *file)?);
        }
        Ok(())
    }

    /// Whether it has a dynamic segment, which makes it loadable by dlopen.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.dynamic.is_some()
    }

    /// What the dynamic segment says; `None` without one.
    #[must_use]
    pub fn dynamic(&self) -> Option<&Dynamic> {
        self.dynamic.as_ref()
    }

    /// Class, byte order and machine.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform {
            bits: if self.pointer() == 4 { 32 } else { 64 },
            big_endian: self.endian.is_big_endian(),
            machine: self.machine.0,
        }
    }

    /// The pointer size of the library's class, in bytes.
    #[must_use]
    pub fn pointer(&self) -> u64 {
        size_of::<E::Word>() as u64
    }

    /// The segments that are loaded.
    pub fn loads(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.kind == elf::PT_LOAD)
    }

    /// Whether all of `[address, address + size)` is in one readable loaded segment.
    #[must_use]
    pub fn is_loaded(&self, address: u64, size: u64) -> bool {
        self.loads()
            .any(|load| load.has(elf::PF_R) && load.within(address, size, load.memory).is_some())
    }

    /// Where the `size` bytes at `address` stand in the file.
    pub(crate) fn in_file(&self, address: u64, size: u64) -> Result<u64> {
        self.loads()
            .find_map(|load| load.offset.checked_add(load.within(address, size, load.file)?))
            .ok_or(ElfError::Malformed("its dynamic segment points outside the file"))
    }

    /// Bytes that the file has from `address` on, in its segment.
    pub(crate) fn bytes_from(&self, address: u64) -> u64 {
        let rest = |load: &Segment| {
            load.within(address, 0, load.file).map(|within| load.file.saturating_sub(within))
        };
        self.loads().find_map(rest).unwrap_or(0)
    }

    /// A structure at an address.
    pub(crate) fn pod_at<T: object::pod::Pod>(&self, address: u64) -> Result<T> {
        read_pod(&self.source, self.in_file(address, size_of::<T>() as u64)?)
    }

    /// The 32-bit word `index` of a table in a loaded segment.
    pub(crate) fn word(&self, table: u64, index: u32) -> Result<u32> {
        let at = self.in_file(offset(table, u64::from(index), 4)?, 4)?;
        let bytes: [u8; 4] = read_array(&self.source, at)?;
        Ok(self.endian.read_u32(bytes))
    }
}
