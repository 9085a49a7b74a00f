//! Named sockets and who connects to them.
#![allow(clippy::unwrap_used, reason = "a test states what it expects")]

use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use cami_link::{Deadline, Event, Interest, Listener, Peer, connect_seqpacket, wait};
use nix::errno::Errno;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("x.sock")
}

#[test]
fn client_connects_and_is_known() {
    let folder = folder();
    let listener = Listener::bind(&path(&folder), 0o600).unwrap();
    assert_eq!(listener.accept().unwrap_err(), Errno::EAGAIN);
    let _client = connect_seqpacket(&path(&folder)).unwrap();
    let connection = listener.accept().unwrap();
    let peer = Peer::of(connection.as_fd()).unwrap();
    assert_eq!(peer.pid, std::process::id().cast_signed());
    assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
    let process = peer.process(connection.as_fd()).unwrap();
    assert_eq!(process.pid(), peer.pid);
    let mut fds = [(process.as_fd(), Interest::Message, Event::default())];
    assert_eq!(wait(&mut fds, Some(Deadline::now())), Ok(0), "we live");
}

#[test]
fn file_has_the_mode_and_is_removed_at_the_end() {
    let folder = folder();
    let path = path(&folder);
    let listener = Listener::bind(&path, 0o620).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o620);
    assert_eq!(listener.path(), Some(path.as_path()));
    drop(listener);
    assert!(!path.exists());
    assert_eq!(connect_seqpacket(&path).unwrap_err(), Errno::ENOENT);
}

#[test]
fn second_listener_is_refused_while_the_first_lives_and_served_after_it_died() {
    let folder = folder();
    let path = path(&folder);
    let first = Listener::bind(&path, 0o600).unwrap();
    let error = Listener::bind(&path, 0o600).unwrap_err().to_string();
    assert!(error.contains("somebody listens"), "{error}");
    // As if it had been killed: the file stays and nobody listens.
    let file = folder.path().join("kept.sock");
    std::fs::rename(&path, &file).unwrap();
    drop(first);
    std::fs::rename(&file, &path).unwrap();
    assert_eq!(connect_seqpacket(&path).unwrap_err(), Errno::ECONNREFUSED);
    let second = Listener::bind(&path, 0o600).unwrap();
    assert!(connect_seqpacket(&path).is_ok());
    drop(second);
}

/// Of many that start at the same moment over a stale file exactly one serves.
#[test]
fn one_of_many_at_the_same_time_has_the_socket() {
    for _ in 0..20 {
        let folder = folder();
        let path = path(&folder);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listeners: Vec<Option<Listener>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Listener::bind(&path, 0o600).ok())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(listeners.iter().flatten().count(), 1);
        let _client = connect_seqpacket(&path).unwrap();
        assert!(listeners.iter().flatten().all(|listener| listener.accept().is_ok()));
    }
}

#[test]
fn names_that_are_no_sockets_are_errors_that_say_what_to_do() {
    let folder = folder();
    let mut cases = vec![
        (PathBuf::from("/"), "no name"),
        (folder.path().join("no/x.sock"), "make it first"),
        (folder.path().join("x".repeat(120)), "no name"),
    ];
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    cases.push((file.clone(), "no socket"));
    cases.push((file.join("x.sock"), "file is in its place"));
    for (path, text) in cases {
        let error = Listener::bind(&path, 0o600).unwrap_err().to_string();
        assert!(error.contains(text), "{path:?}: {error}");
    }
}
