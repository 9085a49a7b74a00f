//! A library of either class, by its path.

use std::fmt;
use std::io;
use std::path::Path;

use object::elf::{self, FileHeader32, FileHeader64};
use object::endian::Endianness;

use crate::Dynamic;
use crate::find::{Found, Wanted};
use crate::library::{Library, Segment};
use crate::source::{ElfError, Pages, Result, Source, open_regular, read_array};
use crate::symbols::ImportedSymbol;
use crate::versions::Versions;

/// Why a path is no ELF file that can be read.
#[derive(Debug)]
pub enum ObjectError {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is a folder, a pipe, a device or a socket.
    NotRegular,
    /// It does not start as ELF files do.
    NotElf,
    /// It is ELF, but broken; the text says where.
    Malformed(&'static str),
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotRegular => f.write_str("is not a regular file"),
            Self::NotElf => f.write_str("is not an ELF file"),
            Self::Malformed(what) => write!(f, "is a broken ELF file: {what}"),
        }
    }
}

impl std::error::Error for ObjectError {}

impl From<ElfError> for ObjectError {
    fn from(error: ElfError) -> Self {
        match error {
            ElfError::Io(error) => Self::Io(error),
            ElfError::Malformed(what) => Self::Malformed(what),
        }
    }
}

/// What the loader compares before it takes a file: class, byte order and machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// 32 or 64.
    pub bits: u8,
    /// Whether it is big-endian.
    pub big_endian: bool,
    /// `e_machine`.
    pub machine: u16,
}

impl Platform {
    /// That of this program.
    #[must_use]
    pub const fn native() -> Self {
        let machine = if cfg!(target_arch = "x86_64") {
            elf::EM_X86_64
        } else if cfg!(target_arch = "x86") {
            elf::EM_386
        } else if cfg!(target_arch = "aarch64") {
            elf::EM_AARCH64
        } else if cfg!(target_arch = "arm") {
            elf::EM_ARM
        } else if cfg!(any(target_arch = "riscv64", target_arch = "riscv32")) {
            elf::EM_RISCV
        } else {
            elf::EM_NONE
        };
        let bits = if size_of::<usize>() == 4 { 32 } else { 64 };
        Self { bits, big_endian: cfg!(target_endian = "big"), machine: machine.0 }
    }

    /// Whether a program of the platform `other` can load it.
    #[must_use]
    pub fn fits(self, other: Self) -> bool {
        let unknown = other.machine == elf::EM_NONE.0;
        Self { machine: if unknown { other.machine } else { self.machine }, ..self } == other
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.big_endian { "big" } else { "little" };
        let name = match elf::Machine(self.machine) {
            elf::EM_386 => "x86",
            elf::EM_X86_64 => "x86-64",
            elf::EM_ARM => "ARM",
            elf::EM_AARCH64 => "AArch64",
            elf::EM_RISCV => "RISC-V",
            _ => "another processor",
        };
        write!(f, "ELF{} {order}-endian, machine {} ({name})", self.bits, self.machine)
    }
}

/// A library, whatever its class.
#[derive(Debug)]
pub struct Object<S = Pages>(Class<S>);

#[derive(Debug)]
enum Class<S> {
    Narrow(Library<S, FileHeader32<Endianness>>),
    Wide(Library<S, FileHeader64<Endianness>>),
}

/// Does the same with either class.
macro_rules! either {
    ($object:expr, $library:ident => $body:expr) => {
        match &$object.0 {
            Class::Narrow($library) => $body,
            Class::Wide($library) => $body,
        }
    };
}

impl Object<Pages> {
    /// Opens a file. Nothing of it runs.
    ///
    /// # Errors
    /// See [`ObjectError`].
    pub fn open(path: &Path) -> std::result::Result<Self, ObjectError> {
        let file = open_regular(path).map_err(ObjectError::Io)?.ok_or(ObjectError::NotRegular)?;
        Self::read(Pages::new(file))
    }
}

impl<S: Source> Object<S> {
    /// Reads the headers.
    ///
    /// # Errors
    /// See [`ObjectError`].
    pub fn read(source: S) -> std::result::Result<Self, ObjectError> {
        let ident: [u8; 16] = match read_array(&source, 0) {
            Ok(ident) => ident,
            Err(ElfError::Io(error)) => return Err(ObjectError::Io(error)),
            Err(ElfError::Malformed(_)) => return Err(ObjectError::NotElf),
        };
        if !ident.starts_with(&elf::ELFMAG) {
            return Err(ObjectError::NotElf);
        }
        Ok(Self(match elf::FileClass(ident[4]) {
            elf::ELFCLASS32 => Class::Narrow(Library::read(source)?),
            elf::ELFCLASS64 => Class::Wide(Library::read(source)?),
            _ => return Err(ElfError::Malformed("its class is neither 32 nor 64 bits").into()),
        }))
    }

    /// Class, byte order and machine.
    #[must_use]
    pub fn platform(&self) -> Platform {
        either!(self, library => library.platform())
    }

    /// Whether it is a shared object with a dynamic segment: what `dlopen` takes.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        either!(self, library => library.kind == elf::ET_DYN && library.is_dynamic())
    }

    /// All segments, in file order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        either!(self, library => &library.segments)
    }

    /// What the dynamic segment says.
    #[must_use]
    pub fn dynamic(&self) -> Option<&Dynamic> {
        either!(self, library => library.dynamic())
    }

    /// The pointer size of its class, in bytes.
    #[must_use]
    pub fn pointer(&self) -> u64 {
        either!(self, library => library.pointer())
    }

    /// See [`Library::needed`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn needed(&self) -> Result<Vec<String>> {
        either!(self, library => library.needed())
    }

    /// See [`Library::soname`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn soname(&self) -> Result<Option<String>> {
        either!(self, library => library.soname())
    }

    /// See [`Library::rpath`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn rpath(&self) -> Result<Option<String>> {
        either!(self, library => library.rpath())
    }

    /// See [`Library::runpath`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn runpath(&self) -> Result<Option<String>> {
        either!(self, library => library.runpath())
    }

    /// See [`Library::build_id`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn build_id(&self) -> Result<Option<String>> {
        either!(self, library => library.build_id())
    }

    /// See [`Library::versions`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn versions(&self) -> Result<&Versions> {
        either!(self, library => library.versions())
    }

    /// See [`Library::imports`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn imports(&self) -> Result<Vec<ImportedSymbol>> {
        either!(self, library => library.imports())
    }

    /// See [`Library::for_each_name`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn for_each_name(&self, visit: impl FnMut(&[u8])) -> Result<()> {
        either!(self, library => library.for_each_name(visit))
    }

    /// See [`Library::find_wanted`].
    ///
    /// # Errors
    /// [`ElfError`].
    pub fn find_wanted(&self, wanted: Wanted<'_>) -> Result<Option<Found>> {
        either!(self, library => library.find_wanted(wanted))
    }
}
