//! The algorithms of the reference 3A library: pure functions of statistics and inputs.
//!
//! No I/O, no clock and no unsafe code. Everything that comes in may be hostile: numbers that are
//! not finite, zero or huge are replaced by the nearest sensible ones, and no result is ever
//! infinite or not a number. State lives in one small struct per algorithm, owned by the caller and
//! used from one thread at a time.
#![deny(unsafe_code)]

pub mod ae;
pub mod af;
pub mod awb;
mod distribution;
mod gain;
pub mod gbce;
pub mod isp;
mod locus;
mod metering;
mod number;
pub mod pa;
pub mod sa;
#[cfg(test)]
mod tests;

pub use gain::{GainModel, Segment};

/// Mean green of the RGBS grid, on its scale of 0 to 255, that AE steers to: 18 % of full scale,
/// the reflectance of a grey card when a white one just reaches full scale.
pub const AE_TARGET: f64 = 0.18 * 255.0;

/// A cell of the RGBS grid: means above black of each colour of the mosaic, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Green in the red rows.
    pub gr: u8,
    /// Red.
    pub r: u8,
    /// Blue.
    pub b: u8,
    /// Green in the blue rows.
    pub gb: u8,
    /// Share of saturated pixels, 255 for all.
    pub sat: u8,
}

/// What was measured on one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// Columns of the RGBS grid.
    pub width: usize,
    /// Rows of the RGBS grid.
    pub height: usize,
    /// The cells, row by row; fewer than `width` × `height` are taken as the first rows.
    pub cells: Vec<Cell>,
    /// Start of the frame's exposure, µs on the HAL's clock.
    pub timestamp_us: u64,
    /// The AE result in effect for this frame, as the HAL echoes it.
    pub exposure: Option<Exposure>,
    /// The focus grid, of a camera with a lens that moves.
    pub af: Option<AfStatistics>,
}

/// The grid of focus filter responses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AfStatistics {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Responses of the first (coarse) filter, row by row.
    pub fr1: Vec<i32>,
    /// Responses of the second (fine) filter, row by row.
    pub fr2: Vec<i32>,
}

/// How a frame is exposed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Exposure time, µs.
    pub time_us: f64,
    /// Analogue gain, 1 is none.
    pub analog_gain: f64,
    /// Digital gain, 1 is none.
    pub digital_gain: f64,
}

impl Exposure {
    /// Exposure time × gains: µs at gain 1. `None` unless it is a positive finite number.
    #[must_use]
    pub fn total_us(&self) -> Option<f64> {
        number::positive(self.time_us * self.analog_gain * self.digital_gain)
    }
}

/// A part of the picture in IA coordinates: 0 to 8192 along each side, whatever its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Right edge.
    pub right: i32,
    /// Bottom edge.
    pub bottom: i32,
}

impl Window {
    /// Length of a side of the picture in IA coordinates.
    pub const SIDE: i32 = 8192;

    /// Whether it covers anything; a window of zeros means the whole picture.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.right <= self.left || self.bottom <= self.top
    }
}
