//! What is encoded decodes to what it was.

use core::fmt::Debug;

use cami_wire::control::{
    CommandRule, Died, FromClient, FromMonitor, Hello, Kill, Ready, Recovery, Refused, Restarts,
    Resumed, Role, Standby,
};
use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, LibraryInfo, RegisterBuffer, Request, ReturnValue,
    Returned, Settings, UpdateReturn, Updated,
};
use cami_wire::libcamera::{Dialect, Map, SharedFd, Value, ipu3, vimc};
use cami_wire::message::EVENT_COOKIE;
use cami_wire::{Header, WireError};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies as s;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

/// The body of a message whose header must be as stated.
fn body(message: &[u8], command: u32, cookie: u32) -> &[u8] {
    let (header, body) = Header::decode(message).unwrap();
    assert_eq!(header, Header { command, cookie });
    body
}

fn assert_survives<T: Value + PartialEq + Debug>(value: &T, dialect: Dialect) {
    let mut bytes = Vec::new();
    value.encode(dialect, &mut bytes).unwrap();
    assert_eq!(T::decode(&bytes, dialect).as_ref(), Ok(value));
    bytes.push(0);
    let longer = T::decode(&bytes, dialect);
    assert_ne!(longer.as_ref(), Ok(value), "a byte more must not go unnoticed");
}

fn assert_call_survives(call: &ipu3::Call, dialect: Dialect) {
    let message = call.encode(9, dialect).unwrap();
    let again = ipu3::Call::decode(call.command(), body(&message, call.command(), 9), dialect);
    assert_eq!(again.as_ref(), Ok(call));
}

fn assert_vimc_call_survives(call: &vimc::Call, dialect: Dialect) {
    let message = call.encode(9, dialect).unwrap();
    let again = vimc::Call::decode(call.command(), body(&message, call.command(), 9), dialect);
    assert_eq!(again.as_ref(), Ok(call));
}

