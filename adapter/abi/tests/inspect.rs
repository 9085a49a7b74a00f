//! The revision of a library is told from its file, whatever the file is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

mod common;
#[path = "common/forge.rs"]
mod forge;

use std::os::unix::fs::FileExt;
use std::path::Path;

use cami_abi::{InspectError, Revision, TableSymbol, inspect};
use common::{TABLE, Workshop};
use forge::Forge;

const POINTER: usize = size_of::<usize>();

/// Six functions that do nothing.
const OPERATIONS: &str = "
    void initialize(void) {} void register_buffer(void) {} void request(void) {}
    void deregister_buffers(void) {} void update_return(void) {} void deinitialize(void) {}
";

fn table_of(workshop: &Workshop, size: usize, flags: &[&str]) -> std::path::PathBuf {
    let source = format!("#define SIZE {size}\n{OPERATIONS}{TABLE}");
    workshop.library(&format!("table{size}"), &source, flags)
}

#[track_caller]
fn refused(path: &Path) -> InspectError {
    match inspect(path) {
        Ok(symbol) => panic!("{} was accepted: {symbol:?}", path.display()),
        Err(error) => error,
    }
}

#[track_caller]
fn forged(forge: &Forge) -> Result<TableSymbol, InspectError> {
    let workshop = Workshop::new();
    let path = workshop.path("forged.so");
    std::fs::write(&path, forge.bytes()).unwrap();
    inspect(&path)
}

#[test]
fn each_revision_is_told_by_its_size() {
    let workshop = Workshop::new();
    for (slots, revision) in [(4, Revision::E), (5, Revision::F), (6, Revision::G)] {
        let symbol = inspect(&table_of(&workshop, slots * POINTER, &[])).unwrap();
        assert_eq!(symbol.revision, revision);
        assert_eq!(symbol.size, slots * POINTER);
        assert_eq!(revision.slots(), slots);
        assert!(!symbol.is_shim() && !symbol.exports_ipa_module_info);
    }
}

#[test]
fn both_hash_styles_are_read() {
    let workshop = Workshop::new();
    for style in ["-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv", "-Wl,--hash-style=both"] {
        let symbol = inspect(&table_of(&workshop, 5 * POINTER, &[style])).unwrap();
        assert_eq!(symbol.revision, Revision::F, "{style}");
    }
}

#[test]
fn a_library_with_a_thousand_symbols_is_searched_by_hash() {
    let workshop = Workshop::new();
    let many: String = (0..1000).map(|i| format!("int symbol_{i};\n")).collect();
    let source = format!("#define SIZE {}\n{many}{OPERATIONS}{TABLE}", 6 * POINTER);
    for style in ["-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv"] {
        let path = workshop.library("many", &source, &[style]);
        assert_eq!(inspect(&path).unwrap().revision, Revision::G, "{style}");
        let path = workshop.library("many_without", &format!("{many}{OPERATIONS}"), &[style]);
        assert!(matches!(refused(&path), InspectError::NoTable { .. }), "{style}");
    }
}

#[test]
fn other_sizes_are_refused_with_the_size() {
    let workshop = Workshop::new();
    for wrong in [0, 1, 4 * POINTER - 1, 4 * POINTER + 1, 7 * POINTER] {
        let error = refused(&table_of(&workshop, wrong, &[]));
        assert!(
            matches!(error, InspectError::UnknownSize { size, .. } if size == wrong as u64),
            "{wrong}: {error}"
        );
        assert!(error.to_string().contains(&format!("of {wrong} bytes")));
    }
}

#[test]
fn a_function_is_no_table() {
    let workshop = Workshop::new();
    let error = refused(&workshop.library("function", "void CAMI(void) {}", &[]));
    assert!(matches!(error, InspectError::NotAnObject { kind: 2 }), "{error}");
    assert!(error.to_string().contains("FUNC"), "{error}");
    let error = refused(&workshop.library("tls", "__thread void *CAMI[4];", &[]));
    assert!(matches!(error, InspectError::NotAnObject { kind: 6 }), "{error}");
}

