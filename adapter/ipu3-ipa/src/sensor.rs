//! The sensor in its mode: limits, timing, and the way of the picture from it.

use cami_ipu3::payload::{ExposureSensorDescriptor, FrameParams};
use cami_ipu3::sequence::aic::Geometry;
use cami_wire::libcamera::{ControlInfo, ControlValue, IpaCameraSensorInfo, Size};
use zerocopy::FromZeros;

use crate::errno::{EINVAL, error};
use crate::ipa::{IpaError, Mode};
use crate::numbers::{round_to_i32, to_u16};
use crate::v4l2;

/// Lines by which the longest exposure is shorter than the frame where the sensor does not say
/// (`camera3_profiles.xml` of soraka and nautilus; spec/ipu3-protocol.md, 5.1).
const USUAL_MARGIN: u16 = 10;

/// The values that a V4L2 control may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The smallest.
    pub min: i32,
    /// The largest.
    pub max: i32,
    /// The one that it begins with.
    pub def: i32,
}

impl Limits {
    /// Those of a control, if it is there and they make sense.
    fn of(controls: &[ControlInfo], id: u32) -> Option<Self> {
        let info = controls.iter().find(|info| info.id == id)?;
        let [min, max] = [number(&info.min)?, number(&info.max)?];
        let def = number(&info.def).unwrap_or(min);
        (min <= max).then_some(Self { min, max, def: def.clamp(min, max) })
    }

    /// The nearest value that is allowed.
    #[must_use]
    pub fn clamp(&self, value: i32) -> i32 {
        value.clamp(self.min, self.max)
    }
}

fn number(value: &ControlValue) -> Option<i32> {
    let wide = || value.get::<i64>().and_then(|wide| i32::try_from(wide).ok());
    value.get::<i32>().or_else(wide)
}

/// The sensor in its mode.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// Exposure times, in lines; at least 1.
    pub exposure: Limits,
    /// Codes of the analogue gain.
    pub gain: Limits,
    /// Positions of the lens, in steps; `None` where there is no lens that can move.
    pub focus: Option<Limits>,
    /// Bits of a pixel.
    pub bits: u32,
    line_us: f64,
    descriptor: ExposureSensorDescriptor,
}

impl Sensor {
    /// Makes sense of what libcamera says of a sensor.
    pub(crate) fn new(
        info: &IpaCameraSensorInfo,
        controls: &[ControlInfo],
        lens: &[ControlInfo],
    ) -> Result<Self, IpaError> {
        let bad = |what: &str| error(EINVAL, format!("sensor {}: {what}", info.model));
        let exposure = Limits::of(controls, v4l2::EXPOSURE)
            .filter(|limits| limits.max >= 1)
            .ok_or_else(|| bad("it has no control for the exposure time"))?;
        let gain = Limits::of(controls, v4l2::ANALOGUE_GAIN)
            .ok_or_else(|| bad("it has no control for the analogue gain"))?;
        if info.pixel_rate == 0 || info.min_line_length == 0 || info.output_size.height == 0 {
            return Err(bad("it has no timing"));
        }
        // Lines that 16 bits do not hold are counted in multiples of the pixel clock.
        let divisor = info.min_line_length.div_ceil(u32::from(u16::MAX));
        #[expect(clippy::cast_precision_loss, reason = "rates are below 2^53")]
        let rate = info.pixel_rate as f64;
        let clock_mhz = rate / 1e6 / f64::from(divisor);
        let line_us = f64::from(info.min_line_length) * 1e6 / rate;
        let frame = Self::frame_length(info, controls)
            .ok_or_else(|| bad("its frames have more lines than the protocol can carry"))?;
        let margin = i32::from(frame).saturating_sub(exposure.max);
        let margin = u16::try_from(margin).ok().filter(|margin| *margin < frame);
        let per_line = to_u16(info.min_line_length.div_euclid(divisor));
        #[expect(clippy::cast_possible_truncation, reason = "the protocol's precision")]
        let descriptor = ExposureSensorDescriptor {
            pixel_clock_freq_mhz: clock_mhz as f32,
            pixel_periods_per_line: per_line,
            line_periods_per_field: frame,
            line_periods_vertical_blanking: frame.saturating_sub(to_u16(info.output_size.height)),
            fine_integration_time_min: 0,
            fine_integration_time_max_margin: per_line,
            coarse_integration_time_min: u16::try_from(exposure.min.max(1)).unwrap_or(u16::MAX),
            coarse_integration_time_max_margin: margin.unwrap_or(USUAL_MARGIN),
            ..ExposureSensorDescriptor::new_zeroed()
        };
        let exposure =
            Limits { min: exposure.min.max(1), max: exposure.max, def: exposure.def.max(1) };
        let focus = Limits::of(lens, v4l2::FOCUS_ABSOLUTE).filter(|focus| focus.min < focus.max);
        Ok(Self { exposure, gain, focus, bits: info.bits_per_pixel, line_us, descriptor })
    }

