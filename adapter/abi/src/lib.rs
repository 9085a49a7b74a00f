//! The CAMI C ABI: types, revision detection, and one safe trait for both directions.

mod algorithm;

pub use algorithm::{Callbacks, CameraAlgorithm};
