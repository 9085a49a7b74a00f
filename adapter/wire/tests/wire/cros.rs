//! The `cros` interface: exact bytes, and what is refused.

use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, LibraryInfo, MAX_HEADER_BYTES, PROTOCOL_VERSION,
    RegisterBuffer, Request, ReturnValue, Returned, Settings, UpdateReturn, Updated, command,
    decode_empty,
};
use cami_wire::{Header, WireError};

use crate::common::captures::{golden, hex};

fn assert_bytes(ours: &[u8], expected: &str) {
    assert_eq!(ours, hex(expected).unwrap());
}

fn body(message: &[u8]) -> &[u8] {
    Header::decode(message).unwrap().1
}

#[test]
fn every_message_of_libcameras_generated_code_is_ours() {
    let request = Request { req_id: 0x1122_3344, header: b"\xaa\xbb\0\xcc", buffer_handle: -1 };
    let request = request.parts(8);
    let update = |has_fd| UpdateReturn { upd_id: 3, status: 4, has_fd };
    let updated = |has_fd| {
        let parts = Updated { upd_id: 3, header: b"xy", has_fd }.parts();
        [&parts.head, parts.header, &parts.tail].concat()
    };
    let info = LibraryInfo {
        protocol_version: 1,
        table_size: 48,
        library: "/l".into(),
        build_id: "ab".into(),
        reason: String::new(),
    };
    let ours = [
        (
            "init",
            0,
            Init { settings: Settings { protocol_version: 1, client: "hal".into() } }.encode(5),
        ),
        ("registerBuffer, valid fd", 1, RegisterBuffer { has_fd: true }.encode(6).to_vec()),
        ("deregisterBuffers", 0, DeregisterBuffers::encode(&[1, -1], 7)),
        ("request", 0, [&request.head, request.header, &request.tail].concat()),
        ("updateReturn, valid fd", 1, update(true).encode(9).to_vec()),
        ("updateReturn, invalid fd", 0, update(false).encode(10).to_vec()),
        (
            "returned",
            0,
            Returned { req_id: 1, status: 0x8000_0000, buffer_handle: -5 }.encode().to_vec(),
        ),
        ("updated, valid fd", 1, updated(true)),
        ("updated, invalid fd", 0, updated(false)),
        ("init reply", 0, InitReply { ret: -71, info }.encode(5)),
    ];
    let golden = golden("cros_0.7.2.txt");
    assert_eq!(golden.lines().count(), ours.len());
    for (line, (name, fds, message)) in golden.lines().zip(ours) {
        let rest = line.strip_prefix(&format!("{name}: fds={fds} ")).unwrap();
        assert_eq!(message, hex(rest).unwrap(), "{name}");
    }
}

#[test]
fn request_in_three_parts_makes_the_message_of_the_generated_proxy() {
    let header = [0xaa, 0xbb, 0xcc];
    let request = Request { req_id: 0x1122_3344, header: &header, buffer_handle: -1 };
    let parts = request.parts(7);
    let message = [&parts.head, parts.header, &parts.tail].concat();
    assert_bytes(
        &message,
        "06000000 07000000  04000000 03000000 04000000  44332211 aabbcc ffffffff",
    );
    assert_eq!(Request::decode(body(&message)), Ok(request));
    assert_eq!(request.expected_fds(), 0);
}

#[test]
fn request_with_empty_header_is_legal() {
    let request = Request { req_id: 0, header: &[], buffer_handle: 0 };
    let parts = request.parts(1);
    let message = [&parts.head, parts.header, &parts.tail].concat();
    assert_eq!(message.len(), 28);
    assert_eq!(Request::decode(body(&message)), Ok(request));
}

#[test]
fn header_of_the_limit_passes_and_one_byte_more_is_refused() {
    for (length, passes) in [(MAX_HEADER_BYTES, true), (MAX_HEADER_BYTES + 1, false)] {
        let header = vec![0x5a; length];
        let too_long = WireError::TooLong { limit: MAX_HEADER_BYTES, length };

        let request = Request { req_id: 1, header: &header, buffer_handle: 2 };
        let parts = request.parts(1);
        let message = [&parts.head, parts.header, &parts.tail].concat();
        let decoded = Request::decode(body(&message));
        assert_eq!(decoded, if passes { Ok(request) } else { Err(too_long) });

        let updated = Updated { upd_id: 1, header: &header, has_fd: false };
        let parts = updated.parts();
        let message = [&parts.head, parts.header, &parts.tail].concat();
        let decoded = Updated::decode(body(&message));
        assert_eq!(decoded, if passes { Ok(updated) } else { Err(too_long) });
    }
}

#[test]
fn returned_is_an_event_of_three_words() {
    let returned = Returned { req_id: 1, status: 0x8000_0000, buffer_handle: -5 };
    assert_bytes(
        &returned.encode(),
        "01000000 00000000  04000000 04000000 04000000  01000000 00000080 fbffffff",
    );
    assert_eq!(Returned::decode(body(&returned.encode())), Ok(returned));
}

#[test]
fn update_return_announces_its_fd_twice() {
    let with = UpdateReturn { upd_id: 3, status: 4, has_fd: true };
    assert_bytes(
        &with.encode(9),
        "07000000 09000000  04000000 04000000 04000000 01000000  03000000 04000000 01000000",
    );
    let without = UpdateReturn { has_fd: false, ..with };
    for message in [with, without] {
        assert_eq!(UpdateReturn::decode(body(&message.encode(9))), Ok(message));
        assert_eq!(message.expected_fds(), usize::from(message.has_fd));
    }
}