    /// Lines of a frame: nobody changes the blanking, so it is the one that the driver begins with.
    fn frame_length(info: &IpaCameraSensorInfo, controls: &[ControlInfo]) -> Option<u16> {
        let blanking = Limits::of(controls, v4l2::VBLANK).and_then(|limits| {
            let blanking = u32::try_from(limits.def).ok()?;
            info.output_size.height.checked_add(blanking)
        });
        let lines = blanking.unwrap_or(info.min_frame_length);
        u16::try_from(lines).ok().filter(|lines| *lines > 0)
    }

    /// The sensor's timing in the protocol's words.
    #[must_use]
    pub fn descriptor(&self) -> ExposureSensorDescriptor {
        self.descriptor
    }

    /// Time of a number of lines, in µs.
    #[must_use]
    pub fn lines_to_us(&self, lines: i32) -> i32 {
        round_to_i32(f64::from(lines) * self.line_us)
    }

    /// Time of a frame, in µs, rounded up: both limits of AE's frame time. With one of them open it
    /// would choose a frame length of its own, which libcamera's pipeline cannot set.
    #[must_use]
    pub fn frame_us(&self) -> i32 {
        let lines = f64::from(self.descriptor.line_periods_per_field);
        round_to_i32((lines * self.line_us).ceil())
    }

    /// The same, to the nearest µs: what a frame really takes.
    #[must_use]
    pub fn frame_duration_us(&self) -> i64 {
        self.lines_to_us(i32::from(self.descriptor.line_periods_per_field)).into()
    }
}

/// The way of the picture in a mode.
pub(crate) fn geometry(mode: &Mode) -> Result<Geometry, IpaError> {
    let crop = &mode.sensor.analog_crop;
    let cropped = Size { width: crop.width, height: crop.height };
    let output = mode.sensor.output_size;
    let [cropped, output, iif, bds] = [
        ("analogue crop", cropped),
        ("output", output),
        ("ISP input", mode.iif),
        ("BDS", mode.bds),
    ]
    .map(|(what, size)| pair(what, size));
    let (cropped, output) = (cropped?, output?);
    let (horizontal, vertical) = (scale(output.0, cropped.0), scale(output.1, cropped.1));
    Ok(Geometry {
        sensor: FrameParams {
            horizontal_crop_offset: u16::try_from(crop.x).unwrap_or(0),
            vertical_crop_offset: u16::try_from(crop.y).unwrap_or(0),
            cropped_image_width: cropped.0,
            cropped_image_height: cropped.1,
            horizontal_scaling_numerator: horizontal.0,
            horizontal_scaling_denominator: horizontal.1,
            vertical_scaling_numerator: vertical.0,
            vertical_scaling_denominator: vertical.1,
        },
        output,
        bds_input: iif?,
        bds_output: bds?,
    })
}

