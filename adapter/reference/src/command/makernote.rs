//! MKN_INIT, MKN_UNINIT, MKN_PREPARE, MKN_ENABLE: data that a HAL writes into its JPEG files.
//!
//! The original collects what its algorithms did. This library has one line of text to tell.

use cami_ipu3::payload::{MknEnableParams, MknInitParams, MknPrepareParams, MknUninitParams};

use super::Session;
use super::part::{read, write, write_items};
use crate::VERSION;
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// A makernote.
#[derive(Debug)]
pub struct Makernote {
    collects: bool,
}

impl Session {
    pub(super) fn mkn_init(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let makernote = Makernote { collects: false };
        let handle = self.makernotes.lock().insert(&self.numbers, makernote)?;
        write!(memory, MknInitParams, results, &handle)
    }

    pub(super) fn mkn_uninit(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, MknUninitParams, mkn_handle)?;
        self.makernotes.lock().remove(handle)
    }

    pub(super) fn mkn_enable(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, MknEnableParams, mkn_handle)?;
        let enable = read!(memory, MknEnableParams, enable_data_collection)?;
        self.makernotes.lock().get(handle)?.collects = enable != 0;
        Ok(())
    }

    /// An empty makernote would be an error of the original, so that there is always some text.
    pub(super) fn mkn_prepare(&self, memory: &SharedMemory) -> Result<(), Refusal> {
        let handle = read!(memory, MknPrepareParams, mkn_handle)?;
        let collects = self.makernotes.lock().get(handle)?.collects;
        let text = format!("{VERSION}, collecting {}", if collects { "on" } else { "off" });
        write_items!(memory, MknPrepareParams, results.data, text.as_bytes())?;
        let size = u32::try_from(text.len()).unwrap_or(0);
        write!(memory, MknPrepareParams, results.size, &size)
    }
}
