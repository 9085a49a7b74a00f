//! `cami-ipa probe`: the verdict, which is the loader's and the sandbox's, and the data.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a missing field is the test's failure"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{cami_ipa, code, output, reference, stderr};

/// A table of revision F.
const TABLE: &str = "
    static int nothing(void) { return 0; }
    void *CAMI[5] = {nothing, nothing, nothing, nothing, nothing};
";

/// A folder with compiled libraries.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn cc(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let text = self.path("source.c");
        std::fs::write(&text, source).unwrap();
        let out = self.path(name);
        let done = Command::new("cc")
            .current_dir(self.0.path())
            .args(["-O1", "-w", "-o"])
            .args([&out, &text])
            .args(flags)
            .output()
            .expect("the tests need a C compiler (Debian: apt install gcc)");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::remove_file(text).unwrap();
        out
    }

    fn library(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let flags: Vec<&str> = ["-shared", "-fPIC"].iter().chain(flags).copied().collect();
        self.cc(name, &format!("{TABLE}{source}"), &flags)
    }

    /// Whether the system's loader takes it, as the adapter would ask: the measure of the verdict.
    fn loads(&self, library: &Path) -> bool {
        let loader = self.path("loader");
        if !loader.exists() {
            let source = "#include <dlfcn.h>
                int main(int c, char **v) { return !dlopen(v[1], RTLD_NOW | RTLD_LOCAL); }";
            self.cc("loader", source, &[]);
        }
        Command::new(loader).arg(library).status().unwrap().success()
    }
}

fn probe(library: &Path, arguments: &[&str]) -> (Value, i32) {
    let output = output(cami_ipa(&["probe", "--json", "-"]).arg(library).args(arguments));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    (json["libraries"][0].clone(), code(&output))
}

#[track_caller]
fn runs(library: &Path) -> Value {
    let (json, code) = probe(library, &[]);
    assert_eq!((code, json["verdict"].as_str()), (0, Some("runs")), "{:#}", json["problems"]);
    json
}

/// It must not run, for one reason, which has all of these words.
#[track_caller]
fn falls_short(library: &Path, words: &[&str]) -> Value {
    let (json, code) = probe(library, &[]);
    assert_eq!((code, json["verdict"].as_str()), (1, Some("does_not_run")), "{json:#}");
    let problems = json["problems"].as_array().expect("problems");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    for word in words {
        assert!(problems[0].as_str().unwrap().contains(word), "{word}: {}", problems[0]);
    }
    json
}

#[test]
fn own_reference_library_runs_and_all_of_it_is_known() {
    let json = runs(&reference());
    assert_eq!(json["table"]["revision"], "G");
    assert_eq!(json["table"]["bytes"], 6 * size_of::<usize>());
    assert_eq!(json["platform"]["native"], true);
    assert_eq!(json["fingerprint"]["profile"], "intel-ipu3");
    let needed = json["needed"].as_array().expect("needs");
    let c_library = needed.iter().find(|needed| needed["name"] == "libc.so.6").expect("libc");
    assert!(c_library["path"].is_string() && c_library["in_sandbox"] == true, "{c_library}");
    let versions = c_library["versions"].as_array().expect("versions");
    assert!(!versions.is_empty() && versions.iter().all(|version| version["found"] == true));
    let symbols = json["symbols"].as_array().expect("symbols");
    let malloc = symbols.iter().find(|symbol| symbol["name"] == "malloc").expect("malloc");
    assert_eq!(malloc["defined_by"], "libc.so.6");
}

