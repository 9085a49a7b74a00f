//! Automatic focus by contrast.
//!
//! The lens is moved over its range in coarse steps, the responses of the focus filters are summed
//! at each stop, and the search goes on in fine steps around the best one. The peak is placed
//! between stops by a parabola through the reciprocals of the three best sums: the contrast of a
//! blurred edge falls as 1 / (1 + t²), whose reciprocal is a parabola. Only frames whose exposure
//! began after the lens had arrived are used, and the search waits while AE moves.

use super::number::{from_usize, positive, to_i32, to_u16};
use super::{Statistics, Window};

/// Range of lens positions, steps of a 10-bit actuator.
pub const POSITIONS: std::ops::RangeInclusive<i32> = FIRST..=LAST;
/// First and last position.
const FIRST: i32 = 0;
const LAST: i32 = 1023;
/// Steps of the coarse and of the fine search, and how far the latter goes to each side.
const COARSE_STEP: i32 = 62;
const FINE_STEP: i32 = 16;
const FINE_REACH: i32 = 48;
/// Time that a voice coil needs to come to rest after a move, µs.
const SETTLING_US: u64 = 10_000;
/// Frames that a search waits for the lens, or for AE, before it takes what there is.
const PATIENCE: u32 = 20;
/// Change of the exposure from one frame to the next, as a factor, beyond which AE is moving.
const STEADY_EXPOSURE: f64 = 1.1;
/// Least ratio of the best to the worst sum: less is noise.
const LEAST_CONTRAST: f64 = 1.15;
/// Share of the best sum below which a peak has been passed for good.
const PASSED: f64 = 0.5;
/// Factor by which the sum must differ from that at the peak, and for how many frames, before a new
/// search starts by itself.
const LOST_FOCUS: f64 = 2.0;
const LOST_FRAMES: u32 = 10;
/// Nearest distance of a generic lens, mm. Position 0 is infinity, and between them the position
/// grows with the reciprocal of the distance, as that of a lens moved by a coil does.
const NEAREST_MM: f64 = 100.0;
/// Hyperfocal distance of a generic small camera, mm (f = 4 mm, f/2, circle of confusion 4 µm).
const HYPERFOCAL_MM: f64 = 2000.0;

/// How focus is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By contrast.
    #[default]
    Auto,
    /// At infinity.
    Infinity,
    /// Where infinity is just sharp.
    Hyperfocal,
    /// At a distance, mm.
    ManualDistance(u32),
    /// At a lens position.
    ManualPosition(i32),
    /// Where it is.
    Hold,
}

impl Mode {
    /// The mode of a value of `ia_aiq_af_operation_mode`; `action`, `distance_mm` and `position`
    /// are the manual focus parameters. Unknown modes are automatic.
    #[must_use]
    pub fn from_protocol(mode: i32, action: i32, distance_mm: u32, position: i32) -> Self {
        match (mode, action) {
            (1, _) => Self::Infinity,
            (2, _) => Self::Hyperfocal,
            (3, 1) => Self::ManualDistance(distance_mm),
            (3, 2) => Self::ManualPosition(position),
            (3, _) => Self::Hold,
            _ => Self::Auto,
        }
    }
}

/// Which part of the lens's way is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// Infinity to the nearest distance.
    #[default]
    Full,
    /// The nearer half.
    Macro,
}

impl Range {
    /// The range of a value of `ia_aiq_af_range`; unknown ones are the full one.
    #[must_use]
    pub fn from_protocol(range: i32) -> Self {
        if range == 1 { Self::Macro } else { Self::Full }
    }

    fn first(self) -> i32 {
        match self {
            Self::Full => FIRST,
            Self::Macro => LAST / 2,
        }
    }
}

/// What AF is asked.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The latest statistics.
    pub statistics: Option<&'a Statistics>,
    /// Where the lens is.
    pub lens_position: i32,
    /// When it began to move there, µs on the clock of the statistics.
    pub lens_movement_start_us: u64,
    /// How focus is found.
    pub mode: Mode,
    /// Which part of the lens's way is searched.
    pub range: Range,
    /// Part of the picture that shall be sharp; the middle of it if empty.
    pub window: Window,
    /// Search again.
    pub trigger_new_search: bool,
}

/// What AF does: `ia_aiq_af_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum Status {
    /// Nothing.
    #[default]
    Idle = 0,
    /// Searching near the best position.
    LocalSearch = 1,
    /// Searching everywhere.
    ExtendedSearch = 2,
    /// Sharp.
    Success = 3,
    /// No contrast was found.
    Fail = 4,
}

/// What AF answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// What AF does.
    pub status: Status,
    /// Focus distance of the lens's position, mm; 65535 stands for infinity.
    pub distance_mm: u16,
    /// Where the lens shall be.
    pub next_position: i32,
    /// The same, if the lens is not there yet (`move_to` of the protocol).
    pub move_to: Option<i32>,
    /// Whether the search has ended and the lens is where it shall be.
    pub final_position_reached: bool,
}

