//! AIC_INIT, AIC_RUN, AIC_RESET, AIC_GETAICVERSION, AIC_GETAICCONFIG: the ISP's configuration.
//!
//! There is one AIC per mode and process, as in the original, so that a process serves one camera.

use std::mem::offset_of;
use std::ops::Range;

use cami_ipu3::payload::{
    AicConfig, AicVersionParams, IPU3AICRuntimeParamsData as Runtime, IPU3AicConfig,
    PaRunParamsResults, SaRunParamsResults, Transport,
};
use cami_ipu3::{bytes_of_mut, zeroed_box};

use super::Session;
use super::part::{read, write, write_text};
use crate::VERSION;
use crate::algorithm::isp;
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// Pipes that the payload has room for.
const PIPES: u32 = 1;
/// Cells that a shading table or a weight grid has room for.
const MOST_CELLS: usize = 16_384;
/// Entries that a gamma table has room for.
const MOST_ENTRIES: usize = 1024;

/// The newest configuration of each mode: 0 still pictures, 1 video.
#[derive(Debug, Default)]
pub struct Aics {
    modes: [Option<Box<AicConfig>>; 2],
}

impl Aics {
    fn mode(&mut self, mode: i32) -> Option<&mut Option<Box<AicConfig>>> {
        self.modes.get_mut(usize::try_from(mode).ok()?)
    }
}

impl Session {
    /// The tuning data is not looked at.
    pub(super) fn aic_init(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        if read!(memory, Transport, num_pipes)? != PIPES {
            return Err(Refusal::Value("number of pipes"));
        }
        let mode = read!(memory, Transport, aic_mode)?;
        let cmc = read!(memory, Transport, cmc_remote_handle)?;
        self.cmcs.lock().get(cmc)?;
        let mut aics = self.aics.lock();
        let aic = aics.mode(mode).ok_or(Refusal::Value("AIC mode"))?;
        let mut config = zeroed_box::<AicConfig>();
        isp::aic_config(&*runtime(memory)?, &mut config);
        *aic = Some(config);
        Ok(())
    }

    /// Answers 0 even where there is no AIC of that mode, as the original does: only a bad buffer
    /// gives 1.
    pub(super) fn aic_run(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let mode = read!(memory, Transport, aic_mode)?;
        let mut aics = self.aics.lock();
        if let Some(Some(config)) = aics.mode(mode) {
            isp::aic_config(&*runtime(memory)?, config);
        }
        Ok(())
    }

    pub(super) fn aic_get_config(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let mode = read!(memory, IPU3AicConfig, aic_mode)?;
        let mut aics = self.aics.lock();
        match aics.mode(mode) {
            Some(Some(config)) => write!(memory, IPU3AicConfig, aic_config, &**config),
            _ => Err(Refusal::Value("AIC of this mode")),
        }
    }
}

/// The answer of AIC_GETAICVERSION.
pub fn get_version(memory: &SharedMemory) -> Result<(), Refusal> {
    write_text!(memory, AicVersionParams, data, size, VERSION)
}

/// The runtime parameters as far as they are used: structs whole, tables to their sizes. What is
/// behind them stays 0.
fn runtime(memory: &SharedMemory) -> Result<Box<Runtime>, Refusal> {
    let mut copy = Copy { memory, runtime: zeroed_box() };
    let pa = offset_of!(Runtime, pa_results);
    copy.part(0..pa + offset_of!(PaRunParamsResults, preferred_acm))?;
    let sa = offset_of!(Runtime, sa_results);
    copy.items::<u8>(sa, offset_of!(SaRunParamsResults, channel_gr))?;
    let focus = offset_of!(Runtime, focus_rect);
    copy.part(focus..offset_of!(Runtime, weights))?;

    let grid = copy.runtime.weight_grid;
    let weights = usize::from(grid.width) * usize::from(grid.height);
    copy.items::<u8>(offset_of!(Runtime, weights), weights.min(MOST_CELLS))?;

    let table = &copy.runtime.sa_results.base;
    let cells = (usize::from(table.width) * usize::from(table.height)).min(MOST_CELLS);
    for channel in [
        offset_of!(SaRunParamsResults, channel_gr),
        offset_of!(SaRunParamsResults, channel_r),
        offset_of!(SaRunParamsResults, channel_b),
        offset_of!(SaRunParamsResults, channel_gb),
    ] {
        copy.items::<f32>(sa + channel, cells)?;
    }

    let gbce = &copy.runtime.gbce_results;
    let room = |entries: u32| usize::try_from(entries).unwrap_or(0).min(MOST_ENTRIES);
    let (gamma, tone_map) = (room(gbce.gamma_lut_size), room(gbce.tone_map_lut_size));
    copy.items::<f32>(offset_of!(Runtime, r_gamma_lut), gamma)?;
    copy.items::<f32>(offset_of!(Runtime, b_gamma_lut), gamma)?;
    copy.items::<f32>(offset_of!(Runtime, g_gamma_lut), gamma)?;
    copy.items::<f32>(offset_of!(Runtime, tone_map_lut), tone_map)?;
    Ok(copy.runtime)
}

/// A private copy that is being made of the runtime parameters in a buffer.
struct Copy<'a> {
    memory: &'a SharedMemory,
    runtime: Box<Runtime>,
}

impl Copy<'_> {
    fn part(&mut self, range: Range<usize>) -> Result<(), Refusal> {
        let offset = offset_of!(Transport, input) + range.start;
        let target = bytes_of_mut(&mut *self.runtime).get_mut(range).ok_or(Refusal::Short)?;
        self.memory.read_into(offset, target)
    }

    fn items<T>(&mut self, offset: usize, count: usize) -> Result<(), Refusal> {
        self.part(offset..offset + count * size_of::<T>())
    }
}
