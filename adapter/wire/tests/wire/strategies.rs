//! Arbitrary values for the property tests.

use cami_wire::libcamera::{
    Control, ControlElement, ControlInfo, ControlInfoMap, ControlList, ControlType, ControlValue,
    Dialect, IdMap, InfoMapPacket, IpaBuffer, IpaCameraSensorInfo, IpaSettings, IpaStream,
    ListPacket, Plane, Point, Rectangle, SharedFd, Size, SizeRange, ipu3,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub fn dialect() -> impl Strategy<Value = Dialect> {
    proptest::sample::select(&Dialect::ALL[..])
}

pub fn size() -> impl Strategy<Value = Size> {
    any::<(u32, u32)>().prop_map(|(width, height)| Size { width, height })
}

pub fn point() -> impl Strategy<Value = Point> {
    any::<(i32, i32)>().prop_map(|(x, y)| Point { x, y })
}

pub fn rectangle() -> impl Strategy<Value = Rectangle> {
    (point(), size()).prop_map(|(Point { x, y }, Size { width, height })| Rectangle {
        x,
        y,
        width,
        height,
    })
}

pub fn size_range() -> impl Strategy<Value = SizeRange> {
    (size(), size(), any::<(u32, u32)>()).prop_map(|(min, max, (h_step, v_step))| SizeRange {
        min,
        max,
        h_step,
        v_step,
    })
}

pub fn plane() -> impl Strategy<Value = Plane> {
    any::<(bool, u32, u32)>().prop_map(|(valid, offset, length)| Plane {
        fd: SharedFd { valid },
        offset,
        length,
    })
}

pub fn buffer() -> impl Strategy<Value = IpaBuffer> {
    (any::<u32>(), vec(plane(), 0..4)).prop_map(|(id, planes)| IpaBuffer { id, planes })
}

pub fn settings() -> impl Strategy<Value = IpaSettings> {
    any::<(String, String)>().prop_map(|(configuration_file, sensor_model)| IpaSettings {
        configuration_file,
        sensor_model,
    })
}

pub fn stream() -> impl Strategy<Value = IpaStream> {
    (any::<u32>(), size()).prop_map(|(pixel_format, size)| IpaStream { pixel_format, size })
}

pub fn sensor_info(dialect: Dialect) -> impl Strategy<Value = IpaCameraSensorInfo> {
    let words = any::<(String, u32, u32, u64, [u32; 4])>();
    (words, size(), rectangle(), size()).prop_map(
        move |((model, bits_per_pixel, cfa, pixel_rate, lengths), active, crop, output)| {
            let [min_line_length, max_line_length, min_frame_length, max_frame_length] = lengths;
            IpaCameraSensorInfo {
                model,
                bits_per_pixel,
                cfa_pattern: if dialect.has_cfa_pattern() { cfa } else { 0 },
                active_area_size: active,
                analog_crop: crop,
                output_size: output,
                pixel_rate,
                min_line_length,
                max_line_length,
                min_frame_length,
                max_frame_length,
            }
        },
    )
}

fn id_map() -> impl Strategy<Value = IdMap> {
    prop_oneof![Just(IdMap::Controls), Just(IdMap::Properties), Just(IdMap::V4l2)]
}

fn scalar_of<T: ControlElement + core::fmt::Debug>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<ControlValue> {
    strategy.prop_map(|value| ControlValue::scalar(&value)).boxed()
}

fn array_of<T: ControlElement + core::fmt::Debug>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<ControlValue> {
    vec(strategy, 0..4).prop_map(|values| ControlValue::array(&values).unwrap()).boxed()
}

fn scalar(dialect: Dialect) -> BoxedStrategy<ControlValue> {
    let common = prop_oneof![
        scalar_of(any::<bool>()),
        scalar_of(any::<u8>()),
        scalar_of(any::<i32>()),
        scalar_of(any::<i64>()),
        scalar_of(any::<f32>()),
        scalar_of(rectangle()),
        scalar_of(size()),
    ];
    if dialect.has_unsigned_types() {
        prop_oneof![common, scalar_of(any::<u16>()), scalar_of(any::<u32>()), scalar_of(point())]
            .boxed()
    } else {
        common.boxed()
    }
}

pub fn control_value(dialect: Dialect) -> BoxedStrategy<ControlValue> {
    let common = prop_oneof![
        Just(ControlValue::none()),
        scalar(dialect),
        any::<String>().prop_map(|text| ControlValue::string(&text).unwrap()),
        array_of(any::<bool>()),
        array_of(any::<i64>()),
        array_of(any::<f32>()),
        array_of(rectangle()),
    ];
    if dialect.has_unsigned_types() {
        prop_oneof![common, array_of(any::<u16>()), array_of(point())].boxed()
    } else {
        common.boxed()
    }
}

pub fn control_list(dialect: Dialect) -> impl Strategy<Value = ControlList> {
    let control =
        (any::<u32>(), control_value(dialect)).prop_map(|(id, value)| Control { id, value });
    (any::<u32>(), id_map(), vec(control, 0..5))
        .prop_map(|(handle, id_map, controls)| ControlList { handle, id_map, controls })
}

fn control_info(dialect: Dialect) -> impl Strategy<Value = ControlInfo> {
    let limit = if dialect.packet_version() > 1 { control_value(dialect) } else { scalar(dialect) };
    (any::<u32>(), any::<u8>(), vec(limit, 3)).prop_map(move |(id, direction, limits)| {
        ControlInfo {
            id,
            kind: ControlType::Integer32,
            direction: if dialect.has_direction() { direction } else { 0 },
            min: limits[0].clone(),
            max: limits[1].clone(),
            def: limits[2].clone(),
        }
    })
}

pub fn info_map(dialect: Dialect) -> impl Strategy<Value = ControlInfoMap> {
    (any::<u32>(), id_map(), vec(control_info(dialect), 0..4))
        .prop_map(|(handle, id_map, controls)| ControlInfoMap { handle, id_map, controls })
}

pub fn info_packet(dialect: Dialect) -> impl Strategy<Value = Option<InfoMapPacket>> {
    option::of(prop_oneof![
        4 => info_map(dialect).prop_map(InfoMapPacket::Map),
        1 => (32_usize..200).prop_map(|bytes| InfoMapPacket::AlreadySent { bytes }),
    ])
}

pub fn list_packet(dialect: Dialect) -> impl Strategy<Value = Option<ListPacket>> {
    let packet = (info_packet(dialect), control_list(dialect))
        .prop_map(|(info, list)| ListPacket { info, list });
    option::of(packet)
}

pub fn config_info(dialect: Dialect) -> impl Strategy<Value = ipu3::ConfigInfo> {
    (sensor_info(dialect), info_packet(dialect), info_packet(dialect), size(), size()).prop_map(
        |(sensor_info, sensor_controls, lens_controls, bds_output_size, iif)| ipu3::ConfigInfo {
            sensor_info,
            sensor_controls,
            lens_controls,
            bds_output_size,
            iif,
        },
    )
}
