//! `vimc_ipa_proxy`, which needs no hardware.

#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

use std::os::fd::AsFd;

use cami_wire::libcamera::vimc::{Call, Event, Reply};
use cami_wire::libcamera::{
    ControlInfo, ControlSerializer, ControlType, ControlValue, Dialect, IdMap, IpaBuffer,
    IpaCameraSensorInfo, IpaSettings, IpaStream, Map, Plane, Rectangle, Role, SharedFd, Size,
};

use crate::support::file;
use crate::worker::{Worker, installed};

const FRAME: Size = Size { width: 640, height: 480 };
const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;
const XR24: u32 = u32::from_le_bytes(*b"XR24");

fn init() -> Call {
    Call::Init {
        settings: IpaSettings {
            configuration_file: "/usr/share/libcamera/ipa/vimc/vimc.conf".into(),
            sensor_model: "Sensor B".into(),
        },
        trace_fd: SharedFd::default(),
        code: 1,
        in_flags: 2,
    }
}

fn configure() -> Call {
    let mut serializer = ControlSerializer::new(Role::Proxy);
    let exposure = ControlInfo {
        id: V4L2_CID_EXPOSURE,
        kind: ControlType::Integer32,
        direction: 3,
        min: ControlValue::scalar(&1_i32),
        max: ControlValue::scalar(&100_i32),
        def: ControlValue::scalar(&10_i32),
    };
    let handle = serializer.add_map(IdMap::V4l2, vec![exposure]).unwrap();
    Call::Configure {
        sensor_info: IpaCameraSensorInfo {
            model: "Sensor B".into(),
            bits_per_pixel: 10,
            active_area_size: FRAME,
            analog_crop: Rectangle { x: 0, y: 0, width: FRAME.width, height: FRAME.height },
            output_size: FRAME,
            pixel_rate: 1,
            min_line_length: 2,
            max_line_length: 3,
            min_frame_length: 4,
            max_frame_length: 5,
            ..IpaCameraSensorInfo::default()
        },
        stream_config: Map(vec![(0, IpaStream { pixel_format: XR24, size: FRAME })]),
        entity_controls: Map(vec![(0, Some(serializer.send_map(handle).unwrap()))]),
    }
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

#[test]
fn vimc_worker_whole_session_is_answered() {
    let Some(installed) = installed("vimc") else { return };
    let dialect = installed.dialect;
    let mut worker = Worker::start(&installed);
    // The worker's own module gives IPAOperationInit's flag 1 back.
    assert_eq!(ask(&mut worker, &init(), dialect), Reply::Init { ret: 0, out_flags: 1 });
    assert_eq!(ask(&mut worker, &configure(), dialect), Reply::Configure { ret: 0 });
    let plane = Plane { fd: SharedFd { valid: true }, offset: 0, length: 4096 };
    let buffers = Call::MapBuffers(vec![IpaBuffer { id: 1, planes: vec![plane] }]);
    let message = buffers.encode(worker.cookie(), dialect).unwrap();
    let buffer = file(&[0; 4096]);
    assert_eq!(worker.call(&message, &[buffer.as_fd()]), b"");
    assert_eq!(ask(&mut worker, &Call::Start, dialect), Reply::Start { ret: 0 });
    for frame in 7..200 {
        let call = Call::ComputeParams { frame, buffer_id: 1 };
        tell(&mut worker, &call, dialect);
        let event = worker.event();
        let event = Event::decode(event.command, &event.body, dialect).unwrap();
        assert_eq!(event.buffer_id, 1);
    }
    assert_eq!(ask(&mut worker, &Call::UnmapBuffers(vec![1]), dialect), Reply::UnmapBuffers);
    assert_eq!(ask(&mut worker, &Call::Stop, dialect), Reply::Stop);
    tell(&mut worker, &Call::Exit, dialect);
    assert!(worker.end().success());
}

#[test]
fn vimc_worker_killed_in_a_session_is_seen_by_its_pidfd() {
    let Some(installed) = installed("vimc") else { return };
    let mut worker = Worker::start(&installed);
    let reply = ask(&mut worker, &init(), installed.dialect);
    assert_eq!(reply, Reply::Init { ret: 0, out_flags: 1 });
    worker.kill();
    assert!(worker.receive().is_none());
    assert!(!worker.end().success());
}
