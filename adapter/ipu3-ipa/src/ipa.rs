//! What an IPA for libcamera's IPU3 pipeline handler does.
//!
//! Source: libcamera `include/libcamera/ipa/ipu3.mojom` and `src/libcamera/pipeline/ipu3/ipu3.cpp`;
//! spec/libcamera-ipa.md, 3.2.

use std::fmt;
use std::time::Instant;

use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, IpaCameraSensorInfo, IpaSettings, Size,
};

/// Size of `ipu3_uapi_stats_3a`.
pub const STATISTICS_BYTES: usize = 125_664;
/// Size of `ipu3_uapi_params`.
pub const PARAMS_BYTES: usize = 39_328;

/// An IPA for libcamera's IPU3 pipeline handler.
///
/// It lives on one thread, which is not the one that serves libcamera: it may wait for the vendor
/// library until `until`, and not longer.
pub trait Ipa: Send {
    /// Reads the tuning and brings the library up. Answers the camera's controls and their limits.
    ///
    /// # Errors
    /// No tuning, no library, or one that refuses its tuning.
    fn init(
        &mut self,
        settings: &IpaSettings,
        sensor: &IpaCameraSensorInfo,
        sensor_controls: &[ControlInfo],
        until: Instant,
    ) -> Result<Vec<ControlInfo>, IpaError>;

    /// Makes the library ready for a mode. Answers the controls and their limits in that mode.
    ///
    /// # Errors
    /// A mode that the library or the protocol cannot carry.
    fn configure(&mut self, mode: &Mode, until: Instant) -> Result<Vec<ControlInfo>, IpaError>;

    /// The exposure of the first frame; also after [`Ipa::stop`] without another
    /// [`Ipa::configure`].
    ///
    /// # Errors
    /// Not configured.
    fn start(&mut self, until: Instant) -> Result<SensorSettings, IpaError>;

    /// Afterwards no request is in flight at the library, and its AIQD is saved.
    fn stop(&mut self, until: Instant);

    /// The controls of a request: they hold from its frame on, until others come.
    fn queue_request(&mut self, frame: u32, controls: &ControlList);

    /// The statistics of a frame: `statistics` is an `ipu3_uapi_stats_3a`, `in_effect` the sensor
    /// controls that the frame was taken with. Answers whatever happens: what the sensor shall do
    /// next, and the frame's metadata.
    fn process_stats(
        &mut self,
        frame: u32,
        timestamp_ns: i64,
        statistics: &[u8],
        in_effect: &ControlList,
        until: Instant,
    ) -> Processed;

    /// The newest `ipu3_uapi_params`, [`PARAMS_BYTES`] long; `None` where there is nothing new.
    fn compute_params(&mut self, frame: u32, until: Instant) -> Option<&[u8]>;

    /// The last call: ends what the library has made, as far as there is time and a library.
    fn end(&mut self, _until: Instant) {}
}

/// The mode of a camera: `IPAConfigInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// The sensor and its mode.
    pub sensor: IpaCameraSensorInfo,
    /// The sensor's V4L2 controls and their limits in the mode.
    pub sensor_controls: Vec<ControlInfo>,
    /// The lens driver's; empty where the camera has no lens.
    pub lens_controls: Vec<ControlInfo>,
    /// What the ISP's Bayer down-scaler makes.
    pub bds: Size,
    /// What the ISP takes in of the sensor's frame.
    pub iif: Size,
}

/// What a sensor and its lens shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorSettings {
    /// `V4L2_CID_EXPOSURE`.
    pub exposure_lines: i32,
    /// `V4L2_CID_ANALOGUE_GAIN`.
    pub analogue_gain_code: i32,
    /// `V4L2_CID_FOCUS_ABSOLUTE`, where the lens shall move.
    pub lens_position: Option<i32>,
}

/// What became of a frame's statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processed {
    /// What the sensor shall do next.
    pub sensor: Option<SensorSettings>,
    /// The frame's metadata, with the ids of the libcamera that asked.
    pub metadata: Vec<Control>,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpaError {
    /// What libcamera is told: a negative errno.
    pub errno: i32,
    /// What the log is told.
    pub text: String,
}

impl fmt::Display for IpaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (errno {})", self.text, self.errno.saturating_neg())
    }
}

impl std::error::Error for IpaError {}
