//! The ELF note by which our own shim is known.
//!
//! A `vendor_library` that names the shim would start a host that loads the shim, which starts a
//! host… [`inspect`](crate::inspect) finds the note, and the host refuses.

/// The note's name, with the NUL that counts in its size.
pub(crate) const SHIM_NOTE_NAME: &[u8] = b"cami-ipa\0";
/// The note's type: a protocol version follows.
pub(crate) const SHIM_NOTE_TYPE: u32 = 1;

/// An ELF note of our shim: header, name padded to four bytes, one word.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct ShimNote {
    name_size: u32,
    desc_size: u32,
    kind: u32,
    name: [u8; 12],
    protocol: u32,
}

impl ShimNote {
    /// The note of this version of the shim: protocol version 1.
    pub const CURRENT: Self = Self {
        name_size: 9,
        desc_size: 4,
        kind: SHIM_NOTE_TYPE,
        name: *b"cami-ipa\0\0\0\0",
        protocol: 1,
    };
}

/// Puts the shim's note into the library that is being built. Once in a crate.
#[macro_export]
macro_rules! shim_note {
    () => {
        /// The note by which a host knows this library as the shim.
        #[used]
        #[unsafe(link_section = ".note.cami_ipa")]
        static CAMI_IPA_NOTE: $crate::ShimNote = $crate::ShimNote::CURRENT;
    };
}