#[test]
fn updated_announces_its_fd_twice() {
    let updated = Updated { upd_id: 3, header: b"xy", has_fd: true };
    let parts = updated.parts();
    let message = [&parts.head, parts.header, &parts.tail].concat();
    assert_bytes(
        &message,
        "02000000 00000000  04000000 02000000 04000000 01000000  03000000 7879 01000000",
    );
    assert_eq!(Updated::decode(body(&message)), Ok(updated));
    assert_eq!(updated.expected_fds(), 1);
}

#[test]
fn fd_flag_that_contradicts_the_announced_fds_is_refused() {
    let mut message = UpdateReturn { upd_id: 3, status: 4, has_fd: true }.encode(9);
    message[20] = 0;
    let contradiction = WireError::FdCount { expected: 1, announced: 0 };
    assert_eq!(UpdateReturn::decode(body(&message)), Err(contradiction));

    let updated = Updated { upd_id: 3, header: b"xy", has_fd: false };
    let mut parts = updated.parts();
    parts.head[20] = 2;
    let message = [&parts.head, parts.header, &parts.tail].concat();
    let contradiction = WireError::FdCount { expected: 0, announced: 2 };
    assert_eq!(Updated::decode(body(&message)), Err(contradiction));
}

#[test]
fn fd_flag_that_is_neither_zero_nor_one_is_refused() {
    let mut message = RegisterBuffer { has_fd: true }.encode(1);
    message[8] = 2;
    assert_eq!(RegisterBuffer::decode(body(&message)), Err(WireError::BadFlag(2)));
    let mut message = UpdateReturn { upd_id: 3, status: 4, has_fd: true }.encode(9);
    message[32] = 255;
    assert_eq!(UpdateReturn::decode(body(&message)), Err(WireError::BadFlag(255)));
}

#[test]
fn init_is_a_bare_struct() {
    let settings = Settings { protocol_version: PROTOCOL_VERSION, client: "hal".into() };
    let init = Init { settings };
    let message = init.encode(1);
    assert_bytes(&message, "01000000 01000000  01000000 03000000 68616c");
    assert_eq!(Init::decode(body(&message)), Ok(init));
}

#[test]
fn init_reply_is_the_return_value_and_a_bare_struct() {
    let reply = InitReply {
        ret: -71,
        info: LibraryInfo {
            protocol_version: 1,
            table_size: 48,
            library: "/l".into(),
            build_id: "ab".into(),
            reason: String::new(),
        },
    };
    let message = reply.encode(1);
    assert_bytes(
        &message,
        "01000000 01000000  b9ffffff  01000000 30000000 02000000 2f6c 02000000 6162 00000000",
    );
    assert_eq!(InitReply::decode(body(&message)), Ok(reply));
}

#[test]
fn answers_of_one_word_repeat_command_and_cookie() {
    let header = Header { command: command::REGISTER_BUFFER, cookie: 5 };
    let message = ReturnValue(-12).encode(header);
    assert_bytes(&message, "04000000 05000000 f4ffffff");
    let (decoded, body) = Header::decode(&message).unwrap();
    assert_eq!(decoded, header);
    assert_eq!(ReturnValue::decode(body), Ok(ReturnValue(-12)));
}

#[test]
fn register_buffer_is_a_bare_flag_and_one_fd() {
    let message = RegisterBuffer { has_fd: true };
    assert_bytes(&message.encode(2), "04000000 02000000 01000000");
    assert_eq!(RegisterBuffer::decode(body(&message.encode(2))), Ok(message));
    assert_eq!(message.expected_fds(), 1);
    assert_eq!(RegisterBuffer { has_fd: false }.expected_fds(), 0);
}

#[test]
fn deregister_buffers_is_a_bare_vector() {
    let message = DeregisterBuffers::encode(&[1, -1], 3);
    assert_bytes(
        &message,
        "05000000 03000000  02000000  04000000 00000000 01000000  04000000 00000000 ffffffff",
    );
    let decoded = DeregisterBuffers::decode(body(&message)).unwrap();
    assert_eq!(decoded.handles, [1, -1]);
    let empty = DeregisterBuffers::encode(&[], 3);
    assert!(DeregisterBuffers::decode(body(&empty)).unwrap().handles.is_empty());
}

#[test]
fn deregister_buffers_with_false_count_is_refused_without_reserving() {
    let mut message = DeregisterBuffers::encode(&[1, 2, 3], 3);
    for count in [0_u32, 2, 4, 0x1000_0000, u32::MAX] {
        message[8..12].copy_from_slice(&count.to_le_bytes());
        let decoded = DeregisterBuffers::decode(body(&message));
        assert_eq!(decoded, Err(WireError::BadCount(count)));
    }
    let honest = DeregisterBuffers::encode(&[1, 2, 3], 3);
    let decoded = DeregisterBuffers::decode(body(&honest)).unwrap();
    assert_eq!(decoded.handles.capacity(), 3);
}

#[test]
fn argument_of_wrong_size_is_refused() {
    let mut message = Returned { req_id: 1, status: 2, buffer_handle: 3 }.encode();
    message[8] = 5;
    message[12] = 3;
    let wrong = WireError::SizeMismatch { expected: 4, announced: 5 };
    assert_eq!(Returned::decode(body(&message)), Err(wrong));
}

#[test]
fn messages_without_arguments_are_eight_bytes() {
    let message = Header { command: command::STOP, cookie: 3 }.encode();
    assert_bytes(&message, "03000000 03000000");
    assert_eq!(decode_empty(body(&message)), Ok(()));
    assert_eq!(decode_empty(&[0]), Err(WireError::TrailingBytes));
}
