//! Recordings of what passes between a HAL and a vendor library: a durable file format, its writer
//! and its reader.
//!
//! # The format, version 1
//!
//! All numbers are little endian and of fixed width. A file is a header of [`HEADER_BYTES`] bytes
//! and then blocks, to its end:
//!
//! | header, bytes | content |
//! |---|---|
//! | 0–3 | `CAMR` |
//! | 4–5, 6–7 | major and minor version |
//! | 8–11 | bytes of this header: readers skip what they do not know of it |
//! | 12–15 | bytes of a page, [`PAGE_BYTES`] |
//! | 16–23 | when it was begun: nanoseconds of the real-time clock since 1970 |
//! | 24–31 | zero |
//!
//! | block, bytes | content |
//! |---|---|
//! | 0–7 | bytes of its payload |
//! | 8–11 | its kind |
//! | 12–15 | CRC-32 (IEEE 802.3) of its kind and size, as they stand here, and its payload |
//! | 16– | the payload, then zeros up to a multiple of 8 |
//!
//! Kinds and payloads are those of [`Block`]. A payload is its fields in their order: numbers as
//! they are; texts, bytes and lists behind a `u32` count of bytes or of elements.
//!
//! # What is promised of it
//!
//! A file of any release of major version 1 opens for ever. A reader skips kinds of block that it
//! does not know and fields behind those that it knows; fields that a shorter, older payload does
//! not have are zero or empty. A file that ends in the middle of a block, or whose next block is
//! damaged, is good up to there ([`Ending`]).
//!
//! Minor version 1 has the block [`block::Counted`] and the field [`block::Died::by_host`], which a reader of
//! version 1.0 skips. A writer that goes
//! on in a file of an older minor version leaves its header as it is.
//!
//! # Contents of buffers
//!
//! A buffer is cut into pages of 4096 bytes. Each page is stored once, in a [`block::Pages`], and
//! has a number; page 0 is all zeros and stored nowhere. A [`block::Content`] lists the pages of a
//! buffer at one time. Events name contents by number; number 0 is none. Pages stand before the
//! contents, and contents before the events, that name them.
//!
//! # Trust
//!
//! A recording may come from anybody: reading never panics, checks every number, and allocates
//! nothing by a number that the file only claims.
#![forbid(unsafe_code)]

pub mod block;
mod compact;
mod ended;
mod error;
mod field;
mod frame;
mod image;
mod pages;
mod plan;
mod reader;
mod registered;
mod room;
pub mod session;
mod snapshot;
mod source;
mod writer;

pub use block::{Block, Call, ContentId, Number};
pub use compact::{Compacted, Keep, compact};
pub use ended::Rules;
pub use error::RecordingError;
pub use frame::{HEADER_BYTES, MAJOR, MINOR, PAGE_BYTES};
pub use image::Image;
pub use reader::{Ending, MAX_CONTENT_BYTES, PageCache, Recording};
pub use session::Session;
pub use snapshot::{Memory, Shadow, Snapshot};
pub use source::Source;
pub use writer::{Buffer, Writer};
