//! The socket and its file.

use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use cami_link::Listener;
use cami_tests::{Room, ServiceSetup, artefact};

use crate::works;

/// Runs a service that cannot start; exit code and what it said.
fn fails(arguments: &[&str]) -> (i32, String) {
    let room = Room::new();
    let output = Command::new(artefact("cami-ipa"))
        .arg("serve")
        .args(arguments)
        .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
        .env_remove("CAMI_IPA_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn fails_at(path: &Path) -> (i32, String) {
    fails(&["--socket", path.to_str().unwrap()])
}

#[test]
fn wrong_usage_and_environment_are_named_with_exit_code_2() {
    let room = Room::new();
    let missing = room.path("no/such/service.sock");
    let (code, text) = fails_at(&missing);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no/such") && text.contains("make it first"), "{text}");

    let (code, text) = fails(&[]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--socket"), "{text}");

    let (code, text) = fails(&["--socket", "/tmp/x", "--mode", "999"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--mode"), "{text}");

    let long = room.path(&"x".repeat(120));
    let (code, text) = fails_at(&long);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("xxx"), "{text}");
}

#[test]
fn file_that_is_no_socket_is_left_alone() {
    let room = Room::new();
    let path = room.path("precious");
    std::fs::write(&path, "text").unwrap();
    let (code, text) = fails_at(&path);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no socket"), "{text}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
}

#[test]
fn socket_that_somebody_listens_on_is_left_alone() {
    let service = ServiceSetup::new("plain").start();
    let (code, text) = fails_at(&service.socket);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("somebody listens"), "{text}");
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.finish();
    service.finish();

    // Of another type, too.
    let room = Room::new();
    let _stream = UnixListener::bind(room.path("stream")).unwrap();
    let (code, text) = fails_at(&room.path("stream"));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("somebody listens"), "{text}");
}

#[test]
fn folder_that_everybody_may_write_to_is_refused() {
    let room = Room::new();
    let folder = room.path("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (code, text) = fails_at(&folder.join("service.sock"));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("writable by everybody"), "{text}");
}

#[test]
fn stale_socket_is_replaced_and_has_the_mode() {
    let folder = Room::new();
    drop(UnixListener::bind(folder.path("service.sock")).unwrap());
    let service = ServiceSetup::new("plain").option("--mode", "0640").start_in(Room::new(), folder);
    let mode = std::fs::metadata(&service.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    hal.finish();
    service.finish();
}

#[test]
fn socket_of_another_service_is_not_removed_at_the_end() {
    let first = ServiceSetup::new("plain").start();
    let socket = first.socket.clone();
    // Somebody has moved it away and put another there.
    std::fs::remove_file(&socket).unwrap();
    let _other = UnixListener::bind(&socket).unwrap();
    first.signal(first.pid(), libc::SIGTERM);
    let (status, _room, _folder) = first.ended();
    assert!(status.success());
    assert!(socket.exists(), "it was not ours to remove");
}

#[test]
fn socket_of_an_init_system_is_served() {
    let folder = Room::new();
    let path = folder.path("service.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    // As an init system, which keeps it.
    let service = ServiceSetup::new("plain")
        .with("CAMI_IPA_SERVICE__ON_DISCONNECT", "exit")
        .listening(listener.as_fd().as_raw_fd())
        .start_in(Room::new(), folder);
    let mut hal = service.hal().start();
    assert_eq!(hal.call("init"), "init 0");
    works(&mut hal);
    hal.call("deinit");
    let (status, room, folder) = service.ended();
    assert!(status.success());
    assert!(path.exists(), "it is the init system's");
    // Who connects meanwhile waits for the next.
    hal.send("init");
    let next =
        ServiceSetup::new("plain").listening(listener.as_fd().as_raw_fd()).start_in(room, folder);
    assert_eq!(hal.reply("init"), "init 0");
    works(&mut hal);
    hal.finish();
    next.signal(next.pid(), libc::SIGINT);
    assert!(next.ended().0.success());
}

#[test]
fn stream_socket_of_an_init_system_is_refused_with_the_remedy() {
    let folder = Room::new();
    let listener = UnixListener::bind(folder.path("stream")).unwrap();
    let service = ServiceSetup::new("plain")
        .listening(listener.as_raw_fd())
        .start_at_once(Room::new(), folder);
    service.log.wait(&["ListenSequentialPacket"]);
    assert_eq!(service.ended().0.code(), Some(2));
}