#[test]
fn a_library_without_a_table_says_what_it_is_instead() {
    let workshop = Workshop::new();
    let none = refused(&workshop.library("none", "int other;", &[]));
    assert!(matches!(none, InspectError::NoTable { exports_ipa_module_info: false }), "{none}");
    let hidden = "__attribute__((visibility(\"hidden\"))) void *CAMI[4];";
    let hidden = refused(&workshop.library("hidden", hidden, &[]));
    assert!(matches!(hidden, InspectError::NoTable { .. }), "{hidden}");
    let wanted =
        refused(&workshop.library("wanted", "extern void *CAMI[4]; void **u = CAMI;", &[]));
    assert!(matches!(wanted, InspectError::NoTable { .. }), "{wanted}");
    let module = refused(&workshop.library("module", "char ipaModuleInfo[264];", &[]));
    assert!(matches!(module, InspectError::NoTable { exports_ipa_module_info: true }), "{module}");
    assert!(module.to_string().contains("vendor_library"), "{module}");
    let both = workshop.library("both", "char ipaModuleInfo[264]; void *CAMI[4];", &[]);
    assert!(inspect(&both).unwrap().exports_ipa_module_info);
}

#[test]
fn the_build_id_is_read() {
    let workshop = Workshop::new();
    let path = table_of(&workshop, 4 * POINTER, &["-Wl,--build-id=0xC0FFEE0042"]);
    assert_eq!(inspect(&path).unwrap().build_id.as_deref(), Some("c0ffee0042"));
    let path = table_of(&workshop, 5 * POINTER, &["-Wl,--build-id=none"]);
    assert_eq!(inspect(&path).unwrap().build_id, None);
}

#[test]
fn the_shim_is_known_by_its_note() {
    let workshop = Workshop::new();
    let note = r#"
        __asm__(".pushsection .note.cami_ipa,\"a\",%note\n.balign 4\n"
                ".long 9, 4, 1\n.asciz \"cami-ipa\"\n.balign 4\n.long 1\n.popsection\n");
        void *CAMI[6];
    "#;
    let symbol = inspect(&workshop.library("shim", note, &[])).unwrap();
    assert_eq!(symbol.shim_protocol, Some(1));
    assert!(symbol.is_shim());

    // The macro's note has these very bytes.
    let ours = cami_abi::ShimNote::CURRENT;
    // SAFETY: a `repr(C)` struct of words and bytes without padding, read as bytes.
    let bytes =
        unsafe { std::slice::from_raw_parts((&raw const ours).cast::<u8>(), size_of_val(&ours)) };
    let word = |n: u32| n.to_ne_bytes();
    let name = *b"cami-ipa\0\0\0\0";
    assert_eq!(bytes, [&word(9)[..], &word(4), &word(1), &name, &word(1)].concat());
}

