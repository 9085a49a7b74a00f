//! AIQ_AF_RUN.

use cami_ipu3::payload::{AfInputParams, AfResults, AfRunParams, ManualFocusParameters};
use zerocopy::FromZeros;

use super::part::{read, write};
use super::{Session, present, window};
use crate::algorithm::af::{Inputs, Mode, Outcome, Range};
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

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
            range: Range::from_protocol(base.focus_range),
            window: window(rectangle),
            trigger_new_search: base.trigger_new_search != 0,
        });
        write!(memory, AfRunParams, results, &answer(&outcome))
    }
}

/// Manual focus without its parameters leaves the lens where it is.
fn mode(base: &AfInputParams, manual: Option<ManualFocusParameters>) -> Mode {
    let manual = manual.unwrap_or_else(FromZeros::new_zeroed);
    Mode::from_protocol(
        base.focus_mode,
        manual.manual_focus_action,
        manual.manual_focus_distance,
        manual.manual_lens_position,
    )
}

fn answer(outcome: &Outcome) -> AfResults {
    AfResults {
        status: outcome.status as i32,
        current_focus_distance: outcome.distance_mm,
        next_lens_position: outcome.next_position,
        lens_driver_action: if outcome.move_to.is_some() { MOVE_TO } else { NO_ACTION },
        use_af_assist: 0,
        final_lens_position_reached: u8::from(outcome.final_position_reached),
        ..AfResults::new_zeroed()
    }
}
