//! The IPU3 3A protocol over `CAMI`: commands, payload structs, the request sequence of a HAL, and
//! what it converts between the library and the driver: statistics and ISP parameters.
//!
//! No I/O, and no unsafe code of its own: views of payloads as bytes are made by `zerocopy`, whose
//! derives prove that every struct is free of padding and valid for any bytes.
#![deny(unsafe_code)]

pub mod command;
pub mod encoder;
pub mod fields;
pub mod payload;
pub mod sequence;
pub mod show;
pub mod statistics;
pub mod uapi;

pub use command::{Command, Group, HEADER, STATUS_FAILED, STATUS_OK, UnknownCommand};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A payload struct: any bytes are valid, and all its bytes may be looked at.
pub trait Pod: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static> Pod for T {}

/// The bytes of a payload.
pub fn bytes_of<T: Pod>(payload: &T) -> &[u8] {
    payload.as_bytes()
}

/// The bytes of a payload, to be overwritten.
pub fn bytes_of_mut<T: Pod>(payload: &mut T) -> &mut [u8] {
    payload.as_mut_bytes()
}

/// A payload of zeros, never on the stack: the largest has 2.4 MB.
///
/// Memory that cannot be had ends the process, as for every `Box`.
#[must_use]
pub fn zeroed_box<T: Pod>() -> Box<T> {
    T::new_box_zeroed()
        .unwrap_or_else(|_| std::alloc::handle_alloc_error(std::alloc::Layout::new::<T>()))
}
