//! AIQ_GBCE_RUN.

use cami_ipu3::payload::{GbceResults, GbceRunParams};
use zerocopy::FromZeros;

use super::part::{read, write, write_items};
use super::{PRESENT, Refusal, Session};
use crate::algorithm::gbce::curve;
use crate::shared_memory::SharedMemory;

/// `ia_aiq_gbce_level`: nothing but the plain curve.
const BYPASS: i32 = 0;

impl Session {
    /// One curve for all colours, and no tone map.
    pub(super) fn gbce_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, GbceRunParams, aiq_handle)?;
        self.aiqs.lock().get(handle)?;
        let base = read!(memory, GbceRunParams, base)?;
        let shift = if base.gbce_level == BYPASS { 0.0 } else { f64::from(base.ev_shift) };
        let curve = curve(shift);
        write_items!(memory, GbceRunParams, r_gamma_lut, &curve)?;
        write_items!(memory, GbceRunParams, g_gamma_lut, &curve)?;
        write_items!(memory, GbceRunParams, b_gamma_lut, &curve)?;
        let results = GbceResults {
            r_gamma_lut: PRESENT,
            b_gamma_lut: PRESENT,
            g_gamma_lut: PRESENT,
            gamma_lut_size: u32::try_from(curve.len()).unwrap_or(0),
            ..GbceResults::new_zeroed()
        };
        write!(memory, GbceRunParams, res_base, &results)
    }
}
