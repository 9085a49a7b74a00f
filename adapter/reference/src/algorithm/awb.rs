//! Automatic white balance.
//!
//! Grey world, asked of those cells only that may be grey: each unsaturated cell counts the more,
//! the nearer its colour is to the whites of known lights (`locus.rs`) and to the white that
//! the other cells make. The second neighbourhood narrows from all colours to a few per cent, so
//! that what begins as a mean of the whole picture ends as that of its largest neutral part.

use super::Statistics;
use super::locus::{Locus, White, white_of};
use super::number::{from_usize, positive, to_u32};

/// Colour temperature that is assumed before anything was measured, K: between lamps and daylight.
const COLD_START_CCT: f64 = 4500.0;
/// Means outside of these are not used: below, rounding to whole numbers spoils the ratio; above,
/// part of the cell's pixels may be saturated.
const DARKEST: u8 = 6;
const BRIGHTEST: u8 = 245;
/// Largest share of saturated pixels in a cell, of 255.
const MOST_SATURATED: u8 = 2;
/// Fewest cells that make a white.
const FEWEST_CELLS: usize = 8;
/// Distance from the locus, as a natural logarithm of the ratios, at which a cell counts a quarter.
/// Real lights (fluorescent lamps, windows) lie up to about this far off.
const LOCUS_WIDTH: f64 = 0.08;
/// The same for the distance from the common white: at first, and in the end.
const FIRST_WIDTH: f64 = 0.5;
const LAST_WIDTH: f64 = 0.05;
/// Factor of the width from one round to the next, and rounds at the last width.
const NARROWING: f64 = 0.75;
const LAST_ROUNDS: usize = 4;
/// Farthest from the locus that a white may be: what is farther is a coloured scene, not a light.
const FARTHEST_WHITE: f64 = 0.3;
/// Distance from the locus that rounding to whole numbers makes: a white as near as that is most
/// likely one of the locus, and is drawn to it.
const SNAP_WIDTH: f64 = 0.015;
/// The brightest neutral surfaces, which count most, owe their white to titanium dioxide, which
/// absorbs violet light: they are this much warmer than darker greys, as a natural logarithm along
/// the locus. (Half the difference of the whitest and the middle greys of a ColorChecker chart.)
const WHITES_LACK_VIOLET: f64 = 0.007;
/// Share of the way to this frame's white that one frame goes: 95 % in 9 frames.
const SPEED: f64 = 0.3;
/// Time between frames that a convergence time is counted in, s.
const FRAME_S: f64 = 1.0 / 30.0;
/// Half the side of the area around a manual white point, of the picture's side: 5 of 80 cells.
const POINT_RADIUS: f64 = 2.5 / 80.0;

/// How the white point is found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Mode {
    /// Under any light.
    #[default]
    Auto,
    /// Within a range of colour temperatures, K; equal bounds fix the white.
    CctRange {
        /// Lower bound.
        min: f64,
        /// Upper bound.
        max: f64,
    },
    /// What is seen at a point, in IA coordinates (0 to 8192), is white.
    WhitePoint {
        /// Horizontal position.
        x: i32,
        /// Vertical position.
        y: i32,
    },
}

impl Mode {
    /// The mode of a value of `ia_aiq_awb_operation_mode`. Modes that name a light are its range of
    /// colour temperatures (the first five as `ia_aiq_types.h` documents them); those that need
    /// data of their own (8 and 9) and unknown ones are automatic.
    #[must_use]
    pub fn from_scene(scene_mode: i32) -> Self {
        let (min, max) = match scene_mode {
            // Daylight, partly overcast, fully overcast, fluorescent, incandescent.
            1 => (5000.0, 7000.0),
            2 => (5500.0, 9000.0),
            3 => (6000.0, 7000.0),
            4 => (2700.0, 5500.0),
            5 => (2700.0, 3100.0),
            // Sunset, candlelight.
            6 => (2500.0, 4500.0),
            11 => (2000.0, 2300.0),
            // Flash, snow, beach.
            12 => (5000.0, 6500.0),
            13 | 14 => (5500.0, 8000.0),
            _ => return Self::Auto,
        };
        Self::CctRange { min, max }
    }

