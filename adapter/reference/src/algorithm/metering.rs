//! How bright the metered part of the picture is.

use super::number::{from_usize, to_u8};
use super::{Statistics, Window};

/// What is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metering {
    /// The whole picture alike.
    #[default]
    Evaluative,
    /// The middle more than the rim.
    Centre,
}

/// Columns of the weight grid that AE reports: those of the ISP's largest AE grid.
pub const WEIGHT_COLUMNS: usize = 32;
/// Rows of the weight grid that AE reports.
pub const WEIGHT_ROWS: usize = 24;
/// Largest weight: a weight has 4 bits (`ipu3_uapi_ae_weight_elem` of the kernel's `ipu3-abi.h`).
const FULL_WEIGHT: f64 = 15.0;
/// Distance from the middle at which the centre weight is 60 %, in sides of the picture.
const CENTRE_WIDTH: f64 = 0.2;
/// Weight of the rim under centre metering, so that a bright rim is not ignored.
const RIM_WEIGHT: f64 = 1.0;

/// Weight at a place of the picture, `u` and `v` from 0 to 1: 0 to 15.
fn weight_at(metering: Metering, window: Window, u: f64, v: f64) -> f64 {
    if !window.is_empty() && !contains(window, u, v) {
        return 0.0;
    }
    match metering {
        Metering::Evaluative => FULL_WEIGHT,
        Metering::Centre if !window.is_empty() => FULL_WEIGHT,
        Metering::Centre => {
            let squared = (u - 0.5).powi(2) + (v - 0.5).powi(2);
            let bell = (-0.5 * squared / CENTRE_WIDTH.powi(2)).exp();
            RIM_WEIGHT + (FULL_WEIGHT - RIM_WEIGHT) * bell
        }
    }
}

fn contains(window: Window, u: f64, v: f64) -> bool {
    let side = f64::from(Window::SIDE);
    let inside = |low: i32, high: i32, at: f64| f64::from(low) <= at && at < f64::from(high);
    inside(window.left, window.right, u * side) && inside(window.top, window.bottom, v * side)
}

/// The middle of cell `index` of `count` along a side, 0 to 1.
fn middle(index: usize, count: usize) -> f64 {
    (from_usize(index) + 0.5) / from_usize(count.max(1))
}

/// A window that is not empty but smaller than a cell, or outside of the picture, meters no cell:
/// the whole picture is metered then.
fn usable(window: Window, columns: usize, rows: usize) -> Window {
    let hit = |low, high, count| {
        (0..count).any(|index| {
            let at = middle(index, count) * f64::from(Window::SIDE);
            f64::from(low) <= at && at < f64::from(high)
        })
    };
    let seen = hit(window.left, window.right, columns) && hit(window.top, window.bottom, rows);
    if seen { window } else { Window::default() }
}

/// Weights of the picture's parts, row by row, 0 to 15: what AE reports, and meters by.
#[must_use]
pub fn weights(metering: Metering, window: Window) -> [u8; WEIGHT_COLUMNS * WEIGHT_ROWS] {
    let window = usable(window, WEIGHT_COLUMNS, WEIGHT_ROWS);
    let mut weights = [0; WEIGHT_COLUMNS * WEIGHT_ROWS];
    for (row, line) in weights.chunks_exact_mut(WEIGHT_COLUMNS).enumerate() {
        let v = middle(row, WEIGHT_ROWS);
        for (column, weight) in line.iter_mut().enumerate() {
            *weight = to_u8(weight_at(metering, window, middle(column, WEIGHT_COLUMNS), v));
        }
    }
    weights
}

/// Brightness of the metered part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Weighted mean of green, 0 to 255.
    mean: f64,
    /// Weighted share of saturated pixels, 0 to 1.
    pub saturated: f64,
}

/// Mean below which a cell's lost fraction matters.
const COARSE_BELOW: f64 = 8.0;

impl Level {
    /// The brightness to be reckoned with.
    ///
    /// A cell may have lost a fraction of up to one step, which is much in the dark: there the mean
    /// is taken as up to one step more, so that the estimate is never too dark by more than an
    /// eighth. A saturated cell counts as full scale, which is the least that it can be. Exposures
    /// computed from this estimate therefore approach the right one from below in the dark, and
    /// from above in the light: they do not overshoot.
    pub fn estimate(&self) -> f64 {
        self.mean + (1.0 - self.mean / COARSE_BELOW).max(0.0)
    }
}

