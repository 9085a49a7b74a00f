//! Whatever a file holds, reading it ends, with a result or a typed refusal, and in little memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cami_elf::{Object, Wanted};

/// The largest block that was asked for, in bytes.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Watching;

// SAFETY: everything is the system's allocator's; a number is kept besides.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// No table of a library of some kilobytes is as large as this.
const BOUND: usize = 1 << 20;

/// A library with all that is read: needs, versions, thread-local variables, a soname, a runpath.
fn library(style: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let source = "
        #include <stdio.h>
        __thread int local = 3;
        __attribute__((constructor)) static void first(void) { puts(\"\"); }
        int *CAMI_like(void) { local++; return &local; }
        extern int absent(void) __attribute__((weak));
        int call(void) { return absent ? absent() : 0; }
    ";
    let (text, out) = (folder.path().join("a.c"), folder.path().join("a.so"));
    let map = folder.path().join("map");
    std::fs::write(&text, source).unwrap();
    std::fs::write(&map, "V1 { global: CAMI_like; call; local: *; };").unwrap();
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wl,-soname,liba.so", "-Wl,-rpath,$ORIGIN/x", "-s"])
        .arg(format!("-Wl,--hash-style={style}"))
        .arg(format!("-Wl,--version-script={}", map.display()))
        .arg("-o")
        .args([&out, &text])
        .status()
        .expect("the tests need a C compiler (Debian: apt install gcc)");
    assert!(status.success());
    std::fs::read(out).unwrap()
}

/// Reads all there is; how many of the questions had an answer.
fn read(bytes: &[u8]) -> usize {
    let Ok(object) = Object::read(bytes) else { return 0 };
    let _ = (object.platform(), object.is_shared());
    let imports = object.imports();
    let found = |name: &[u8], version| {
        object.find_wanted(Wanted { name, version, exact: true }).is_ok_and(|found| found.is_some())
    };
    [
        object.needed().is_ok_and(|names| !names.is_empty()),
        object.soname().is_ok_and(|name| name.is_some()),
        object.runpath().is_ok_and(|path| path.is_some()),
        object.rpath().is_ok(),
        object.build_id().is_ok(),
        object.versions().is_ok_and(|versions| !versions.needed.is_empty()),
        object.for_each_name(|_| {}).is_ok(),
        imports.is_ok_and(|imports| imports.iter().any(|import| import.name == "puts")),
        found(b"CAMI_like", Some("V1")),
        !found(b"CAMI_like", Some("V2")),
        !found(b"puts", None),
    ]
    .into_iter()
    .filter(|answered| *answered)
    .count()
}

fn largest_while(work: impl FnOnce()) -> usize {
    LARGEST.store(0, Ordering::Relaxed);
    work();
    LARGEST.load(Ordering::Relaxed)
}

/// One test: the largest block is the process's.
#[test]
fn hostile_files_end_in_a_result_or_a_refusal() {
    for style in ["gnu", "sysv"] {
        let whole = library(style);
        assert_eq!(read(&whole), 11, "{style}: the untouched library answers all");
        let largest = largest_while(|| {
            for end in 0..whole.len() {
                read(&whole[..end]);
            }
        });
        assert!(largest < BOUND, "{style}: {largest} bytes at once for a truncated file");
        // Where the headers, the dynamic segment and the tables are, every byte; a fixed seed.
        let largest = largest_while(|| {
            let mut random = 0x2545_f491_4f6c_dd1d_u64;
            for round in 0..20_000_usize {
                let mut bytes = whole.clone();
                for _ in 0..=round % 4 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let at = random as usize % bytes.len();
                    bytes[at] = (random >> 40) as u8;
                }
                read(&bytes);
            }
            for at in 0..whole.len().min(4096) {
                for value in [0, 0x7f, 0xff] {
                    let mut bytes = whole.clone();
                    bytes[at] = value;
                    read(&bytes);
                }
            }
        });
        assert!(largest < 8 * BOUND, "{style}: {largest} bytes at once for a broken file");
    }
}
