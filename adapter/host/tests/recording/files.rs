//! Which file, how large, and what becomes of the camera where it cannot be written.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::Setup;
use crate::room::*;
use cami_link::Deadline;
use cami_recording::{Block, Ending};

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
        memory.write_all_at(&noise(&mut seed), 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    // What is written when the monitor is gone is not said.
    let deadline = Deadline::after(crate::common::PATIENCE);
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
    assert!(began.elapsed() < crate::common::PATIENCE);
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
    let deadline = Deadline::after(crate::common::PATIENCE);
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
        memory.write_all_at(&noise(&mut seed), 0).unwrap();
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
            let deadline = Deadline::after(crate::common::PATIENCE);
            while !path.exists() {
                assert!(!deadline.has_passed());
                std::thread::sleep(Duration::from_millis(5));
            }
            fs::rename(&path, room.path("mine.camr")).unwrap();
            fs::write(&path, &other).unwrap();
        }
        memory.write_all_at(&noise(&mut seed), 0).unwrap();
        send(&host, 45, b"x");
        assert_eq!(answer(&mut host), (45, 0));
    }
    leave(host);
    let (_, session) = read(&room.path("mine.camr"));
    assert!(!exchanges(&session).is_empty());
    assert!(fs::read(&path).unwrap() == other, "it was overwritten");
}
