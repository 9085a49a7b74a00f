//! AIQ_INIT, AIQ_DEINIT, AIQ_GET_AIQ_DATA, AIQ_GET_VERSION: the 3A of one camera.

use cami_ipu3::payload::{AiqDeinitParams, AiqInitParams, AiqVersionParams, BinaryDataParams};

use super::Session;
use super::part::{read, write, write_text};
use crate::VERSION;
use crate::algorithm::{GainModel, Statistics, ae, af, awb, sa};
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// The makernote handle of a client that wants none.
const NO_MAKERNOTE: u64 = 0;

/// What one camera's algorithms remember.
#[derive(Debug)]
pub struct Aiq {
    pub(super) gains: GainModel,
    pub(super) statistics: Option<Statistics>,
    pub(super) ae: ae::State,
    pub(super) awb: awb::State,
    pub(super) af: af::State,
    pub(super) sa: sa::State,
}

impl Session {
    /// The tuning, NVM and AIQ data behind the struct are not looked at; that they are there is.
    pub(super) fn aiq_init(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let header: AiqInitParams = memory.read(0)?;
        let blobs = [header.aiqb_size, header.nvm_size, header.aiqd_size];
        let blobs = blobs.iter().map(|size| u64::from(*size)).sum::<u64>();
        let room = memory.size().saturating_sub(size_of::<AiqInitParams>());
        if usize::try_from(blobs).map_or(true, |blobs| blobs > room) {
            return Err(Refusal::Short);
        }
        self.cmcs.lock().get(header.cmc_remote_handle)?;
        if header.ia_mkn != NO_MAKERNOTE {
            self.makernotes.lock().get(header.ia_mkn)?;
        }
        let aiq = Aiq {
            gains: GainModel::linear(),
            statistics: None,
            ae: ae::State::default(),
            awb: awb::State::default(),
            af: af::State::default(),
            sa: sa::State::default(),
        };
        let handle = self.aiqs.lock().insert(&self.numbers, aiq)?;
        write!(memory, AiqInitParams, results, &handle)
    }

    pub(super) fn aiq_deinit(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, AiqDeinitParams, aiq_handle)?;
        self.aiqs.lock().remove(handle)
    }

    /// There is nothing that would be worth starting from next time; the data says who says so.
    pub(super) fn aiq_get_data(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, BinaryDataParams, aiq_handle)?;
        self.aiqs.lock().get(handle)?;
        write_text!(memory, BinaryDataParams, data, size, VERSION)
    }
}

/// The answer of AIQ_GET_VERSION.
pub fn get_version(memory: &SharedMemory) -> Result<(), Refusal> {
    write_text!(memory, AiqVersionParams, data, size, VERSION)
}
