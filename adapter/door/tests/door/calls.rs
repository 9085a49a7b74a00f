//! What libcamera says, and what it reads out of the answers.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use cami_ipu3_ipa::{PARAMS_BYTES, STATISTICS_BYTES};
use cami_wire::libcamera::ipu3::{self, Call, ConfigInfo, Reply};
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlType, ControlValue, IdMap, InfoMapPacket, IpaBuffer,
    IpaCameraSensorInfo, IpaSettings, Plane, Rectangle, SharedFd, Size,
};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::host::{Host, V4L2_CID_ANALOGUE_GAIN, V4L2_CID_EXPOSURE, V4L2_CID_FOCUS_ABSOLUTE};

impl Host {
    pub fn sensor_info(&self) -> IpaCameraSensorInfo {
        let size = Size { width: 3280, height: 2464 };
        IpaCameraSensorInfo {
            model: "imx219".into(),
            bits_per_pixel: 10,
            active_area_size: size,
            analog_crop: Rectangle { x: 0, y: 0, width: size.width, height: size.height },
            output_size: size,
            pixel_rate: 182_400_000,
            min_line_length: 3648,
            max_line_length: 3648,
            min_frame_length: 2500,
            max_frame_length: 65535,
            ..IpaCameraSensorInfo::default()
        }
    }

    pub fn init_call(&mut self) -> Call {
        let controls = vec![
            limits(V4L2_CID_EXPOSURE, 4, 2480),
            limits(V4L2_CID_ANALOGUE_GAIN, 0, 232),
            limits(0x009e_0901, 32, 63_069),
        ];
        let handle = self.serializer.add_map(IdMap::V4l2, controls).unwrap();
        let settings = IpaSettings {
            configuration_file: "/usr/share/libcamera/ipa/ipu3/uncalibrated.yaml".into(),
            sensor_model: "imx219".into(),
        };
        Call::Init {
            settings,
            sensor_info: self.sensor_info(),
            sensor_controls: Some(self.serializer.send_map(handle).unwrap()),
        }
    }

    /// What `init` answers: number, controls, time.
    pub fn init(&mut self) -> (i32, Vec<ControlInfo>, Duration) {
        let call = self.init_call();
        match self.ask_with(&call, &[]) {
            (Reply::Init { ret, ipa_controls }, time) => (ret, self.offered(ipa_controls), time),
            other => panic!("{other:?}"),
        }
    }

    fn offered(&mut self, packet: Option<InfoMapPacket>) -> Vec<ControlInfo> {
        let map = self.serializer.receive_map(packet.expect("a map, always")).unwrap();
        let map = map.expect("a packet of zeros");
        assert_eq!(map.handle % 2, 0, "a worker's handles are even");
        map.controls.clone()
    }

    pub fn configure_call(&mut self, lens: bool) -> Call {
        self.serializer.reset();
        let sensor =
            vec![limits(V4L2_CID_EXPOSURE, 4, 2480), limits(V4L2_CID_ANALOGUE_GAIN, 0, 232)];
        let sensor = self.serializer.add_map(IdMap::V4l2, sensor).unwrap();
        let lens_controls = lens.then(|| {
            let lens = vec![limits(V4L2_CID_FOCUS_ABSOLUTE, 0, 1023)];
            let lens = self.serializer.add_map(IdMap::V4l2, lens).unwrap();
            self.serializer.send_map(lens).unwrap()
        });
        let size = Size { width: 1280, height: 720 };
        Call::Configure(Box::new(ConfigInfo {
            sensor_info: self.sensor_info(),
            sensor_controls: Some(self.serializer.send_map(sensor).unwrap()),
            lens_controls,
            bds_output_size: size,
            iif: size,
        }))
    }

