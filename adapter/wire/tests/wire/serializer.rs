//! What both sides remember of each other's info maps.

use cami_wire::WireError;
use cami_wire::libcamera::{
    Control, ControlInfo, ControlInfoMap, ControlList, ControlSerializer, ControlType,
    ControlValue, IdMap, InfoMapPacket, ListPacket, MAX_INFO_MAPS, Role,
};

fn infos(max: i32) -> Vec<ControlInfo> {
    vec![ControlInfo {
        id: 0x0098_0911,
        kind: ControlType::Integer32,
        direction: 1,
        min: ControlValue::scalar(&0),
        max: ControlValue::scalar(&max),
        def: ControlValue::scalar(&0),
    }]
}

fn map(handle: u32, max: i32) -> InfoMapPacket {
    InfoMapPacket::Map(ControlInfoMap { handle, id_map: IdMap::V4l2, controls: infos(max) })
}

fn list(handle: u32, id_map: IdMap) -> ControlList {
    let control = Control { id: 0x0098_0911, value: ControlValue::scalar(&5) };
    ControlList { handle, id_map, controls: vec![control] }
}

#[test]
fn handles_of_proxy_are_odd_and_of_worker_even_and_begin_again_after_reset() {
    for (role, expected) in [(Role::Proxy, [1, 3, 5]), (Role::Worker, [2, 4, 6])] {
        let mut serializer = ControlSerializer::new(role);
        for _ in 0..2 {
            let handles = [(); 3].map(|()| serializer.add_map(IdMap::V4l2, infos(1)).unwrap());
            assert_eq!(handles, expected);
            serializer.reset();
        }
    }
}

#[test]
fn map_of_list_is_sent_once() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let handle = serializer.add_map(IdMap::V4l2, infos(1)).unwrap();
    let first = serializer.send_list(list(handle, IdMap::V4l2)).unwrap();
    assert_eq!(first.info, Some(map(handle, 1)));
    let second = serializer.send_list(list(handle, IdMap::V4l2)).unwrap();
    assert_eq!(second.info, None);
}

#[test]
fn map_sent_by_itself_is_not_repeated_in_list() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let handle = serializer.add_map(IdMap::Controls, infos(1)).unwrap();
    serializer.send_map(handle).unwrap();
    assert_eq!(serializer.send_list(list(handle, IdMap::Controls)).unwrap().info, None);
}

#[test]
fn list_on_map_of_the_peer_needs_no_map() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    serializer.receive_map(map(1, 1)).unwrap();
    assert_eq!(serializer.send_list(list(1, IdMap::V4l2)).unwrap().info, None);
}

#[test]
fn v4l2_list_without_map_is_never_sent() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let empty = ControlList { controls: Vec::new(), ..list(0, IdMap::V4l2) };
    assert_eq!(serializer.send_list(empty), Err(WireError::UnknownHandle(0)));
    assert!(serializer.send_list(list(0, IdMap::Controls)).is_ok());
    let unknown = serializer.send_list(list(2, IdMap::V4l2));
    assert_eq!(unknown, Err(WireError::UnknownHandle(2)));
}

#[test]
fn known_handle_keeps_its_first_content() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    serializer.receive_map(map(1, 10)).unwrap();
    let kept = serializer.receive_map(map(1, 20)).unwrap().cloned();
    assert_eq!(kept.map(InfoMapPacket::Map), Some(map(1, 10)));
}

#[test]
fn packet_of_zeros_brings_nothing() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let zeros = InfoMapPacket::AlreadySent { bytes: 72 };
    assert_eq!(serializer.receive_map(zeros), Ok(None));
}

#[test]
fn received_list_without_known_map_is_refused() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let unknown = serializer.receive_list(list(1, IdMap::V4l2).into());
    assert_eq!(unknown, Err(WireError::UnknownHandle(1)));
    let inline = ListPacket { info: Some(map(1, 1)), list: list(1, IdMap::V4l2) };
    assert!(serializer.receive_list(inline).is_ok());
    assert!(serializer.receive_list(list(1, IdMap::V4l2).into()).is_ok());
    serializer.reset();
    assert!(serializer.receive_list(list(1, IdMap::V4l2).into()).is_err());
}

#[test]
fn received_list_with_handle_0_is_fine_unless_it_has_v4l2_controls() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    assert!(serializer.receive_list(list(0, IdMap::Controls).into()).is_ok());
    let empty = ControlList { controls: Vec::new(), ..list(0, IdMap::V4l2) };
    assert!(serializer.receive_list(empty.into()).is_ok());
    let refused = serializer.receive_list(list(0, IdMap::V4l2).into());
    assert_eq!(refused, Err(WireError::UnknownHandle(0)));
    assert_eq!(serializer.receive_map(map(0, 1)), Err(WireError::UnknownHandle(0)));
}

#[test]
fn peer_that_takes_our_handles_does_not_make_two_maps_one() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    serializer.receive_map(map(2, 10)).unwrap();
    let handle = serializer.add_map(IdMap::V4l2, infos(20)).unwrap();
    assert_eq!(handle, 4);
    assert_eq!(serializer.send_map(2), Ok(map(2, 10)));
}

#[test]
fn maps_beyond_the_limit_are_refused_until_reset() {
    let mut serializer = ControlSerializer::new(Role::Worker);
    let limit = u32::try_from(MAX_INFO_MAPS).unwrap();
    for handle in 1..=limit {
        serializer.receive_map(map(handle, 1)).unwrap();
    }
    assert_eq!(serializer.receive_map(map(limit + 1, 1)), Err(WireError::TooManyMaps));
    assert_eq!(serializer.add_map(IdMap::V4l2, infos(1)), Err(WireError::TooManyMaps));
    assert!(serializer.receive_map(map(limit, 1)).is_ok());
    serializer.reset();
    assert!(serializer.receive_map(map(limit + 1, 1)).is_ok());
}
