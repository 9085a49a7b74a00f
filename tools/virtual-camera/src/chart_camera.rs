//! A camera that looks at the chart under lights that change.

use crate::camera::{Camera, GreyRatio, LightSpan, SceneColumns};
use crate::chart::{Surface, surface};
use crate::focus;
use crate::grids::{
    AF_HEIGHT, AF_WIDTH, AfCell, Grids, RGBS_HEIGHT, RGBS_WIDTH, RgbsCell, truncate_to_byte,
    truncate_to_i32,
};
use crate::illuminant::{Light, Source};
use crate::noise::Noise;
use crate::reflectances::PATCHES;
use crate::sensor::{Exposure, Reading, Rgb, electrons_per_us, read};

/// Pixels of one colour that a cell averages: 4224 × 3136 pixels, 4800 cells, four colours.
const PIXELS_PER_CELL: f64 = 690.0;
/// Lens position at which the chart is sharp.
const CHART_LENS: i32 = 300;
/// Responses of the two focus filters to a contrast of one digital number.
const COARSE_RESPONSE: f64 = 8.0;
const FINE_RESPONSE: f64 = 24.0;

/// A light from a frame on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduledLight {
    /// The first frame under this light.
    pub first_frame: u64,
    /// The light.
    pub light: Light,
}

/// The camera: a schedule of lights and a seed for its noise.
#[derive(Debug, Clone)]
pub struct ChartCamera {
    spans: Vec<Span>,
    seed: u64,
}

/// A light and the electrons per µs that each surface gives under it.
#[derive(Debug, Clone)]
struct Span {
    scheduled: ScheduledLight,
    rates: Vec<Rgb>,
}

impl ChartCamera {
    /// A camera for these lights, in order of their first frames; the first light also covers
    /// frames before its own. `None` without a light.
    #[must_use]
    pub fn new(schedule: &[ScheduledLight], seed: u64) -> Option<Self> {
        let mut spans: Vec<Span> = schedule
            .iter()
            .map(|&scheduled| Span {
                scheduled,
                rates: Surface::all()
                    .map(|surface| electrons_per_us(&scheduled.light, &surface.reflectance()))
                    .collect(),
            })
            .collect();
        spans.sort_by_key(|span| span.scheduled.first_frame);
        if spans.is_empty() { None } else { Some(Self { spans, seed }) }
    }

    /// The usual schedule: an office by day (6504 K, 500 lx), then from frame `change` on a lamp
    /// (CIE illuminant A, 2856 K, 100 lx).
    #[must_use]
    pub fn usual_lights(change: u64) -> [ScheduledLight; 2] {
        [
            ScheduledLight {
                first_frame: 0,
                light: Light { source: Source::Daylight(6504.0), lux: 500.0 },
            },
            ScheduledLight {
                first_frame: change,
                light: Light { source: Source::Planckian(2856.0), lux: 100.0 },
            },
        ]
    }

    /// What the sensor gives for each patch of the chart, in the chart's order, free of noise: mean
    /// signal above black as a share of the largest that can be read.
    #[must_use]
    pub fn patches(&self, frame: u64, exposure: &Exposure) -> Vec<Rgb> {
        let Some(span) = self.span(frame) else { return Vec::new() };
        (0..PATCHES.len())
            .map(|patch| span.reading(Surface::Patch(patch), exposure))
            .map(|[r, g, b]| [r, g, b].map(|reading| reading.mean / 255.0))
            .map(|[r, g, b]| Rgb { r, g, b })
            .collect()
    }

    fn span(&self, frame: u64) -> Option<&Span> {
        let covered = |span: &&Span| span.scheduled.first_frame <= frame;
        self.spans.iter().rev().find(covered).or(self.spans.first())
    }
}

impl Span {
    fn rate(&self, surface: Surface) -> Rgb {
        let dark = Rgb { r: 0.0, g: 0.0, b: 0.0 };
        self.rates.get(surface.index()).copied().unwrap_or(dark)
    }

    /// What the three colours of a surface read.
    fn reading(&self, surface: Surface, exposure: &Exposure) -> [Reading; 3] {
        let rate = self.rate(surface);
        [rate.r, rate.g, rate.b].map(|rate| read(rate, exposure, PIXELS_PER_CELL))
    }

    fn ratio(&self, surface: Surface) -> GreyRatio {
        let rate = self.rate(surface);
        GreyRatio { r_per_g: rate.r / rate.g, b_per_g: rate.b / rate.g }
    }
}

/// Columns and rows of the colour grid, row by row.
fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..RGBS_HEIGHT).flat_map(|y| (0..RGBS_WIDTH).map(move |x| (x, y)))
}