    /// What `configure` answers: number, controls, time.
    pub fn configure(&mut self, lens: bool) -> (i32, Vec<ControlInfo>, Duration) {
        let call = self.configure_call(lens);
        match self.ask_with(&call, &[]) {
            (Reply::Configure { ret, ipa_controls }, time) => {
                (ret, self.offered(ipa_controls), time)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Buffers 1 to 4 for parameters, 5 to 8 for statistics.
    pub fn map(&mut self) {
        self.params = (0..4).map(|_| memory(PARAMS_BYTES, 0xee)).collect();
        self.statistics = (0..4).map(|number| memory(STATISTICS_BYTES, 50 + number)).collect();
        let buffers = (1..9)
            .map(|id| {
                let length = if id < 5 { PARAMS_BYTES } else { STATISTICS_BYTES };
                let length = u32::try_from(length).unwrap();
                buffer(id, length)
            })
            .collect();
        let fds: Vec<OwnedFd> = self
            .params
            .iter()
            .chain(&self.statistics)
            .map(|file| file.as_fd().try_clone_to_owned().unwrap())
            .collect();
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let (reply, _) = self.ask_with(&Call::MapBuffers(buffers), &fds);
        assert_eq!(reply, Reply::MapBuffers);
    }

    pub fn compute(&mut self, frame: u32) -> Instant {
        self.tell(&Call::ComputeParams { frame, buffer_id: 1 + frame % 4 })
    }

    pub fn process(&mut self, frame: u32) -> Instant {
        let in_effect = ControlList {
            handle: 1,
            id_map: IdMap::V4l2,
            controls: vec![
                Control { id: V4L2_CID_EXPOSURE, value: ControlValue::scalar(&1000_i32) },
                Control { id: V4L2_CID_ANALOGUE_GAIN, value: ControlValue::scalar(&0_i32) },
            ],
        };
        let list = self.serializer.send_list(in_effect).unwrap();
        self.tell(&Call::ProcessStats {
            frame,
            frame_timestamp: i64::from(frame) * 33_000_000,
            buffer_id: 5 + frame % 4,
            sensor_controls: Some(list),
        })
    }

    /// The list of `setSensorControls`, as `(exposure, gain, focus)`.
    pub fn settings(&mut self, event: &ipu3::Event) -> (u32, Vec<i32>, Option<i32>) {
        let ipu3::Event::SetSensorControls { frame, sensor_controls, lens_controls } = event else {
            panic!("{event:?}")
        };
        let mut read = |packet: &Option<_>| {
            let list = self.serializer.receive_list(packet.clone().unwrap()).unwrap();
            // Number 7: every list of V4L2 controls has a map.
            assert_ne!(list.handle, 0, "a list without a map");
            assert_eq!(list.handle % 2, 0);
            list
        };
        let sensor = read(sensor_controls);
        let lens = read(lens_controls);
        let ids: Vec<u32> = sensor.controls.iter().map(|control| control.id).collect();
        assert_eq!(ids, [V4L2_CID_EXPOSURE, V4L2_CID_ANALOGUE_GAIN]);
        let values = sensor.controls.iter().map(|control| control.value.get().unwrap()).collect();
        let focus = lens.get(V4L2_CID_FOCUS_ABSOLUTE).map(|value| value.get().unwrap());
        assert_eq!(lens.controls.len(), usize::from(focus.is_some()));
        (*frame, values, focus)
    }
}

pub fn limits(id: u32, min: i32, max: i32) -> ControlInfo {
    ControlInfo {
        id,
        kind: ControlType::Integer32,
        direction: 3,
        min: ControlValue::scalar(&min),
        max: ControlValue::scalar(&max),
        def: ControlValue::scalar(&min),
    }
}

pub fn memory(bytes: usize, content: u8) -> File {
    let file = File::from(memfd_create(c"buffer", MFdFlags::MFD_CLOEXEC).unwrap());
    file.write_all_at(&vec![content; bytes], 0).unwrap();
    file
}

pub fn buffer(id: u32, length: u32) -> IpaBuffer {
    IpaBuffer { id, planes: vec![Plane { fd: SharedFd { valid: true }, offset: 0, length }] }
}

/// A request that sets `AeEnable`.
pub fn request(frame: u32, on: bool) -> Call {
    let controls = vec![Control { id: crate::worker::AE_ENABLE, value: ControlValue::scalar(&on) }];
    let list = ControlList { handle: 0, id_map: IdMap::Controls, controls };
    Call::QueueRequest { frame, controls: Some(list.into()) }
}
