//! Grids as the ISP would have measured them: `ipu3_uapi_stats_3a`.
//!
//! The layout is that of spec/ipu3-protocol.md, section 2, and of the vectors' README ("stats/"):
//! cells in sets, behind each a bubble up to the next word of 32 bytes; with one stripe a set has as
//! many whole rows as fit, with two one row of that stripe, of each in turn.

use cami_ipu3::uapi::{AfItem, AwbSetItem, BubbleInfo, GridConfig, GridConfigBlocks, Stats3a};
use cami_ipu3::zeroed_box;

use crate::grids::{AF_HEIGHT, AF_WIDTH, AfCell, Grids, RGBS_HEIGHT, RGBS_WIDTH, RgbsCell};

/// Bytes of a word of the ISP's memory.
const WORD: usize = 32;
/// Most cells of a set of colour, and of focus, statistics.
const RGBS_SET: usize = 160;
const AF_SET: usize = 32;
/// Sides of the cells, in pixels, as powers of two: 32 for colour; 64 for focus, of which the protocol
/// counts the half ([`crate::AF_BLOCK`]).
const RGBS_BLOCK_LOG2: u32 = 5;
const AF_BLOCK_LOG2: u32 = 6;
/// `IPU3_UAPI_AWB_RGBS_THR_B_EN` and `_INCL_SAT`.
const RGBS_ENABLED: u16 = 1 << 14 | 1 << 15;
/// `IPU3_UAPI_GRID_Y_START_EN`.
const GRID_ENABLED: u16 = 1 << 15;
/// What lies in bubbles: a wrong cell shows.
const BUBBLE: u8 = 0xbb;

/// How the ISP cuts the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stripes {
    /// Not at all.
    One,
    /// In two; so many columns of each grid are in the first. More than there are, and 0, are limited
    /// so that each stripe has one.
    Two {
        /// Of the 80 columns of colour.
        rgbs: usize,
        /// Of the 32 columns of focus.
        af: usize,
    },
}

/// The raw statistics of a frame. Focus sums are limited to the 16 bits that the ISP has, exposure and
/// AWB-FR are switched off. Grids without the full number of cells leave the rest 0.
#[must_use]
pub fn raw_statistics(grids: &Grids, stripes: Stripes) -> Box<Stats3a> {
    let mut stats = zeroed_box::<Stats3a>();
    let (rgbs_cut, af_cut) = match stripes {
        Stripes::One => (None, None),
        Stripes::Two { rgbs, af } => {
            (Some(rgbs.clamp(1, RGBS_WIDTH - 1)), Some(af.clamp(1, AF_WIDTH - 1)))
        }
    };
    let bubble = AwbSetItem {
        gr_avg: BUBBLE,
        r_avg: BUBBLE,
        b_avg: BUBBLE,
        gb_avg: BUBBLE,
        sat_ratio: BUBBLE,
        padding0: BUBBLE,
        padding1: BUBBLE,
        padding2: BUBBLE,
    };
    let cells: Vec<AwbSetItem> = grids.rgbs.iter().map(colour).collect();
    let sets = Sets::of(RGBS_WIDTH, RGBS_SET, rgbs_cut, WORD / size_of::<AwbSetItem>());
    sets.write(&mut stats.awb_raw_buffer, &cells, bubble);
    stats.stats_3a_bubble_per_stripe.awb = sets.describe(RGBS_HEIGHT);

    let word = u16::from_le_bytes([BUBBLE, BUBBLE]);
    let cells: Vec<AfItem> = grids.af.iter().map(focus).collect();
    let sets = Sets::of(AF_WIDTH, AF_SET, af_cut, WORD / size_of::<AfItem>());
    sets.write(&mut stats.af_raw_buffer, &cells, AfItem { y1_avg: word, y2_avg: word });
    stats.stats_3a_bubble_per_stripe.af = sets.describe(AF_HEIGHT);

    let config = &mut stats.stats_4a_config;
    config.awb_config.grid = grid(RGBS_WIDTH, RGBS_HEIGHT, RGBS_BLOCK_LOG2, RGBS_SET / RGBS_WIDTH);
    config.awb_config.rgbs_thr_b = RGBS_ENABLED;
    config.af_config.grid_cfg = grid(AF_WIDTH, AF_HEIGHT, AF_BLOCK_LOG2, AF_SET / AF_WIDTH);
    config.af_config.grid_cfg.y_start |= GRID_ENABLED;
    stats.stats_3a_status.awb_en = 1;
    stats.stats_3a_status.af_en = 1;
    stats
}

