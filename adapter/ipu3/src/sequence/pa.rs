//! AIQ_PA_RUN: colour gains, colour matrix, black levels.

use std::mem::offset_of;
use std::ops::Range;

use super::ae::AeAnswer;
use super::answer::{BadAnswer, cells, count, finite, positive};
use super::parts::items;
use super::pointer::{PRESENT, same, word};
use crate::payload::{AwbResults, ColorChannels, PaInputParams, PaRunParams, PaRunParamsResults};

/// Entries of a linearisation table that a payload has room for.
const LINEARIZATION: usize = 128;
/// Sectors of an advanced colour matrix that a payload has room for.
const SECTORS: usize = 128;
/// Cells of an infrared weight grid that a payload has room for.
const IR_CELLS: usize = 16384;

/// Fills the request.
pub fn fill(
    payload: &mut PaRunParams,
    aiq: u64,
    awb: &AwbResults,
    ae: &AeAnswer,
    color_gains: Option<ColorChannels>,
) {
    payload.aiq_handle = aiq;
    payload.base = PaInputParams {
        awb_results: PRESENT,
        exposure_params: PRESENT,
        color_gains: word(color_gains.is_some()),
    };
    payload.awb_results = *awb;
    payload.exposure_params = ae.results().exposure;
    if let Some(gains) = color_gains {
        payload.color_gains = gains;
    }
}

/// A checked answer of PA.
#[derive(Debug, Clone)]
pub struct PaAnswer {
    results: Box<PaRunParamsResults>,
    linearization: usize,
    sectors: usize,
    ir_cells: usize,
}

impl PaAnswer {
    /// Takes the answer out of a payload.
    pub fn take(payload: &PaRunParams) -> Result<Self, BadAnswer> {
        let results = &payload.res;
        let base = &results.base;
        for value in base.color_conversion_matrix.as_flattened() {
            finite("color_conversion_matrix", *value)?;
        }
        let gains = &base.color_gains;
        for gain in [gains.gr, gains.r, gains.b, gains.gb] {
            positive("color_gains", gain)?;
        }
        let black = &base.black_level;
        for level in [black.gr, black.r, black.b, black.gb] {
            finite("black_level", level)?;
        }
        let linear = &base.linearization;
        let has_linear = [linear.gr, linear.r, linear.b, linear.gb].iter().all(|word| *word != 0);
        let has_sectors = base.preferred_acm != 0;
        let has_ir = base.ir_weight != 0;
        let ir = &results.ir_weight;
        Ok(Self {
            linearization: if has_linear {
                count("linearization.size", linear.size, LINEARIZATION)?
            } else {
                0
            },
            sectors: if has_sectors {
                count("preferred_acm.sector_count", results.preferred_acm.sector_count, SECTORS)?
            } else {
                0
            },
            ir_cells: if has_ir { cells("ir_weight", ir.width, ir.height, IR_CELLS)? } else { 0 },
            results: Box::new(*results),
        })
    }

    /// Everything that was answered; pointer words are the library's and mean nothing.
    #[must_use]
    pub fn results(&self) -> &PaRunParamsResults {
        &self.results
    }

    /// Overwrites the colour gains, as the HAL does for gains that an application has chosen.
    pub fn set_gains(&mut self, gains: ColorChannels) {
        self.results.base.color_gains = gains;
    }

    /// Writes the answer into another payload's copy of it; tables only as far as they are used.
    pub(super) fn echo(&self, target: &mut PaRunParamsResults) {
        let from = &*self.results;
        target.base = from.base;
        let linear = &mut target.base.linearization;
        for pointer in [&mut linear.gr, &mut linear.r, &mut linear.b, &mut linear.gb] {
            *pointer = same(*pointer);
        }
        target.base.preferred_acm = same(from.base.preferred_acm);
        target.base.ir_weight = same(from.base.ir_weight);
        copy(&mut target.gr, &from.gr, self.linearization);
        copy(&mut target.r, &from.r, self.linearization);
        copy(&mut target.b, &from.b, self.linearization);
        copy(&mut target.gb, &from.gb, self.linearization);
        if from.base.preferred_acm != 0 {
            target.preferred_acm = from.preferred_acm;
            let acm = &mut target.preferred_acm;
            acm.hue_of_sectors = same(acm.hue_of_sectors);
            acm.advanced_color_conversion_matrices = same(acm.advanced_color_conversion_matrices);
            copy(&mut target.hue_of_sectors, &from.hue_of_sectors, self.sectors);
            copy(
                &mut target.advanced_color_conversion_matrices,
                &from.advanced_color_conversion_matrices,
                self.sectors,
            );
        }
        if from.base.ir_weight != 0 {
            target.ir_weight = from.ir_weight;
            let ir = &mut target.ir_weight;
            ir.ir_weight_grid_r = same(ir.ir_weight_grid_r);
            ir.ir_weight_grid_g = same(ir.ir_weight_grid_g);
            ir.ir_weight_grid_b = same(ir.ir_weight_grid_b);
            copy(&mut target.ir_weight_grid_r, &from.ir_weight_grid_r, self.ir_cells);
            copy(&mut target.ir_weight_grid_g, &from.ir_weight_grid_g, self.ir_cells);
            copy(&mut target.ir_weight_grid_b, &from.ir_weight_grid_b, self.ir_cells);
        }
    }
}

/// The bytes of a filled request.
pub const ASKED: Range<usize> = 0..offset_of!(PaRunParams, res);
/// The bytes of an answer without its tables.
pub const ANSWERED: Range<usize> =
    offset_of!(PaRunParams, res)..offset_of!(PaRunParams, res) + offset_of!(PaRunParamsResults, gr);

/// The bytes of the tables of an answer, if it has any.
#[must_use]
pub fn tables(payload: &PaRunParams) -> Range<usize> {
    ANSWERED.end..used(&payload.res, offset_of!(PaRunParams, res)).end
}

/// The bytes that an echoed answer at `offset` uses: the tables only if there are any.
pub(super) fn used(results: &PaRunParamsResults, offset: usize) -> Range<usize> {
    let base = &results.base;
    let linear = &base.linearization;
    let tables = [linear.gr, base.preferred_acm, base.ir_weight].iter().any(|word| *word != 0);
    let size =
        if tables { size_of::<PaRunParamsResults>() } else { offset_of!(PaRunParamsResults, gr) };
    items::<u8>(offset, size)
}

/// Copies the first `used` items.
fn copy<T: Copy>(target: &mut [T], from: &[T], used: usize) {
    if let (Some(target), Some(from)) = (target.get_mut(..used), from.get(..used)) {
        target.copy_from_slice(from);
    }
}
