//! What an application has asked for, so far: `apply.rs` says how it comes about.

use cami_wire::libcamera::Rectangle;

/// Something that is found automatically, or kept by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kept<T> {
    /// By hand.
    pub manual: bool,
    /// At this value; `None` for wherever it is.
    pub value: Option<T>,
}

impl<T: Copy> Kept<T> {
    /// The value that is to be kept, if one is and it is known.
    pub fn at(&self) -> Option<T> {
        self.value.filter(|_| self.manual)
    }
}

/// `AeMeteringMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// The middle counts more.
    Centre,
    /// Only the middle counts.
    Spot,
    /// As the tuning says.
    #[default]
    Matrix,
}

/// `AeFlickerMode`, with `AeFlickerPeriod`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flicker {
    /// Not avoided.
    Off,
    /// Of light that flickers with the period that is set.
    Manual,
    /// Found by the library.
    #[default]
    Auto,
}

/// `AfMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfMode {
    /// `LensPosition` says where the lens is.
    Manual,
    /// A search when one is asked for.
    Auto,
    /// All the time.
    #[default]
    Continuous,
}

/// `AfRange`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfRange {
    /// Without the nearest distances.
    #[default]
    Normal,
    /// Only near.
    Macro,
    /// Everything.
    Full,
}

/// `AfTrigger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfTrigger {
    /// Search.
    Start,
    /// Stop searching.
    Cancel,
}

/// `AfPause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfPause {
    /// At once.
    Immediate,
    /// When the search has ended.
    Deferred,
    /// Go on.
    Resume,
}

/// Everything at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Exposure time, in µs.
    pub exposure: Kept<i32>,
    /// Analogue gain.
    pub gain: Kept<f32>,
    /// Exposure compensation, in stops.
    pub exposure_value: f32,
    /// What is metered.
    pub metering: Metering,
    /// Flicker of the light.
    pub flicker: Flicker,
    /// Its period, in µs; 0 before one was set.
    pub flicker_period_us: i32,
    /// Whether white balance is found.
    pub awb_enable: bool,
    /// `AwbMode`.
    pub awb_mode: i32,
    /// Colour temperature that is kept while it is not found, in kelvin.
    pub colour_temperature: Option<u32>,
    /// Gains of red and blue that are kept while it is not found.
    pub colour_gains: Option<(f32, f32)>,
    /// Focus.
    pub af_mode: AfMode,
    /// Where it is searched.
    pub af_range: AfRange,
    /// Part of the sensor that shall be sharp, in pixels of its analogue crop; `None` for the
    /// library's choice.
    pub af_window: Option<Rectangle>,
    /// What was asked since somebody looked.
    pub af_trigger: Option<AfTrigger>,
    /// What was asked since somebody looked.
    pub af_pause: Option<AfPause>,
    /// Dioptres.
    pub lens_position: Option<f32>,
    /// −1 to 1.
    pub brightness: f32,
    /// 0 to 2, 1 is normal.
    pub contrast: f32,
    /// 0 to 2, 1 is normal.
    pub saturation: f32,
    /// 0 to 2, 1 is normal.
    pub sharpness: f32,
    /// `AeEnable`, where exposure time and gain have no modes of their own.
    pub(crate) ae_enable: bool,
    /// The first of `AfWindows` that is one.
    pub(crate) af_windows: Option<Rectangle>,
    /// `AfMetering` is by windows.
    pub(crate) meters_windows: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            exposure: Kept::default(),
            gain: Kept::default(),
            exposure_value: 0.0,
            metering: Metering::default(),
            flicker: Flicker::default(),
            flicker_period_us: 0,
            awb_enable: true,
            awb_mode: 0,
            colour_temperature: None,
            colour_gains: None,
            af_mode: AfMode::default(),
            af_range: AfRange::default(),
            af_window: None,
            af_trigger: None,
            af_pause: None,
            lens_position: None,
            brightness: 0.0,
            contrast: 1.0,
            saturation: 1.0,
            sharpness: 1.0,
            ae_enable: true,
            af_windows: None,
            meters_windows: false,
        }
    }
}
