//! A camera for tests, inside this crate and in `tests/ipa`: the one of the recorded requests (ov13858, full HD video).

use cami_wire::libcamera::{
    Control, ControlElement, ControlInfo, ControlList, ControlValue, IdMap, IpaCameraSensorInfo,
    Rectangle, Size,
};

use cami_ipu3_ipa::{ControlIds, ControlName, Mode};

/// V4L2's numbers of the controls.
pub(crate) const EXPOSURE: u32 = 0x0098_0911;
pub(crate) const VBLANK: u32 = 0x009e_0901;
pub(crate) const ANALOGUE_GAIN: u32 = 0x009e_0903;
pub(crate) const FOCUS: u32 = 0x009a_090a;
/// Limits of the sensor, in lines and codes, and of its lens.
pub(crate) const LINES: (i32, i32) = (4, 3206);
pub(crate) const CODES: (i32, i32) = (128, 2048);
pub(crate) const POSITIONS: (i32, i32) = (0, 1023);

/// A V4L2 control.
pub(crate) fn v4l2_control(id: u32, (min, max): (i32, i32), def: i32) -> ControlInfo {
    let [min, max, def] = [min, max, def].map(|value| ControlValue::scalar(&value));
    ControlInfo { id, kind: i32::TYPE, direction: 0, min, max, def }
}

/// The sensor's controls.
pub(crate) fn sensor_controls() -> Vec<ControlInfo> {
    vec![
        v4l2_control(EXPOSURE, LINES, 1600),
        v4l2_control(ANALOGUE_GAIN, CODES, 128),
        v4l2_control(VBLANK, (78, 30_000), 78),
    ]
}

/// The lens's.
pub(crate) fn lens_controls() -> Vec<ControlInfo> {
    vec![v4l2_control(FOCUS, POSITIONS, 0)]
}

/// The sensor.
pub(crate) fn sensor_info() -> IpaCameraSensorInfo {
    let size = Size { width: 4224, height: 3136 };
    IpaCameraSensorInfo {
        model: "ov13858".to_owned(),
        bits_per_pixel: 10,
        cfa_pattern: 0,
        active_area_size: size,
        analog_crop: Rectangle { x: 0, y: 0, width: size.width, height: size.height },
        output_size: size,
        pixel_rate: 432_000_000,
        min_line_length: 4480,
        max_line_length: 4480,
        min_frame_length: 3214,
        max_frame_length: 33_136,
    }
}

/// The mode.
pub(crate) fn mode() -> Mode {
    Mode {
        sensor: sensor_info(),
        sensor_controls: sensor_controls(),
        lens_controls: lens_controls(),
        bds: Size { width: 1920, height: 1080 },
        iif: Size { width: 4224, height: 3136 },
    }
}

/// A request's controls; those that the version has not are left out.
pub(crate) fn list(ids: ControlIds, controls: &[(ControlName, ControlValue)]) -> ControlList {
    let controls = controls
        .iter()
        .filter_map(|(name, value)| Some(Control { id: ids.id(*name)?, value: value.clone() }));
    ControlList { handle: 0, id_map: IdMap::Controls, controls: controls.collect() }
}

/// An answer of AE that the checks let through.
pub(crate) fn ae_answer(coarse: u16, code: u16) -> cami_ipu3::sequence::ae::AeAnswer {
    let mut payload = cami_ipu3::zeroed_box::<cami_ipu3::payload::AeRunParams>();
    let results = &mut payload.res;
    results.base.exposures = 1;
    results.base.num_exposures = 1;
    let [first] = &mut results.exposures;
    first.exposure = 1;
    first.sensor_exposure = 1;
    results.exposure.exposure_time_us = i32::from(coarse) * 10;
    results.exposure.analog_gain = f32::from(code) / 128.0;
    results.exposure.digital_gain = 1.0;
    results.sensor_exposure.coarse_integration_time = coarse;
    results.sensor_exposure.analog_gain_code_global = code;
    #[allow(clippy::unwrap_used, reason = "a test states what it expects")]
    cami_ipu3::sequence::ae::AeAnswer::take(&payload).unwrap()
}
