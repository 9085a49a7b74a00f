//! A host that records: what is in its file, and that nothing else changes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cami_link::Deadline;
use cami_recording::block::{Requested, Returned};
use cami_recording::session::{Event, HostLife};
use cami_recording::{Block, Call, Ending, Recording, Session};
use cami_wire::control::{FromClient, Restarts, Resumed};
use cami_wire::cros::{DeregisterBuffers, PROTOCOL_VERSION, Request};
use common::{Host, Incoming, Setup};

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn setup(&self, name: &str) -> Setup {
        Setup::new().variable("CAMI_IPA_RECORD", self.path(name).to_str().unwrap())
    }

    /// The host with its buffer of two pages, ready.
    fn host(&self, name: &str) -> (Host, File) {
        let mut host = self.setup(name).start();
        let buffer = host.ready();
        (host, File::from(buffer))
    }
}

/// A request with the buffer.
fn send(host: &Host, req_id: u32, header: &[u8]) {
    let request = Request { req_id, header, buffer_handle: 7 };
    let parts = request.parts(0);
    host.send(&[&parts.head[..], parts.header, &parts.tail].concat(), &[]);
}

fn answer(host: &mut Host) -> (u32, u32) {
    match host.next() {
        Incoming::Returned(returned) => (returned.req_id, returned.status),
        other => panic!("expected an answer, got {other:?}"),
    }
}

/// Leaves, and waits for the end.
fn leave(host: Host) -> String {
    host.hang_up();
    let (code, log) = host.wait();
    assert_eq!(code, Some(0), "{log}");
    log
}

/// Once no host has it any more: the writer outlives its monitor.
fn read(path: &Path) -> (Recording<File>, Session) {
    let deadline = Deadline::after(common::PATIENCE);
    let recording = loop {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(5));
        // A killed monitor's writer may not have begun, or make it smaller: then it is another.
        let Ok(file) = File::open(path) else { continue };
        if file.try_lock_shared().is_err() {
            continue;
        }
        let (opened, named) = (file.metadata().unwrap(), fs::metadata(path).unwrap());
        if (opened.dev(), opened.ino()) == (named.dev(), named.ino()) && opened.len() > 0 {
            break Recording::read(file).unwrap();
        }
    };
    let session = Session::of(&recording).unwrap();
    (recording, session)
}

/// The host's writer: a child of the monitor, and so of its thread.
fn writer_of(host: &Host) -> i32 {
    let pid = host.process.id();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let is_writer = |pid: &&str| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).nth(1) == Some(b"--recorder")
    };
    children.split_whitespace().find(is_writer).unwrap().parse().unwrap()
}

fn exchanges(session: &Session) -> Vec<(&Requested, Option<&Returned>)> {
    let pairs = session.events.iter().filter_map(|event| match event {
        Event::Exchange { requested, returned } => Some((requested, returned.as_ref())),
        _ => None,
    });
    pairs.collect()
}

fn only(session: &Session) -> &HostLife {
    assert_eq!(session.hosts.len(), 1);
    &session.hosts[0]
}

