//! Lens shading: SA's table, brought to the ISP's grid.

use cami_ipu3::payload::{IPU3AICRuntimeParamsData, SaRunParamsResults, ShdKernelConfig};

use super::Frame;
use crate::algorithm::number::{from_usize, to_u16};

/// Cells in a set of the ISP's table, and sets (`IPU3_UAPI_SHD_MAX_CELLS_PER_SET`, `…_CFG_SETS`).
const SET: usize = 146;
const SETS: usize = 28;
/// Cells that the payload has room for.
const MOST_CELLS: usize = 4015;
/// Smallest and largest block, as a power of 2: 16 × 16 and 128 × 128 pixels.
const SMALLEST_BLOCK: u32 = 4;
const LARGEST_BLOCK: u32 = 7;
/// Largest value of an entry: 12 bits.
const ENTRY_MAX: f64 = 4095.0;
/// Value of a gain of 2, the first above the implied 1, without a shift. With a shift of 1 and 2 it
/// is a half and a quarter of that, and gains reach 5, 9 and 17.
const UNIT: f64 = 1024.0;

/// The ISP's grid: corners of blocks, so one more than blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    columns: usize,
    rows: usize,
    /// Width and height of a block, as powers of 2.
    block: (u32, u32),
}

impl Grid {
    /// The finest grid that fits the ISP's tables.
    fn new(frame: &Frame) -> Self {
        let corners = |side: u16, block: u32| {
            usize::from(side.div_ceil(1_u16.checked_shl(block).unwrap_or(u16::MAX))) + 1
        };
        // From fine to coarse, blocks being at most twice as long as they are high or high as long.
        let blocks = (SMALLEST_BLOCK..=LARGEST_BLOCK).flat_map(|block| {
            [(block, block), (block + 1, block), (block, block + 1)]
                .into_iter()
                .filter(|(x, y)| *x <= LARGEST_BLOCK && *y <= LARGEST_BLOCK)
        });
        let grids = blocks.map(|block| Self {
            columns: corners(frame.padded_width, block.0),
            rows: corners(frame.height, block.1),
            block,
        });
        let largest = (LARGEST_BLOCK, LARGEST_BLOCK);
        grids.clone().find(Self::fits).unwrap_or_else(|| {
            // Not even the largest blocks cover the frame: the last cells hold for the rest of it.
            let columns = corners(frame.padded_width, LARGEST_BLOCK).min(SET);
            let most = (SETS * (SET / columns)).min(MOST_CELLS / columns);
            Self { columns, rows: corners(frame.height, LARGEST_BLOCK).min(most), block: largest }
        })
    }

    fn fits(&self) -> bool {
        self.columns <= SET
            && self.rows <= SETS * (SET / self.columns)
            && self.columns * self.rows <= MOST_CELLS
    }
}

/// Fills the block.
pub fn fill(input: &IPU3AICRuntimeParamsData, frame: &Frame, config: &mut ShdKernelConfig) {
    let grid = Grid::new(frame);
    let to_u32 = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    config.grid.grid_width = to_u32(grid.columns);
    config.grid.grid_height = to_u32(grid.rows);
    (config.grid.block_width, config.grid.block_height) = grid.block;
    config.general.shd_enable = 1;

    let Some(table) = Table::new(input) else { return };
    let luts = [
        (&table.results.channel_r, &mut config.luts.r),
        (&table.results.channel_gr, &mut config.luts.gr),
        (&table.results.channel_gb, &mut config.luts.gb),
        (&table.results.channel_b, &mut config.luts.b),
    ];
    let largest = luts
        .iter()
        .flat_map(|(channel, _)| channel.iter().take(table.width * table.height))
        .filter(|gain| gain.is_finite())
        .fold(1.0_f64, |largest, gain| largest.max(f64::from(*gain)));
    let (shift, unit) = if largest <= 1.0 + ENTRY_MAX / UNIT {
        (0, UNIT)
    } else if largest <= 1.0 + 2.0 * ENTRY_MAX / UNIT {
        (1, UNIT / 2.0)
    } else {
        (2, UNIT / 4.0)
    };
    config.general.gain_factor = shift;
    for (channel, lut) in luts {
        for (index, entry) in lut.iter_mut().take(grid.columns * grid.rows).enumerate() {
            let (column, row) = (index % grid.columns, index / grid.columns);
            let u = table.across(from_usize(column << grid.block.0), frame);
            let v = table.down(from_usize(row << grid.block.1), frame);
            let gain = table.at(channel, u, v);
            *entry = to_u16(((gain - 1.0) * unit).clamp(0.0, ENTRY_MAX));
        }
    }
}

