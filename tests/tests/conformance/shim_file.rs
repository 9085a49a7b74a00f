//! The files `libcam_algo.so` and `libcamera_ipa_proxy.so`: what they export, need and promise to
//! the loader.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cami_abi::{Revision, inspect};
use cami_tests::artefact;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, ReadRef};

type Elf = FileHeader64<Endianness>;

/// The dynamic symbols that the shim defines. All else is hidden.
const EXPORTED: &[&str] = &["CAMI"];
/// The libraries that it may need: they are in every process that has a C library.
const NEEDED: &[&str] =
    &["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"];
/// Stripped, in release (DESIGN: "Promises").
const MAX_STRIPPED_BYTES: u64 = 512 << 10;

/// What the loader sees.
struct Shim {
    exported: Vec<String>,
    imported: Vec<String>,
    needed: Vec<String>,
    flags: u64,
    flags_1: u64,
    has_text_relocations: bool,
    has_executable_stack: bool,
}

fn read(path: &Path) -> Shim {
    let bytes = std::fs::read(path).unwrap();
    let data = bytes.as_slice();
    let elf = Elf::parse(data).unwrap();
    let endian = elf.endian().unwrap();
    let sections = elf.sections(endian, data).unwrap();
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM).unwrap();
    let exported = symbols
        .iter()
        .filter(|symbol| !symbol.is_undefined(endian) && !symbol.is_local())
        .map(|symbol| text(symbol.name(endian, symbols.strings()).unwrap()))
        .collect();
    let imported = symbols
        .iter()
        .filter(|symbol| symbol.is_undefined(endian))
        .map(|symbol| text(symbol.name(endian, symbols.strings()).unwrap()))
        .collect();
    let (dynamic, strings) = sections.dynamic(endian, data).unwrap().unwrap();
    let strings = sections.strings(endian, data, strings).unwrap();
    let value = |tag| dynamic.iter().find(|entry| entry.tag(endian) == tag).map(|e| e.val(endian));
    let needed = dynamic
        .iter()
        .filter(|entry| entry.tag(endian) == elf::DT_NEEDED)
        .map(|entry| text(entry.string(endian, strings).unwrap()))
        .collect();
    let segments = elf.program_headers(endian, data).unwrap();
    let stack = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_GNU_STACK);
    Shim {
        exported,
        imported,
        needed,
        flags: value(elf::DT_FLAGS).unwrap_or(0),
        flags_1: value(elf::DT_FLAGS_1).unwrap_or(0),
        has_text_relocations: value(elf::DT_TEXTREL).is_some(),
        has_executable_stack: stack.is_none_or(|s| s.p_flags(endian).0 & elf::PF_X.0 != 0),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn shim_exports_cami_and_nothing_else() {
    assert_eq!(read(&artefact("libcam_algo.so")).exported, EXPORTED);
}

#[test]
fn shim_is_revision_g_and_known_as_ours() {
    let table = inspect(&artefact("libcam_algo.so")).unwrap();
    assert_eq!(table.revision, Revision::G);
    assert_eq!(table.size, 6 * size_of::<usize>());
    assert_eq!(table.shim_protocol, Some(1), "the note by which a host refuses to load itself");
    assert!(!table.exports_ipa_module_info);
}

#[test]
fn shim_needs_only_what_every_process_has() {
    let needed = read(&artefact("libcam_algo.so")).needed;
    for library in &needed {
        assert!(NEEDED.contains(&library.as_str()), "{library} is not in {NEEDED:?}");
    }
}

/// ChromeOS's filters forbid it on amd64, and a lock that yields calls it only under contention: no
/// test would see it for certain.
#[test]
fn neither_library_can_yield() {
    for name in ["libcam_algo.so", "libcamera_ipa_proxy.so"] {
        let imported = read(&artefact(name)).imported;
        assert!(imported.contains(&"recvmsg".to_owned()), "{name}: the imports were not read");
        assert!(!imported.contains(&"sched_yield".to_owned()), "{name}: use cami_link::sync");
    }
}

#[test]
fn service_door_exports_ipa_run_and_nothing_else_and_is_never_unloaded() {
    let door = read(&artefact("libcamera_ipa_proxy.so"));
    assert_eq!(door.exported, ["ipaRun"]);
    for library in &door.needed {
        assert!(NEEDED.contains(&library.as_str()), "{library} is not in {NEEDED:?}");
    }
    assert_ne!(door.flags_1 & elf::DF_1_NODELETE.0, 0, "-z nodelete is missing");
    assert_eq!(door.flags & elf::DF_STATIC_TLS.0, 0, "it needs static TLS");
    assert!(!door.has_text_relocations);
    assert!(!door.has_executable_stack);
}

#[test]
fn shim_is_never_unloaded_and_wants_nothing_special_of_the_loader() {
    let shim = read(&artefact("libcam_algo.so"));
    assert_ne!(shim.flags_1 & elf::DF_1_NODELETE.0, 0, "-z nodelete is missing");
    assert_eq!(shim.flags & elf::DF_STATIC_TLS.0, 0, "it needs static TLS");
    assert!(!shim.has_text_relocations);
    assert!(!shim.has_executable_stack);
}

/// The release build's, which is what is shipped; only looked at where it was made.
#[test]
fn shim_is_small() {
    let debug = artefact("libcam_algo.so");
    let release: PathBuf = debug.parent().unwrap().with_file_name("release").join("libcam_algo.so");
    let Ok(bytes) = std::fs::read(&release) else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not built", release.display());
        return;
    };
    let stripped = stripped_size(bytes.as_slice());
    assert!(stripped <= MAX_STRIPPED_BYTES, "{stripped} bytes, of {MAX_STRIPPED_BYTES}");
    assert_eq!(read(&release).exported, EXPORTED);
}

/// The file without what `strip` takes away.
fn stripped_size<'data, R: ReadRef<'data>>(data: R) -> u64 {
    let elf = Elf::parse(data).unwrap();
    let endian = elf.endian().unwrap();
    let sections = elf.sections(endian, data).unwrap();
    sections
        .iter()
        .filter(|section| {
            let flags = section.sh_flags(endian).0;
            flags & elf::SHF_ALLOC.0 != 0 && section.sh_type(endian) != elf::SHT_NOBITS
        })
        .map(|section| section.sh_size(endian))
        .sum()
}