#[test]
fn text_has_the_verdict_first() {
    let done = output(cami_ipa(&["probe"]).arg(reference()));
    let text = String::from_utf8(done.stdout).expect("text");
    assert_eq!(
        text.lines().next().map(|line| line.ends_with("will run here under the adapter")),
        Some(true)
    );
    for word in ["revision G", "RELRO", "needs", "libc.so.6 =>", "symbols,"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn what_is_missing_is_named_and_the_loader_agrees() {
    let shop = Workshop::new();
    let plain = shop.library("plain.so", "", &[]);
    assert!(shop.loads(&plain));
    let json = runs(&plain);
    assert_eq!(json["table"]["revision"], "F");

    // A library that is not there, and is there again.
    shop.cc("libgone.so", "int gone(void) { return 1; }", &["-shared", "-fPIC"]);
    let source = "int gone(void); int f(void) { return gone(); }";
    let user = shop.library("user.so", source, &["-L.", "-lgone"]);
    assert!(!shop.loads(&user));
    falls_short(&user, &["libgone.so, which user.so needs, is not found", "library_path"]);
    let folder = user.parent().unwrap().to_str().unwrap();
    assert_eq!(probe(&user, &["--library-path", folder]).1, 0);
    for flags in
        ["-Wl,-rpath,$ORIGIN,--enable-new-dtags", "-Wl,-rpath,${ORIGIN},--disable-new-dtags"]
    {
        let user = shop.library("origin.so", source, &["-L.", "-lgone", flags]);
        assert!(shop.loads(&user));
        let found = runs(&user)["needed"][0]["found_by"].clone();
        assert_eq!(found, if flags.contains("enable") { "runpath" } else { "rpath" });
    }

    // A version and a symbol that it has no more.
    let there = "-Wl,-rpath,$ORIGIN";
    std::fs::write(shop.path("two.map"), "OLD { old; }; NEW { next; } OLD;").unwrap();
    std::fs::write(shop.path("one.map"), "OLD { old; };").unwrap();
    let two = "int old(void) { return 1; } int next(void) { return 2; }";
    let shared = ["-shared", "-fPIC"];
    shop.cc("libver.so", two, &[&shared[..], &["-Wl,--version-script=two.map"]].concat());
    let source = "int next(void); int f(void) { return next(); }";
    let user = shop.library("ver.so", source, &["-L.", "-lver", there]);
    assert!(shop.loads(&user));
    runs(&user);
    shop.cc("libver.so", two, &[&shared[..], &["-Wl,--version-script=one.map"]].concat());
    assert!(!shop.loads(&user));
    let (json, code) = probe(&user, &[]);
    assert_eq!(code, 1);
    assert!(
        json["problems"][0].as_str().unwrap().contains("ver.so needs NEW of libver.so"),
        "{json:#}"
    );
    assert_eq!(json["needed"][0]["versions"][0]["found"], false);

    // A symbol that nothing defines, and a weak one.
    let strong =
        shop.library("strong.so", "int nowhere(void); int f(void) { return nowhere(); }", &[]);
    assert!(!shop.loads(&strong));
    falls_short(&strong, &["strong.so wants nowhere"]);
    let weak =
        "__attribute__((weak)) int nowhere(void); int f(void) { return nowhere ? nowhere() : 0; }";
    let weak = shop.library("weak.so", weak, &[]);
    assert!(shop.loads(&weak));
    runs(&weak);
    // The process has the C library, whether it is asked for or not.
    let bare = shop.library(
        "bare.so",
        "int puts(char *); int f(void) { return puts(\"\"); }",
        &["-nostdlib"],
    );
    assert!(shop.loads(&bare));
    runs(&bare);
}

/// Sets `PF_W` of the first segment that is executable (ELF64, little-endian).
fn make_code_writable(library: &Path) {
    let mut bytes = std::fs::read(library).unwrap();
    let table = usize::from(bytes[32]);
    let header = (0..usize::from(bytes[56]))
        .map(|index| table + 56 * index)
        .find(|at| bytes[*at..at + 4] == [1, 0, 0, 0] && bytes[at + 4] & 1 != 0)
        .expect("a segment with code");
    bytes[header + 4] |= 2;
    std::fs::write(library, bytes).unwrap();
}

#[test]
fn what_the_sandbox_refuses_to_load_is_named() {
    let shop = Workshop::new();
    let stack = shop.library("stack.so", "", &["-Wl,-z,execstack"]);
    let json = falls_short(&stack, &["executable stacks", "noexecstack"]);
    assert_eq!(json["hardening"]["executable_stack"], true);
    let segment = shop.library("segment.so", "", &[]);
    make_code_writable(&segment);
    let json = falls_short(&segment, &["writable and executable"]);
    assert_eq!(json["hardening"]["writable_executable_segments"], 1);
    if cfg!(target_arch = "x86_64") {
        let source = "extern int g; int *h(void) { return &g; } int g;";
        let flags = ["-fno-pic", "-mcmodel=large", "-Wl,-z,notext"];
        let text = shop.library("text.so", source, &flags);
        let json = falls_short(&text, &["relocations in its code", "-fPIC"]);
        assert_eq!(json["hardening"]["text_relocations"], true);
    }
}

#[test]
fn static_thread_local_variables_that_have_no_room_are_named() {
    let shop = Workshop::new();
    let library = |bytes: u32| {
        let source = format!(
            "__attribute__((tls_model(\"initial-exec\"))) __thread char x[{bytes}]; \
             char *f(void) {{ return x; }}"
        );
        shop.library("tls.so", &source, &[])
    };
    let small = library(256);
    assert!(shop.loads(&small));
    let json = runs(&small);
    assert_eq!(json["thread_local"]["is_static"], true);
    assert_eq!(json["thread_local"]["bytes"], 256);
    let large = library(100_000);
    assert!(!shop.loads(&large));
    falls_short(&large, &["100000 bytes of static thread-local", "optional_static_tls=100000"]);
}

#[test]
fn hardening_and_constructors_are_those_of_the_linker() {
    let shop = Workshop::new();
    for (flag, expected) in [
        ("-Wl,-z,norelro", "none"),
        ("-Wl,-z,relro,-z,lazy", "partial"),
        ("-Wl,-z,relro,-z,now", "full"),
    ] {
        let json = runs(&shop.library("relro.so", "", &[flag]));
        assert_eq!(json["hardening"]["relro"], expected, "{flag}");
    }
    let json = runs(&shop.library("plain.so", "", &[]));
    let before = json["constructors"]["init_array"].as_u64().unwrap();
    let source = "#include <string.h>
        __attribute__((constructor)) void a(void) {} __attribute__((constructor)) void b(void) {}
        void g(char *); void f(char *s) { char x[64]; strcpy(x, s); g(x); } void g(char *s) {}";
    let flags = [
        "-O2",
        "-U_FORTIFY_SOURCE",
        "-D_FORTIFY_SOURCE=2",
        "-fstack-protector-all",
        "-Wl,--build-id=0xabcdef",
    ];
    let json = runs(&shop.library("hard.so", source, &flags));
    assert_eq!(json["constructors"]["init_array"], before + 2);
    assert_eq!(json["hardening"]["fortified"][0], "__strcpy_chk");
    assert_eq!(json["hardening"]["stack_protector"], true);
    assert_eq!(json["build_id"], "abcdef");
}

#[test]
fn forbidden_imports_are_told_with_the_sandboxs_answer() {
    let shop = Workshop::new();
    let source = "int system(); int ptrace(); int socket(); int ftruncate(); int read();
        void f(void) { system(); ptrace(); socket(); ftruncate(); read(); }";
    let json = runs(&shop.library("calls.so", source, &[]));
    let calls: Vec<(&str, &str)> = json["system_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["call"].as_str().unwrap(), row["effect"].as_str().unwrap()))
        .collect();
    let expected =
        [("execve", "kill"), ("ptrace", "kill"), ("ftruncate", "refuse"), ("socket", "limited")];
    assert_eq!(calls, expected);
    assert_eq!(json["system_calls"][0]["imports"][0], "system");
    assert!(json["remarks"].to_string().contains("execve, ptrace"), "{}", json["remarks"]);
}

#[test]
fn folder_is_one_line_for_each_library_with_a_table() {
    let shop = Workshop::new();
    shop.library("good.so", "", &[]);
    shop.library("bad.so", "int nowhere(void); int f(void) { return nowhere(); }", &[]);
    shop.cc("other.so", "int other;", &["-shared", "-fPIC"]);
    std::fs::write(shop.path("notes.txt"), "no library").unwrap();
    let done = output(cami_ipa(&["probe"]).arg(shop.path("")));
    let text = String::from_utf8(done.stdout.clone()).unwrap();
    assert_eq!(code(&done), 1, "{text}");
    let line = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name));
    assert!(line("good.so").unwrap().ends_with("will run here"), "{text}");
    assert!(line("bad.so").unwrap().contains("wants nowhere"), "{text}");
    assert_eq!(line("other.so"), None);
    assert!(text.ends_with("2 with CAMI, 1 other libraries, 1 other files\n"), "{text}");
}

#[test]
fn files_that_are_no_library_are_refused_and_absent_ones_are_2() {
    for (path, expected) in
        [("/etc/passwd", "is not an ELF file"), ("/dev/null", "not a regular file")]
    {
        let (json, code) = probe(Path::new(path), &[]);
        assert_eq!(code, 1);
        assert!(json["problems"][0].as_str().unwrap().contains(expected), "{json:#}");
    }
    for arguments in [&["probe", "/nowhere/v.so"][..], &["probe"], &["probe", "--bogus"]] {
        let done = output(&mut cami_ipa(arguments));
        assert_eq!(code(&done), 2, "{arguments:?}");
    }
}

#[test]
fn systems_libraries_resolve_as_the_loader_resolves_them() {
    let shop = Workshop::new();
    let mut seen = 0;
    for folder in ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"] {
        for name in ["libcamera.so", "libcamera-base.so", "libcamera/ipa_vimc.so"] {
            let library = Path::new(folder).join(name);
            if library.exists() {
                assert!(shop.loads(&library), "{}", library.display());
                falls_short(&library, &["no CAMI"]);
                seen += 1;
            }
        }
    }
    if seen == 0 {
        eprintln!("SKIPPED: no libcamera here");
    }
}

