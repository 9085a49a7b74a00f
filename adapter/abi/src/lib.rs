//! The CAMI C ABI: types, revision detection, and one safe trait for both directions.
//!
//! * [`inspect`] tells a library's revision from its ELF file, before dlopen runs its constructors.
//! * [`image_build_id`] tells the build-id of a library that another process has mapped.
//! * [`VendorLibrary`] loads a library and wraps its table as a [`CameraAlgorithm`].
//! * [`export_cami!`] makes an exported table of an implementation of [`CameraAlgorithm`].
//! * [`Buffers`] are the handles of such an implementation.
//! * [`sys`] has the C types, generated from `include/cami/camera_algorithm.h`.
//!
//! The conventions that hold in both directions are in docs/abi-conventions.md.

mod algorithm;
mod buffers;
mod export;
mod fd;
mod image;
mod import;
mod note;
mod rarely;
mod revision;
mod slots;
pub mod sys;
mod table;

pub use algorithm::{Callbacks, CameraAlgorithm};
pub use buffers::Buffers;
pub use export::{Exported, table};
pub use image::image_build_id;
pub use import::{LoadError, VendorLibrary};
pub use note::ShimNote;
pub use revision::{InspectError, Revision, TABLE_SYMBOL, TableSymbol, inspect};
pub use slots::MAX_LIBRARIES;
