//! A camera for tests: the one of the recorded requests (ov13858, full HD video).

use cami_wire::libcamera::{
    Control, ControlElement, ControlInfo, ControlList, ControlValue, IdMap, IpaCameraSensorInfo,
    Rectangle, Size,
};

use crate::control_ids::{ControlIds, ControlName};
use crate::ipa::Mode;
use crate::v4l2;

/// A V4L2 control.
pub(crate) fn v4l2_control(id: u32, min: i32, max: i32, def: i32) -> ControlInfo {
    let [min, max, def] = [min, max, def].map(|value| ControlValue::scalar(&value));
    ControlInfo { id, kind: i32::TYPE, direction: 0, min, max, def }
}

/// The sensor's controls.
pub(crate) fn sensor_controls() -> Vec<ControlInfo> {
    vec![
        v4l2_control(v4l2::EXPOSURE, 4, 3206, 1600),
        v4l2_control(v4l2::ANALOGUE_GAIN, 128, 2048, 128),
        v4l2_control(v4l2::VBLANK, 78, 30_000, 78),
    ]
}

/// The lens's.
pub(crate) fn lens_controls() -> Vec<ControlInfo> {
    vec![v4l2_control(v4l2::FOCUS_ABSOLUTE, 0, 1023, 0)]
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
