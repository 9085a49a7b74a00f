//! Bytes that nobody would send. That false counts reserve no memory is in `allocations.rs`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cami_wire::control::{Died, FromMonitor, Ready, Refused};
use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, LibraryInfo, RegisterBuffer, Request, ReturnValue,
    Returned, Settings, UpdateReturn, Updated,
};
use cami_wire::libcamera::{Dialect, IpaBuffer, IpaSettings, Plane, SharedFd, Value, ipu3, vimc};
use cami_wire::{Header, WireError};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::captures::{CAPTURES, Direction, Interface, messages};
use crate::common::decoders;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() }
}

static CAPTURED_BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    CAPTURES
        .iter()
        .flat_map(|(file, _, _)| messages(file))
        .map(|message| Header::decode(&message.bytes).unwrap().1.to_vec())
        .collect()
});

fn decode_with_all(bytes: &[u8]) {
    for (_, decoder) in decoders::all() {
        decoder(bytes);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decode_never_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_with_all(&bytes);
    }

    /// Small words are plausible sizes, counts and type numbers: they come further than random
    /// bytes.
    #[test]
    fn decode_never_panics_on_small_words(words in proptest::collection::vec(0_u32..80, 0..60)) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        decode_with_all(&bytes);
    }

    #[test]
    fn decode_never_panics_on_damaged_messages(
        message: Index, damage in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = message.get(&CAPTURED_BODIES).clone();
        if !body.is_empty() {
            for (at, byte) in damage {
                *at.get_mut(&mut body) = byte;
            }
        }
        decode_with_all(&body);
    }

    #[test]
    fn decode_never_panics_on_moved_sizes(message: Index, at: Index, word: u32) {
        let mut body = message.get(&CAPTURED_BODIES).clone();
        if body.len() >= 4 {
            let at = at.index(body.len() - 3);
            body[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        decode_with_all(&body);
    }
}

/// Decodes every strict prefix of a body. `may_pass` names the lengths at which a shorter message
/// is a message.
fn assert_truncations_are_refused<T>(
    what: &str,
    body: &[u8],
    may_pass: &[usize],
    decode: impl Fn(&[u8]) -> Result<T, WireError>,
) {
    assert!(decode(body).is_ok(), "{what}");
    for length in 0..body.len() {
        let refused = decode(&body[..length]).is_err();
        assert_eq!(refused, !may_pass.contains(&length), "{what}: {length} of {}", body.len());
    }
}

#[test]
fn announced_fds_that_contradict_the_value_are_refused() {
    let planes = vec![Plane { fd: SharedFd { valid: true }, offset: 0, length: 4096 }];
    let call = ipu3::Call::MapBuffers(vec![IpaBuffer { id: 1, planes }]);
    let message = call.encode(1, Dialect::V0_0).unwrap();
    let good = &message[8..];
    // u32 count; u32 size, u32 nfds of the buffer; its u32 id; u32 size, u32 nfds of its planes;
    // u32 count; u32 size, u32 nfds of the plane.
    for nfds_at in [8, 20, 32] {
        let mut bad = good.to_vec();
        assert_eq!(bad[nfds_at], 1);
        bad[nfds_at] = 2;
        let decoded = ipu3::Call::decode(ipu3::command::MAP_BUFFERS, &bad, Dialect::V0_0);
        assert_eq!(decoded, Err(WireError::FdCount { expected: 1, announced: 2 }), "{nfds_at}");
    }

    let call = vimc::Call::Init {
        settings: IpaSettings::default(),
        trace_fd: SharedFd { valid: true },
        code: 0,
        in_flags: 0,
    };
    let mut message = call.encode(1, Dialect::V0_7_1).unwrap();
    // Behind the header: u32 size of the settings; u32 size, u32 nfds of traceFd.
    assert_eq!(message[16], 1);
    message[16] = 0;
    let decoded = vimc::Call::decode(vimc::command::INIT, &message[8..], Dialect::V0_7_1);
    assert_eq!(decoded, Err(WireError::FdCount { expected: 1, announced: 0 }));
}

#[test]
fn count_that_the_bytes_have_no_room_for_is_refused() {
    for count in [2_u32, 0x2000_0000, u32::MAX] {
        let mut vector = count.to_le_bytes().to_vec();
        vector.extend([4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        let decoded = Vec::<u32>::decode(&vector, Dialect::V0_0);
        assert_eq!(decoded, Err(WireError::BadCount(count)));
    }
}

#[test]
fn truncated_header_is_refused() {
    let message = Header { command: 1, cookie: 2 }.encode();
    assert_truncations_are_refused("header", &message, &[], |bytes| {
        Header::decode(bytes).map(|_| ())
    });
}

#[test]
fn truncated_cros_message_is_refused_at_every_length() {
    fn body(message: &[u8]) -> Vec<u8> {
        Header::decode(message).unwrap().1.to_vec()
    }
    let init = Init { settings: Settings { protocol_version: 1, client: "hal".into() } };
    assert_truncations_are_refused("init", &body(&init.encode(1)), &[], Init::decode);
    let info = LibraryInfo { library: "/l".into(), reason: "r".into(), ..LibraryInfo::default() };
    let reply = body(&InitReply { ret: 0, info }.encode(1));
    assert_truncations_are_refused("init reply", &reply, &[], InitReply::decode);
    let value = body(&ReturnValue(1).encode(Header { command: 2, cookie: 1 }));
    assert_truncations_are_refused("return value", &value, &[], ReturnValue::decode);
    let register = body(&RegisterBuffer { has_fd: true }.encode(1));
    assert_truncations_are_refused("registerBuffer", &register, &[], RegisterBuffer::decode);
    let handles = body(&DeregisterBuffers::encode(&[1, 2, 3], 1));
    assert_truncations_are_refused("deregister", &handles, &[], DeregisterBuffers::decode);
    let parts = Request { req_id: 1, header: b"header", buffer_handle: 2 }.parts(1);
    let request = body(&[&parts.head, parts.header, &parts.tail].concat());
    assert_truncations_are_refused("request", &request, &[], |bytes| {
        Request::decode(bytes).map(|_| ())
    });
    let answer = body(&UpdateReturn { upd_id: 1, status: 2, has_fd: true }.encode(1));
    assert_truncations_are_refused("updateReturn", &answer, &[], UpdateReturn::decode);
    let returned = body(&Returned { req_id: 1, status: 2, buffer_handle: 3 }.encode());
    assert_truncations_are_refused("returned", &returned, &[], Returned::decode);
    let parts = Updated { upd_id: 1, header: b"header", has_fd: true }.parts();
    let updated = body(&[&parts.head, parts.header, &parts.tail].concat());
    assert_truncations_are_refused("updated", &updated, &[], |bytes| {
        Updated::decode(bytes).map(|_| ())
    });
}

#[test]
fn truncated_control_message_is_refused_at_every_length() {
    let ready = Ready {
        protocol: 1,
        monitor_pid: 2,
        vendor_pid: 3,
        initialize_ms: 4,
        register_ms: 5,
        request_ms: 6,
        overflow_status: 7,
        library: "/v".into(),
    };
    let refused = Refused { errno: -2, reason: "no".into() };
    let died = Died { signal: 9, exit_code: 0, cause: "killed".into() };
    for message in [ready.encode(), refused.encode(), died.encode()] {
        assert_truncations_are_refused("control", &message, &[], FromMonitor::decode);
    }
}

#[test]
fn truncated_captured_message_is_refused_at_every_length() {
    for (file, interface, dialect) in CAPTURES {
        let mut calls = BTreeSet::new();
        for message in messages(file) {
            let Header { command, cookie } = Header::decode(&message.bytes).unwrap().0;
            let body = Header::decode(&message.bytes).unwrap().1;
            let what = format!("{file}, command {command}, cookie {cookie}");
            let from_host = message.direction == Direction::HostToWorker;
            let is_answer = !from_host && calls.remove(&cookie);
            if from_host && command <= 6 {
                calls.insert(cookie);
            }
            match (interface, from_host, is_answer) {
                (Interface::Ipu3, true, _) => {
                    assert_truncations_are_refused(&what, body, &[], |bytes| {
                        ipu3::Call::decode(command, bytes, dialect)
                    });
                }
                (Interface::Ipu3, false, true) => {
                    // The return value alone, without controls.
                    let may_pass: &[usize] = if body.len() > 4 { &[4] } else { &[] };
                    assert_truncations_are_refused(&what, body, may_pass, |bytes| {
                        ipu3::Reply::decode(command, bytes, dialect)
                    });
                }
                (Interface::Ipu3, false, false) => {
                    assert_truncations_are_refused(&what, body, &[], |bytes| {
                        ipu3::Event::decode(command, bytes, dialect)
                    });
                }
                (Interface::Vimc, true, _) => {
                    assert_truncations_are_refused(&what, body, &[], |bytes| {
                        vimc::Call::decode(command, bytes, dialect)
                    });
                }
                (Interface::Vimc, false, true) => {
                    assert_truncations_are_refused(&what, body, &[], |bytes| {
                        vimc::Reply::decode(command, bytes, dialect)
                    });
                }
                (Interface::Vimc, false, false) => {
                    assert_truncations_are_refused(&what, body, &[], |bytes| {
                        vimc::Event::decode(command, bytes, dialect)
                    });
                }
            }
        }
    }
}
