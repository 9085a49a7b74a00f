//! How a library was linked: what protects it, and what the loader must do for it.

use cami_elf::{ImportedSymbol, Object, Segment};
use object::elf;
use serde::Serialize;

/// The protections. The names are those of the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hardening {
    /// `none`, `partial` or `full`: whether what only the loader writes is read-only afterwards.
    pub relro: &'static str,
    /// Whether it wants stacks that can be executed (no NX).
    pub executable_stack: bool,
    /// Whether its code is written to when it is loaded.
    pub text_relocations: bool,
    /// Segments that are writable and executable.
    pub writable_executable_segments: usize,
    /// Whether functions check their stack frames.
    pub stack_protector: bool,
    /// Functions that `_FORTIFY_SOURCE` put in the place of others.
    pub fortified: Vec<String>,
}

/// Thread-local variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ThreadLocal {
    /// Bytes for each thread.
    pub bytes: u64,
    /// Whether they must have a place in the block that was laid out when the process started.
    pub is_static: bool,
}

/// What runs when it is loaded, before anybody calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Constructors {
    /// Functions in `DT_INIT_ARRAY`.
    pub init_array: u64,
    /// Whether there is a `DT_INIT`; the C compiler's start files always bring one.
    pub init: bool,
}

impl Hardening {
    /// Looks at segments, the dynamic segment and imports.
    pub fn of(object: &Object, imports: &[ImportedSymbol]) -> Self {
        let dynamic = object.dynamic();
        let relro = segment(object, elf::PT_GNU_RELRO).is_some();
        let binds_now = dynamic.is_some_and(cami_elf::Dynamic::binds_now);
        let is_fortified = |name: &str| name.starts_with("__") && name.ends_with("_chk");
        let names = imports.iter().map(|import| import.name.as_str());
        Self {
            relro: match (relro, binds_now) {
                (true, true) => "full",
                (true, false) => "partial",
                (false, _) => "none",
            },
            executable_stack: executable_stack(object),
            text_relocations: dynamic.is_some_and(cami_elf::Dynamic::relocates_text),
            writable_executable_segments: writable_executable(object),
            stack_protector: names.clone().any(|name| name == "__stack_chk_fail"),
            fortified: names.filter(|name| is_fortified(name)).map(str::to_owned).collect(),
        }
    }
}

/// Without a `PT_GNU_STACK` the loader takes it that stacks are to be executable (glibc
/// `sysdeps/x86_64/stackinfo.h`, `sysdeps/aarch64/stackinfo.h`).
pub fn executable_stack(object: &Object) -> bool {
    segment(object, elf::PT_GNU_STACK).is_none_or(|stack| stack.has(elf::PF_X))
}

/// Segments that are loaded writable and executable.
pub fn writable_executable(object: &Object) -> usize {
    let loads = object.segments().iter().filter(|segment| segment.kind == elf::PT_LOAD);
    loads.filter(|load| load.has(elf::PF_W) && load.has(elf::PF_X)).count()
}

/// The thread-local variables, if there are any.
pub fn thread_local(object: &Object) -> Option<ThreadLocal> {
    let is_static = object.dynamic().is_some_and(cami_elf::Dynamic::has_static_tls);
    segment(object, elf::PT_TLS).map(|tls| ThreadLocal { bytes: tls.memory, is_static })
}

/// The constructors.
pub fn constructors(object: &Object) -> Constructors {
    let dynamic = object.dynamic();
    let bytes = dynamic.map_or(0, |dynamic| dynamic.init_array_bytes);
    Constructors {
        init_array: bytes / object.pointer(),
        init: dynamic.is_some_and(|dynamic| dynamic.init.is_some()),
    }
}

fn segment(object: &Object, kind: elf::ProgramType) -> Option<&Segment> {
    object.segments().iter().find(|segment| segment.kind == kind)
}
