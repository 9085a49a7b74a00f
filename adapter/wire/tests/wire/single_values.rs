//! Single values, against what Debian's libcamera.so.0.0.3 makes of them.

use core::fmt::Debug;

use cami_wire::libcamera::{
    Control, ControlInfo, ControlInfoMap, ControlList, ControlType, ControlValue, Dialect, IdMap,
    InfoMapPacket, IpaBuffer, IpaCameraSensorInfo, IpaSettings, IpaStream, ListPacket, Map, Plane,
    Point, Rectangle, SharedFd, Size, Value, ipu3,
};

use crate::common::captures::{golden, hex};
use crate::mask::assert_same_but_uninitialised;

const DIALECT: Dialect = Dialect::V0_0;
const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;

struct Sample {
    name: String,
    fds: u32,
    bytes: Vec<u8>,
}

/// `name   fds=N len=N`, then lines of bytes.
fn samples() -> Vec<Sample> {
    let mut samples: Vec<(Sample, usize)> = Vec::new();
    for line in golden("types_0.0.3.txt").lines() {
        if let Some((name, rest)) = line.split_once(" fds=") {
            let (fds, length) = rest.split_once(" len=").unwrap();
            let name = name.trim().to_owned();
            let sample = Sample { name, fds: fds.parse().unwrap(), bytes: Vec::new() };
            samples.push((sample, length.parse().unwrap()));
        } else {
            samples.last_mut().unwrap().0.bytes.extend(hex(line).unwrap());
        }
    }
    samples
        .into_iter()
        .map(|(sample, length)| {
            assert_eq!(sample.bytes.len(), length, "{}", sample.name);
            sample
        })
        .collect()
}

fn check<T: Value + PartialEq + Debug>(sample: &Sample, expected: &T) {
    let name = &sample.name;
    assert_eq!(T::decode(&sample.bytes, DIALECT).as_ref(), Ok(expected), "{name}");
    assert_eq!(expected.fds(), sample.fds, "{name}");
    assert!(T::HOLDS_FDS || sample.fds == 0, "{name}");
    let mut ours = Vec::new();
    expected.encode(DIALECT, &mut ours).unwrap();
    assert_same_but_uninitialised(&ours, &sample.bytes, DIALECT, name);
}

fn plane() -> Plane {
    Plane { fd: SharedFd { valid: true }, offset: 4096, length: 65536 }
}

fn sensor_info() -> IpaCameraSensorInfo {
    IpaCameraSensorInfo {
        model: "imx219".into(),
        bits_per_pixel: 10,
        cfa_pattern: 0,
        active_area_size: Size { width: 3280, height: 2464 },
        analog_crop: Rectangle { x: 8, y: 8, width: 3280, height: 2464 },
        output_size: Size { width: 1640, height: 1232 },
        pixel_rate: 182_400_000,
        min_line_length: 3448,
        max_line_length: 32752,
        min_frame_length: 1264,
        max_frame_length: 65535,
    }
}

fn list(handle: u32, id_map: IdMap, controls: &[(u32, ControlValue)]) -> ControlList {
    let controls =
        controls.iter().map(|(id, value)| Control { id: *id, value: value.clone() }).collect();
    ControlList { handle, id_map, controls }
}

fn libcamera_list(id: u32, value: ControlValue) -> Option<ListPacket> {
    Some(list(0, IdMap::Controls, &[(id, value)]).into())
}

fn exposure_map() -> InfoMapPacket {
    InfoMapPacket::Map(ControlInfoMap {
        handle: 1,
        id_map: IdMap::V4l2,
        controls: vec![ControlInfo {
            id: V4L2_CID_EXPOSURE,
            kind: ControlType::Integer32,
            direction: 0,
            min: ControlValue::scalar(&4),
            max: ControlValue::scalar(&2480),
            def: ControlValue::scalar(&1600),
        }],
    })
}

