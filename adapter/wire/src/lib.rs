//! libcamera's IPA message layer and serialisers; the `cros` interface and the control messages.
//!
//! This crate turns values into bytes and bytes into values. It performs no I/O, owns no file
//! descriptor and contains no unsafe code. Everything it decodes is treated as hostile: a decoder
//! returns [`WireError`] instead of panicking, and never reserves memory because of a count or a
//! size that only the peer vouches for.
//!
//! File descriptors travel beside the bytes. A decoded message says how many of them it needs
//! (`expected_fds`), and whoever received it compares that with how many came.
//!
//! Layouts: libcamera's `utils/ipc` generators (`utils/codegen/ipc` since 0.4.0),
//! `src/libcamera/ipc_unixsocket.cpp`, `src/libcamera/ipa_data_serializer.cpp` and
//! `src/libcamera/control_serializer.cpp`.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod control;
pub mod cros;
mod error;
pub mod libcamera;
pub mod message;
pub mod reader;
pub mod writer;

pub use error::WireError;
pub use message::Header;
