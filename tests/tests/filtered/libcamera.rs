//! libcamera's own interface on the same stream.

use std::io::IoSlice;
use std::time::Duration;

use cami_link::{Deadline, Inbox, Link, ReceiveError};
use cami_tests::{PATIENCE, Room, artefact};
use cami_wire::libcamera::ipu3::{Reply, command};
use cami_wire::libcamera::{Dialect, InfoMapPacket};

use crate::client::{AlgoService, Client, buffer};

#[path = "../../../adapter/wire/tests/common/captures.rs"]
#[allow(dead_code, reason = "another crate's tests use the rest")]
mod format;

fn init() -> Vec<u8> {
    format::messages("capture_ipu3_v0.7.2.txt").remove(0).bytes
}

fn answer(stream: &Link) -> Reply {
    let mut inbox = Inbox::new(1 << 20, 0);
    let message = stream.receive(&mut inbox, Some(Deadline::after(PATIENCE))).unwrap();
    assert_eq!((message.command, message.cookie), (command::INIT, 0));
    Reply::decode(command::INIT, message.body, Dialect::V0_6).unwrap()
}

/// Told from `cros` by its first message, under the same filter, and beside clients of `cros`.
#[test]
fn libcamera_is_served_beside_clients_of_cros() {
    let service = AlgoService::start("plain", &[("CAMI_IPA_VENDOR_LIBRARY", "/nowhere/lib.so")]);
    let libcamera = Client::connect(&service.room.path("algo.sock"));
    libcamera.send(&init(), &[]);
    let Reply::Init { ret, ipa_controls } = answer(&libcamera.stream) else { panic!() };
    // The library is missing: an error, with a map all the same.
    assert!(ret < 0);
    assert!(matches!(ipa_controls, Some(InfoMapPacket::Map(_))));
    assert_eq!(service.connect().init().ret, -libc::ENOENT);
    drop(libcamera);
    service.log.wait(&["child exit 0"]);
    service.finish();
}

/// The recorded session, with a tuning file as large as real ones, and the library in the same process:
/// no system call of it all is off the list.
#[test]
fn a_session_with_frames_is_served_under_the_filter() {
    let folder = Room::new();
    std::fs::write(folder.path("imx219.aiqb"), vec![0; 400_000]).unwrap();
    let tuning = format!("imx219={}", folder.path("imx219.aiqb").display());
    let library = artefact("libcam_algo_reference.so").display().to_string();
    let variables = [("CAMI_IPA_VENDOR_LIBRARY", library.as_str()), ("CAMI_IPA_TUNING", &tuning)];
    let service = AlgoService::start("plain", &variables);
    let client = Client::connect(&service.room.path("algo.sock"));
    let buffers = [buffer(0x1_0000), buffer(0x4_0000)];
    let recorded = format::messages("capture_ipu3_v0.7.2.txt");
    let mut inbox = Inbox::new(1 << 20, 0);
    for call in recorded.iter().filter(|m| m.direction == format::Direction::HostToWorker) {
        client.send(&call.bytes, &buffers.each_ref()[..call.fds]);
        // Calls that wait, and the two of a frame whose answer is an event.
        let expected = match call.command {
            1..=6 => (call.command, call.cookie),
            8 => (2, 0),
            9 => (3, 0),
            _ => continue,
        };
        loop {
            let until = Some(Deadline::after(PATIENCE));
            let message = client.stream.receive(&mut inbox, until);
            let message = message.unwrap_or_else(|error| {
                panic!("after command {}: {error}\n{}", call.command, service.log.text())
            });
            if (message.command, message.cookie) == expected {
                if matches!(call.command, 1 | 2 | 4) {
                    assert_eq!(message.body[..4], [0; 4], "command {}", call.command);
                }
                break;
            }
        }
    }
    service.log.wait(&["child exit 0"]);
    service.finish();
}

/// The first message comes byte by byte, as streams do.
#[test]
fn a_first_message_in_pieces_is_understood() {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    let service = AlgoService::start("plain", &[("CAMI_IPA_VENDOR_LIBRARY", "/nowhere/lib.so")]);
    let mut stream = UnixStream::connect(service.room.path("algo.sock")).unwrap();
    let init = init();
    let header = [&u32::try_from(init.len()).unwrap().to_le_bytes()[..], &[0; 4]].concat();
    for byte in [&header[..], &init[..40]].concat() {
        stream.write_all(&[byte]).unwrap();
    }
    stream.write_all(&init[40..]).unwrap();
    let stream = Link::from_fd(stream.into()).unwrap();
    assert!(matches!(answer(&stream), Reply::Init { .. }));
    service.finish();
}

/// Malformed messages cost themselves; a stream that is out of step ends.
#[test]
fn a_stream_of_nonsense_ends_its_own_child_only() {
    let service = AlgoService::start("plain", &[("CAMI_IPA_VENDOR_LIBRARY", "/nowhere/lib.so")]);
    let libcamera = Client::connect(&service.room.path("algo.sock"));
    libcamera.send(&init(), &[]);
    answer(&libcamera.stream);
    let file = buffer(4096);
    libcamera.send(&[5, 0, 0, 0, 9, 0, 0, 0, 255, 255, 255, 255], &[&file]);
    let mut inbox = Inbox::new(1 << 20, 0);
    let until = Some(Deadline::after(PATIENCE));
    let reply = libcamera.stream.receive(&mut inbox, until).unwrap();
    assert_eq!((reply.command, reply.cookie), (command::MAP_BUFFERS, 9));
    // A frame header that claims four gigabytes.
    let raw = [IoSlice::new(&[255; 16])];
    let fd = std::os::fd::AsFd::as_fd(&libcamera.stream.as_fd()).try_clone_to_owned().unwrap();
    std::io::Write::write_vectored(&mut std::fs::File::from(fd), &raw).unwrap();
    let end = libcamera.stream.receive(&mut inbox, Some(Deadline::after(Duration::from_secs(20))));
    assert!(matches!(end, Err(ReceiveError::Closed)), "{end:?}");
    service.log.wait(&["child exit 1"]);
    service.finish();
}
