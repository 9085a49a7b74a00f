//! Control packets: the worked examples of each version, the type numbers, and what is refused.

use cami_wire::WireError;
use cami_wire::libcamera::{
    Control, ControlInfo, ControlInfoMap, ControlList, ControlType, ControlValue, Dialect, IdMap,
    InfoMapPacket, ListPacket, Point, Value,
};

use crate::common::captures::hex;

const EXPOSURE: u32 = 0x0098_0911;
const ANALOGUE_GAIN: u32 = 0x009e_0903;

fn encoded<T: Value>(value: &T, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(dialect, &mut out).unwrap();
    out
}

fn exposure_and_gain() -> ControlList {
    ControlList {
        handle: 1,
        id_map: IdMap::V4l2,
        controls: vec![
            Control { id: EXPOSURE, value: ControlValue::scalar(&1600) },
            Control { id: ANALOGUE_GAIN, value: ControlValue::scalar(&0) },
        ],
    }
}

fn exposure_map(direction: u8) -> ControlInfoMap {
    ControlInfoMap {
        handle: 2,
        id_map: IdMap::V4l2,
        controls: vec![ControlInfo {
            id: EXPOSURE,
            kind: ControlType::Integer32,
            direction,
            min: ControlValue::scalar(&4),
            max: ControlValue::scalar(&2480),
            def: ControlValue::scalar(&1600),
        }],
    }
}

fn assert_packet<T: Value + PartialEq + core::fmt::Debug>(
    value: &T,
    dialect: Dialect,
    expected: &str,
) {
    let expected = hex(expected).unwrap();
    assert_eq!(encoded(value, dialect), expected);
    assert_eq!(T::decode(&expected, dialect).as_ref(), Ok(value));
}

#[test]
fn list_of_version_2_has_the_bytes_of_0_7_2() {
    assert_packet(
        &exposure_and_gain(),
        Dialect::V0_6,
        "02000000 01000000 02000000 50000000 48000000 02000000 0000000000000000
         11099800 05000100 00000000 0000000000000000
         03099e00 05000100 04000000 0000000000000000
         40060000 00000000",
    );
}

#[test]
fn list_of_version_1_since_0_4_0_has_the_new_type_numbers() {
    assert_packet(
        &exposure_and_gain(),
        Dialect::V0_4,
        "01000000 01000000 02000000 50000000 40000000 02000000 0000000000000000
         11099800 05000100 00000000 00000000
         03099e00 05000100 08000000 00000000
         05000000 40060000 05000000 00000000",
    );
}

#[test]
fn info_map_of_version_1_has_a_direction_since_0_4_0() {
    assert_packet(
        &exposure_map(1),
        Dialect::V0_4,
        "01000000 02000000 01000000 48000000 30000000 02000000 0000000000000000
         11099800 05000000 00000000 01000000
         05000000 04000000 05000000 b0090000 05000000 40060000",
    );
}