fn check_sample(sample: &Sample) {
    let buffer = IpaBuffer { id: 5, planes: vec![plane()] };
    let stream = IpaStream { pixel_format: 0x3432_5258, size: Size { width: 640, height: 480 } };
    let exposure_list = list(1, IdMap::V4l2, &[(V4L2_CID_EXPOSURE, ControlValue::scalar(&1000))]);
    match sample.name.as_str() {
        "bool true" => check(sample, &true),
        "uint8 0xab" => check(sample, &0xab_u8),
        "int16 -2" => check(sample, &-2_i16),
        "uint32 0x11223344" => check(sample, &0x1122_3344_u32),
        "int64 -1" => check(sample, &-1_i64),
        "float 1.5" => check(sample, &1.5_f32),
        "double 1.5" => check(sample, &1.5_f64),
        "string \"hello\" (no length, no NUL)" => check(sample, &"hello".to_owned()),
        "vector<uint32>{1,2}" => check(sample, &vec![1_u32, 2]),
        "Flags<TestFlag>{Flag1|Flag4}" => check(sample, &9_u32),
        "Size 640x480" => check(sample, &Size { width: 640, height: 480 }),
        "Rectangle(-1,2,640,480)" => {
            check(sample, &Rectangle { x: -1, y: 2, width: 640, height: 480 });
        }
        "Point(3,-4)" => check(sample, &Point { x: 3, y: -4 }),
        "SharedFD invalid" => check(sample, &SharedFd { valid: false }),
        "SharedFD valid" => check(sample, &SharedFd { valid: true }),
        "FrameBuffer::Plane{fd,4096,65536}" => check(sample, &plane()),
        "IPABuffer{id=5,planes=[p]}" => check(sample, &buffer),
        "vector<IPABuffer>{5}" => check(sample, &vec![buffer]),
        "IPASettings{\"/a.yaml\",\"imx219\"}" => check(
            sample,
            &IpaSettings { configuration_file: "/a.yaml".into(), sensor_model: "imx219".into() },
        ),
        "IPACameraSensorInfo" => check(sample, &sensor_info()),
        "IPAStream{XR24,640x480}" => check(sample, &stream),
        "map<uint32,IPAStream>{7:..}" => check(sample, &Map(vec![(7_u32, stream)])),
        "ControlList() default-constructed (V4L2 idmap, handle 0!)" => {
            check(sample, &Some(ListPacket::from(list(0, IdMap::V4l2, &[]))));
        }
        "ControlList(controls::controls) empty" => {
            check(sample, &Some(ListPacket::from(list(0, IdMap::Controls, &[]))));
        }
        "one bool: AeEnable=1" => check(sample, &libcamera_list(1, ControlValue::scalar(&true))),
        "one i64 array[2]: FrameDurationLimits" => {
            let limits = ControlValue::array(&[33333_i64, 66666]).unwrap();
            check(sample, &libcamera_list(0x19, limits));
        }
        "one Rectangle: ScalerCrop" => {
            let crop = Rectangle { x: 1, y: 2, width: 3, height: 4 };
            check(sample, &libcamera_list(0x16, ControlValue::scalar(&crop)));
        }
        "one float: Brightness" => {
            check(sample, &libcamera_list(9, ControlValue::scalar(&0.5_f32)));
        }
        "ControlInfoMap{EXPOSURE i32 4..2480 def 1600}" => check(sample, &Some(exposure_map())),
        "same map again (cached: all-zero packet!)" => {
            check(sample, &Some(InfoMapPacket::AlreadySent { bytes: 72 }));
        }
        "V4L2 ControlList, map already sent" => {
            check(sample, &Some(ListPacket::from(exposure_list)));
        }
        "V4L2 ControlList, map not sent yet (carried inline)" => {
            check(sample, &Some(ListPacket { info: Some(exposure_map()), list: exposure_list }));
        }
        "IPAConfigInfo (both maps empty)" => {
            let size = Size { width: 1280, height: 720 };
            check(
                sample,
                &ipu3::ConfigInfo {
                    sensor_info: sensor_info(),
                    sensor_controls: None,
                    lens_controls: None,
                    bds_output_size: size,
                    iif: size,
                },
            );
        }
        unknown => panic!("no test knows the sample {unknown:?}"),
    }
}

#[test]
fn every_sample_of_libcamera_decoded_and_encoded_is_the_same() {
    let samples = samples();
    assert_eq!(samples.len(), 33);
    samples.iter().for_each(check_sample);
}

#[test]
fn sensor_info_since_0_1_0_has_cfa_pattern_word() {
    let info = IpaCameraSensorInfo { cfa_pattern: 3, ..sensor_info() };
    let [mut without, mut with] = [Vec::new(), Vec::new()];
    info.encode(Dialect::V0_0, &mut without).unwrap();
    info.encode(Dialect::V0_1, &mut with).unwrap();
    assert_eq!((without.len(), with.len()), (82, 86));
    // Behind the model (4 + 6 bytes) and the bits per pixel (4 bytes).
    assert_eq!(with[14..18], [3, 0, 0, 0]);
    assert_eq!([&with[..14], &with[18..]].concat(), without);
    assert_eq!(IpaCameraSensorInfo::decode(&with, Dialect::V0_1), Ok(info));
}

#[test]
fn sensor_info_of_other_dialect_is_refused() {
    let [mut old, mut new] = [Vec::new(), Vec::new()];
    sensor_info().encode(Dialect::V0_0, &mut old).unwrap();
    sensor_info().encode(Dialect::V0_4, &mut new).unwrap();
    assert!(IpaCameraSensorInfo::decode(&old, Dialect::V0_4).is_err());
    assert!(IpaCameraSensorInfo::decode(&new, Dialect::V0_0).is_err());
}

#[test]
fn string_that_is_not_utf8_is_shown_with_replacements() {
    assert_eq!(String::decode(b"a\xffb", DIALECT), Ok("a\u{fffd}b".to_owned()));
}
