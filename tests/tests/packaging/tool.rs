//! Programs of the system that read the files, and where the files are.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file or folder below `packaging/`.
pub fn packaging(name: &str) -> PathBuf {
    repository().join("packaging").join(name)
}

/// The text of a file below `packaging/`.
pub fn text(name: &str) -> String {
    std::fs::read_to_string(packaging(name)).unwrap()
}

/// The program, or a line that says why this test proves nothing.
pub fn find(name: &str, package: &str) -> Option<Command> {
    let path = std::env::var("PATH").unwrap_or_default();
    // Parsers are administrators' programs: an ordinary user's PATH lacks their folders.
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    let found = folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    if found.is_none() {
        skipped(&format!("{name} is not installed; {package}"));
    }
    found.map(Command::new)
}

/// Says why a test proves nothing, past the capture of passing tests' output.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Runs it; all that it says, if it found nothing wrong.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let (success, text) = run(command);
    assert!(success, "{command:?}:\n{text}");
    text
}

/// Runs it; whether it found nothing wrong, and what it says.
#[track_caller]
pub fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
