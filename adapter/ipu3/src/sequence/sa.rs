//! AIQ_SA_RUN: lens shading.

use std::mem::offset_of;
use std::ops::Range;

use super::answer::{BadAnswer, cells, present};
use super::parts::{Parts, items};
use super::pointer::PRESENT;
use crate::payload::{
    AwbResults, FrameParams, SaInputParams, SaResults, SaRunParams, SaRunParamsResults,
};

/// Cells of a shading table that a payload has room for.
const TABLE_CELLS: usize = 16384;

/// Fills the request.
pub fn fill(
    payload: &mut SaRunParams,
    aiq: u64,
    frame_use: i32,
    sensor: &FrameParams,
    awb: &AwbResults,
) {
    payload.aiq_handle = aiq;
    payload.base = SaInputParams {
        frame_use,
        sensor_frame_params: PRESENT,
        awb_results: PRESENT,
        ..payload.base
    };
    payload.sensor_frame_params = *sensor;
    payload.awb_results = *awb;
}

/// The bytes of a filled request.
pub const ASKED: Range<usize> = 0..offset_of!(SaRunParams, res);
/// The bytes of an answer without its tables.
pub const ANSWERED: Range<usize> =
    offset_of!(SaRunParams, res)..offset_of!(SaRunParams, res) + size_of::<SaResults>();

/// The bytes of the tables of an answer that [`SaAnswer::take`] will look at.
#[must_use]
pub fn tables(payload: &SaRunParams, before: Option<&SaAnswer>) -> Parts {
    let base = &payload.res.base;
    if before.is_some_and(|before| before.stays(base)) {
        return Parts::new();
    }
    let [_, tables @ ..] = used(&payload.res, offset_of!(SaRunParams, res));
    tables.to_vec()
}

/// The bytes of an echoed answer at `offset` that are new.
pub(super) fn echoed(results: &SaRunParamsResults, offset: usize, how: Tables) -> Parts {
    let [base, tables @ ..] = used(results, offset);
    let mut parts = vec![base];
    if how != Tables::Known {
        parts.extend(tables);
    }
    parts
}

/// The bytes that an answer at `offset` uses.
fn used(results: &SaRunParamsResults, offset: usize) -> [Range<usize>; 5] {
    let cells = usize::from(results.base.width) * usize::from(results.base.height);
    let cells = cells.min(TABLE_CELLS);
    let table = |at: usize| items::<f32>(offset + at, cells);
    [
        items::<SaResults>(offset, 1),
        table(offset_of!(SaRunParamsResults, channel_gr)),
        table(offset_of!(SaRunParamsResults, channel_r)),
        table(offset_of!(SaRunParamsResults, channel_b)),
        table(offset_of!(SaRunParamsResults, channel_gb)),
    ]
}

/// How shading tables go into a request. They are most of its bytes and seldom change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tables {
    /// Always, with the library's own word whether they are new: as the HAL does.
    #[default]
    AsAnswered,
    /// Now, as new ones.
    New,
    /// Not again: the request's buffer has them from before.
    Known,
}

/// The newest shading tables: an answer without an update leaves them as they were.
#[derive(Debug, Clone)]
pub struct SaAnswer {
    base: SaResults,
    /// Tables for green in red rows, red, blue, green in blue rows.
    channels: [Vec<f32>; 4],
}

impl SaAnswer {
    /// Takes the answer out of a payload. `before` is the answer before this one.
    pub fn take(payload: &SaRunParams, before: Option<Self>) -> Result<Self, BadAnswer> {
        let results = &payload.res;
        let base = results.base;
        let size = cells("lsc table", base.width, base.height, TABLE_CELLS)?;
        if base.lsc_update != 0 {
            present("channel_gr", base.channel_gr)?;
            present("channel_r", base.channel_r)?;
            present("channel_b", base.channel_b)?;
            present("channel_gb", base.channel_gb)?;
        }
        if let Some(before) = before.filter(|before| before.stays(&base)) {
            return Ok(Self { base, channels: before.channels });
        }
        let table = |values: &[f32; TABLE_CELLS]| {
            let values = values.get(..size).unwrap_or_default();
            match values.iter().find(|value| !value.is_finite()) {
                Some(value) => Err(BadAnswer::new("lsc table", *value, "finite entries")),
                None => Ok(values.to_vec()),
            }
        };
        Ok(Self {
            base,
            channels: [
                table(&results.channel_gr)?,
                table(&results.channel_r)?,
                table(&results.channel_b)?,
                table(&results.channel_gb)?,
            ],
        })
    }

    /// Whether the tables are still those of an answer.
    fn stays(&self, base: &SaResults) -> bool {
        let size = usize::from(base.width) * usize::from(base.height);
        base.lsc_update == 0 && self.channels.iter().all(|channel| channel.len() == size)
    }

    /// Width and height of the tables, in cells.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        (self.base.width, self.base.height)
    }

    /// Whether the last answer changed the tables.
    #[must_use]
    pub fn updated(&self) -> bool {
        self.base.lsc_update != 0
    }

    /// Tables for green in red rows, red, blue, green in blue rows.
    #[must_use]
    pub fn channels(&self) -> &[Vec<f32>; 4] {
        &self.channels
    }

    /// The answer with its tables times a gain: how the HAL applies a digital gain that the sensor
    /// has not (platform2 `psl/ipu3/Intel3aCore`; spec/ipu3-protocol.md, 2).
    #[must_use]
    pub fn with_gain(&self, gain: f32) -> Self {
        let scaled = |table: &Vec<f32>| table.iter().map(|value| value * gain).collect();
        Self { base: self.base, channels: self.channels.each_ref().map(scaled) }
    }

    /// Writes the answer into another payload's copy of it. The tables go along even when they
    /// did not change, and their pointers are never NULL.
    pub(super) fn echo(&self, target: &mut SaRunParamsResults, how: Tables) {
        target.base = SaResults {
            lsc_update: match how {
                Tables::AsAnswered => self.base.lsc_update,
                Tables::New => 1,
                Tables::Known => 0,
            },
            channel_gr: PRESENT,
            channel_r: PRESENT,
            channel_b: PRESENT,
            channel_gb: PRESENT,
            ..self.base
        };
        if how == Tables::Known {
            return;
        }
        let tables = [
            &mut target.channel_gr,
            &mut target.channel_r,
            &mut target.channel_b,
            &mut target.channel_gb,
        ];
        for (table, channel) in tables.into_iter().zip(&self.channels) {
            if let Some(used) = table.get_mut(..channel.len()) {
                used.copy_from_slice(channel);
            }
        }
    }
}
