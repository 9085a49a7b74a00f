//! `ipu3_ipa_proxy` with libcamera's own open module.

#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

use std::os::fd::AsFd;

use cami_wire::libcamera::ipu3::{Call, ConfigInfo, Event, Reply};
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlSerializer, ControlType, ControlValue, Dialect,
    IdMap, InfoMapPacket, IpaBuffer, IpaCameraSensorInfo, IpaSettings, Plane, Rectangle, Role,
    SharedFd, Size,
};

use crate::support::{content, file};
use crate::worker::{Worker, installed};

const SENSOR: Size = Size { width: 3280, height: 2464 };
const OUTPUT: Size = Size { width: 1280, height: 720 };
const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;
const V4L2_CID_ANALOGUE_GAIN: u32 = 0x009e_0903;
const V4L2_CID_VBLANK: u32 = 0x009e_0901;
const V4L2_CID_HBLANK: u32 = 0x009e_0902;
/// Buffers larger than `ipu3_uapi_params` (39,328 bytes) and `ipu3_uapi_stats_3a` (125,664).
const PARAMS_BYTES: u32 = 0x1_0000;
const STATS_BYTES: u32 = 0x4_0000;
/// `stats_3a_status.awb_en` in `ipu3_uapi_stats_3a`: the module asserts that it is set.
const AWB_EN: usize = 125_536;

fn sensor_info() -> IpaCameraSensorInfo {
    IpaCameraSensorInfo {
        model: "imx219".into(),
        bits_per_pixel: 10,
        active_area_size: SENSOR,
        analog_crop: Rectangle { x: 0, y: 0, width: SENSOR.width, height: SENSOR.height },
        output_size: SENSOR,
        pixel_rate: 182_400_000,
        min_line_length: 3448,
        max_line_length: 3448,
        min_frame_length: 2500,
        max_frame_length: 65535,
        ..IpaCameraSensorInfo::default()
    }
}

/// The sensor's V4L2 controls, as the first map of a serializer.
fn sensor_controls(serializer: &mut ControlSerializer) -> InfoMapPacket {
    let control = |id, min: i32, max: i32, def: i32| ControlInfo {
        id,
        kind: ControlType::Integer32,
        direction: 3,
        min: ControlValue::scalar(&min),
        max: ControlValue::scalar(&max),
        def: ControlValue::scalar(&def),
    };
    let controls = vec![
        control(V4L2_CID_EXPOSURE, 4, 2480, 1600),
        control(V4L2_CID_ANALOGUE_GAIN, 0, 232, 0),
        control(V4L2_CID_VBLANK, 32, 63069, 36),
        control(V4L2_CID_HBLANK, 168, 168, 168),
    ];
    let handle = serializer.add_map(IdMap::V4l2, controls).unwrap();
    serializer.send_map(handle).unwrap()
}

fn ask(worker: &mut Worker, call: &Call, dialect: Dialect) -> Reply {
    let message = call.encode(worker.cookie(), dialect).unwrap();
    let body = worker.call(&message, &[]);
    Reply::decode(call.command(), &body, dialect).unwrap()
}

fn tell(worker: &mut Worker, call: &Call, dialect: Dialect) {
    let message = call.encode(worker.cookie(), dialect).unwrap();
    worker.send(&message, &[]);
}

fn next_event(worker: &mut Worker, dialect: Dialect) -> Event {
    let event = worker.event();
    Event::decode(event.command, &event.body, dialect).unwrap()
}

fn one_plane(id: u32, length: u32) -> IpaBuffer {
    IpaBuffer { id, planes: vec![Plane { fd: SharedFd { valid: true }, offset: 0, length }] }
}

