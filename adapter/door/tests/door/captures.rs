//! The recorded sessions of real libcameras: their side is sent again, byte for byte.

use std::os::fd::AsFd;

use cami_wire::libcamera::Dialect;
use cami_wire::libcamera::ipu3::{self, Reply, command};

use crate::calls::memory;
use crate::host::{Host, PATIENCE};

#[path = "../../../wire/tests/common/captures.rs"]
mod format;

use format::{CAPTURES, Direction, Interface, messages};

/// What our worker says to a recorded message, in the order in which it says it.
fn said(host: &mut Host, sent: &format::Message) -> Vec<(u32, u32)> {
    let mut said = Vec::new();
    let expected = match sent.command {
        // Events 1 and 3.
        command::PROCESS_STATS => 2,
        // Event 1, then the answer.
        command::START => 2,
        command::QUEUE_REQUEST | 0 => 0,
        _ => 1,
    };
    while said.len() < expected {
        let message = host.receive(PATIENCE).expect("no answer");
        let is_reply = message.cookie == sent.cookie && message.command == sent.command;
        if is_reply {
            let reply = Reply::decode(message.command, &message.body, host.dialect).unwrap();
            match reply {
                Reply::Init { ret, ipa_controls } | Reply::Configure { ret, ipa_controls } => {
                    assert_eq!(ret, 0);
                    assert!(ipa_controls.is_some());
                }
                Reply::Start { ret } => assert_eq!(ret, 0),
                _ => {}
            }
        } else {
            assert_eq!(message.cookie, 0);
            ipu3::Event::decode(message.command, &message.body, host.dialect).unwrap();
        }
        said.push((message.command, message.cookie));
    }
    said
}

#[test]
fn recorded_sessions_are_answered_as_libcamera_s_own_worker_answered_them() {
    for (file, interface, dialect) in CAPTURES {
        if interface != Interface::Ipu3 {
            continue;
        }
        // `init` does not tell the last two apart.
        let dialect = dialect.min(Dialect::V0_6);
        let mut host = Host::start("", dialect);
        let buffers = [memory(0x1_0000, 0), memory(0x4_0000, 9)];
        let (sent, recorded): (Vec<_>, Vec<_>) = messages(file)
            .into_iter()
            .partition(|message| message.direction == Direction::HostToWorker);
        let mut ours = Vec::new();
        for sent in sent {
            let fds: Vec<_> = buffers.iter().take(sent.fds).map(AsFd::as_fd).collect();
            assert_eq!(fds.len(), sent.fds, "{file}");
            host.send(&sent.bytes, &fds);
            ours.extend(said(&mut host, &sent));
        }
        // In the recordings calls that are not answered went out in bundles.
        let mut theirs: Vec<(u32, u32)> =
            recorded.iter().map(|message| (message.command, message.cookie)).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{file}");
        assert_eq!(host.end().code(), Some(0), "{file}: it ends with Exit");
    }
}