#[test]
fn info_map_of_version_1_before_0_4_0_has_none() {
    assert_packet(
        &exposure_map(0),
        Dialect::V0_1,
        "01000000 02000000 01000000 48000000 30000000 02000000 0000000000000000
         11099800 03000000 00000000 00000000
         03000000 04000000 03000000 b0090000 03000000 40060000",
    );
    let junk = hex("01000000 02000000 01000000 48000000 30000000 02000000 2525252525252525
         11099800 03000000 00000000 ff7f1234
         03000000 04000000 03000000 b0090000 03000000 40060000");
    let decoded = ControlInfoMap::decode(&junk.unwrap(), Dialect::V0_1);
    assert_eq!(decoded, Ok(exposure_map(0)));
    assert_eq!(encoded(&exposure_map(3), Dialect::V0_1), encoded(&exposure_map(0), Dialect::V0_1));
}

#[test]
fn info_map_of_version_2_describes_each_limit() {
    assert_packet(
        &exposure_map(3),
        Dialect::V0_6,
        "02000000 02000000 01000000 6c000000 60000000 02000000 0000000000000000
         11099800 05000000 03000000 00000000
         05000100 00000000 0000000000000000
         05000100 04000000 0000000000000000
         05000100 08000000 0000000000000000
         04000000 b0090000 40060000",
    );
}

/// libcamera 0.6.0 leaves 48 bytes unused for each entry, with whatever was there.
#[test]
fn info_map_of_0_6_0_has_unused_bytes_behind_its_entries() {
    let mut map = exposure_map(3);
    map.controls.push(ControlInfo { id: ANALOGUE_GAIN, ..map.controls[0].clone() });
    let good = encoded(&map, Dialect::V0_6);
    let with_unused = |bytes: usize, told: u32| {
        let mut packet = good.clone();
        packet.splice(32 + 2 * 64..32 + 2 * 64, std::iter::repeat_n(0xee, bytes));
        let size = u32::try_from(packet.len()).unwrap();
        packet[12..16].copy_from_slice(&size.to_le_bytes());
        packet[16..20].copy_from_slice(&(32 + 2 * 64 + told).to_le_bytes());
        ControlInfoMap::decode(&packet, Dialect::V0_6)
    };
    assert_eq!(with_unused(96, 96), Ok(map.clone()));
    assert_eq!(with_unused(0, 0), Ok(map));
    assert_eq!(with_unused(48, 48), Err(WireError::DataOffset(32 + 2 * 64 + 48)));
    assert_eq!(with_unused(96, 48), Err(WireError::DataOffset(32 + 2 * 64 + 48)));
    assert_eq!(with_unused(0, 96), Err(WireError::Truncated));
}

#[test]
fn type_numbers_before_and_since_0_4_0_follow_libcamera() {
    use ControlType::{
        Bool, Byte, Float, Integer32, Integer64, None, Point, Rectangle, Size, String, Unsigned16,
        Unsigned32,
    };
    let old = [None, Bool, Byte, Integer32, Integer64, Float, String, Rectangle, Size];
    let new = [
        None, Bool, Byte, Unsigned16, Unsigned32, Integer32, Integer64, Float, String, Rectangle,
        Size, Point,
    ];
    for dialect in Dialect::ALL {
        let table: &[ControlType] = if dialect >= Dialect::V0_4 { &new } else { &old };
        for (number, &kind) in (0_u8..).zip(table) {
            assert_eq!(ControlType::from_number(u32::from(number), dialect), Ok(kind));
            assert_eq!(kind.number(dialect), Ok(number));
        }
        let beyond = u32::try_from(table.len()).unwrap();
        for number in [beyond, u32::MAX] {
            let refused = ControlType::from_number(number, dialect);
            assert_eq!(refused, Err(WireError::ControlType(number)));
        }
    }
}

#[test]
fn type_that_the_dialect_lacks_is_not_encoded() {
    let list = ControlList {
        handle: 0,
        id_map: IdMap::Controls,
        controls: vec![Control { id: 1, value: ControlValue::scalar(&Point { x: 1, y: 2 }) }],
    };
    assert_eq!(list.encode(Dialect::V0_1, &mut Vec::new()), Err(WireError::ControlValue));
    assert_eq!(list.encode(Dialect::V0_4, &mut Vec::new()), Ok(()));
}

#[test]
fn array_limit_in_info_map_is_encoded_since_0_6_0_only() {
    let mut map = exposure_map(0);
    map.controls[0].def = ControlValue::array(&[1_i32, 2]).unwrap();
    for dialect in Dialect::ALL {
        let result = map.encode(dialect, &mut Vec::new());
        let expected = if dialect >= Dialect::V0_6 { Ok(()) } else { Err(WireError::ControlValue) };
        assert_eq!(result, expected, "{dialect:?}");
    }
}

#[test]
fn values_of_every_shape_in_list_survive_with_unknown_ids() {
    let controls: Vec<Control> = [
        ControlValue::none(),
        ControlValue::scalar(&true),
        ControlValue::array(&[1.5_f32, -0.0]).unwrap(),
        ControlValue::array::<i64>(&[]).unwrap(),
        ControlValue::string("näme").unwrap(),
        ControlValue::string("").unwrap(),
    ]
    .into_iter()
    .zip(0xdead_0000_u32..)
    .map(|(value, id)| Control { id, value })
    .collect();
    let list = ControlList { handle: 0, id_map: IdMap::Properties, controls };
    for dialect in Dialect::ALL {
        assert_eq!(ControlList::decode(&encoded(&list, dialect), dialect).as_ref(), Ok(&list));
    }
    assert_eq!(list.get(0xdead_0004).and_then(ControlValue::text), Some("näme"));
}

#[test]
fn value_read_as_another_type_or_shape_is_none() {
    let value = ControlValue::scalar(&7_i32);
    assert_eq!(value.get::<i32>(), Some(7));
    assert_eq!(value.get::<u32>(), None);
    assert_eq!(value.elements::<i32>(), None);
    assert_eq!(value.text(), None);
    let array = ControlValue::array(&[7_i32]).unwrap();
    assert_eq!(array.get::<i32>(), None);
    assert_eq!(array.elements::<i32>(), Some(vec![7]));
    let too_many = vec![0_u8; 65536];
    assert_eq!(ControlValue::array(&too_many), Err(WireError::ControlValue));
}

#[test]
fn value_whose_parts_contradict_is_refused() {
    let parts = ControlValue::from_parts;
    assert!(parts(ControlType::Integer32, false, 1, &[0; 4]).is_ok());
    assert!(parts(ControlType::Integer32, false, 2, &[0; 8]).is_err());
    assert!(parts(ControlType::Integer32, false, 0, &[]).is_err());
    assert!(parts(ControlType::Integer32, true, 2, &[0; 7]).is_err());
    assert!(parts(ControlType::None, false, 0, &[]).is_ok());
    assert!(parts(ControlType::None, false, 1, &[]).is_ok());
}

#[test]
fn packet_with_a_false_word_is_refused() {
    let good = encoded(&exposure_and_gain(), Dialect::V0_6);
    let decode = |at: usize, value: u32| {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
        ControlList::decode(&bad, Dialect::V0_6)
    };
    assert_eq!(decode(0, 1), Err(WireError::PacketVersion(1)));
    assert_eq!(decode(0, 0), Err(WireError::PacketVersion(0)));
    assert_eq!(decode(8, 1), Err(WireError::DataOffset(0x48)));
    assert_eq!(decode(8, u32::MAX), Err(WireError::BadCount(u32::MAX)));
    let size = WireError::SizeMismatch { expected: 0x50, announced: 0x51 };
    assert_eq!(decode(12, 0x51), Err(size));
    assert_eq!(decode(16, 0x20), Err(WireError::DataOffset(0x20)));
    assert_eq!(decode(20, 3), Err(WireError::IdMap(3)));
    // The second entry's value: type, array flag, offset.
    assert_eq!(decode(32 + 20 + 4, 0x0001_000c), Err(WireError::ControlType(12)));
    assert_eq!(decode(32 + 20 + 4, 0x0001_0205), Err(WireError::BadFlag(2)));
    assert_eq!(decode(32 + 20 + 8, 0), Err(WireError::DataOffset(0)));
}

#[test]
fn version_1_value_whose_type_contradicts_its_entry_is_refused() {
    let mut packet = encoded(&exposure_and_gain(), Dialect::V0_4);
    assert_eq!(packet[0x40], 5);
    packet[0x40] = 4;
    assert_eq!(ControlList::decode(&packet, Dialect::V0_4), Err(WireError::ControlValue));
}

#[test]
fn absent_packets_are_no_bytes() {
    assert_eq!(encoded(&None::<ListPacket>, Dialect::V0_4), []);
    assert_eq!(Option::<ListPacket>::decode(&[], Dialect::V0_4), Ok(None));
    assert_eq!(encoded(&None::<InfoMapPacket>, Dialect::V0_4), []);
    assert_eq!(Option::<InfoMapPacket>::decode(&[], Dialect::V0_4), Ok(None));
}

#[test]
fn packet_of_zeros_is_a_map_sent_before_and_never_a_list() {
    for dialect in Dialect::ALL {
        let mut map = vec![72, 0, 0, 0];
        map.resize(76, 0);
        let decoded = Option::<InfoMapPacket>::decode(&map, dialect);
        assert_eq!(decoded, Ok(Some(InfoMapPacket::AlreadySent { bytes: 72 })));
        map[70] = 1;
        let decoded = Option::<InfoMapPacket>::decode(&map, dialect);
        assert_eq!(decoded, Err(WireError::PacketVersion(0)));
        assert!(ControlList::decode(&[0; 72], dialect).is_err());
    }
}