/// Gives the focus statistics another grid over the same picture: `width` × `height` cells, each that
/// of the full grid at its place, in one stripe without bubbles. For IPAs that read the grid that they
/// have asked for, whatever the statistics say. A width that is no multiple of 8 cells (a word), or a
/// grid larger than the full one, changes nothing.
pub fn set_focus_grid(stats: &mut Stats3a, grids: &Grids, width: usize, height: usize) {
    let possible = width > 0 && width <= AF_WIDTH && height > 0 && height <= AF_HEIGHT;
    if !possible || !width.is_multiple_of(WORD / size_of::<AfItem>()) {
        return;
    }
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    for ((column, row), item) in places.zip(stats.af_raw_buffer.iter_mut()) {
        let place = row * AF_HEIGHT / height * AF_WIDTH + column * AF_WIDTH / width;
        *item = grids.af.get(place).map_or(AfItem { y1_avg: 0, y2_avg: 0 }, focus);
    }
    let config = &mut stats.stats_4a_config.af_config.grid_cfg;
    *config = grid(width, height, AF_BLOCK_LOG2, 1);
    config.y_start |= GRID_ENABLED;
    let sets = Sets { sizes: vec![width], word: WORD / size_of::<AfItem>(), rows: 1 };
    stats.stats_3a_bubble_per_stripe.af = sets.describe(height);
}

fn colour(cell: &RgbsCell) -> AwbSetItem {
    AwbSetItem {
        gr_avg: cell.gr,
        r_avg: cell.r,
        b_avg: cell.b,
        gb_avg: cell.gb,
        sat_ratio: cell.sat,
        padding0: 0,
        padding1: 0,
        padding2: 0,
    }
}

fn focus(cell: &AfCell) -> AfItem {
    let limited = |sum: i32| u16::try_from(sum.max(0)).unwrap_or(u16::MAX);
    AfItem { y1_avg: limited(cell.response_1), y2_avg: limited(cell.response_2) }
}

