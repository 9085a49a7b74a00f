//! Statistics that cannot be converted.

use std::fmt;

/// A part of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Colour.
    Awb,
    /// Focus.
    Af,
    /// Filter response of AWB.
    AwbFr,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Awb => "AWB",
            Self::Af => "AF",
            Self::AwbFr => "AWB-FR",
        })
    }
}

/// Why statistics are refused: the HAL would read or write outside of its structs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatisticsError {
    /// A grid with more cells than there is room, or raw cells, for.
    TooManyCells {
        /// Whose grid.
        part: Part,
        /// Its columns.
        width: u8,
        /// Its rows.
        height: u8,
        /// How many cells it may have.
        most: usize,
    },
    /// A set that does not lie in the buffer.
    SetOutside {
        /// Whose set.
        part: Part,
        /// Its number, from 0, of `sets`.
        set: u32,
        /// How many sets there are.
        sets: u32,
        /// Its first cell; behind a number of 32 bits too.
        first: u64,
        /// Its size, in cells.
        size: u32,
        /// Cells of the buffer.
        buffer: usize,
    },
}

impl fmt::Display for StatisticsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooManyCells { part, width, height, most } => {
                write!(f, "{part}: a grid of {width}x{height} cells, there is room for {most}")
            }
            Self::SetOutside { part, set, sets, first, size, buffer } => {
                write!(
                    f,
                    "{part}: set {set} of {sets}, {size} cells from {first}, is not in the buffer of \
                     {buffer} cells"
                )
            }
        }
    }
}

impl std::error::Error for StatisticsError {}
