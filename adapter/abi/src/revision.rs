//! Which revision of the ABI a library has, told from its file before anything of it runs.
//!
//! Vendor libraries start threads in ELF constructors, so this must not wait for dlopen. The
//! symbol size of `CAMI` is the only mark of a revision (spec/cami-abi.md, 1.3 and 1.5).

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use cami_elf::{ElfError, Library, Platform, open_regular, read_array};
use object::elf;
use object::endian::{Endian, Endianness};
use object::read::elf::FileHeader;

use crate::note::{SHIM_NOTE_NAME, SHIM_NOTE_TYPE};

/// The symbol that holds a library's table.
pub const TABLE_SYMBOL: &str = "CAMI";
/// libcamera's mark of an IPA module (libcamera `include/libcamera/ipa/ipa_module_info.h`).
const IPA_MODULE_SYMBOL: &str = "ipaModuleInfo";

/// A revision of the operations table, as far as its size tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// Four slots. A to D have the same size and another calling convention; a library built
    /// after 2019-01-08 is E.
    E,
    /// Five slots: `update_return`, and the callback `update`.
    F,
    /// Six slots: `deinitialize`.
    G,
}

impl Revision {
    /// How many function pointers the table has.
    pub fn slots(self) -> usize {
        match self {
            Self::E => 4,
            Self::F => 5,
            Self::G => 6,
        }
    }

    /// The revision whose table has `size` bytes at this pointer size.
    fn from_size(size: u64, pointer: u64) -> Option<Self> {
        [Self::E, Self::F, Self::G].into_iter().find(|r| r.slots() as u64 * pointer == size)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::E => "E",
            Self::F => "F",
            Self::G => "G",
        })
    }
}

/// What a library's file says about its `CAMI`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSymbol {
    /// The revision that the size stands for.
    pub revision: Revision,
    /// Bytes of the table: its ELF symbol size. Nothing behind them may be read.
    pub size: usize,
    /// The symbol's value: its address relative to where the library is loaded.
    pub address: u64,
    /// The linker's build-id in lower-case hexadecimal digits, if there is one.
    pub build_id: Option<String>,
    /// The protocol version of our own shim's note: the library is a `libcam_algo.so` of ours
    /// and must not be loaded as a vendor library, since it would start itself without end.
    pub shim_protocol: Option<u32>,
    /// Whether the library also marks itself as a libcamera IPA module.
    pub exports_ipa_module_info: bool,
}

impl TableSymbol {
    /// Whether this is our own shim and not a vendor's library.
    pub fn is_shim(&self) -> bool {
        self.shim_protocol.is_some()
    }
}

/// Why a file is not a library that can be called. The text says what to do about it.
#[derive(Debug)]
pub enum InspectError {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is a folder, a pipe, a device or a socket.
    NotRegular,
    /// It does not start as ELF files do.
    NotElf,
    /// It is ELF, but broken; the text says where.
    Malformed(&'static str),
    /// It is an executable, an object file or a core dump, or it is statically linked.
    NotSharedObject,
    /// It defines no `CAMI`.
    NoTable {
        /// Whether it is a libcamera IPA module instead.
        exports_ipa_module_info: bool,
    },
    /// `CAMI` is something else than a table, for instance a function.
    NotAnObject {
        /// The ELF symbol type, by its number.
        kind: u8,
    },
    /// `CAMI` is neither a global nor a weak symbol.
    NotGlobal,
    /// `CAMI` has a size that no revision has.
    UnknownSize {
        /// Its size in bytes.
        size: u64,
        /// The pointer size of the library, in bytes.
        pointer: u64,
    },
    /// `CAMI` does not lie in memory that the library has loaded, or not at a pointer's alignment.
    Misplaced,
    /// The library is for another kind of processor, word size or byte order.
    ForeignMachine {
        /// What the library is for, for instance `ELF32 little-endian, machine 40 (ARM)`.
        library: String,
        /// What this process is.
        process: String,
        /// The revision of its table, which is sound otherwise.
        revision: Revision,
    },
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotRegular => write!(
                f,
                "is not a regular file; name the camera algorithm library itself (libcam_algo.so)"
            ),
            Self::NotElf => write!(
                f,
                "is not an ELF file; name a shared library, not an archive, a script or a package"
            ),
            Self::Malformed(what) => {
                write!(f, "is a broken ELF file: {what}; compare it with the vendor's original")
            }
            Self::NotSharedObject => write!(
                f,
                "is not a shared library that can be loaded; link it with -shared and without \
                 -static"
            ),
            Self::NoTable { exports_ipa_module_info: false } => write!(
                f,
                "exports no {TABLE_SYMBOL}: it is not a camera algorithm library, or the symbol \
                 was hidden when it was linked"
            ),
            Self::NoTable { exports_ipa_module_info: true } => write!(
                f,
                "exports {IPA_MODULE_SYMBOL} and no {TABLE_SYMBOL}: it is a libcamera module; \
                 name the vendor's library in `vendor_library`"
            ),
            Self::NotAnObject { kind } => write!(
                f,
                "exports a {TABLE_SYMBOL} of ELF symbol type {kind} ({}) where a table is \
                 expected (type 1, OBJECT); it follows another ABI",
                kind_name(*kind)
            ),
            Self::NotGlobal => write!(
                f,
                "keeps its {TABLE_SYMBOL} local; link it with default visibility for that symbol"
            ),
            Self::UnknownSize { size, pointer } => write!(
                f,
                "has a {TABLE_SYMBOL} of {size} bytes; the known revisions have {}, {} or {} at \
                 this word size; the library needs a newer adapter or follows another ABI",
                4 * pointer,
                5 * pointer,
                6 * pointer
            ),
            Self::Misplaced => write!(
                f,
                "has a {TABLE_SYMBOL} that is not an aligned object in its loaded memory; compare \
                 the file with the vendor's original"
            ),
            Self::ForeignMachine { library, process, revision } => write!(
                f,
                "has a {TABLE_SYMBOL} of revision {revision}, but is built for {library}, and \
                 this program for {process}; use the adapter that was built for the library"
            ),
        }
    }
}