    fn range(self) -> Locus {
        match self {
            Self::CctRange { min, max } => Locus::between(min, max),
            Self::Auto | Self::WhitePoint { .. } => Locus::whole(),
        }
    }
}

/// What AWB is asked.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The latest statistics.
    pub statistics: Option<&'a Statistics>,
    /// How the white point is found.
    pub mode: Mode,
    /// Time to reach a new white point, s; 0 is at once, `None` leaves it to the algorithm.
    pub convergence_time_s: Option<f64>,
}

/// What AWB answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Red over green of this frame's white.
    pub accurate_r_per_g: f64,
    /// Blue over green of this frame's white.
    pub accurate_b_per_g: f64,
    /// Red over green of the white to be used.
    pub final_r_per_g: f64,
    /// Blue over green of the white to be used.
    pub final_b_per_g: f64,
    /// Colour temperature of the white to be used, K.
    pub cct: u32,
    /// Distance of the two whites, 0 (converged) to 1.
    pub distance: f64,
}

/// Memory of AWB from one frame to the next.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The white in use.
    white: Option<White>,
    /// Cells of the frame at hand; kept for their memory only.
    cells: Vec<(White, f64)>,
}

impl State {
    /// One run.
    pub fn run(&mut self, inputs: &Inputs<'_>) -> Outcome {
        let locus = inputs.mode.range();
        let measured = inputs.statistics.and_then(|statistics| match inputs.mode {
            Mode::WhitePoint { x, y } => white_at(statistics, x, y),
            Mode::Auto | Mode::CctRange { .. } => self.white_of_scene(statistics, &locus),
        });
        // A range is kept to even where nothing was measured.
        let wanted = measured.or(self.white).unwrap_or_else(|| white_of(COLD_START_CCT));
        let accurate = if matches!(inputs.mode, Mode::CctRange { .. }) {
            limited(wanted, &locus)
        } else {
            wanted
        };
        let share = match inputs.convergence_time_s {
            // Three time constants are 95 % of the way.
            Some(s) if s > 0.0 => 1.0 - (-3.0 * FRAME_S / s.min(60.0)).exp(),
            Some(0.0) => 1.0,
            _ => SPEED,
        };
        let white = self.white.map_or(accurate, |last| last.towards(accurate, share));
        if measured.is_some() || self.white.is_some() {
            self.white = Some(white);
        }
        let (accurate_r_per_g, accurate_b_per_g) = accurate.ratios();
        let (final_r_per_g, final_b_per_g) = white.ratios();
        Outcome {
            accurate_r_per_g,
            accurate_b_per_g,
            final_r_per_g,
            final_b_per_g,
            cct: to_u32(Locus::whole().nearest(white).cct),
            distance: white.squared_distance(accurate).sqrt().min(1.0),
        }
    }

    /// The white that the picture's grey cells make, if it has enough of them.
    fn white_of_scene(&mut self, statistics: &Statistics, locus: &Locus) -> Option<White> {
        collect(statistics, locus, &mut self.cells);
        if self.cells.len() < FEWEST_CELLS {
            return None;
        }
        let mut white = mean(&self.cells, |_| 1.0)?;
        let mut width = FIRST_WIDTH;
        let mut rounds = 0;
        while rounds < LAST_ROUNDS {
            let near = white;
            white = mean(&self.cells, |cell| bell(cell.squared_distance(near), width))?;
            if width > LAST_WIDTH {
                width = (width * NARROWING).max(LAST_WIDTH);
            } else {
                rounds += 1;
            }
        }
        Some(of_light(white, locus))
    }
}

/// The white of the light that most likely gave this mean of greys.
fn of_light(greys: White, locus: &Locus) -> White {
    let nearest = locus.nearest(greys);
    let distance = nearest.squared_distance.sqrt();
    let kept = 1.0 - bell(nearest.squared_distance, SNAP_WIDTH);
    let allowed = if distance > 0.0 { (FARTHEST_WHITE / distance).min(1.0) } else { 1.0 };
    let light = nearest.white.towards(greys, kept.min(allowed));
    // One step along the locus towards cold.
    let colder = white_of(nearest.cct * 1.01);
    let step = nearest.white.squared_distance(colder).sqrt();
    let (red, blue) = (colder.red - nearest.white.red, colder.blue - nearest.white.blue);
    if step > 0.0 {
        let share = WHITES_LACK_VIOLET / step;
        White { red: light.red + red * share, blue: light.blue + blue * share }
    } else {
        light
    }
}