/// Memory of AF from one frame to the next.
#[derive(Debug, Clone, Default)]
pub struct State {
    phase: Phase,
    /// Positions and sums of the search at hand.
    samples: Vec<(i32, f64)>,
    /// Frames waited for the lens or for AE.
    waited: u32,
    /// Exposure of the frame before, µs at gain 1.
    exposure_us: Option<f64>,
    /// Time of the last frame that was used, µs.
    used_us: Option<u64>,
}

/// What the search is at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Phase {
    /// It has not begun.
    #[default]
    Start,
    /// Coarse steps: the position to be measured.
    Coarse(i32),
    /// Fine steps: the position to be measured, and the last one.
    Fine(i32, i32),
    /// At the peak, or at the best guess where none was found; its sum is remembered once it was
    /// measured there, and for how many frames it has differed.
    Done { position: i32, found: bool, sum: Option<f64>, lost: u32 },
}

impl State {
    /// One run.
    pub fn run(&mut self, inputs: &Inputs<'_>) -> Outcome {
        let lens = inputs.lens_position.clamp(FIRST, LAST);
        let fixed = match inputs.mode {
            Mode::Auto => None,
            Mode::Infinity => Some(FIRST),
            Mode::Hyperfocal => Some(position_of(HYPERFOCAL_MM)),
            Mode::ManualDistance(mm) => Some(position_of(f64::from(mm))),
            Mode::ManualPosition(position) => Some(position.clamp(FIRST, LAST)),
            Mode::Hold => Some(lens),
        };
        let (status, next) = match fixed {
            Some(position) => {
                // Whatever a search knew is old when it is switched on again.
                *self = Self::default();
                let status = if matches!(inputs.mode, Mode::Hold) && lens == position {
                    Status::Idle
                } else {
                    Status::Success
                };
                (status, position)
            }
            None => self.search(inputs, lens),
        };
        let searching = matches!(status, Status::LocalSearch | Status::ExtendedSearch);
        Outcome {
            status,
            distance_mm: distance_of(lens),
            next_position: next,
            move_to: (next != inputs.lens_position).then_some(next),
            final_position_reached: !searching && next == lens,
        }
    }

    /// Goes on with the search: its status and where the lens shall be.
    fn search(&mut self, inputs: &Inputs<'_>, lens: i32) -> (Status, i32) {
        if inputs.trigger_new_search {
            self.restart();
        }
        if self.phase == Phase::Start {
            self.phase = Phase::Coarse(inputs.range.first());
        }
        if let Some(sum) = self.usable_sum(inputs, lens) {
            self.advance(inputs.range, sum);
        }
        match self.phase {
            Phase::Start => (Status::ExtendedSearch, lens),
            Phase::Coarse(position) => (Status::ExtendedSearch, position),
            Phase::Fine(position, _) => (Status::LocalSearch, position),
            Phase::Done { position, found: true, .. } => (Status::Success, position),
            Phase::Done { position, found: false, .. } => (Status::Fail, position),
        }
    }

    fn restart(&mut self) {
        self.phase = Phase::Start;
        self.samples.clear();
        self.waited = 0;
    }