/// A size that 16 bits hold and that is one.
fn pair(what: &str, size: Size) -> Result<(u16, u16), IpaError> {
    match (u16::try_from(size.width), u16::try_from(size.height)) {
        (Ok(width), Ok(height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err(error(EINVAL, format!("the {what} has {} × {} pixels", size.width, size.height))),
    }
}

/// Output ÷ input as a fraction of two bytes: the exact one where it has so small terms, otherwise
/// the nearest.
fn scale(output: u16, input: u16) -> (u8, u8) {
    let wanted = f64::from(output) / f64::from(input.max(1));
    let mut best = (1, 1);
    let mut least = f64::INFINITY;
    for denominator in 1..=u8::MAX {
        let numerator = (wanted * f64::from(denominator)).round().clamp(1.0, 255.0);
        let miss = (numerator / f64::from(denominator) - wanted).abs();
        if miss < least - 1e-12 {
            least = miss;
            best = (u8::try_from(round_to_i32(numerator)).unwrap_or(u8::MAX), denominator);
        }
    }
    best
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::made_up::{lens_controls, mode, sensor_controls, sensor_info};
    use cami_wire::libcamera::Rectangle;

    fn sensor() -> Sensor {
        Sensor::new(&sensor_info(), &sensor_controls(), &lens_controls()).unwrap()
    }

    /// Against vectors README: 432 MHz, 4480, 3214, 8, and a frame time of 33333 µs.
    #[test]
    fn the_descriptor_is_the_one_of_the_recorded_requests() {
        let found = sensor().descriptor();
        assert_eq!(found.pixel_clock_freq_mhz, 432.0);
        assert_eq!(found.pixel_periods_per_line, 4480);
        assert_eq!(found.line_periods_per_field, 3214);
        assert_eq!(found.line_periods_vertical_blanking, 3214 - 3136);
        assert_eq!(found.fine_integration_time_max_margin, 4480);
        assert_eq!(found.coarse_integration_time_min, 4);
        assert_eq!(found.coarse_integration_time_max_margin, 8);
        assert_eq!((sensor().frame_us(), sensor().frame_duration_us()), (33331, 33330));
    }

    #[test]
    fn nonsense_of_a_sensor_is_refused() {
        let (info, controls) = (sensor_info(), sensor_controls());
        let refused = |info: &IpaCameraSensorInfo, controls: &[ControlInfo]| {
            Sensor::new(info, controls, &[]).unwrap_err().errno
        };
        assert_eq!(refused(&info, &[]), -EINVAL);
        assert_eq!(refused(&info, controls.get(..1).unwrap()), -EINVAL);
        let dead = IpaCameraSensorInfo { pixel_rate: 0, ..info.clone() };
        assert_eq!(refused(&dead, &controls), -EINVAL);
        let endless = IpaCameraSensorInfo { min_frame_length: 70_000, ..info.clone() };
        let without_blanking: Vec<ControlInfo> =
            controls.iter().filter(|control| control.id != v4l2::VBLANK).cloned().collect();
        assert_eq!(refused(&endless, &without_blanking), -EINVAL);
        let wide = IpaCameraSensorInfo { min_line_length: 131_000, ..info };
        let found = Sensor::new(&wide, &controls, &[]).unwrap();
        assert_eq!(found.descriptor().pixel_periods_per_line, 65_500);
        assert_eq!(found.descriptor().pixel_clock_freq_mhz, 216.0);
        assert!(found.focus.is_none());
    }

    #[test]
    fn binning_is_a_scale_and_a_crop_stays_one() {
        let mut mode = mode();
        mode.sensor.output_size = Size { width: 2112, height: 1568 };
        mode.iif = Size { width: 2112, height: 1560 };
        let found = geometry(&mode).unwrap();
        assert_eq!(found.sensor.horizontal_scaling_numerator, 1);
        assert_eq!(found.sensor.horizontal_scaling_denominator, 2);
        assert_eq!((found.output, found.bds_input), ((2112, 1568), (2112, 1560)));
        assert_eq!(found.sensor.cropped_image_width, 4224);
        assert_eq!(scale(4224, 4224), (1, 1));
        assert_eq!(scale(1408, 4224), (1, 3));
        assert_eq!(scale(1, 60_000), (1, 255));
        mode.sensor.analog_crop = Rectangle::default();
        assert_eq!(geometry(&mode).unwrap_err().errno, -EINVAL);
    }
}