/// Weight of something at a distance: 1 at none, a quarter at `width`, and never 0.
fn bell(squared_distance: f64, width: f64) -> f64 {
    (1.0 + squared_distance / (width * width)).powi(-2)
}

/// Weighted mean of the cells.
fn mean(cells: &[(White, f64)], weight: impl Fn(White) -> f64) -> Option<White> {
    let (mut red, mut blue, mut total) = (0.0, 0.0, 0.0);
    for (cell, importance) in cells {
        let weight = importance * weight(*cell);
        red += weight * cell.red;
        blue += weight * cell.blue;
        total += weight;
    }
    positive(total).map(|total| White { red: red / total, blue: blue / total })
}

/// A white limited to a range of colour temperatures: itself within, the range's end beyond it.
fn limited(white: White, range: &Locus) -> White {
    let free = Locus::whole().nearest(white);
    let kept = range.nearest(white);
    if (free.cct / kept.cct - 1.0).abs() < 1e-6 { white } else { kept.white }
}

/// The cells whose colour can be told, each with its importance.
///
/// The error that rounding makes in a ratio falls with brightness, so a cell's importance grows
/// with it. Cells that read the same share one rounding error, which no mean removes:
/// together they count as the square root of their number.
fn collect(statistics: &Statistics, locus: &Locus, cells: &mut Vec<(White, f64)>) {
    let mut alike = [0_u32; 511];
    let usable = |cell: &&super::Cell| {
        let values = [cell.gr, cell.r, cell.b, cell.gb];
        values.iter().all(|value| (DARKEST..=BRIGHTEST).contains(value))
            && cell.sat <= MOST_SATURATED
    };
    let green = |cell: &super::Cell| usize::from(cell.gr) + usize::from(cell.gb);
    for cell in statistics.cells.iter().filter(usable) {
        if let Some(count) = alike.get_mut(green(cell)) {
            *count += 1;
        }
    }
    cells.clear();
    cells.extend(statistics.cells.iter().filter(usable).map(|cell| {
        let g = from_usize(green(cell)) / 2.0;
        let white = White::from_ratios(f64::from(cell.r) / g, f64::from(cell.b) / g);
        let same = alike.get(green(cell)).copied().map_or(1.0, f64::from);
        let grey = bell(locus.nearest(white).squared_distance, LOCUS_WIDTH);
        (white, grey * g / same.sqrt())
    }));
}

/// The white at a point in IA coordinates: the mean colour around it.
fn white_at(statistics: &Statistics, x: i32, y: i32) -> Option<White> {
    let side = f64::from(super::Window::SIDE);
    let (x, y) = (f64::from(x.clamp(0, 8192)) / side, f64::from(y.clamp(0, 8192)) / side);
    let width = statistics.width.min(statistics.cells.len());
    let height = statistics.height.min(statistics.cells.len().checked_div(width)?);
    let near = |index: usize, count: usize, at: f64| {
        let middle = (from_usize(index) + 0.5) / from_usize(count.max(1));
        (middle - at).abs() <= POINT_RADIUS.max(0.5 / from_usize(count.max(1)))
    };
    let (mut r, mut g, mut b) = (0.0, 0.0, 0.0);
    for (row, line) in statistics.cells.chunks(width).take(height).enumerate() {
        if !near(row, height, y) {
            continue;
        }
        for (_, cell) in line.iter().enumerate().filter(|(column, _)| near(*column, width, x)) {
            r += f64::from(cell.r);
            g += f64::from(u16::from(cell.gr) + u16::from(cell.gb)) / 2.0;
            b += f64::from(cell.b);
        }
    }
    let (red, blue) = (positive(r / g)?, positive(b / g)?);
    // Whatever is there, no light has a white beyond these.
    Some(White::from_ratios(red.clamp(0.1, 10.0), blue.clamp(0.1, 10.0)))
}