#[test]
fn section_headers_are_not_needed_and_not_believed() {
    let workshop = Workshop::new();
    let path = table_of(&workshop, 5 * POINTER, &["-Wl,--build-id=0x0102"]);
    let good = inspect(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // e_shoff, then e_shentsize, e_shnum and e_shstrndx (ELF64 and ELF32 offsets).
    let (offset, counts) = if POINTER == 8 { (40, 58..64) } else { (32, 46..52) };
    bytes[offset..offset + POINTER].fill(0);
    bytes[counts.clone()].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(inspect(&path).unwrap(), good);
    bytes[offset..offset + POINTER].fill(0xee);
    bytes[counts].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(inspect(&path).unwrap(), good);
}

#[test]
fn a_library_for_another_machine_is_refused_and_its_revision_named() {
    let base = Forge::default();
    assert_eq!(forged(&base).unwrap().revision, Revision::E);
    for (slots, expected) in [(4, Revision::E), (5, Revision::F), (6, Revision::G)] {
        for (wide, machine) in [(false, 40), (true, 8)] {
            let size = slots * if wide { 8 } else { 4 };
            let foreign = Forge { wide, machine, size, ..base.clone() };
            match forged(&foreign) {
                Err(InspectError::ForeignMachine { revision, ref library, .. }) => {
                    assert_eq!(revision, expected);
                    assert!(library.contains(if wide { "ELF64" } else { "ELF32" }), "{library}");
                    assert!(library.contains(&format!("machine {machine}")), "{library}");
                }
                other => panic!("{slots} slots for machine {machine}: {other:?}"),
            }
        }
    }
    // The other byte order of the same machine.
    let swapped = Forge { big: !base.big, ..base };
    assert!(matches!(forged(&swapped), Err(InspectError::ForeignMachine { .. })));
}

#[test]
fn a_table_must_be_global_aligned_and_inside_the_loaded_memory() {
    let base = Forge::default();
    assert!(matches!(forged(&Forge { bind: 0, ..base.clone() }), Err(InspectError::NotGlobal)));
    assert_eq!(forged(&Forge { bind: 2, ..base.clone() }).unwrap().revision, Revision::E);
    for address in [0x201, 0x2f8, 0x300, u64::MAX - 7] {
        let forge = Forge { address, ..base.clone() };
        assert!(matches!(forged(&forge), Err(InspectError::Misplaced)), "{address:#x}");
    }
}

#[test]
fn a_hash_chain_that_loops_ends_in_an_error() {
    let forge = Forge { name: b"CAMJ", next: 1, ..Forge::default() };
    assert!(matches!(forged(&forge), Err(InspectError::Malformed(_))));
    let forge = Forge { next: 0, ..forge };
    assert!(matches!(forged(&forge), Err(InspectError::NoTable { .. })));
}

#[test]
fn what_is_no_library_is_refused_at_once() {
    let workshop = Workshop::new();
    let fifo = workshop.path("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    assert!(matches!(refused(&fifo), InspectError::NotRegular));
    assert!(matches!(refused(Path::new("/dev/zero")), InspectError::NotRegular));
    assert!(matches!(refused(Path::new("/")), InspectError::NotRegular));
    assert!(matches!(refused(&workshop.path("missing")), InspectError::Io(_)));
    for (name, contents) in
        [("empty", ""), ("short", "\x7fELF"), ("text", "#!/bin/sh\nexit 0 # long")]
    {
        let path = workshop.path(name);
        std::fs::write(&path, contents).unwrap();
        assert!(matches!(refused(&path), InspectError::NotElf), "{name}");
    }
    let source = workshop.path("object.c");
    std::fs::write(&source, "void *CAMI[4];").unwrap();
    let object = workshop.path("object.o");
    let status =
        std::process::Command::new("cc").args(["-c", "-o"]).args([&object, &source]).status();
    assert!(status.unwrap().success());
    assert!(matches!(refused(&object), InspectError::NotSharedObject));
}

#[test]
fn a_truncated_library_is_refused_or_read_right() {
    let workshop = Workshop::new();
    let path = table_of(&workshop, 5 * POINTER, &[]);
    let good = inspect(&path).unwrap();
    let length = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut refusals = 0;
    for cut in 1..=length / 64 {
        let end = length - 64 * cut;
        file.set_len(end).unwrap();
        match inspect(&path) {
            Ok(symbol) => assert_eq!(symbol, good, "cut at {end}"),
            Err(_) => refusals += 1,
        }
    }
    // The dynamic symbols stand in the first pages, so that the cuts before them must be seen.
    assert!(refusals > 16, "only {refusals} cuts were noticed");
}

#[test]
fn flipped_bytes_never_panic() {
    let workshop = Workshop::new();
    for size in [4 * POINTER, 6 * POINTER] {
        let path = table_of(&workshop, size, &["-Wl,-s"]);
        let bytes = std::fs::read(&path).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        // Everything that is read stands before the code; 0xff makes the hugest claims.
        for (at, byte) in bytes.iter().enumerate().take(4096) {
            for changed in [byte ^ 0xff, byte ^ (1 << (at % 8)), 0xff] {
                file.write_all_at(&[changed], at as u64).unwrap();
                let _ = inspect(&path);
            }
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
        assert_eq!(inspect(&path).unwrap().size, size);
    }
}