/// One cell: the mean, its noise, rounded as an accumulator does.
fn cell(readings: &[Reading; 3], noise: &Noise, place: u64) -> RgbsCell {
    let [r, g, b] = readings;
    let sample = |reading: &Reading, channel: u64| {
        let noisy = reading.mean + reading.deviation * noise.normal(place * 4 + channel);
        truncate_to_byte(noisy + 0.5)
    };
    let saturated = (r.saturated + 2.0 * g.saturated + b.saturated) / 4.0;
    RgbsCell {
        gr: sample(g, 0),
        r: sample(r, 1),
        b: sample(b, 2),
        gb: sample(g, 3),
        sat: truncate_to_byte(255.0 * saturated + 0.5),
    }
}

/// The cells of the colour grid that a focus block overlaps, along one side of `cells` cells and
/// `blocks` blocks.
fn overlapped(block: usize, blocks: usize, cells: usize) -> std::ops::Range<usize> {
    block * cells / blocks..((block + 1) * cells).div_ceil(blocks).min(cells)
}

impl Camera for ChartCamera {
    fn grids(&self, frame: u64, exposure: &Exposure, lens: i32) -> Grids {
        let Some(span) = self.span(frame) else {
            return Grids { rgbs: Vec::new(), af: Vec::new() };
        };
        let readings: Vec<[Reading; 3]> =
            Surface::all().map(|surface| span.reading(surface, exposure)).collect();
        let noise = Noise::new(self.seed, frame);
        let rgbs = cells()
            .zip(0_u64..)
            .filter_map(|((x, y), place)| {
                readings.get(surface(x, y).index()).map(|r| cell(r, &noise, place))
            })
            .collect();

        let coarse = COARSE_RESPONSE * focus::sharpness(lens, CHART_LENS, focus::COARSE_WIDTH);
        let fine = FINE_RESPONSE * focus::sharpness(lens, CHART_LENS, focus::FINE_WIDTH);
        let green = |x, y| {
            readings.get(surface(x, y).index()).map_or(0.0, |[_, g, _]: &[Reading; 3]| g.mean)
        };
        let block = |column, row| {
            let (mut low, mut high) = (f64::MAX, 0.0_f64);
            for y in overlapped(row, AF_HEIGHT, RGBS_HEIGHT) {
                for x in overlapped(column, AF_WIDTH, RGBS_WIDTH) {
                    low = low.min(green(x, y));
                    high = high.max(green(x, y));
                }
            }
            let contrast = (high - low).max(0.0);
            AfCell {
                response_1: truncate_to_i32(contrast * coarse),
                response_2: truncate_to_i32(contrast * fine),
            }
        };
        let af = (0..AF_HEIGHT)
            .flat_map(|row| (0..AF_WIDTH).map(move |column| (column, row)))
            .map(|(column, row)| block(column, row))
            .collect();
        Grids { rgbs, af }
    }

    fn greys(&self, frame: u64) -> Vec<GreyRatio> {
        let greys = Surface::all().filter(|surface| surface.is_grey_patch());
        self.span(frame)
            .map(|span| greys.map(|surface| span.ratio(surface)).collect())
            .unwrap_or_default()
    }

    fn level(&self, frame: u64, exposure: &Exposure) -> f64 {
        let Some(span) = self.span(frame) else { return 0.0 };
        let means: Vec<f64> =
            Surface::all().map(|surface| span.reading(surface, exposure)[1].mean).collect();
        let sum: f64 = cells().filter_map(|(x, y)| means.get(surface(x, y).index())).sum();
        sum / 255.0 / (RGBS_WIDTH * RGBS_HEIGHT) as f64
    }

    fn scene(&self, frame: u64) -> SceneColumns {
        let Some(span) = self.span(frame) else { return SceneColumns::default() };
        // Far below saturation the level is proportional to the time.
        let short = Exposure { time_us: 1, analogue_gain: 1.0, digital_gain: 1.0 };
        let brightness = 255.0 * self.level(frame, &short);
        let GreyRatio { r_per_g, b_per_g } = span.ratio(Surface::Wall);
        SceneColumns {
            brightness,
            r_per_g,
            b_per_g,
            right_brightness: brightness,
            right_r_per_g: r_per_g,
            right_b_per_g: b_per_g,
            lens: CHART_LENS,
        }
    }

