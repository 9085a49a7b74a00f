//! AIQ_PA_RUN.

use cami_ipu3::payload::{ColorChannels, PaResults, PaRunParams};
use zerocopy::FromZeros;

use super::part::{read, write};
use super::{Session, present};
use crate::algorithm::pa::{self, Channels, WhitePoint};
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

impl Session {
    /// No linearisation, advanced colour matrices or infrared weights.
    pub(super) fn pa_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, PaRunParams, aiq_handle)?;
        self.aiqs.lock().get(handle)?;
        let base = read!(memory, PaRunParams, base)?;
        let awb = present(base.awb_results, || read!(memory, PaRunParams, awb_results))?;
        let gains = present(base.color_gains, || read!(memory, PaRunParams, color_gains))?;
        let white = awb.map(|awb| WhitePoint {
            r_per_g: f64::from(awb.final_r_per_g),
            b_per_g: f64::from(awb.final_b_per_g),
            cct: f64::from(awb.cct_estimate),
        });
        let gains =
            gains.map(|gains| Channels { gr: gains.gr, r: gains.r, b: gains.b, gb: gains.gb });
        let outcome = pa::run(white, gains);
        let results = PaResults {
            color_conversion_matrix: outcome.colour_matrix,
            black_level: channels(outcome.black_level),
            color_gains: channels(outcome.gains),
            saturation_factor: outcome.saturation,
            ..PaResults::new_zeroed()
        };
        write!(memory, PaRunParams, res.base, &results)
    }
}

fn channels(values: Channels) -> ColorChannels {
    ColorChannels { gr: values.gr, r: values.r, b: values.b, gb: values.gb }
}
