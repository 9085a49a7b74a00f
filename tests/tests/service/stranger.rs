//! What listens where the service should, and is not: the HAL gets a return code in time.

use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Inbox, Interest, Link, Listener, wait};
use cami_tests::{Hal, PATIENCE, Room, Setup};
use cami_wire::control::{FromClient, FromMonitor, Ready, Refused};
use cami_wire::cros::PROTOCOL_VERSION;

/// A listener of the test's own, and a HAL that is in `initialize`.
fn connected() -> (Room, Link, Hal) {
    let folder = Room::new();
    let path = folder.path("service.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let socket = path.display().to_string();
    let mut hal = Setup::unconfigured().with("CAMI_IPA_SOCKET", &socket).start();
    hal.send("init");
    let mut fds = [(listener.as_fd(), Interest::Message, Event::default())];
    assert_eq!(wait(&mut fds, Some(Deadline::after(PATIENCE))), Ok(1));
    let connection = Link::from_fd(listener.accept().unwrap()).unwrap();
    (folder, connection, hal)
}

fn say(connection: &Link, message: &[u8], fd: Option<&OwnedFd>) {
    let fd = fd.map(AsFd::as_fd);
    connection.send(&[IoSlice::new(message)], fd.as_slice(), Duration::ZERO).unwrap();
}

fn ready(protocol: u32) -> Vec<u8> {
    Ready {
        protocol,
        monitor_pid: 1,
        vendor_pid: 1,
        initialize_ms: 3000,
        register_ms: 0,
        request_ms: 0,
        overflow_status: 1,
        library: "/v".into(),
    }
    .encode()
}

#[test]
fn client_says_who_it_is() {
    let (_folder, connection, mut hal) = connected();
    let mut inbox = Inbox::new(1000, 0);
    let message = connection.receive(&mut inbox, Some(Deadline::after(PATIENCE))).unwrap();
    assert_eq!(message.fds.len(), 0);
    let header = cami_wire::Header { command: message.command, cookie: message.cookie };
    let bytes = [&header.encode()[..], message.body].concat();
    let Ok(FromClient::Hello(hello)) = FromClient::decode(&bytes) else { panic!("no hello") };
    assert_eq!((hello.protocol, hello.module.as_str()), (PROTOCOL_VERSION, "libcam_algo.so"));
    let refused = Refused { errno: -libc::EXDEV, reason: "only asking".into() };
    say(&connection, &FromMonitor::Refused(refused).encode(), None);
    assert_eq!(hal.reply("init"), format!("init {}", -libc::EXDEV));
    hal.log.wait(&["the service refused: only asking"]);
    hal.finish();
}

#[test]
fn link_without_a_descriptor_other_first_messages_and_noise_are_eproto() {
    let link = FromMonitor::Link.encode();
    for message in [link, ready(PROTOCOL_VERSION), vec![0; 8], vec![255; 100], vec![1; 20_000]] {
        let (_folder, connection, mut hal) = connected();
        say(&connection, &message, None);
        assert_eq!(hal.reply("init"), format!("init {}", -libc::EPROTO));
        hal.finish();
    }
}

#[test]
fn monitor_of_another_version_is_named() {
    let (_folder, connection, mut hal) = connected();
    let (near, far) = cami_link::seqpacket_pair().unwrap();
    say(&connection, &FromMonitor::Link.encode(), Some(&far));
    say(&connection, &ready(PROTOCOL_VERSION + 4), None);
    assert_eq!(hal.reply("init"), format!("init {}", -libc::EPROTO));
    hal.log.wait(&[&format!("version {PROTOCOL_VERSION} "), &format!("{};", PROTOCOL_VERSION + 4)]);
    drop(near);
    hal.finish();
}

#[test]
fn service_that_says_nothing_is_given_up_within_the_budget() {
    let (_folder, _connection, mut hal) = connected();
    let since = Instant::now();
    assert_eq!(hal.reply("init"), format!("init {}", -libc::ETIMEDOUT));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    hal.log.wait(&["said nothing"]);
    hal.finish();
}

/// What was sent as the link is a file: the session ends, the HAL does not.
#[test]
fn link_that_is_no_socket_is_an_error() {
    let (_folder, connection, mut hal) = connected();
    let file: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    say(&connection, &FromMonitor::Link.encode(), Some(&file));
    say(&connection, &ready(PROTOCOL_VERSION), None);
    let reply = hal.reply("init");
    assert!(reply.starts_with("init -"), "{reply}");
    drop(connection);
    hal.finish();
}

#[test]
fn socket_of_another_type_is_named() {
    let folder = Room::new();
    let _stream = UnixListener::bind(folder.path("service.sock")).unwrap();
    let socket = folder.path("service.sock").display().to_string();
    let mut hal = Setup::unconfigured().with("CAMI_IPA_SOCKET", &socket).start();
    assert_eq!(hal.call("init"), format!("init {}", -libc::EPROTOTYPE));
    hal.log.wait(&["another type"]);
    hal.finish();
}
