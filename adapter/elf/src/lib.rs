//! ELF files as the dynamic loader sees them, read without loading them.
//!
//! * [`Library`] reads one file: its segments, its dynamic segment, its symbols through its own hash
//!   table, the versions of these, its notes.
//! * [`Object`] is a library of either class, by its path.
//! * [`Loader`] finds what a library needs where `ld.so` would find it, and tells which symbols and
//!   versions nothing there defines.
//!
//! Section headers are not looked at: a stripped library has none, and a false one must not deceive
//! us about what `dlsym` will return.
//!
//! A file is hostile: all reads are of bounded size at checked offsets, every loop is bounded, and
//! nothing is allocated by a size that the file claims. What is wrong with it is an [`ElfError`].
#![forbid(unsafe_code)]

mod cache;
mod closure;
mod dynamic;
mod find;
mod library;
mod loader;
mod notes;
mod object_file;
mod source;
mod symbols;
mod versions;

pub use closure::{Closure, Member, MissingSymbol, MissingVersion};
pub use dynamic::Dynamic;
pub use find::{Found, Wanted};
pub use library::{Library, Segment};
pub use loader::{FoundBy, Loader};
pub use notes::{MAX_BUILD_ID, Note, hex};
pub use object_file::{Object, ObjectError, Platform};
pub use source::{
    ElfError, Pages, Result, Source, offset, open_regular, read_array, read_pod, read_vec,
};
pub use symbols::ImportedSymbol;
pub use versions::{NeededVersion, Versions};