impl std::error::Error for InspectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ElfError> for InspectError {
    fn from(error: ElfError) -> Self {
        match error {
            ElfError::Io(error) => Self::Io(error),
            ElfError::Malformed(what) => Self::Malformed(what),
        }
    }
}

fn kind_name(kind: u8) -> &'static str {
    match elf::SymbolType(kind) {
        elf::STT_NOTYPE => "NOTYPE",
        elf::STT_FUNC => "FUNC",
        elf::STT_COMMON => "COMMON",
        elf::STT_TLS => "TLS",
        elf::STT_GNU_IFUNC => "IFUNC",
        _ => "unknown",
    }
}

/// Reads a library's file and tells its table, or why it has none that can be called.
///
/// Nothing of the library runs. The file may be anything: a pipe does not block, a device is not
/// touched further than open, a broken file is an error.
///
/// # Errors
/// See [`InspectError`].
pub fn inspect(path: &Path) -> Result<TableSymbol, InspectError> {
    let file = open_regular(path).map_err(InspectError::Io)?.ok_or(InspectError::NotRegular)?;
    let Ok(ident) = read_array::<16>(&file, 0) else { return Err(InspectError::NotElf) };
    if !ident.starts_with(&elf::ELFMAG) {
        return Err(InspectError::NotElf);
    }
    match elf::FileClass(ident[4]) {
        elf::ELFCLASS32 => examine(&Library::<_, elf::FileHeader32<Endianness>>::read(&file)?, 4),
        elf::ELFCLASS64 => examine(&Library::<_, elf::FileHeader64<Endianness>>::read(&file)?, 8),
        _ => Err(InspectError::Malformed("its class is neither 32 nor 64 bits")),
    }
}

fn examine<E: FileHeader<Endian = Endianness>>(
    library: &Library<&File, E>,
    pointer: u64,
) -> Result<TableSymbol, InspectError> {
    if library.kind != elf::ET_DYN || !library.is_dynamic() {
        return Err(InspectError::NotSharedObject);
    }
    let exports_ipa_module_info = library.find(IPA_MODULE_SYMBOL.as_bytes())?.is_some();
    let table = library
        .find(TABLE_SYMBOL.as_bytes())?
        .ok_or(InspectError::NoTable { exports_ipa_module_info })?;
    if table.kind != elf::STT_OBJECT {
        return Err(InspectError::NotAnObject { kind: table.kind.0 });
    }
    if table.bind != elf::STB_GLOBAL && table.bind != elf::STB_WEAK {
        return Err(InspectError::NotGlobal);
    }
    let unknown = InspectError::UnknownSize { size: table.size, pointer };
    let Some(revision) = Revision::from_size(table.size, pointer) else { return Err(unknown) };
    if !library.is_loaded(table.value, table.size) || !table.value.is_multiple_of(pointer) {
        return Err(InspectError::Misplaced);
    }
    refuse_foreign(library, revision)?;
    let (build_id, shim_protocol) = marks(library)?;
    Ok(TableSymbol {
        revision,
        size: usize::try_from(table.size).map_err(|_| unknown)?,
        address: table.value,
        build_id,
        shim_protocol,
        exports_ipa_module_info,
    })
}

/// The build-id and the shim's protocol version, from the notes.
fn marks<E: FileHeader<Endian = Endianness>>(
    library: &Library<&File, E>,
) -> Result<(Option<String>, Option<u32>), InspectError> {
    let mut build_id = None;
    let mut shim_protocol = None;
    library.for_each_note(|note| {
        if let Some(id) = note.build_id() {
            build_id.get_or_insert(id);
        }
        if note.kind == SHIM_NOTE_TYPE && note.name == SHIM_NOTE_NAME {
            // A note of ours without a version is still ours, of a version never made.
            let version = note.desc.try_into().map_or(0, |b| library.endian.read_u32(b));
            shim_protocol = Some(version);
        }
    })?;
    Ok((build_id, shim_protocol))
}

fn refuse_foreign<E: FileHeader<Endian = Endianness>>(
    library: &Library<&File, E>,
    revision: Revision,
) -> Result<(), InspectError> {
    let (platform, native) = (library.platform(), Platform::native());
    if platform.fits(native) {
        return Ok(());
    }
    Err(InspectError::ForeignMachine {
        library: platform.to_string(),
        process: native.to_string(),
        revision,
    })
}