fn grid(width: usize, height: usize, block_log2: u32, rows_per_set: usize) -> GridConfig {
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    GridConfig {
        width: byte(width),
        height: byte(height),
        blocks: GridConfigBlocks {
            block_width_log2: block_log2,
            block_height_log2: block_log2,
            height_per_slice: number(rows_per_set),
        }
        .pack(),
        x_start: 0,
        y_start: 0,
        x_end: 0,
        y_end: 0,
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Cells of the sets of each stripe; one number where there is one stripe.
struct Sets {
    sizes: Vec<usize>,
    /// Cells of a word.
    word: usize,
    /// Rows of a set.
    rows: usize,
}

impl Sets {
    fn of(width: usize, most: usize, cut: Option<usize>, word: usize) -> Self {
        match cut {
            Some(cut) => Self { sizes: vec![cut, width - cut], word, rows: 1 },
            None => Self { sizes: vec![most / width * width], word, rows: most / width },
        }
    }

    /// Cells of the bubble behind a set.
    fn bubble(&self, size: usize) -> usize {
        size.next_multiple_of(self.word) - size
    }

    /// Writes all cells, and bubbles behind their sets.
    fn write<T: Copy>(&self, to: &mut [T], mut cells: &[T], bubble: T) {
        let mut to = to.iter_mut();
        for size in self.sizes.iter().cycle() {
            if cells.is_empty() {
                return;
            }
            let (set, rest) = cells.split_at(cells.len().min(*size));
            let bubble = std::iter::repeat_n(&bubble, self.bubble(*size));
            for (cell, to) in set.iter().chain(bubble).zip(to.by_ref()) {
                *to = *cell;
            }
            cells = rest;
        }
    }

    /// The same in the driver's words, for a grid of `height` rows.
    fn describe(&self, height: usize) -> [BubbleInfo; 2] {
        let stripe = |number_of_stripe: usize| {
            let size = self.sizes.get(number_of_stripe).copied().unwrap_or(0);
            let mut info = *zeroed_box::<BubbleInfo>();
            info.num_of_stripes = number(self.sizes.len());
            if size > 0 {
                info.num_sets = number(height.div_ceil(self.rows));
                info.size_of_set = number(size);
                info.bubble_size = number(self.bubble(size));
            }
            info
        };
        [stripe(0), stripe(1)]
    }
}

#[cfg(test)]
mod tests {
    use cami_ipu3::statistics;

    use super::*;
    use crate::noise::Noise;

    /// Every cell another one.
    fn grids() -> Grids {
        let noise = Noise::new(3, 1);
        let value = |place: usize, span: f64| (noise.normal(place as u64) * span).abs();
        let byte = |place| crate::grids::truncate_to_byte(value(place, 90.0));
        let cell = |place| RgbsCell {
            gr: byte(5 * place),
            r: byte(5 * place + 1),
            b: byte(5 * place + 2),
            gb: byte(5 * place + 3),
            sat: byte(5 * place + 4),
        };
        let sums = |place| AfCell {
            response_1: crate::grids::truncate_to_i32(value(place, 9000.0)),
            response_2: crate::grids::truncate_to_i32(value(place + 1, 9000.0)),
        };
        Grids {
            rgbs: (0..RGBS_WIDTH * RGBS_HEIGHT).map(cell).collect(),
            af: (0..AF_WIDTH * AF_HEIGHT).map(sums).collect(),
        }
    }

    #[test]
    fn raw_statistics_convert_to_the_grids_they_were_made_of() {
        let grids = grids();
        let mut converted = statistics::Grids::new();
        let twos = (0..=82).flat_map(|rgbs| [(rgbs, 1), (rgbs, 16), (rgbs, rgbs % 34)]);
        let all = twos.map(|(rgbs, af)| Stripes::Two { rgbs, af });
        for stripes in all.chain([Stripes::One]) {
            statistics::convert(&raw_statistics(&grids, stripes), &mut converted).expect("grids");
            let rgbs = converted.rgbs();
            assert_eq!((rgbs.width, rgbs.height), (80, 60));
            for (converted, made) in rgbs.cells.iter().zip(&grids.rgbs) {
                assert_eq!(cami_ipu3::bytes_of(converted), made.bytes(), "{stripes:?}");
            }
            let af = converted.af();
            assert_eq!(
                (af.width, af.height, af.block),
                (32, 24, (crate::AF_BLOCK, crate::AF_BLOCK))
            );
            let made: (Vec<i32>, Vec<i32>) =
                grids.af.iter().map(|cell| (cell.response_1, cell.response_2)).unzip();
            assert_eq!((af.response_1, af.response_2), (&*made.0, &*made.1), "{stripes:?}");
        }
    }

    #[test]
    fn another_focus_grid_shows_the_same_places() {
        let grids = grids();
        let mut raw = raw_statistics(&grids, Stripes::Two { rgbs: 41, af: 17 });
        set_focus_grid(&mut raw, &grids, 16, 12);
        let mut converted = statistics::Grids::new();
        statistics::convert(&raw, &mut converted).expect("grids");
        let af = converted.af();
        assert_eq!((af.width, af.height), (16, 12));
        // Column 5, row 3 is column 10, row 6 of the full grid.
        assert_eq!(af.response_1[3 * 16 + 5], grids.af[6 * AF_WIDTH + 10].response_1);
        assert_eq!(af.response_1[0], grids.af[0].response_1);
        let before = cami_ipu3::bytes_of(&*raw).to_vec();
        for (width, height) in [(0, 1), (12, 8), (40, 8), (8, 25), (8, 0)] {
            set_focus_grid(&mut raw, &grids, width, height);
            assert_eq!(cami_ipu3::bytes_of(&*raw), before, "{width} × {height}");
        }
    }

    #[test]
    fn sums_are_limited_to_what_the_isp_has() {
        let mut grids = grids();
        grids.af[0] = AfCell { response_1: -1, response_2: 65536 };
        let raw = raw_statistics(&grids, Stripes::One);
        assert_eq!((raw.af_raw_buffer[0].y1_avg, raw.af_raw_buffer[0].y2_avg), (0, 65535));
    }
}
