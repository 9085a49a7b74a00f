//! The `ipu3` interface: libcamera's IPU3 pipeline handler and its IPA.
//!
//! Source: libcamera `include/libcamera/ipa/ipu3.mojom`. Numbers and arguments are the same from
//! 0.0.3 to 0.7.2; the names are those since 0.4.0 (before, `computeParams` was
//! `fillParamsBuffer`, `processStats` was `processStatsBuffer`, `paramsComputed` was
//! `paramsBufferReady`).

mod call;
mod detect;
mod event_message;
mod reply;

pub use call::Call;
pub use detect::detect_dialect;
pub use event_message::Event;
pub use reply::Reply;

use super::value::{get_field, put_field};
use super::{Dialect, InfoMapPacket, IpaCameraSensorInfo, Size, Value};
use crate::WireError;
use crate::reader::Reader;

/// Command numbers.
pub mod command {
    /// See [`super::Call::Init`].
    pub const INIT: u32 = 1;
    /// See [`super::Call::Start`].
    pub const START: u32 = 2;
    /// See [`super::Call::Stop`].
    pub const STOP: u32 = 3;
    /// See [`super::Call::Configure`].
    pub const CONFIGURE: u32 = 4;
    /// See [`super::Call::MapBuffers`].
    pub const MAP_BUFFERS: u32 = 5;
    /// See [`super::Call::UnmapBuffers`].
    pub const UNMAP_BUFFERS: u32 = 6;
    /// See [`super::Call::QueueRequest`].
    pub const QUEUE_REQUEST: u32 = 7;
    /// See [`super::Call::ComputeParams`].
    pub const COMPUTE_PARAMS: u32 = 8;
    /// See [`super::Call::ProcessStats`].
    pub const PROCESS_STATS: u32 = 9;
}

/// Event numbers.
pub mod event {
    /// See [`super::Event::SetSensorControls`].
    pub const SET_SENSOR_CONTROLS: u32 = 1;
    /// See [`super::Event::ParamsComputed`].
    pub const PARAMS_COMPUTED: u32 = 2;
    /// See [`super::Event::MetadataReady`].
    pub const METADATA_READY: u32 = 3;
}

/// `IPAConfigInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigInfo {
    /// The sensor in the mode that was configured.
    pub sensor_info: IpaCameraSensorInfo,
    /// V4L2 controls of the sensor.
    pub sensor_controls: Option<InfoMapPacket>,
    /// V4L2 controls of the lens; `None` without one.
    pub lens_controls: Option<InfoMapPacket>,
    /// Output size of the Bayer down-scaler.
    pub bds_output_size: Size,
    /// Output size of the input feeder.
    pub iif: Size,
}

impl Value for ConfigInfo {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_field(&self.sensor_info, dialect, out)?;
        put_field(&self.sensor_controls, dialect, out)?;
        put_field(&self.lens_controls, dialect, out)?;
        put_field(&self.bds_output_size, dialect, out)?;
        put_field(&self.iif, dialect, out)
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let info = Self {
            sensor_info: get_field(&mut reader, dialect)?,
            sensor_controls: get_field(&mut reader, dialect)?,
            lens_controls: get_field(&mut reader, dialect)?,
            bds_output_size: get_field(&mut reader, dialect)?,
            iif: get_field(&mut reader, dialect)?,
        };
        reader.finish()?;
        Ok(info)
    }
}