#[test]
fn ipu3_worker_session_with_frames_is_answered_and_fills_the_buffer_that_was_passed() {
    let Some(installed) = installed("ipu3") else { return };
    let dialect = installed.dialect;
    let mut worker = Worker::start(&installed);
    let mut serializer = ControlSerializer::new(Role::Proxy);

    let settings = IpaSettings {
        configuration_file: "/usr/share/libcamera/ipa/ipu3/uncalibrated.yaml".into(),
        sensor_model: "imx219".into(),
    };
    let init = Call::Init {
        settings,
        sensor_info: sensor_info(),
        sensor_controls: Some(sensor_controls(&mut serializer)),
    };
    let offered = |controls: Option<InfoMapPacket>| match controls {
        Some(InfoMapPacket::Map(map)) => map.controls.len(),
        other => panic!("no controls: {other:?}"),
    };
    match ask(&mut worker, &init, dialect) {
        Reply::Init { ret: 0, ipa_controls } => assert!(offered(ipa_controls) >= 2),
        other => panic!("{other:?}"),
    }

    serializer.reset();
    let configure = Call::Configure(Box::new(ConfigInfo {
        sensor_info: sensor_info(),
        sensor_controls: Some(sensor_controls(&mut serializer)),
        lens_controls: None,
        bds_output_size: OUTPUT,
        iif: OUTPUT,
    }));
    match ask(&mut worker, &configure, dialect) {
        Reply::Configure { ret: 0, ipa_controls } => assert!(offered(ipa_controls) >= 2),
        other => panic!("{other:?}"),
    }

    let params = file(&vec![0; PARAMS_BYTES as usize]);
    let mut statistics = vec![0; STATS_BYTES as usize];
    statistics[AWB_EN] = 1;
    let stats = file(&statistics);
    let buffers = Call::MapBuffers(vec![one_plane(1, PARAMS_BYTES), one_plane(2, STATS_BYTES)]);
    assert_eq!(buffers.expected_fds(), 2);
    let message = buffers.encode(worker.cookie(), dialect).unwrap();
    assert_eq!(worker.call(&message, &[params.as_fd(), stats.as_fd()]), b"");

    assert_eq!(ask(&mut worker, &Call::Start, dialect), Reply::Start { ret: 0 });
    // It comes before the answer to `start`.
    let first = next_event(&mut worker, dialect);
    assert!(matches!(first, Event::SetSensorControls { frame: 0, .. }), "{first:?}");

    for frame in 0..20 {
        let none = ControlList { handle: 0, id_map: IdMap::Controls, controls: Vec::new() };
        let controls = Some(serializer.send_list(none).unwrap());
        tell(&mut worker, &Call::QueueRequest { frame, controls }, dialect);
        tell(&mut worker, &Call::ComputeParams { frame, buffer_id: 1 }, dialect);
        assert_eq!(next_event(&mut worker, dialect), Event::ParamsComputed { frame });
        let in_effect = ControlList {
            handle: 1,
            id_map: IdMap::V4l2,
            controls: vec![
                Control { id: V4L2_CID_EXPOSURE, value: ControlValue::scalar(&1600_i32) },
                Control { id: V4L2_CID_ANALOGUE_GAIN, value: ControlValue::scalar(&0_i32) },
            ],
        };
        let process_stats = Call::ProcessStats {
            frame,
            frame_timestamp: i64::from(frame) * 33_333_333,
            buffer_id: 2,
            sensor_controls: Some(serializer.send_list(in_effect).unwrap()),
        };
        tell(&mut worker, &process_stats, dialect);
        let mut seen = [next_event(&mut worker, dialect), next_event(&mut worker, dialect)];
        seen.sort_by_key(Event::number);
        let [sensor, metadata] = seen;
        assert!(matches!(sensor, Event::SetSensorControls { .. }), "{sensor:?}");
        match metadata {
            Event::MetadataReady { frame: of, metadata: Some(_) } => assert_eq!(of, frame),
            other => panic!("{other:?}"),
        }
    }
    assert!(content(&params).iter().any(|byte| *byte != 0), "the worker mapped another file");

    assert_eq!(ask(&mut worker, &Call::Stop, dialect), Reply::Stop);
    assert_eq!(ask(&mut worker, &Call::UnmapBuffers(vec![1, 2]), dialect), Reply::UnmapBuffers);
    tell(&mut worker, &Call::Exit, dialect);
    assert!(worker.end().success());
}
