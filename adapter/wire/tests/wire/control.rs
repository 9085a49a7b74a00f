//! The messages between client and monitor.

use cami_wire::WireError;
use cami_wire::control::{
    Died, FromClient, FromMonitor, Hello, Kill, Ready, Refused, Restarts, Resumed,
};

use crate::common::captures::hex;

#[test]
fn ready_is_eight_arguments() {
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
    let message = ready.encode();
    let expected = hex(
        "01000000 00000000  04000000 04000000 04000000 04000000 04000000 04000000 04000000 02000000
         01000000 02000000 03000000 04000000 05000000 06000000 07000000 2f76",
    );
    assert_eq!(message, expected.unwrap());
    assert_eq!(FromMonitor::decode(&message), Ok(FromMonitor::Ready(ready)));
}

#[test]
fn refused_and_died_decoded_are_the_same() {
    let refused = Refused { errno: -2, reason: "vendor_library is not set".into() };
    let died = Died { signal: 11, exit_code: 0, cause: "SIGSEGV in libx.so+0x10".into() };
    for message in [FromMonitor::Refused(refused), FromMonitor::Died(died)] {
        assert_eq!(FromMonitor::decode(&message.encode()).as_ref(), Ok(&message));
    }
}

#[test]
fn kill_is_bare_text() {
    let kill = FromClient::Kill(Kill { reason: "late".into() });
    assert_eq!(kill.encode(), hex("01000000 00000000 6c617465").unwrap());
    assert_eq!(FromClient::decode(&kill.encode()), Ok(kill));
}

#[test]
fn hello_is_two_arguments_and_its_name_is_bounded() {
    let hello = Hello { protocol: 1, module: "libcam_algo.so".into() };
    let message = hello.encode();
    let expected =
        hex("02000000 00000000  04000000 0e000000 01000000 6c696263616d5f616c676f2e736f");
    assert_eq!(message, expected.unwrap());
    assert_eq!(FromClient::decode(&message), Ok(FromClient::Hello(hello)));
    let long = |length| Hello { protocol: 1, module: "x".repeat(length) }.encode();
    assert!(FromClient::decode(&long(255)).is_ok());
    let refused = Err(WireError::TooLong { limit: 255, length: 256 });
    assert_eq!(FromClient::decode(&long(256)), refused);
    assert!(FromClient::decode(&message[..10]).is_err());
}

#[test]
fn link_and_leave_are_bare() {
    assert_eq!(FromMonitor::Link.encode(), hex("04000000 00000000").unwrap());
    assert_eq!(FromMonitor::decode(&FromMonitor::Link.encode()), Ok(FromMonitor::Link));
    assert_eq!(FromClient::Leave.encode(), hex("03000000 00000000").unwrap());
    assert_eq!(FromClient::decode(&FromClient::Leave.encode()), Ok(FromClient::Leave));
    assert!(FromClient::decode(&hex("03000000 00000000 00").unwrap()).is_err());
}

#[test]
fn restarts_is_a_bare_number_of_four_bytes() {
    let restarts = FromClient::Restarts(Restarts { count: 258 });
    assert_eq!(restarts.encode(), hex("05000000 00000000 02010000").unwrap());
    assert_eq!(FromClient::decode(&restarts.encode()), Ok(restarts));
    let short = hex("05000000 00000000 0201").unwrap();
    assert!(matches!(FromClient::decode(&short), Err(WireError::SizeMismatch { expected: 4, .. })));
}

#[test]
fn resumed_is_a_bare_number_of_eight_bytes() {
    let resumed = FromClient::Resumed(Resumed { at_ns: 258 });
    assert_eq!(resumed.encode(), hex("07000000 00000000 02010000 00000000").unwrap());
    assert_eq!(FromClient::decode(&resumed.encode()), Ok(resumed));
    assert!(FromClient::decode(&hex("07000000 00000000 02010000").unwrap()).is_err());
    assert!(FromClient::decode(&hex("07000000 00000000 02010000 00000000 00").unwrap()).is_err());
}

#[test]
fn unknown_numbers_are_refused() {
    for number in [0_u8, 8, 255] {
        let message = [number, 0, 0, 0, 0, 0, 0, 0];
        let unknown = WireError::UnknownCommand(u32::from(number));
        assert_eq!(FromMonitor::decode(&message), Err(unknown));
        assert_eq!(FromClient::decode(&message), Err(unknown));
    }
}

#[test]
fn every_error_names_what_is_wrong_in_one_line() {
    let errors = [
        (WireError::Truncated, "message ends inside a value"),
        (
            WireError::TooLong { limit: 1, length: 2 },
            "field of 2 bytes exceeds the limit of 1 bytes",
        ),
        (WireError::UnknownCommand(9), "unknown command number 9"),
        (WireError::UnknownHandle(3), "unknown control info map handle 3"),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text);
    }
}
