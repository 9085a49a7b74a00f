//! AIQ_SA_RUN.

use cami_ipu3::payload::{SaResults, SaRunParams};
use zerocopy::FromZeros;

use super::part::{read, write, write_items};
use super::{PRESENT, Refusal, Session, present};
use crate::algorithm::sa::{DEFAULT_GRID, GAIN};
use crate::shared_memory::SharedMemory;

impl Session {
    /// The table is written every time, so that it is right in whichever buffer; `lsc_update` says
    /// when it is new.
    pub(super) fn sa_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, SaRunParams, aiq_handle)?;
        let mut aiqs = self.aiqs.lock();
        let aiq = aiqs.get(handle)?;
        let base = read!(memory, SaRunParams, base)?;
        let frame =
            present(base.sensor_frame_params, || read!(memory, SaRunParams, sensor_frame_params))?;
        let (width, height) = DEFAULT_GRID;
        let outcome = aiq.sa.run(width, height);
        let table = vec![GAIN; usize::from(outcome.width) * usize::from(outcome.height)];
        write_items!(memory, SaRunParams, res.channel_gr, &table)?;
        write_items!(memory, SaRunParams, res.channel_r, &table)?;
        write_items!(memory, SaRunParams, res.channel_b, &table)?;
        write_items!(memory, SaRunParams, res.channel_gb, &table)?;
        let results = SaResults {
            channel_gr: PRESENT,
            channel_r: PRESENT,
            channel_b: PRESENT,
            channel_gb: PRESENT,
            width: outcome.width,
            height: outcome.height,
            lsc_update: u8::from(outcome.update),
            frame_params: frame.unwrap_or_else(FromZeros::new_zeroed),
            ..SaResults::new_zeroed()
        };
        write!(memory, SaRunParams, res.base, &results)
    }
}