/// SA's table, which covers the sensor's whole picture, and the part of it that the frame shows.
struct Table<'a> {
    results: &'a SaRunParamsResults,
    width: usize,
    height: usize,
    /// First column shown and the columns shown, as shares of the sensor's picture.
    columns: (f64, f64),
    /// The same for rows.
    rows: (f64, f64),
}

impl<'a> Table<'a> {
    /// `None` where there is no usable table.
    fn new(input: &'a IPU3AICRuntimeParamsData) -> Option<Self> {
        let results = &input.sa_results;
        let (width, height) = (usize::from(results.base.width), usize::from(results.base.height));
        let cells = width * height;
        if input.base.sa_results == 0 || cells == 0 || cells > results.channel_r.len() {
            return None;
        }
        let sensor = input.input_frame_params.sensor_frame_params;
        let shown = input.frame_resolution_parameters;
        let present =
            input.base.input_frame_params != 0 && input.base.frame_resolution_parameters != 0;
        let part = |side: u16, scale: (u8, u8), crop: u16, shown: u16| {
            let scale = f64::from(scale.0.max(1)) / f64::from(scale.1.max(1));
            let side = f64::from(side) * scale;
            if !present || side <= 0.0 || shown == 0 {
                return (0.0, 1.0);
            }
            (f64::from(crop) / side, f64::from(shown) / side)
        };
        let columns = part(
            sensor.cropped_image_width,
            (sensor.horizontal_scaling_numerator, sensor.horizontal_scaling_denominator),
            shown.horizontal_if_crop,
            shown.bds_in_img_width,
        );
        let rows = part(
            sensor.cropped_image_height,
            (sensor.vertical_scaling_numerator, sensor.vertical_scaling_denominator),
            shown.vertical_if_crop,
            shown.bds_in_img_height,
        );
        Some(Self { results, width, height, columns, rows })
    }

    /// Column of the table, with fraction, at a pixel of the frame.
    fn across(&self, pixel: f64, frame: &Frame) -> f64 {
        let share = self.columns.0 + self.columns.1 * pixel / f64::from(frame.width.max(1));
        share.clamp(0.0, 1.0) * from_usize(self.width - 1)
    }

    /// Row of the table, with fraction, at a line of the frame.
    fn down(&self, line: f64, frame: &Frame) -> f64 {
        let share = self.rows.0 + self.rows.1 * line / f64::from(frame.height.max(1));
        share.clamp(0.0, 1.0) * from_usize(self.height - 1)
    }

    /// The gain at a place, interpolated between its four neighbours; 1 for what is no number.
    fn at(&self, channel: &[f32], u: f64, v: f64) -> f64 {
        let (left, top) = (usize::from(to_u16(u.floor())), usize::from(to_u16(v.floor())));
        let cell = |x: usize, y: usize| {
            let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
            let gain = channel.get(y * self.width + x).copied().map_or(1.0, f64::from);
            if gain.is_finite() { gain } else { 1.0 }
        };
        let between = |a: f64, b: f64, share: f64| a + (b - a) * share;
        let (x, y) = (u.fract(), v.fract());
        let upper = between(cell(left, top), cell(left + 1, top), x);
        let lower = between(cell(left, top + 1), cell(left + 1, top + 1), x);
        between(upper, lower, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: u16, padded_width: u16, height: u16) -> Grid {
        Grid::new(&Frame { width, height, padded_width })
    }

    #[test]
    fn grids_cover_the_frame_with_blocks_that_fit() {
        for (width, height) in [(640, 480), (1280, 720), (1920, 1080), (1364, 768), (4096, 3072)] {
            let grid = grid(width, width, height);
            assert!(grid.fits(), "{width} × {height}: {grid:?}");
            assert!((grid.columns - 1) << grid.block.0 >= usize::from(width));
            assert!((grid.rows - 1) << grid.block.1 >= usize::from(height));
        }
    }

    #[test]
    fn any_frame_has_a_grid_that_fits() {
        for width in [1, 2, 7, 64, 1000, 4000, 8190] {
            for height in [1, 2, 7, 64, 1000, 4000, 8190] {
                for padded in [width, 8190] {
                    let grid = grid(width, padded, height);
                    assert!(grid.fits() && grid.columns >= 1 && grid.rows >= 1, "{grid:?}");
                }
            }
        }
    }
}
