//! Clients that are silent, malformed, slow, or not wanted: each costs only itself.

use std::io::{IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cami_link::{Deadline, Inbox, Link, ReceiveError, connect_seqpacket};
use cami_tests::{PATIENCE, Room, ServiceSetup, host_program};
use cami_wire::Header;
use cami_wire::control::{FromMonitor, Hello, Refused, from_monitor};
use cami_wire::cros::{PROTOCOL_VERSION, Request};

use crate::works;

/// A client by hand.
struct Client {
    connection: Link,
    inbox: Inbox,
    fds: Vec<OwnedFd>,
}

impl Client {
    fn connect(socket: &Path) -> Self {
        let connection = Link::from_fd(connect_seqpacket(socket).unwrap()).unwrap();
        Self { connection, inbox: Inbox::new(70_000, 1), fds: Vec::new() }
    }

    fn hello(socket: &Path, protocol: u32, module: &str) -> Self {
        let client = Self::connect(socket);
        let hello = Hello { protocol, module: module.to_owned() };
        client.say(&hello.encode(), &[]);
        client
    }

    fn say(&self, bytes: &[u8], fds: &[&OwnedFd]) {
        let fds: Vec<_> = fds.iter().map(|fd| fd.as_fd()).collect();
        self.connection.send(&[IoSlice::new(bytes)], &fds, Duration::ZERO).unwrap();
    }

    /// The next message; `None` for end of file.
    fn hear(&mut self) -> Option<FromMonitor> {
        match self.connection.receive(&mut self.inbox, Some(Deadline::after(PATIENCE))) {
            Ok(message) => {
                let header = Header { command: message.command, cookie: message.cookie };
                let bytes = [&header.encode()[..], message.body].concat();
                self.fds.extend(message.fds.take_one());
                Some(FromMonitor::decode(&bytes).unwrap())
            }
            Err(ReceiveError::Closed) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn refused(mut self) -> Refused {
        match self.hear() {
            Some(FromMonitor::Refused(refused)) => {
                assert_eq!(self.hear(), None, "and then the end");
                refused
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}

#[test]
fn silent_client_costs_only_itself() {
    let service = ServiceSetup::new("plain").start();
    let silent = Client::connect(&service.socket);
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    let refused = silent.refused();
    assert_eq!(refused.errno, -libc::ETIMEDOUT);
    assert!(refused.reason.contains("1000 ms"), "{}", refused.reason);
    works(&mut hal);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
    service.finish();
}

#[test]
fn malformed_hello_is_refused_with_a_reason() {
    let service = ServiceSetup::new("plain").start();
    let hello = |module: &str| Hello { protocol: PROTOCOL_VERSION, module: module.into() }.encode();
    let mut messages = vec![
        vec![0; 8],
        vec![255; 8],
        vec![255; 60],
        hello("libcam_algo.so")[..12].to_vec(),
        hello(&"x".repeat(256)),
        hello(&"x".repeat(60_000)),
    ];
    for module in ["", "..", "/etc/passwd", "a/b.so", "--vendor-process", "--help", "a\nb"] {
        messages.push(hello(module));
    }
    for message in messages {
        let client = Client::connect(&service.socket);
        client.say(&message, &[]);
        let refused = client.refused();
        assert_eq!(refused.errno, -libc::EPROTO, "{message:?}");
        assert!(refused.reason.contains("first message"), "{}", refused.reason);
    }
    assert_eq!(service.hosts().len(), 0);
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    service.finish();
}

#[test]
fn hello_with_a_descriptor_is_refused() {
    let service = ServiceSetup::new("plain").start();
    let client = Client::connect(&service.socket);
    let fd: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    let hello = Hello { protocol: PROTOCOL_VERSION, module: "x.so".into() };
    client.say(&hello.encode(), &[&fd]);
    assert_eq!(client.refused().errno, -libc::EPROTO);
    service.finish();
}

#[test]
fn other_version_is_refused_and_both_are_named() {
    let service = ServiceSetup::new("plain").start();
    let refused = Client::hello(&service.socket, PROTOCOL_VERSION + 6, "x.so").refused();
    assert_eq!(refused.errno, -libc::EPROTO);
    let (ours, theirs) = (PROTOCOL_VERSION, PROTOCOL_VERSION + 6);
    for text in [format!("version {theirs} "), format!("version {ours};")] {
        assert!(refused.reason.contains(&text), "{}", refused.reason);
    }
    service.finish();
}

#[test]
fn link_is_the_first_message_and_carries_one_descriptor() {
    let service = ServiceSetup::new("plain").start();
    let mut client = Client::hello(&service.socket, PROTOCOL_VERSION, "libcam_algo.so");
    assert_eq!(client.hear(), Some(FromMonitor::Link));
    assert_eq!(client.fds.len(), 1);
    assert_eq!(from_monitor::LINK, 4);
    let Some(FromMonitor::Ready(ready)) = client.hear() else { panic!("expected ready") };
    assert_eq!(service.vendors(), [] as [u32; 0], "loaded when the client's init asks for it");
    assert!(service.hosts().contains(&ready.vendor_pid.cast_unsigned()));
    let hosts = service.hosts();
    drop(client);
    service.wait_for_end(&hosts);
    service.finish();
}

/// It asks for much and takes nothing: its own vendor process ends, nobody else's waits.
#[test]
fn client_that_does_not_read_costs_only_itself() {
    let service = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many").start();
    let mut slow = Client::hello(&service.socket, PROTOCOL_VERSION, "libcam_algo.so");
    assert_eq!(slow.hear(), Some(FromMonitor::Link));
    let link = Link::from_fd(slow.fds.remove(0)).unwrap();
    // Nothing of it is ever answered without `init`, but each is a message to the library's process.
    for id in 0..2000 {
        let parts = Request { req_id: id, header: &[0; 512], buffer_handle: -1 }.parts(id + 1);
        let parts = [&parts.head[..], parts.header, &parts.tail].concat();
        if link.send(&[IoSlice::new(&parts)], &[], Duration::ZERO).is_err() {
            break;
        }
        // And on its control socket, where nobody reads as fast.
        let _ = slow.connection.send(&[IoSlice::new(&[9; 64])], &[], Duration::ZERO);
    }
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    drop((slow, link));
    service.finish();
}

#[test]
fn silent_crowd_makes_room_for_who_speaks() {
    let service = ServiceSetup::new("plain").with("CAMI_IPA_SERVICE__CLIENTS", "many").start();
    let mut crowd: Vec<_> = (0..65).map(|_| Client::connect(&service.socket)).collect();
    // The first of 65 had to go for the last.
    let refused = crowd.remove(0).refused();
    assert_eq!(refused.errno, -libc::EBUSY);
    assert!(refused.reason.contains("others want its place"), "{}", refused.reason);
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    service.finish();
}

/// Said where people see it: the test harness captures what is printed.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Copies what a HAL needs to where another user can reach it, and runs `init` there as that user.
fn init_as_nobody(socket: &Path) -> Option<(String, String)> {
    // SAFETY: takes nothing.
    if unsafe { libc::geteuid() } != 0 {
        skipped("only root can become another user");
        return None;
    }
    let room = Room::new();
    room.install_shim("libcam_algo.so");
    std::fs::copy(host_program("hal"), room.path("hal")).unwrap();
    open_to_all(room.mark());
    let script = format!("load {}\ninit\n", room.path("libcam_algo.so").display());
    std::fs::write(room.path("script"), script).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(room.path("hal"))
        .env("CAMI_IPA_SOCKET", socket)
        .env_remove("CAMI_IPA_CONFIG")
        .stdin(Stdio::from(std::fs::File::open(room.path("script")).unwrap()))
        .output();
    let Ok(output) = output else {
        skipped("there is no setpriv");
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn other_user_is_refused_and_told() {
    let service = ServiceSetup::new("plain").option("--mode", "0666").start();
    open_to_all(service.folder.mark());
    let Some((replies, log)) = init_as_nobody(&service.socket) else { return };
    assert!(replies.contains("= init -13"), "{replies}\n{log}");
    assert!(log.contains("user 65534") && log.contains("service.allow_uids"), "{log}");
    service.log.wait(&["user 65534", "refused"]);
    assert_eq!(service.hosts().len(), 0);
    service.finish();
}

#[test]
fn user_that_is_named_may_connect_and_the_services_own_may_not_then() {
    let service = ServiceSetup::new("plain")
        .option("--mode", "0666")
        .with("CAMI_IPA_SERVICE__ALLOW_UIDS", "65534")
        .start();
    open_to_all(service.folder.mark());
    let Some((replies, log)) = init_as_nobody(&service.socket) else { return };
    assert!(replies.contains("= init 0"), "{replies}\n{log}");
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init -13");
    hal.finish();
    service.finish();
}

#[test]
fn mode_of_the_socket_keeps_others_out() {
    let service = ServiceSetup::new("plain").option("--mode", "0600").start();
    open_to_all(service.folder.mark());
    let Some((replies, log)) = init_as_nobody(&service.socket) else { return };
    assert!(replies.contains("= init -13"), "{replies}\n{log}");
    assert!(log.contains("--mode"), "{log}");
    service.finish();
}