    fn lights(&self, frames: u64) -> Vec<LightSpan> {
        self.spans
            .iter()
            .enumerate()
            .map(|(index, span)| LightSpan {
                first_frame: if index == 0 { 0 } else { span.scheduled.first_frame },
                name: span.scheduled.light.name(),
            })
            .filter(|span| span.first_frame < frames)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(seed: u64) -> ChartCamera {
        ChartCamera::new(&ChartCamera::usual_lights(10), seed).expect("two lights")
    }

    fn exposure(time_us: i32) -> Exposure {
        Exposure { time_us, analogue_gain: 1.0, digital_gain: 1.0 }
    }

    #[test]
    fn patches_are_what_the_statistics_are_made_of() {
        let camera = camera(0);
        let patches = camera.patches(0, &exposure(8000));
        assert_eq!(patches.len(), 24);
        let grids = camera.grids(0, &exposure(8000), 300);
        // Column 12, row 42 is in the last row's first patch, white.
        let cell = grids.rgbs[42 * RGBS_WIDTH + 12];
        assert!((patches[18].g * 255.0 - f64::from(cell.gr)).abs() < 1.5, "{:?}", patches[18]);
        assert!((patches[18].r * 255.0 - f64::from(cell.r)).abs() < 1.5);
        assert!(patches[23].g < 0.1 * patches[18].g, "black is dark");
    }

    #[test]
    fn grey_patches_are_neutral_after_the_gains_of_a_white() {
        for frame in [0, 10] {
            let camera = camera(0);
            let wall = camera.scene(frame);
            for grey in camera.greys(frame) {
                let (red, blue) = (grey.r_per_g / wall.r_per_g, grey.b_per_g / wall.b_per_g);
                assert!((red - 1.0).abs() < 0.02 && (blue - 1.0).abs() < 0.03, "{red} {blue}");
            }
        }
    }

    #[test]
    fn the_lights_change_on_schedule() {
        let camera = camera(0);
        let spans = camera.lights(20);
        assert_eq!(spans.iter().map(|span| span.first_frame).collect::<Vec<_>>(), [0, 10]);
        assert!(camera.scene(9).r_per_g < 0.6, "daylight is blue");
        assert!(camera.scene(10).r_per_g > 0.8, "a lamp is red");
        assert_eq!(camera.lights(10).len(), 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_frame() {
        let frame = |seed, number| camera(seed).grids(number, &exposure(20_000), 0).rgbs_crc32();
        assert_eq!(frame(1, 3), frame(1, 3));
        assert_ne!(frame(1, 3), frame(2, 3));
        assert_ne!(frame(1, 3), frame(1, 4));
    }

    #[test]
    fn the_grid_averages_to_the_level_of_the_model() {
        let camera = camera(5);
        let level = camera.level(0, &exposure(30_000));
        let grids = camera.grids(0, &exposure(30_000), 0);
        let sum: f64 = grids.rgbs.iter().map(|cell| f64::from(cell.gr)).sum();
        let mean = sum / grids.rgbs.len() as f64 / 255.0;
        assert!((mean - level).abs() < 0.001, "grid {mean}, model {level}");
        assert!((0.05..0.4).contains(&level), "an office fits the sensor's range: {level}");
    }

    #[test]
    fn noise_has_the_model_s_deviation() {
        let camera = camera(9);
        // So few electrons and so much gain that rounding to 8 bits does not hide the noise.
        let dim = Exposure { time_us: 500, analogue_gain: 64.0, digital_gain: 1.0 };
        // The wall, whose true value is the same in all its cells.
        let grids = camera.grids(0, &dim, 0);
        let wall: Vec<f64> = cells()
            .zip(&grids.rgbs)
            .filter(|((x, y), _)| surface(*x, *y) == Surface::Wall)
            .map(|(_, cell)| f64::from(cell.gr))
            .collect();
        let mean = wall.iter().sum::<f64>() / wall.len() as f64;
        let variance = wall.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / wall.len() as f64;
        let expected = camera.span(0).expect("a light").reading(Surface::Wall, &dim)[1];
        // Rounding adds 1/12.
        let model = expected.deviation.powi(2) + 1.0 / 12.0;
        assert!((mean - expected.mean).abs() < 0.1, "{mean} {}", expected.mean);
        assert!((variance / model - 1.0).abs() < 0.1, "{variance} {model}");
        assert!(expected.deviation > 0.5, "visible: {}", expected.deviation);
    }

    #[test]
    fn too_much_light_saturates() {
        let grids = camera(0).grids(0, &exposure(33_000_000), 0);
        let wall = grids.rgbs[0];
        assert_eq!((wall.gr, wall.r, wall.b, wall.sat), (255, 255, 255, 255));
    }

    #[test]
    fn focus_responds_where_the_chart_has_edges_and_most_when_sharp() {
        let sharp = camera(0).grids(0, &exposure(20_000), CHART_LENS);
        let blurred = camera(0).grids(0, &exposure(20_000), CHART_LENS + 160);
        let sum = |grids: &Grids| grids.af.iter().map(|cell| cell.response_2).sum::<i32>();
        assert!(sum(&sharp) > 5 * sum(&blurred));
        assert_eq!(sharp.af[0], AfCell::default(), "a bare wall has no contrast");
        assert_eq!(sharp.af.len(), AF_WIDTH * AF_HEIGHT);
    }
}