/// A dialect and what `strategy` makes for it.
fn with_dialect<S: Strategy>(
    strategy: impl Fn(Dialect) -> S + Clone,
) -> impl Strategy<Value = (Dialect, S::Value)> {
    s::dialect().prop_flat_map(move |dialect| (Just(dialect), strategy(dialect)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn header_survives(command: u32, cookie: u32, rest: Vec<u8>) {
        let header = Header { command, cookie };
        let message = [&header.encode()[..], &rest].concat();
        prop_assert_eq!(Header::decode(&message), Ok((header, &rest[..])));
    }

    #[test]
    fn cros_request_survives(req_id: u32, header: Vec<u8>, buffer_handle: i32, cookie: u32) {
        let request = Request { req_id, header: &header, buffer_handle };
        let parts = request.parts(cookie);
        let message = [&parts.head, parts.header, &parts.tail].concat();
        prop_assert_eq!(Request::decode(body(&message, 6, cookie)), Ok(request));
    }

    #[test]
    fn cros_events_survive(a: u32, b: u32, c: i32, header: Vec<u8>, has_fd: bool) {
        let returned = Returned { req_id: a, status: b, buffer_handle: c };
        let message = returned.encode();
        prop_assert_eq!(Returned::decode(body(&message, 1, EVENT_COOKIE)), Ok(returned));
        let updated = Updated { upd_id: a, header: &header, has_fd };
        let parts = updated.parts();
        let message = [&parts.head, parts.header, &parts.tail].concat();
        prop_assert_eq!(Updated::decode(body(&message, 2, EVENT_COOKIE)), Ok(updated));
    }

    #[test]
    fn cros_calls_survive(
        cookie: u32, upd_id: u32, status: u32, has_fd: bool, handles: Vec<i32>, client: String,
    ) {
        let message = UpdateReturn { upd_id, status, has_fd };
        let bytes = message.encode(cookie);
        prop_assert_eq!(UpdateReturn::decode(body(&bytes, 7, cookie)), Ok(message));
        let message = RegisterBuffer { has_fd };
        let bytes = message.encode(cookie);
        prop_assert_eq!(RegisterBuffer::decode(body(&bytes, 4, cookie)), Ok(message));
        let bytes = DeregisterBuffers::encode(&handles, cookie);
        let message = DeregisterBuffers { handles };
        prop_assert_eq!(DeregisterBuffers::decode(body(&bytes, 5, cookie)), Ok(message));
        let message = Init { settings: Settings { protocol_version: status, client } };
        let bytes = message.encode(cookie);
        prop_assert_eq!(Init::decode(body(&bytes, 1, cookie)), Ok(message));
    }

    #[test]
    fn cros_answers_survive(
        cookie: u32, ret: i32, protocol_version: u32, table_size: u32,
        library: String, build_id: String, reason: String,
    ) {
        let header = Header { command: 2, cookie };
        let bytes = ReturnValue(ret).encode(header);
        prop_assert_eq!(ReturnValue::decode(body(&bytes, 2, cookie)), Ok(ReturnValue(ret)));
        let info = LibraryInfo { protocol_version, table_size, library, build_id, reason };
        let message = InitReply { ret, info };
        let bytes = message.encode(cookie);
        prop_assert_eq!(InitReply::decode(body(&bytes, 1, cookie)), Ok(message));
    }

    #[test]
    fn control_messages_survive(words: [u32; 5], pids: [i32; 2], text: String) {
        let ready = Ready {
            protocol: words[0],
            monitor_pid: pids[0],
            vendor_pid: pids[1],
            initialize_ms: words[1],
            register_ms: words[2],
            request_ms: words[3],
            overflow_status: words[4],
            library: text.clone(),
        };
        let refused = Refused { errno: pids[0], reason: text.clone() };
        let died = Died { signal: pids[0], exit_code: pids[1], cause: text.clone() };
        for message in [
            FromMonitor::Ready(ready), FromMonitor::Refused(refused), FromMonitor::Died(died),
        ] {
            let again = FromMonitor::decode(&message.encode());
            prop_assert_eq!(again, Ok(message));
        }
        let module: String = text.chars().take(60).collect();
        let hello = FromClient::Hello(Hello { protocol: words[0], module });
        prop_assert_eq!(FromClient::decode(&hello.encode()), Ok(hello));
        let kill = FromClient::Kill(Kill { reason: text });
        prop_assert_eq!(FromClient::decode(&kill.encode()), Ok(kill));
        let standby = Standby { pid: pids[0] };
            prop_assert_eq!(
                FromMonitor::decode(&FromMonitor::Standby(standby).encode()),
                Ok(FromMonitor::Standby(standby))
            );
            let keep = FromClient::Keep(standby);
            prop_assert_eq!(FromClient::decode(&keep.encode()), Ok(keep));
            let commands = (0..pids[0].rem_euclid(5).cast_unsigned())
                .map(|id| CommandRule {
                    id,
                    role: [Role::Plain, Role::SetUp, Role::State, Role::TearDown, Role::Plain][id as usize],
                    gives: (id > 1).then_some(words[0] / 2),
                    takes: vec![id; id as usize],
                    ends: vec![7; 4 - id as usize],
                    instance: (id % 2 == 0).then_some(id),
                    keep: vec![(id, 9); id as usize],
                })
                .collect();
            let recovery = FromMonitor::Recovery(Recovery {
                restart_limit: words[0],
                restart_window_ms: words[0],
                standby: words[0] % 2 == 0,
                command_byte: (words[0] % 3 == 0).then_some(1),
                ok_status: words[0],
                answers_all: words[0] % 5 == 0,
                commands,
            });
            prop_assert_eq!(FromMonitor::decode(&recovery.encode()), Ok(recovery));
            let resumed = FromClient::Resumed(Resumed { at_ns: u64::from(words[0]) << 7 });
            prop_assert_eq!(FromClient::decode(&resumed.encode()), Ok(resumed));
            let restarts = FromClient::Restarts(Restarts { count: pids[0].cast_unsigned() });
        prop_assert_eq!(FromClient::decode(&restarts.encode()), Ok(restarts));
    }

    #[test]
    fn plain_values_survive(
        flag: bool, a: u8, b: i8, c: u16, d: i16, e: u32, f: i32, g: u64, h: i64, dialect in s::dialect(),
    ) {
        assert_survives(&flag, dialect);
        assert_survives(&a, dialect);
        assert_survives(&b, dialect);
        assert_survives(&c, dialect);
        assert_survives(&d, dialect);
        assert_survives(&e, dialect);
        assert_survives(&f, dialect);
        assert_survives(&g, dialect);
        assert_survives(&h, dialect);
        let (single, double) = (f32::from_bits(e), f64::from_bits(g));
        let single = f32::decode(&single.to_le_bytes(), dialect).map(f32::to_bits);
        prop_assert_eq!(single, Ok(e));
        let double = f64::decode(&double.to_le_bytes(), dialect).map(f64::to_bits);
        prop_assert_eq!(double, Ok(g));
    }

    #[test]
    fn containers_survive(
        words: Vec<u32>, texts: Vec<String>, nested: Vec<Vec<i64>>,
        pairs: Vec<(String, u32)>, planes in vec(s::plane(), 0..5), dialect in s::dialect(),
    ) {
        assert_survives(&words, dialect);
        assert_survives(&texts, dialect);
        assert_survives(&nested, dialect);
        assert_survives(&Map(pairs), dialect);
        let by_index: Map<u32, _> = Map((0..).zip(planes.clone()).collect());
        let expected = planes.iter().filter(|plane| plane.fd.valid).count();
        prop_assert_eq!(usize::try_from(by_index.fds()), Ok(expected));
        prop_assert_eq!(usize::try_from(planes.fds()), Ok(expected));
        assert_survives(&planes, dialect);
        assert_survives(&by_index, dialect);
    }

    #[test]
    fn structs_survive(
        size in s::size(), point in s::point(), rectangle in s::rectangle(),
        range in s::size_range(), buffer in s::buffer(), settings in s::settings(),
        stream in s::stream(), (dialect, info) in with_dialect(s::sensor_info),
    ) {
        assert_survives(&size, dialect);
        assert_survives(&point, dialect);
        assert_survives(&rectangle, dialect);
        assert_survives(&range, dialect);
        assert_survives(&buffer, dialect);
        assert_survives(&settings, dialect);
        assert_survives(&stream, dialect);
        assert_survives(&info, dialect);
    }

    #[test]
    fn control_lists_survive((dialect, list) in with_dialect(s::control_list)) {
        assert_survives(&list, dialect);
    }

    #[test]
    fn control_info_maps_survive((dialect, map) in with_dialect(s::info_map)) {
        assert_survives(&map, dialect);
    }

    #[test]
    fn control_packets_survive(
        (dialect, (list, map)) in with_dialect(|d| (s::list_packet(d), s::info_packet(d))),
    ) {
        assert_survives(&list, dialect);
        assert_survives(&map, dialect);
    }

    #[test]
    fn ipu3_calls_survive(
        (dialect, (info, map, list, config)) in with_dialect(|d| {
            (s::sensor_info(d), s::info_packet(d), s::list_packet(d), s::config_info(d))
        }),
        settings in s::settings(), buffers in vec(s::buffer(), 0..4), ids: Vec<u32>,
        frame: u32, buffer_id: u32, frame_timestamp: i64,
    ) {
        let fds: usize = buffers
            .iter()
            .map(|buffer| buffer.planes.iter().filter(|plane| plane.fd.valid).count())
            .sum();
        let map_buffers = ipu3::Call::MapBuffers(buffers);
        prop_assert_eq!(map_buffers.expected_fds(), fds);
        for call in [
            ipu3::Call::Exit,
            ipu3::Call::Init { settings, sensor_info: info, sensor_controls: map },
            ipu3::Call::Start,
            ipu3::Call::Stop,
            ipu3::Call::Configure(Box::new(config)),
            map_buffers,
            ipu3::Call::UnmapBuffers(ids),
            ipu3::Call::QueueRequest { frame, controls: list.clone() },
            ipu3::Call::ComputeParams { frame, buffer_id },
            ipu3::Call::ProcessStats { frame, frame_timestamp, buffer_id, sensor_controls: list },
        ] {
            assert_call_survives(&call, dialect);
        }
    }

    #[test]
    fn ipu3_answers_and_events_survive(
        (dialect, (map, list)) in with_dialect(|d| (s::info_packet(d), s::list_packet(d))),
        ret: i32, frame: u32,
    ) {
        for reply in [
            ipu3::Reply::Init { ret, ipa_controls: map.clone() },
            ipu3::Reply::Start { ret },
            ipu3::Reply::Stop,
            ipu3::Reply::Configure { ret, ipa_controls: map },
            ipu3::Reply::MapBuffers,
            ipu3::Reply::UnmapBuffers,
        ] {
            let message = reply.encode(3, dialect).unwrap();
            let body = body(&message, reply.command(), 3);
            let again = ipu3::Reply::decode(reply.command(), body, dialect);
            prop_assert_eq!(again, Ok(reply));
        }
        for event in [
            ipu3::Event::SetSensorControls {
                frame, sensor_controls: list.clone(), lens_controls: list.clone(),
            },
            ipu3::Event::ParamsComputed { frame },
            ipu3::Event::MetadataReady { frame, metadata: list },
        ] {
            let message = event.encode(dialect).unwrap();
            let body = body(&message, event.number(), EVENT_COOKIE);
            let again = ipu3::Event::decode(event.number(), body, dialect);
            prop_assert_eq!(again, Ok(event));
        }
    }

    #[test]
    fn vimc_messages_survive(
        (dialect, (info, map, list)) in with_dialect(|d| {
            (s::sensor_info(d), s::info_packet(d), s::list_packet(d))
        }),
        settings in s::settings(), stream in s::stream(), buffers in vec(s::buffer(), 0..4),
        valid: bool, code: u32, in_flags: u32, ret: i32,
    ) {
        let trace_fd = SharedFd { valid: valid && dialect.vimc_has_trace_fd() };
        for call in [
            vimc::Call::Exit,
            vimc::Call::Init { settings, trace_fd, code, in_flags },
            vimc::Call::Configure {
                sensor_info: info,
                stream_config: Map(vec![(code, stream)]),
                entity_controls: Map(vec![(in_flags, map.clone()), (code, map)]),
            },
            vimc::Call::Start,
            vimc::Call::Stop,
            vimc::Call::MapBuffers(buffers),
            vimc::Call::UnmapBuffers(vec![code, in_flags]),
            vimc::Call::QueueRequest { frame: code, controls: list },
            vimc::Call::ComputeParams { frame: code, buffer_id: in_flags },
        ] {
            if matches!(call, vimc::Call::Init { .. }) {
                prop_assert_eq!(call.expected_fds(), usize::from(trace_fd.valid));
            }
            assert_vimc_call_survives(&call, dialect);
        }
        for reply in [
            vimc::Reply::Init { ret, out_flags: code },
            vimc::Reply::Configure { ret },
            vimc::Reply::Start { ret },
            vimc::Reply::Stop,
            vimc::Reply::MapBuffers,
            vimc::Reply::UnmapBuffers,
        ] {
            let message = reply.encode(3);
            let body = body(&message, reply.command(), 3);
            prop_assert_eq!(vimc::Reply::decode(reply.command(), body, dialect), Ok(reply));
        }
        let event = vimc::Event { buffer_id: code, flags: in_flags };
        let message = event.encode();
        let body = body(&message, 1, EVENT_COOKIE);
        prop_assert_eq!(vimc::Event::decode(1, body, dialect), Ok(event));
        prop_assert_eq!(vimc::Event::decode(2, body, dialect), Err(WireError::UnknownCommand(2)));
    }
}