    /// The sum of this frame, if it was taken at rest with the lens where it shall be.
    fn usable_sum(&mut self, inputs: &Inputs<'_>, lens: i32) -> Option<f64> {
        let statistics = inputs.statistics?;
        let sum = sum(statistics, inputs.window)?;
        let exposure_us = statistics.exposure.and_then(|exposure| exposure.total_us());
        let before = std::mem::replace(&mut self.exposure_us, exposure_us);
        let steady = match (before, exposure_us) {
            (Some(a), Some(b)) => (a / b).max(b / a) <= STEADY_EXPOSURE,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let rested = inputs.lens_movement_start_us.saturating_add(SETTLING_US);
        let arrived = match self.phase {
            Phase::Coarse(position) | Phase::Fine(position, _) | Phase::Done { position, .. } => {
                position == lens
            }
            Phase::Start => true,
        };
        let fresh = self.used_us != Some(statistics.timestamp_us);
        let good = arrived && fresh && steady && statistics.timestamp_us >= rested;
        if !good && self.waited < PATIENCE {
            self.waited += 1;
            return None;
        }
        self.waited = 0;
        if !arrived {
            // A lens that does not come is not moved any more.
            self.samples.clear();
            self.phase = Phase::Done { position: lens, found: false, sum: None, lost: 0 };
            return None;
        }
        self.used_us = Some(statistics.timestamp_us);
        Some(sum)
    }

    /// Takes a sum at the position that was asked for, and decides on the next one.
    fn advance(&mut self, range: Range, sum: f64) {
        match self.phase {
            Phase::Start => {}
            Phase::Coarse(position) => {
                self.samples.push((position, sum));
                let best = best_of(&self.samples);
                let passed = self.samples.len() > 3
                    && position - best.0 > 2 * COARSE_STEP
                    && sum < PASSED * best.1
                    && self.has_contrast();
                self.phase = if position < LAST && !passed {
                    Phase::Coarse((position + COARSE_STEP).min(LAST))
                } else if self.has_contrast() {
                    let from = (best.0 - FINE_REACH).max(range.first());
                    let to = (best.0 + FINE_REACH).min(LAST);
                    self.samples.clear();
                    Phase::Fine(from, to)
                } else {
                    self.samples.clear();
                    let position = position_of(HYPERFOCAL_MM).max(range.first());
                    Phase::Done { position, found: false, sum: None, lost: 0 }
                };
            }
            Phase::Fine(position, to) => {
                self.samples.push((position, sum));
                self.phase = if position < to {
                    Phase::Fine((position + FINE_STEP).min(to), to)
                } else {
                    let position = peak(&self.samples).clamp(range.first(), LAST);
                    self.samples.clear();
                    Phase::Done { position, found: true, sum: None, lost: 0 }
                };
            }
            Phase::Done { position, found, sum: None, .. } => {
                self.phase = Phase::Done { position, found, sum: Some(sum), lost: 0 };
            }
            Phase::Done { position, found, sum: Some(known), lost } => {
                let ratio = (sum + 1.0) / (known + 1.0);
                let differs = !(LOST_FOCUS.recip()..=LOST_FOCUS).contains(&ratio);
                let lost = if differs { lost + 1 } else { 0 };
                if lost >= LOST_FRAMES {
                    self.restart();
                    self.phase = Phase::Coarse(range.first());
                } else {
                    self.phase = Phase::Done { position, found, sum: Some(known), lost };
                }
            }
        }
    }

    /// Whether the samples differ by more than noise.
    fn has_contrast(&self) -> bool {
        let worst = self.samples.iter().map(|(_, sum)| *sum).fold(f64::INFINITY, f64::min);
        best_of(&self.samples).1 > LEAST_CONTRAST * worst.max(1.0)
    }
}

/// The sample with the largest sum.
fn best_of(samples: &[(i32, f64)]) -> (i32, f64) {
    samples.iter().copied().fold((FIRST, -1.0), |best, s| if s.1 > best.1 { s } else { best })
}

/// The place of the peak that the samples around the best one show.
fn peak(samples: &[(i32, f64)]) -> i32 {
    let best = best_of(samples);
    let around = samples.windows(3).find(|three| three.get(1) == Some(&best));
    let Some([left, middle, right]) = around else { return best.0 };
    let point = |sample: &(i32, f64)| Some((f64::from(sample.0), positive(sample.1)?.recip()));
    let (Some((x0, y0)), Some((x1, y1)), Some((x2, y2))) =
        (point(left), point(middle), point(right))
    else {
        return best.0;
    };
    // Vertex of the parabola through three points, from Newton's divided differences.
    let first = (y1 - y0) / (x1 - x0);
    let second = ((y2 - y1) / (x2 - x1) - first) / (x2 - x0);
    if !second.is_finite() || second <= 0.0 {
        return best.0;
    }
    to_i32((0.5 * (x0 + x1 - first / second)).clamp(x0, x2))
}

/// Sum of the responses of both filters in the window, or in the middle of the picture.
fn sum(statistics: &Statistics, window: Window) -> Option<f64> {
    let af = statistics.af.as_ref()?;
    let width = af.width.min(af.fr1.len());
    let height = af.height.min(af.fr1.len().checked_div(width)?);
    let quarter = Window::SIDE / 4;
    let middle = Window { left: quarter, top: quarter, right: 3 * quarter, bottom: 3 * quarter };
    let window = if window.is_empty() { middle } else { window };
    let side = f64::from(Window::SIDE);
    let inside = |index: usize, count: usize, low: i32, high: i32| {
        let at = (from_usize(index) + 0.5) / from_usize(count.max(1)) * side;
        f64::from(low) <= at && at < f64::from(high)
    };
    let (mut within, mut all) = (0.0, 0.0);
    let mut cells = 0_u32;
    let rows = af.fr1.chunks(width).zip(af.fr2.chunks(width)).take(height).enumerate();
    for (row, (coarse, fine)) in rows {
        let seen = inside(row, height, window.top, window.bottom);
        for (column, (a, b)) in coarse.iter().zip(fine).enumerate() {
            let response = f64::from((*a).max(0)) + f64::from((*b).max(0));
            all += response;
            if seen && inside(column, width, window.left, window.right) {
                within += response;
                cells += 1;
            }
        }
    }
    // A window smaller than a cell, or outside of the picture: the whole of it.
    Some(if cells > 0 { within } else { all })
}

/// The lens position of a distance in mm, 0 for infinity.
fn position_of(distance_mm: f64) -> i32 {
    match positive(distance_mm) {
        Some(mm) => to_i32(f64::from(LAST) * NEAREST_MM / mm).clamp(FIRST, LAST),
        None => FIRST,
    }
}

/// Distance in mm of a lens position.
fn distance_of(position: i32) -> u16 {
    // Infinite at position 0, which becomes the largest number.
    to_u16(NEAREST_MM * f64::from(LAST) / f64::from(position.max(0)))
}