/// Measures the picture; `None` if there is no cell.
///
/// Green alone is used: it is the largest part of luma, and the one colour that white balance
/// does not scale. The grid's values are above black already.
pub fn level(statistics: &Statistics, metering: Metering, window: Window) -> Option<Level> {
    // Only cells that are there count, whatever the size says.
    let width = statistics.width.min(statistics.cells.len());
    let height = statistics.height.min(statistics.cells.len().checked_div(width)?);
    let window = usable(window, width, height);
    let (mut sum, mut saturated, mut total) = (0.0, 0.0, 0.0);
    for (row, line) in statistics.cells.chunks(width).take(height).enumerate() {
        let v = middle(row, height);
        for (column, cell) in line.iter().enumerate() {
            let weight = weight_at(metering, window, middle(column, width), v);
            sum += weight * f64::from(u16::from(cell.gr) + u16::from(cell.gb)) / 2.0;
            saturated += weight * f64::from(cell.sat) / 255.0;
            total += weight;
        }
    }
    (total > 0.0).then(|| Level { mean: sum / total, saturated: saturated / total })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Cell;

    /// A grid whose left half reads `left` and whose right half reads `right`.
    fn halves(left: u8, right: u8) -> Statistics {
        let cell = |v: u8| Cell { gr: v, r: v, b: v, gb: v, sat: if v == 255 { 255 } else { 0 } };
        let cells = (0..80 * 60).map(|i| cell(if i % 80 < 40 { left } else { right })).collect();
        Statistics { width: 80, height: 60, cells, ..Statistics::default() }
    }

    const LEFT: Window = Window { left: 0, top: 0, right: 4096, bottom: 8192 };

    #[test]
    fn evaluative_metering_is_the_mean_and_a_window_meters_alone() {
        let grid = halves(40, 255);
        let all = level(&grid, Metering::Evaluative, Window::default()).expect("cells");
        assert!((all.estimate() - 147.5).abs() < 1e-9 && (all.saturated - 0.5).abs() < 1e-9);
        let left = level(&grid, Metering::Evaluative, LEFT).expect("cells");
        assert_eq!((left.estimate(), left.saturated), (40.0, 0.0));
    }

    #[test]
    fn centre_metering_prefers_the_middle() {
        let mut grid = halves(20, 20);
        for (i, cell) in grid.cells.iter_mut().enumerate() {
            if (35..45).contains(&(i % 80)) && (25..35).contains(&(i / 80)) {
                (cell.gr, cell.gb) = (200, 200);
            }
        }
        let of = |metering| level(&grid, metering, Window::default()).expect("cells").estimate();
        assert!(of(Metering::Centre) > of(Metering::Evaluative) + 5.0);
        let weights = weights(Metering::Centre, Window::default());
        assert_eq!((weights[0], weights[12 * WEIGHT_COLUMNS + 16]), (1, 15));
    }

    #[test]
    fn windows_that_meet_no_cell_meter_everything() {
        let grid = halves(10, 30);
        let tiny = Window { left: 1, top: 1, right: 2, bottom: 2 };
        let outside = Window { left: 9000, top: 0, right: i32::MAX, bottom: i32::MAX };
        let reversed = Window { left: 5000, top: 0, right: 10, bottom: 8192 };
        for window in [tiny, outside, reversed, Window::default()] {
            let level = level(&grid, Metering::Evaluative, window).expect("cells");
            assert!((level.estimate() - 20.0).abs() < 1e-9, "{window:?}");
        }
        assert!(weights(Metering::Evaluative, tiny).iter().all(|weight| *weight == 15));
        let left = weights(Metering::Evaluative, LEFT);
        assert_eq!((left[15], left[16]), (15, 0));
    }

    #[test]
    fn grids_that_lie_about_their_size_are_survived() {
        let mut grid = halves(10, 30);
        grid.cells.truncate(100);
        assert!(level(&grid, Metering::Centre, Window::default()).is_some());
        grid.width = 0;
        assert_eq!(level(&grid, Metering::Centre, Window::default()), None);
        grid.width = usize::MAX;
        grid.height = usize::MAX;
        assert!(level(&grid, Metering::Centre, Window::default()).is_some());
    }
}
