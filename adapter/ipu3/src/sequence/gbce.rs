//! AIQ_GBCE_RUN: gamma tables and tone map.

use std::mem::offset_of;
use std::ops::Range;

use zerocopy::FromZeros;

use super::answer::{BadAnswer, count, present};
use super::pointer::{ABSENT, PRESENT, word};
use crate::payload::{GbceInputParams, GbceResults, GbceRunParams};

/// Entries of a table that a payload has room for.
const TABLE: usize = 1024;
/// `ia_aiq_gbce_level`: as the tuning says.
const LEVEL_TUNING: i32 = -1;
/// `ia_aiq_tone_map_level`: none.
const TONE_MAP_BYPASS: i32 = 0;

/// Fills the request.
pub fn fill(payload: &mut GbceRunParams, aiq: u64, frame_use: i32, ev_shift: f32) {
    payload.aiq_handle = aiq;
    payload.base = GbceInputParams {
        gbce_level: LEVEL_TUNING,
        tone_map_level: TONE_MAP_BYPASS,
        frame_use,
        ev_shift,
    };
}

/// The bytes of a filled request, and those of its answer.
pub const ASKED: Range<usize> = 0..offset_of!(GbceRunParams, res_base);
/// See [`ASKED`].
pub const ANSWERED: Range<usize> = ASKED.end..size_of::<GbceRunParams>();

/// A checked answer of GBCE.
#[derive(Debug, Clone)]
pub struct GbceAnswer {
    red: Vec<f32>,
    green: Vec<f32>,
    blue: Vec<f32>,
    tone_map: Vec<f32>,
}

impl GbceAnswer {
    /// Takes the answer out of a payload.
    pub fn take(payload: &GbceRunParams) -> Result<Self, BadAnswer> {
        let base = &payload.res_base;
        let size = count("gamma_lut_size", base.gamma_lut_size, TABLE)?;
        if size > 0 {
            present("r_gamma_lut", base.r_gamma_lut)?;
            present("g_gamma_lut", base.g_gamma_lut)?;
            present("b_gamma_lut", base.b_gamma_lut)?;
        }
        let tone_map_size = if base.tone_map_lut == ABSENT {
            0
        } else {
            count("tone_map_lut_size", base.tone_map_lut_size, TABLE)?
        };
        let table = |name, values: &[f32; TABLE], size: usize| {
            let values = values.get(..size).unwrap_or_default();
            match values.iter().find(|value| !value.is_finite()) {
                Some(value) => Err(BadAnswer::new(name, *value, "finite entries")),
                None => Ok(values.to_vec()),
            }
        };
        Ok(Self {
            red: table("r_gamma_lut", &payload.r_gamma_lut, size)?,
            green: table("g_gamma_lut", &payload.g_gamma_lut, size)?,
            blue: table("b_gamma_lut", &payload.b_gamma_lut, size)?,
            tone_map: table("tone_map_lut", &payload.tone_map_lut, tone_map_size)?,
        })
    }

    /// The gamma tables for red, green and blue, all of one size.
    #[must_use]
    pub fn gamma(&self) -> [&[f32]; 3] {
        [&self.red, &self.green, &self.blue]
    }

    /// The tone map; empty if there is none.
    #[must_use]
    pub fn tone_map(&self) -> &[f32] {
        &self.tone_map
    }

    /// The struct that announces the tables in another payload.
    pub(super) fn base(&self) -> GbceResults {
        let table = word(!self.red.is_empty());
        GbceResults {
            r_gamma_lut: table,
            b_gamma_lut: table,
            g_gamma_lut: table,
            gamma_lut_size: u32::try_from(self.red.len()).unwrap_or(0),
            tone_map_lut: if self.tone_map.is_empty() { ABSENT } else { PRESENT },
            tone_map_lut_size: u32::try_from(self.tone_map.len()).unwrap_or(0),
            ..GbceResults::new_zeroed()
        }
    }
}
