//! AIQ_AF_RUN: automatic focus.

use super::answer::BadAnswer;
use super::pointer::PRESENT;
use crate::payload::{AfInputParams, AfResults, AfRunParams, ManualFocusParameters, Rectangle};

/// `flash_mode`: off.
const FLASH_OFF: i32 = 2;

/// `ia_aiq_af_metering_mode`: the library's choice, or what the user has touched.
const METERING_AUTO: i32 = 0;
const METERING_TOUCH: i32 = 1;
/// No region.
const NO_WINDOW: Rectangle = Rectangle { left: 0, top: 0, right: 0, bottom: 0 };

/// Where the lens shall be in the manual mode: `ia_aiq_manual_focus_action`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManualFocus {
    /// Where it is.
    #[default]
    Stay,
    /// At the focus of a distance, in mm.
    Distance(u32),
    /// At a position, in steps.
    Position(i32),
}

impl ManualFocus {
    fn parameters(self) -> ManualFocusParameters {
        let (action, distance, position) = match self {
            Self::Stay => (0, 0, 0),
            Self::Distance(distance) => (1, distance, 0),
            Self::Position(position) => (2, 0, position),
        };
        ManualFocusParameters {
            manual_focus_distance: distance,
            manual_lens_position: position,
            manual_focal_distance: 0,
            manual_focus_action: action,
        }
    }
}

/// What AF shall do. The default is a HAL's preview: everything automatic, the lens at 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct AfControls {
    /// `ia_aiq_frame_use`.
    pub frame_use: i32,
    /// Where the lens is, in steps.
    pub lens_position: i32,
    /// When it began to move there, in µs on the clock of the statistics.
    pub lens_moved_us: u64,
    /// `ia_aiq_af_operation_mode`: 0 automatic, 1 infinity, 2 hyperfocal, 3 manual.
    pub focus_mode: i32,
    /// `ia_aiq_af_range`: 0 normal, 1 macro, 2 extended (which is the full one).
    pub focus_range: i32,
    /// The region to focus on, in IA coordinates; `None` for the library's choice.
    pub window: Option<Rectangle>,
    /// For the manual mode.
    pub manual: ManualFocus,
    /// Begin a new search.
    pub new_search: bool,
}

/// Fills the request.
pub fn fill(payload: &mut AfRunParams, aiq: u64, controls: &AfControls) {
    payload.aiq_handle = aiq;
    payload.base = AfInputParams {
        frame_use: controls.frame_use,
        lens_position: controls.lens_position,
        lens_movement_start_timestamp: controls.lens_moved_us,
        focus_mode: controls.focus_mode,
        focus_range: controls.focus_range,
        focus_metering_mode: if controls.window.is_some() { METERING_TOUCH } else { METERING_AUTO },
        flash_mode: FLASH_OFF,
        focus_rect: PRESENT,
        manual_focus_parameters: PRESENT,
        trigger_new_search: u8::from(controls.new_search),
        ..payload.base
    };
    payload.focus_rect = controls.window.unwrap_or(NO_WINDOW);
    payload.manual_focus_parameters = controls.manual.parameters();
}

/// Takes the answer out of a payload.
pub fn take(payload: &AfRunParams) -> Result<AfResults, BadAnswer> {
    let results = payload.results;
    if !(0..=4).contains(&results.status) {
        return Err(BadAnswer::new("status", results.status, "0 to 4"));
    }
    if !(0..=2).contains(&results.lens_driver_action) {
        return Err(BadAnswer::new("lens_driver_action", results.lens_driver_action, "0 to 2"));
    }
    Ok(results)
}

/// Where the lens shall go: `ia_aiq_lens_driver_action` 1 is a move to `next_lens_position`.
#[must_use]
pub fn lens_target(results: &AfResults) -> Option<i32> {
    (results.lens_driver_action == 1).then_some(results.next_lens_position)
}