#[test]
fn everything_that_passes_is_in_the_file() {
    let room = Room::new();
    let (mut host, memory) = room.host("x.camr");
    host.tell(FromClient::Restarts(Restarts { count: 3 }));
    memory.write_all_at(b"first", 0).unwrap();
    send(&host, 45, b"answer");
    assert_eq!(answer(&mut host), (45, 0));
    memory.write_all_at(b"second", 8000).unwrap();
    send(&host, 45, b"again!");
    assert_eq!(answer(&mut host), (45, 0));
    assert_eq!(host.status(17), 0);
    send(&host, 23, &[]);
    let update = host.next();
    assert!(matches!(update, Incoming::Updated(5, _, true)), "{update:?}");
    assert_eq!(answer(&mut host), (23, 0));
    host.call(|cookie| DeregisterBuffers::encode(&[7], cookie), &[]);
    send(&host, 2, &[]);
    answer(&mut host);
    host.tell(FromClient::Resumed(Resumed { at_ns: 77 }));
    let log = leave(host);
    assert!(log.contains("recording to "), "{log}");

    let path = room.path("x.camr");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (recording, session) = read(&path);
    assert_eq!(recording.ending(), Ending::Complete);
    let life = only(&session);
    assert_eq!(life.host.library, common::library().to_str().unwrap());
    assert!(life.host.real_ns > 0 && life.host.at_ns > 0 && !life.host.build_id.is_empty());
    assert_eq!((life.host.profile.as_str(), life.host.command_at), ("generic", 0));
    assert_eq!(life.resumed_ns, Some(77));
    assert!(life.died.is_none() && life.ended_ns.is_some());
    let name = common::library().file_name().unwrap().to_str().unwrap();
    let loaded = life.libraries.iter().find(|library| library.path.ends_with(name)).unwrap();
    assert_eq!(loaded.build_id, life.host.build_id);
    for key in ["tool_version", "kernel", "boot_id"] {
        assert!(session.annotations.iter().any(|said| said.key == key), "{key}");
    }

    let calls: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Call { called, answered } => {
                let value = answered.as_ref().unwrap().value;
                Some((Call::of_number(called.call).unwrap(), called.buffer_bytes, value))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (Call::Load, 0, 0),
        (Call::Initialize, 0, 0),
        (Call::RegisterBuffer, 8192, 7),
        (Call::DeregisterBuffers, 0, 0),
    ];
    assert_eq!(calls, expected);

    let pairs = exchanges(&session);
    assert_eq!(pairs.iter().map(|pair| pair.0.req_id).collect::<Vec<_>>(), [45, 45, 17, 23, 2]);
    assert!(pairs.iter().all(|pair| pair.1.is_some_and(|answer| answer.request == pair.0.number)));
    let held = |content| recording.content(content).unwrap();
    let mut expected = vec![0; 8192];
    expected[..5].copy_from_slice(b"first");
    assert_eq!(held(pairs[0].0.content), expected);
    expected[100..106].copy_from_slice(b"answer");
    assert_eq!(held(pairs[0].1.unwrap().content), expected);
    expected[8000..8006].copy_from_slice(b"second");
    assert_eq!(held(pairs[1].0.content), expected);
    expected[100..106].copy_from_slice(b"again!");
    assert_eq!(held(pairs[1].1.unwrap().content), expected);
    assert_eq!(pairs[0].0.header.0, b"answer");
    // Without a buffer, and with one that is deregistered.
    let unknown = nix::errno::Errno::EBADF as u32;
    assert_eq!((pairs[2].0.handle, pairs[2].0.content_errno), (-1, unknown));
    assert_eq!((pairs[4].0.handle, pairs[4].0.content_errno), (7, unknown));
    let updates = session.events.iter().filter_map(|event| match event {
        Event::Update { updated, .. } => Some((updated.upd_id, updated.header.0.clone())),
        _ => None,
    });
    assert_eq!(updates.collect::<Vec<_>>(), [(5, vec![1, 2])]);
    let lines: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Line(line) if line.stream < 3 => Some((line.stream, line.text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(lines, [(1, "to standard output"), (2, "to standard error")]);
}

#[test]
fn the_library_finds_the_same_descriptors_as_without() {
    let room = Room::new();
    let numbers = |mut host: Host| {
        let buffer = host.ready();
        let found = (host.status(2), host.status(46));
        leave(host);
        drop(buffer);
        found
    };
    assert_eq!(numbers(room.setup("x.camr").start()), numbers(Setup::new().start()));
}

#[test]
fn a_death_loses_nothing_and_the_client_sees_the_end_behind_the_last_callback() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    send(&host, 47, &[]);
    for number in 0..300 {
        assert_eq!(answer(&mut host), (3000 + number, number));
    }
    assert_eq!(host.next(), Incoming::Closed);
    assert!(host.cause().contains("SIGSEGV"));
    assert_eq!(host.wait().0, Some(1));
    let (recording, session) = read(&room.path("x.camr"));
    assert_eq!(recording.ending(), Ending::Complete);
    let died = only(&session).died.as_ref().unwrap();
    assert_eq!(died.signal, libc::SIGSEGV);
    assert!(died.cause.contains("SIGSEGV"), "{}", died.cause);
    let pairs = exchanges(&session);
    assert_eq!((pairs.len(), pairs[0].1), (1, None));
    let answers = session.events.iter().filter_map(|event| match event {
        Event::Unsolicited(returned) => Some(returned.status),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), (0..300).collect::<Vec<_>>());
}

#[test]
fn a_killed_monitor_leaves_all_that_was_written_and_the_next_host_goes_on() {
    let room = Room::new();
    let path = room.path("x.camr");
    let (mut host, _memory) = room.host("x.camr");
    for _ in 0..20 {
        send(&host, 45, b"x");
        answer(&mut host);
    }
    // It is written without anybody asking for it.
    let deadline = Deadline::after(common::PATIENCE);
    let written = || {
        let recording = Recording::open(&path).ok()?;
        Some(
            exchanges(&Session::of(&recording).ok()?)
                .iter()
                .filter(|pair| pair.1.is_some())
                .count(),
        )
    };
    while written() != Some(20) {
        assert!(!deadline.has_passed(), "{:?}", written());
        std::thread::yield_now();
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    assert_eq!(host.next(), Incoming::Closed);
    let died = only(&read(&path).1).died.clone().unwrap();
    assert!(died.cause.contains("the monitor was killed"), "{}", died.cause);
    // A block that was being written.
    let torn = [9, 0, 0, 0, 0, 0, 0, 0, 1];
    fs::write(&path, [&fs::read(&path).unwrap()[..], &torn].concat()).unwrap();
    assert!(matches!(Recording::open(&path).unwrap().ending(), Ending::Torn { .. }));

    let (mut host, memory) = room.host("x.camr");
    memory.write_all_at(b"second", 0).unwrap();
    send(&host, 45, b"y");
    answer(&mut host);
    leave(host);
    let (recording, session) = read(&path);
    assert_eq!(recording.ending(), Ending::Complete);
    assert_eq!(session.hosts.iter().map(|life| life.host.host).collect::<Vec<_>>(), [1, 2]);
    let pairs = exchanges(&session);
    let numbers: Vec<u64> = pairs.iter().map(|pair| pair.0.number).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
    assert_eq!(pairs[20].0.host, 2);
    assert_eq!(pairs[20].1.unwrap().request, 21);
    let last = recording.content(pairs[20].1.unwrap().content).unwrap();
    assert_eq!((&last[..6], last[100]), (&b"second"[..], b'y'));
    // What is known of the machine is said once.
    let said = session.annotations.iter().filter(|said| said.key == "kernel").count();
    assert_eq!(said, 1);
}

#[test]
fn a_host_that_only_stands_by_leaves_nothing() {
    let room = Room::new();
    let mut host = room.setup("x.camr").start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    leave(host);
    assert!(!room.path("x.camr").exists());
}

#[test]
fn a_file_that_is_no_recording_is_left_alone_and_the_camera_goes_on() {
    let room = Room::new();
    fs::write(room.path("x.camr"), "a letter, not a recording of anything").unwrap();
    let (mut host, _memory) = room.host("x.camr");
    assert_eq!(host.status(1), 0x75);
    let log = leave(host);
    let lines = log.lines().filter(|line| line.contains("nothing is recorded"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("x.camr") && lines[0].contains("the camera goes on"), "{log}");
    let left = fs::read_to_string(room.path("x.camr")).unwrap();
    assert_eq!(left, "a letter, not a recording of anything");
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_camera() {
    // /dev/full refuses from the first byte, a limit on the file's size in the middle of a block.
    let mut host = Setup::new().variable("CAMI_IPA_RECORD", "/dev/full").start();
    let _memory = host.ready();
    assert_eq!(host.status(1), 0x75);
    let log = leave(host);
    assert_eq!(log.lines().filter(|line| line.contains("the camera goes on")).count(), 1, "{log}");
    assert!(log.contains("/dev/full"), "{log}");

    let room = Room::new();
    let path = room.path("x.camr");
    let (mut host, memory) = room.host("x.camr");
    let limit = libc::rlimit { rlim_cur: 20_000, rlim_max: 20_000 };
    let pid = writer_of(&host);
    // SAFETY: `limit` is readable, and no old limit is asked for.
    let set =
        unsafe { libc::prlimit(pid, libc::RLIMIT_FSIZE, &raw const limit, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    let mut seed = 1_u32;
    for _ in 0..20 {
        let noise: Vec<u8> = (0..8192)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect();
        memory.write_all_at(&noise, 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    // What is written when the monitor is gone is not said.
    let deadline = Deadline::after(common::PATIENCE);
    while fs::metadata(&path).map_or(0, |file| file.len()) < 20_000 {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(5));
    }
    let log = leave(host);
    let ends = log.lines().filter(|line| line.contains("ends here")).collect::<Vec<_>>();
    assert_eq!(ends.len(), 1, "{log}");
    assert!(ends[0].contains("x.camr") && ends[0].contains("the camera goes on"), "{log}");
    let (recording, session) = read(&path);
    assert!(matches!(recording.ending(), Ending::Torn { .. }), "{:?}", recording.ending());
    assert!(!exchanges(&session).is_empty());
}

#[test]
fn a_disk_that_does_not_answer_holds_nothing_up() {
    let room = Room::new();
    let pipe = room.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
    let (mut host, memory) = room.host("pipe");
    let began = Instant::now();
    for number in 0..200_u32 {
        let page: Vec<u8> = (0..8192_u32)
            .map(|at| (at.wrapping_mul(number * 2 + 1) >> 5).to_le_bytes()[0])
            .collect();
        memory.write_all_at(&page, 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    let pid = host.process.id();
    host.hang_up();
    let mut log = String::new();
    host.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(host.process.wait().unwrap().code(), Some(0), "{log}");
    // The pipe was full all the time, so whoever had waited for it would wait now.
    assert!(began.elapsed() < common::PATIENCE);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    drop(reader);
}

#[test]
fn two_hosts_at_the_same_time_have_a_file_each() {
    let room = Room::new();
    let (mut first, _memory) = room.host("x.camr");
    assert_eq!(first.status(1), 0x75);
    let (mut second, _memory) = room.host("x.camr");
    // Not held up, though the file is another's for good.
    assert_eq!(second.status(1), 0x75);
    let deadline = Deadline::after(common::PATIENCE);
    while !room.path("x-2.camr").exists() {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(10));
    }
    leave(second);
    leave(first);
    for name in ["x.camr", "x-2.camr"] {
        assert_eq!(exchanges(&read(&room.path(name)).1).len(), 1, "{name}");
    }
}

#[test]
fn a_folder_has_a_file_for_each_client_where_its_hosts_follow_each_other() {
    let room = Room::new();
    fs::create_dir(room.path("all")).unwrap();
    for _ in 0..2 {
        let (mut host, _memory) = room.host("all");
        assert_eq!(host.status(1), 0x75);
        leave(host);
    }
    let files: Vec<_> =
        fs::read_dir(room.path("all")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(name.contains(&format!("-{}-", std::process::id())), "{name}");
    assert_eq!(read(&files[0]).1.hosts.len(), 2);
}

#[test]
fn a_recording_stays_below_its_limit_with_its_set_up() {
    let room = Room::new();
    let mut host = room.setup("x.camr").variable("CAMI_IPA_RECORD_LIMIT_MIB", "1").start();
    let memory = File::from(host.ready());
    let mut seed = 7_u32;
    let (path, done) = (room.path("x.camr"), std::sync::Arc::new(AtomicBool::new(false)));
    let most = std::thread::spawn({
        let (path, done) = (path.clone(), done.clone());
        move || {
            let mut most = 0;
            while !done.load(Ordering::Acquire) {
                most = most.max(fs::metadata(&path).map_or(0, |file| file.len()));
                std::thread::yield_now();
            }
            most
        }
    });
    for _ in 0..400 {
        let noise: Vec<u8> = (0..8192)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect();
        memory.write_all_at(&noise, 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    let log = leave(host);
    assert!(!log.contains("ends here"), "{log}");
    let (recording, session) = read(&path);
    done.store(true, Ordering::Release);
    let most = most.join().unwrap();
    assert!(most > 500_000 && most < (1 << 20) + 20_000, "{most}");
    assert_eq!(recording.ending(), Ending::Complete);
    assert!(session.dropped.0 > 100, "{:?}", session.dropped);
    let pairs = exchanges(&session);
    let last = pairs.last().unwrap();
    assert_eq!(last.0.number, 400);
    for (requested, returned) in &pairs {
        assert_eq!(recording.content(requested.content).unwrap().len(), 8192);
        assert_eq!(recording.content(returned.unwrap().content).unwrap().len(), 8192);
    }
    // What the newest part needs to be replayed.
    let registered = recording
        .events()
        .any(|block| matches!(block.unwrap(), Block::Answered(answered) if answered.value == 7));
    assert!(registered);
    let others = fs::read_dir(room.folder.path()).unwrap().count();
    assert_eq!(others, 1, "nothing is left beside it");
}

#[test]
fn a_client_that_stops_reading_is_not_read_for_ever_and_back_pressure_passes_through() {
    let room = Room::new();
    let (mut host, _memory) = room.host("x.camr");
    // The client sends and does not read; requests and answers fill both halves of the link.
    let request = Request { req_id: 1, header: &[1; 4000], buffer_handle: 7 };
    let parts = request.parts(0);
    let message = [&parts.head[..], parts.header, &parts.tail].concat();
    let mut sent = 0;
    while sent < 3000 {
        let parts = [std::io::IoSlice::new(&message)];
        match host.link.send(&parts, &[], Duration::ZERO) {
            Ok(_) => sent += 1,
            Err(_) => break,
        }
    }
    assert!(sent > 100);
    // All come back in the end, once each, and none is lost.
    for _ in 0..sent {
        let _ = host.link.flush();
        assert_eq!(answer(&mut host).0, 1);
    }
    leave(host);
    let (_, session) = read(&room.path("x.camr"));
    assert_eq!(exchanges(&session).len(), sent);
}

#[test]
fn other_links_are_not_recorded_and_work() {
    let room = Room::new();
    let mut setup = room.setup("x.camr");
    let flags = nix::sys::socket::SockFlag::SOCK_CLOEXEC;
    let pair: (OwnedFd, OwnedFd) = nix::sys::socket::socketpair(
        nix::sys::socket::AddressFamily::Unix,
        nix::sys::socket::SockType::Stream,
        None,
        flags,
    )
    .unwrap();
    setup.pair = pair;
    let mut host = setup.start();
    let _memory = host.ready();
    assert_eq!(host.status(1), 0x75);
    let log = leave(host);
    assert!(log.contains("nothing is recorded: that needs a link of the type SOCK_SEQPACKET"));
    assert!(!room.path("x.camr").exists());
}

/// Whether the vendor process still runs when the client's link ends because the monitor was killed.
fn outlives_its_link(setup: Setup) -> bool {
    let mut host = setup.start();
    let vendor = host.vendor_pid();
    let _memory = host.ready();
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    assert_eq!(host.next(), Incoming::Closed);
    let stat = fs::read_to_string(format!("/proc/{vendor}/stat")).unwrap_or_default();
    let open = fs::read_dir(format!("/proc/{vendor}/fd")).map_or(0, |open| open.count());
    let state = stat.rsplit_once(") ").map_or("gone", |(_, rest)| &rest[..1]);
    !matches!(state, "gone" | "Z" | "X") && open > 0
}

#[test]
fn the_link_ends_no_sooner_than_the_vendor_process() {
    for _ in 0..20 {
        let room = Room::new();
        assert!(!outlives_its_link(room.setup("x.camr")));
    }
}

#[test]
fn a_killed_monitor_loses_nothing_that_had_passed() {
    let room = Room::new();
    let (mut host, memory) = room.host("x.camr");
    // The writer is there.
    let deadline = Deadline::after(common::PATIENCE);
    while !room.path("x.camr").exists() {
        assert!(!deadline.has_passed());
        std::thread::sleep(Duration::from_millis(1));
    }
    // As much as the pipe holds, however late the writer is.
    for number in 0..60_u8 {
        memory.write_all_at(&[number; 2000], 0).unwrap();
        send(&host, 45, b"x");
        answer(&mut host);
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    assert_eq!(pairs.len(), 60);
    assert!(pairs.iter().all(|pair| pair.1.is_some()));
    let last = recording.content(pairs[59].0.content).unwrap();
    assert_eq!((last[0], last[1999]), (59, 59));
    assert_eq!(recording.ending(), Ending::Complete);
}

#[test]
fn a_file_that_has_taken_the_recordings_name_is_left_alone() {
    let room = Room::new();
    let path = room.path("x.camr");
    let mut host = room.setup("x.camr").variable("CAMI_IPA_RECORD_LIMIT_MIB", "1").start();
    let memory = File::from(host.ready());
    let mut other = Vec::new();
    let mut writer = cami_recording::Writer::begin(&mut other, 0).unwrap();
    let said = cami_recording::block::Annotation { key: "of".into(), value: "another".into() };
    writer.write(&said.into()).unwrap();
    drop(writer);
    let mut seed = 7_u32;
    for number in 0..400 {
        if number == 20 {
            let deadline = Deadline::after(common::PATIENCE);
            while !path.exists() {
                assert!(!deadline.has_passed());
                std::thread::sleep(Duration::from_millis(5));
            }
            fs::rename(&path, room.path("mine.camr")).unwrap();
            fs::write(&path, &other).unwrap();
        }
        let noise: Vec<u8> = (0..8192)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect();
        memory.write_all_at(&noise, 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    leave(host);
    let (_, session) = read(&room.path("mine.camr"));
    assert!(!exchanges(&session).is_empty());
    assert!(fs::read(&path).unwrap() == other, "it was overwritten");
}

#[test]
fn a_client_that_does_not_read_gets_its_crash_record_all_the_same() {
    let room = Room::new();
    let folder = room.path("crashes");
    fs::create_dir(&folder).unwrap();
    let setup = room.setup("x.camr").variable("CAMI_IPA_CRASH_DIR", folder.to_str().unwrap());
    let mut host = setup.start();
    let vendor = host.vendor_pid();
    let _memory = host.ready();
    let request = Request { req_id: 1, header: &[1; 100], buffer_handle: -1 };
    let parts = request.parts(0);
    let message = [&parts.head[..], parts.header, &parts.tail].concat();
    while host
        .link
        .send(&[std::io::IoSlice::new(&message)], &[], Duration::from_millis(200))
        .is_ok()
        && host.link.backlog_messages() == 0
    {}
    let vendor = nix::unistd::Pid::from_raw(vendor);
    nix::sys::signal::kill(vendor, nix::sys::signal::Signal::SIGSEGV).unwrap();
    assert!(host.cause().contains("SIGSEGV"));
    // Such a client kills the monitor after a while; the record does not wait for it.
    let began = Instant::now();
    while fs::read_dir(&folder).unwrap().count() == 0 {
        assert!(began.elapsed() < Duration::from_millis(900), "it comes behind the link");
        std::thread::sleep(Duration::from_millis(2));
    }
    host.process.kill().unwrap();
    host.process.wait().unwrap();
    let died = only(&read(&room.path("x.camr")).1).died.clone().unwrap();
    assert_eq!(died.signal, libc::SIGSEGV, "{}", died.cause);
}

#[test]
fn buffers_that_are_too_large_are_passed_by_and_the_others_are_not() {
    let room = Room::new();
    let mut host = room.setup("x.camr").start();
    assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
    assert_eq!(host.start_library(), 0);
    // Sparse; together more than is held, and each more than is looked at.
    let large: Vec<OwnedFd> = (0..9).map(|_| common::buffer(65 << 20)).collect();
    for buffer in &large {
        host.register(&[buffer]);
    }
    // The library gives the same handle to all: this one has it now.
    let small = common::buffer(8192);
    assert_eq!(host.register(&[&small]), 7);
    send(&host, 45, b"x");
    assert_eq!(answer(&mut host), (45, 0));
    assert_eq!(host.register(&[&large[0]]), 7);
    host.request(1, &[0x56]);
    answer(&mut host);
    send(&host, 1, &[0x56]);
    answer(&mut host);
    leave(host);
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    assert_eq!(recording.content(pairs[0].0.content).unwrap().len(), 8192);
    assert_eq!(pairs[2].0.content_errno, nix::errno::Errno::EFBIG as u32);
}
