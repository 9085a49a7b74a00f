//! AIQ_AF_RUN.

use cami_ipu3::payload::{AfInputParams, AfResults, AfRunParams, ManualFocusParameters};
use zerocopy::FromZeros;

use super::part::{read, write};
use super::{Refusal, Session, present, window};
use crate::algorithm::af::{Inputs, Mode, Outcome, Range, Status};
use crate::server::SharedMemory;

/// `ia_aiq_af_operation_mode`; 0 is automatic.
const INFINITY: i32 = 1;
const HYPERFOCAL: i32 = 2;
const MANUAL: i32 = 3;
/// `ia_aiq_manual_focus_action`; 0 is none.
const SET_DISTANCE: i32 = 1;
const SET_POSITION: i32 = 2;
/// `ia_aiq_af_range`: macro; others are the full way.
const RANGE_MACRO: i32 = 1;
/// `ia_aiq_lens_driver_action`.
const NO_ACTION: i32 = 0;
const MOVE_TO: i32 = 1;

impl Session {
    pub(super) fn af_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, AfRunParams, aiq_handle)?;
        let mut aiqs = self.aiqs.lock();
        let aiq = aiqs.get(handle)?;
        let base = read!(memory, AfRunParams, base)?;
        let rectangle = present(base.focus_rect, || read!(memory, AfRunParams, focus_rect))?;
        let manual = present(base.manual_focus_parameters, || {
            read!(memory, AfRunParams, manual_focus_parameters)
        })?;
        let outcome = aiq.af.run(&Inputs {
            statistics: aiq.statistics.as_ref(),
            lens_position: base.lens_position,
            lens_movement_start_us: base.lens_movement_start_timestamp,
            mode: mode(&base, manual),
            range: if base.focus_range == RANGE_MACRO { Range::Macro } else { Range::Full },
            window: window(rectangle),
            trigger_new_search: base.trigger_new_search != 0,
        });
        write!(memory, AfRunParams, results, &answer(&outcome))
    }
}

fn mode(base: &AfInputParams, manual: Option<ManualFocusParameters>) -> Mode {
    match (base.focus_mode, manual) {
        (INFINITY, _) => Mode::Infinity,
        (HYPERFOCAL, _) => Mode::Hyperfocal,
        (MANUAL, Some(manual)) => match manual.manual_focus_action {
            SET_DISTANCE => Mode::ManualDistance(manual.manual_focus_distance),
            SET_POSITION => Mode::ManualPosition(manual.manual_lens_position),
            _ => Mode::Hold,
        },
        (MANUAL, None) => Mode::Hold,
        _ => Mode::Auto,
    }
}

fn answer(outcome: &Outcome) -> AfResults {
    let status = match outcome.status {
        Status::Idle => 0,
        Status::LocalSearch => 1,
        Status::ExtendedSearch => 2,
        Status::Success => 3,
        Status::Fail => 4,
    };
    AfResults {
        status,
        current_focus_distance: outcome.distance_mm,
        next_lens_position: outcome.next_position,
        lens_driver_action: if outcome.move_to.is_some() { MOVE_TO } else { NO_ACTION },
        use_af_assist: 0,
        final_lens_position_reached: u8::from(outcome.final_position_reached),
        ..AfResults::new_zeroed()
    }
}
