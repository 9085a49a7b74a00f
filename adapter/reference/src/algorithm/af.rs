//! Automatic focus.

use super::{Statistics, Window};

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

/// Which part of the lens's way is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// Infinity to 100 mm.
    #[default]
    Full,
    /// The near half.
    Macro,
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

/// What AF does (`ia_aiq_af_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum Status {
    /// Nothing.
    #[default]
    Idle = 0,
    /// Searching near the lens's position.
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
    /// Where the lens shall go, if it shall.
    pub move_to: Option<i32>,
    /// Where the lens shall be; where it is if it need not move.
    pub next_position: i32,
    /// Whether the search has ended.
    pub final_position_reached: bool,
}

/// Memory of AF from one frame to the next.
#[derive(Debug, Clone, Default)]
pub struct State {}

impl State {
    /// One run.
    pub fn run(&mut self, inputs: &Inputs<'_>) -> Outcome {
        Outcome {
            status: Status::Idle,
            distance_mm: u16::MAX,
            move_to: None,
            next_position: inputs.lens_position,
            final_position_reached: true,
        }
    }
}
