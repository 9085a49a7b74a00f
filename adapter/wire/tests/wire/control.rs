//! The messages between client and monitor.

use cami_wire::WireError;
use cami_wire::control::{Died, FromClient, FromMonitor, Kill, Ready, Refused, Restarts};

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
fn restarts_is_a_bare_number_of_four_bytes() {
    let restarts = FromClient::Restarts(Restarts { count: 258 });
    assert_eq!(restarts.encode(), hex("03000000 00000000 02010000").unwrap());
    assert_eq!(FromClient::decode(&restarts.encode()), Ok(restarts));
    let short = hex("03000000 00000000 0201").unwrap();
    assert!(matches!(FromClient::decode(&short), Err(WireError::SizeMismatch { expected: 4, .. })));
}

#[test]
fn unknown_numbers_are_refused() {
    for number in [0_u8, 4, 255] {
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
