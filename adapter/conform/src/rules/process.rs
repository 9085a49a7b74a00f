//! What a library does to its process, and how it lives in a host.

use super::Rule;
use super::Stage::{Loaded, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("process.foreign-descriptors", Requested).says(
        "Descriptors that are not the library's stay open and stay what they are.",
        "spec/cami-abi.md, 2.4",
        "The link, the log or another library's file is closed: failures far from their cause.",
    ),
    Rule::should("process.no-descriptor-leak", Requested).says(
        "After the same requests again no more descriptors are open, those of buffers aside.",
        "spec/cami-abi.md, 6.2 (4)",
        "After hours of use no file can be opened.",
    ),
    Rule::should("process.signal-handlers", Requested).says(
        "The process's signal handlers stay as they were.",
        "spec/anchors.md; docs/abi-conventions.md",
        "A HAL's own crash reporter is gone, or somebody else's signal is swallowed.",
    ),
    Rule::should("process.signal-mask", Requested).says(
        "The signal mask of the calling thread stays as it was.",
        "spec/anchors.md; docs/abi-conventions.md",
        "Signals of the HAL are lost.",
    ),
    Rule::should("process.floating-point-mode", Requested).says(
        "Rounding and flush-to-zero of the calling thread stay as they were.",
        "the psABI of the machine (control bits are preserved across calls)",
        "Arithmetic elsewhere in the process gives other results.",
    ),
    Rule::habit("process.locale", Requested).says(
        "The locale stays as it was.",
        "ISO C, 7.11 (setlocale is the program's)",
        "Numbers elsewhere in the process are read and written with another decimal point.",
    ),
    Rule::habit("process.threads-block-signals", Requested).outside().says(
        "The library's threads block signals.",
        "docs/abi-conventions.md (Threads)",
        "A signal meant for the HAL is taken by a thread of the library, in the midst of its work.",
    ),
    Rule::must("host.session", Requested).outside().says(
        "A whole session in the sandboxed host ends with the process alive: its filters let the library work.",
        "spec/cami-abi.md, 3.2 and 6.3",
        "The library was only ever run without a sandbox.",
    ),
    Rule::must("host.restart", Requested).outside().says(
        "After its process was killed in mid-session, a fresh one is as good as the first.",
        "spec/cami-abi.md, 2.6 and 2.7",
        "Lock files or shared memory of the dead process keep the camera closed until the next boot.",
    ),
    Rule::should("host.same-handles", Requested).outside().says(
        "The same calls in a fresh process give the same handles.",
        "docs/profiles.md (what resume does); spec/cami-abi.md, 5.1",
        "A death cannot be resumed: handles inside payloads would name other buffers.",
    ),
    Rule::habit("sandbox.imports", Loaded).in_the_file().says(
        "The library imports nothing that ends its process in the sandbox.",
        "spec/cami-abi.md, 3.2; cami-ipa policy",
        "A rare path, as an error handler that starts a program, takes the camera down.",
    ),
];
