//! Whatever a peer sends: no panic, no descriptor lost, no message beyond the inbox's bounds.
#![allow(clippy::unwrap_used, reason = "helpers of tests state what they expect")]

mod support;

use std::os::fd::AsFd;

use cami_link::{Framing, Inbox, ReceiveError};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::*;

const MAX_BODY: usize = 64;
const MAX_FDS: usize = 3;

/// One `sendmsg` of the peer.
#[derive(Clone, Debug)]
struct Write {
    bytes: Vec<u8>,
    fds: usize,
}

/// Half of the writes are frame headers that are nearly right, or the messages of such: pure noise
/// would never get past the header.
fn write() -> impl Strategy<Value = Write> {
    let noise = proptest::collection::vec(any::<u8>(), 0..100);
    let header = (0_usize..100, 0_u8..5).prop_map(|(len, fds)| frame_header(len, fds).to_vec());
    let bytes = prop_oneof![noise, header, (8_usize..80).prop_map(|len| vec![1; len])];
    (bytes, prop_oneof![4 => Just(0_usize), 1 => 0..5_usize])
        .prop_map(|(bytes, fds)| Write { bytes, fds })
}

fn survives(framing: Framing, writes: &[Write]) -> Result<(), TestCaseError> {
    let (link, peer) = link_and_socket(framing);
    let file = file(b"");
    for write in writes {
        // An empty write on a stream carries nothing.
        send_raw(&peer, &write.bytes, &vec![file.as_fd(); write.fds]).ok();
    }
    let mut inbox = Inbox::new(MAX_BODY, MAX_FDS);
    let most = writes.iter().map(|write| write.bytes.len() + 1).sum::<usize>() + 2;
    for attempt in 0.. {
        prop_assert!(attempt <= most, "receive makes no progress");
        match link.receive(&mut inbox, passed()) {
            Ok(received) => {
                prop_assert!(received.body.len() <= MAX_BODY && received.fds.len() <= MAX_FDS);
                prop_assert!(!received.fds_lost);
            }
            Err(ReceiveError::Malformed(_)) => {}
            Err(error) => {
                prop_assert_eq!(error, ReceiveError::TimedOut, "the peer lives");
                break;
            }
        }
    }
    drop(peer);
    if framing != Framing::TwoDatagrams {
        prop_assert!(matches!(link.receive(&mut inbox, far()), Err(ReceiveError::Closed)));
    }
    Ok(())
}

#[test]
fn receive_arbitrary_writes_never_panics_and_leaks_nothing() {
    in_own_process("receive_arbitrary_writes_never_panics_and_leaks_nothing", || {
        let config = Config { failure_persistence: None, ..Config::with_cases(1000) };
        let writes = proptest::collection::vec(write(), 0..12);
        for framing in FRAMINGS {
            let before = open_fds();
            TestRunner::new(config.clone())
                .run(&writes, |writes| survives(framing, &writes))
                .unwrap();
            assert_eq!(open_fds(), before, "{framing:?}");
        }
    });
}
