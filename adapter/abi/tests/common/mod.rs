//! What the tests of this crate share: a C compiler and a log that can be read.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "test helpers; each test file uses some of them"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

/// Shared libraries made for one test, deleted with it.
pub struct Workshop(TempDir);

impl Workshop {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test's libraries"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Compiles a C text into a shared library.
    pub fn library(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let text = self.path(&format!("{name}.c"));
        std::fs::write(&text, source).unwrap();
        let library = self.path(&format!("{name}.so"));
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-pthread", "-I"])
            .arg(include)
            .arg("-o")
            .args([&library, &text])
            .args(flags)
            .output()
            .expect("the tests need a C compiler (Debian: apt install gcc)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        library
    }
}

/// A `CAMI` of `SIZE` bytes made of the six functions of [`OPERATIONS`], with garbage behind the
/// end of the symbol, as the measured libraries have it (spec/cami-abi.md, 1.5).
pub const TABLE: &str = r#"
    #define TEXT_(x) #x
    #define TEXT(x) TEXT_(x)
    __asm__(".pushsection .data.rel,\"aw\"\n"
            ".balign 16\n"
            ".globl CAMI\n"
            ".type CAMI, %object\n"
            "CAMI: .dc.a initialize, register_buffer, request\n"
            ".dc.a deregister_buffers, update_return, deinitialize\n"
            ".size CAMI, " TEXT(SIZE) "\n"
            ".popsection\n");
"#;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LINES.lock().unwrap().push(record.args().to_string());
    }
    fn flush(&self) {}
}

/// Makes the log readable through [`logged`].
pub fn capture_log() {
    static CAPTURE: Capture = Capture;
    // An error says that another test of this process was first.
    let _ = log::set_logger(&CAPTURE);
    log::set_max_level(log::LevelFilter::Trace);
}

/// Whether a line with this text was logged.
pub fn logged(text: &str) -> bool {
    LINES.lock().unwrap().iter().any(|line| line.contains(text))
}