#[test]
fn own_door_is_no_vendor_library() {
    match support::built("libcam_algo.so") {
        Some(library) => drop(falls_short(&library, &["cami-ipa's own libcam_algo.so"])),
        None => eprintln!("SKIPPED: libcam_algo.so is not built"),
    }
}

/// Through the whole program: it neither panics (101) nor is killed.
#[test]
fn broken_files_are_refused_or_told_and_nothing_else() {
    let shop = Workshop::new();
    let whole = std::fs::read(shop.library(
        "whole.so",
        "int puts(); int f(void) { return puts(); }",
        &["-s"],
    ))
    .unwrap();
    let broken = shop.path("broken.so");
    let check = |bytes: &[u8]| {
        std::fs::write(&broken, bytes).unwrap();
        let done = output(cami_ipa(&["probe"]).arg(&broken));
        assert!(matches!(done.status.code(), Some(0 | 1)), "{:?}: {}", done.status, stderr(&done));
        assert!(!done.stdout.is_empty());
    };
    for end in (0..whole.len()).step_by(whole.len() / 40) {
        check(&whole[..end]);
    }
    for at in (0..2048.min(whole.len())).step_by(29) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        check(&bytes);
    }
}

#[test]
fn library_for_another_machine_is_told_apart_and_its_table_is_known() {
    let shop = Workshop::new();
    let library = shop.library("foreign.so", "", &[]);
    let mut bytes = std::fs::read(&library).unwrap();
    // `e_machine`: 21 is 64-bit PowerPC.
    bytes[18] = 21;
    std::fs::write(&library, bytes).unwrap();
    let json = falls_short(&library, &["built for ELF64", "machine 21", "revision F"]);
    assert_eq!(json["platform"]["native"], false);
    assert_eq!(json["table"]["bytes"], 40);
}
