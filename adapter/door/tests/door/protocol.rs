//! A session as it should be.

use std::os::fd::AsFd;
use std::time::Duration;

use cami_wire::libcamera::ipu3::{Call, Event, Reply};
use cami_wire::libcamera::{ControlValue, Dialect, InfoMapPacket};

use crate::calls::{buffer, memory, request};
use crate::host::{Host, PATIENCE, command, sockets};
use crate::worker::{AE_ENABLE, EXPOSURE, EXPOSURE_TIME, PARAMS};

const DIALECTS: [Dialect; 4] = [Dialect::V0_0, Dialect::V0_1, Dialect::V0_4, Dialect::V0_6];

fn frame(host: &mut Host, number: u32, exposure: i32) {
    host.tell(&request(number, true));
    host.compute(number);
    assert_eq!(host.next(), Event::ParamsComputed { frame: number });
    let expected = PARAMS.wrapping_add(number.to_le_bytes()[0]);
    assert_eq!(host.params_of(number), [expected; 2]);
    host.process(number);
    let event = host.next();
    assert_eq!(host.settings(&event), (number, vec![exposure, 5], None));
    metadata_of(host, number);
}

fn metadata_of(host: &mut Host, number: u32) {
    let Event::MetadataReady { frame, metadata } = host.next() else { panic!("no metadata") };
    assert_eq!(frame, number);
    let list = host.serializer.receive_list(metadata.unwrap()).unwrap();
    assert_eq!(list.get(AE_ENABLE).and_then(ControlValue::get), Some(true));
}

#[test]
fn every_dialect_has_its_session_and_starts_again_without_configure() {
    for dialect in DIALECTS {
        let mut host = Host::start("", dialect);
        let (ret, controls, _) = host.init();
        assert_eq!((ret, controls[0].id), (0, EXPOSURE_TIME), "{dialect:?}");
        assert_eq!(host.configure(false).0, 0);
        host.map();
        let mut exposure = EXPOSURE;
        for _ in 0..2 {
            assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
            let event = host.next();
            exposure += 1;
            assert_eq!(host.settings(&event), (0, vec![exposure, 5], None), "{dialect:?}");
            for number in 0..5 {
                exposure += 1;
                frame(&mut host, number, exposure);
            }
            // A cancelled frame has no statistics, and gets nothing.
            host.tell(&request(5, false));
            host.compute(5);
            assert_eq!(host.next(), Event::ParamsComputed { frame: 5 });
            assert_eq!(host.ask(&Call::Stop), Reply::Stop);
        }
        let unmapped = host.ask(&Call::UnmapBuffers((1..9).collect()));
        assert_eq!(unmapped, Reply::UnmapBuffers);
        let lines = host.lines();
        for line in [
            "init of imx219 182400000 with 3 controls",
            "configure 1280x720 with 2 and 0 controls",
            "request 4 AeEnable Some(true)",
            "request 5 AeEnable Some(false)",
            "statistics 3 at 99000000: 125664 bytes of 53, 2 in effect",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}: {lines:#?}");
        }
        host.exit();
    }
}

#[test]
fn a_lens_is_moved_where_there_is_one() {
    let mut host = Host::start("", Dialect::V0_6);
    host.init();
    host.configure(true);
    host.map();
    host.ask(&Call::Start);
    let event = host.next();
    assert_eq!(host.settings(&event), (0, vec![EXPOSURE + 1, 5], Some(300)));
    host.exit();
}

/// Number 8: libcamera's own worker answers a second `init` with zeros.
#[test]
fn a_second_init_offers_the_controls_again() {
    for dialect in DIALECTS {
        let mut host = Host::start("", dialect);
        let (ret, first, _) = host.init();
        assert_eq!(ret, 0);
        // libcamera has sent the sensor's map before, and says only that.
        let Call::Init { settings, sensor_info, .. } = host.init_call() else { panic!() };
        let again = Call::Init {
            settings,
            sensor_info,
            sensor_controls: Some(InfoMapPacket::AlreadySent { bytes: 76 }),
        };
        let Reply::Init { ret: 0, ipa_controls: Some(InfoMapPacket::Map(map)) } = host.ask(&again)
        else {
            panic!("no map")
        };
        assert_eq!(map.controls, first);
        let inits: Vec<String> =
            host.lines().into_iter().filter(|line| line.starts_with("init of")).collect();
        assert_eq!(inits, ["init of imx219 182400000 with 3 controls"; 2]);
        host.exit();
    }
}

/// Number 14: `Exit` is overtaken by SIGKILL, so all is done before the answer to `stop`.
#[test]
fn stop_is_answered_when_the_ipa_has_stopped() {
    let mut host = Host::streaming("late@stop");
    host.next();
    assert_eq!(host.ask(&Call::Stop), Reply::Stop);
    assert_eq!(host.lines().last().unwrap(), "stop done");
}

/// `Exit` ends the IPA, which may hang there.
#[test]
fn the_ipa_ends_with_exit() {
    for script in ["", "hang@end", "hang@stats"] {
        let mut host = Host::streaming(script);
        host.next();
        host.process(0);
        while !matches!(host.next(), Event::MetadataReady { .. }) {}
        host.tell(&Call::Exit);
        assert_eq!(host.end().code(), Some(0));
        let ended = host.lines().iter().any(|line| line == "end");
        assert_eq!(ended, script != "hang@stats", "{script}: {:?}", host.lines());
    }
}

#[test]
fn calls_out_of_turn_are_answered_with_an_error() {
    // Without `init` nothing tells what libcamera speaks.
    let mut host = Host::start("", Dialect::V0_0);
    // Cookie 0 is that of `init`.
    host.cookie();
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: -libc::EINVAL });
    assert_eq!(host.configure(false).0, -libc::EINVAL);
    assert_eq!(host.ask(&Call::Stop), Reply::Stop);
    host.serializer.reset();
    host.dialect = Dialect::V0_6;
    assert_eq!(host.init().0, 0);
    host.configure(false);
    host.map();
    // No stream: libcamera knows no frame, and an event for one would abort it.
    host.compute(1);
    host.process(1);
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
    assert!(matches!(host.next(), Event::SetSensorControls { .. }));
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: -libc::EBUSY });
    assert_eq!(host.init().0, -libc::EBUSY);
    assert_eq!(host.ask(&Call::Stop), Reply::Stop);
    host.compute(2);
    host.process(2);
    assert_eq!(host.ask(&Call::UnmapBuffers(vec![])), Reply::UnmapBuffers);
    host.silent(Duration::from_millis(150));
    host.exit();
}

/// Buffers that are not what libcamera says of them cost nothing but themselves.
#[test]
fn frames_with_bad_buffers_are_answered() {
    let mut host = Host::streaming("");
    host.next();
    let small = memory(100, 0);
    let null = std::fs::File::open("/dev/null").unwrap();
    let lies = Call::MapBuffers(vec![buffer(1, 39_328), buffer(5, 125_664), buffer(2, 100)]);
    let fds = [small.as_fd(), null.as_fd(), small.as_fd()];
    assert_eq!(host.ask_with(&lies, &fds).0, Reply::MapBuffers);
    for number in [0, 1] {
        host.compute(number);
        assert_eq!(host.next(), Event::ParamsComputed { frame: number });
    }
    host.process(0);
    assert!(matches!(host.next(), Event::MetadataReady { frame: 0, .. }));
    // Shrunk after it was mapped: whoever has a file mapped dies of it.
    host.statistics[1].set_len(10).unwrap();
    host.params[3].set_len(0).unwrap();
    host.process(1);
    assert!(matches!(host.next(), Event::MetadataReady { frame: 1, .. }));
    host.compute(3);
    assert_eq!(host.next(), Event::ParamsComputed { frame: 3 });
    host.ask(&Call::UnmapBuffers(vec![1, 2, 3, 4, 5, 6, 7, 8, 99]));
    host.compute(2);
    assert_eq!(host.next(), Event::ParamsComputed { frame: 2 });
    host.process(2);
    assert!(matches!(host.next(), Event::MetadataReady { frame: 2, .. }));
    host.exit();
}

/// Number 24.
#[test]
fn received_descriptors_are_close_on_exec() {
    let host = Host::streaming("");
    let folder = format!("/proc/{}/fdinfo", host.child.id());
    let mut looked = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let number: u32 = entry.file_name().to_str().unwrap().parse().unwrap();
        let file = format!("/proc/{}/fd/{number}", host.child.id());
        let target = std::fs::read_link(file).unwrap().display().to_string();
        if !target.starts_with("/memfd:buffer") && !target.starts_with("anon_inode:") {
            // Perhaps of whoever runs the tests.
            continue;
        }
        let info = std::fs::read_to_string(entry.path()).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let flags = i32::from_str_radix(flags.trim(), 8).unwrap();
        if number > 2 {
            looked += 1;
            assert_ne!(flags & libc::O_CLOEXEC, 0, "descriptor {number}: {target}");
        }
    }
    assert!(looked >= 10, "{looked}: waker, parent and eight buffers");
    host.exit();
}

/// Number 15: libcamera's own workers outlive a libcamera that crashes.
#[test]
fn the_worker_ends_with_the_process_that_made_its_socket() {
    let (ours, theirs) = sockets();
    let room = tempfile::tempdir().unwrap();
    // A process between us makes nothing: the maker of the socket is this one, so the worker lasts.
    let mut child = command(theirs, "", &room.path().join("journal")).spawn().unwrap();
    drop(ours);
    // Its socket's other end is gone; it hears of nothing, since nobody sends, until it sends itself.
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    // The maker is another process, which is killed.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "protocol::host_that_dies", "--nocapture", "--test-threads=1"])
        .env("DOOR_TEST_DIES", "1")
        // It removes nothing.
        .env("TMPDIR", room.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let worker: i32 =
        text.split("worker ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    if let Ok(process) = cami_link::ProcessFd::open(worker) {
        let mut polled =
            [(process.as_fd(), cami_link::Interest::Message, cami_link::Event::default())];
        let until = Some(cami_link::Deadline::after(PATIENCE));
        assert_eq!(cami_link::wait(&mut polled, until), Ok(1), "an orphan");
    }
}

/// Not a test of its own: starts a worker with a stream, and dies.
#[test]
fn host_that_dies() {
    if std::env::var_os("DOOR_TEST_DIES").is_none() {
        return;
    }
    let mut host = Host::streaming("hang@stats");
    host.process(0);
    println!("worker {} ", host.child.id());
    nix::sys::signal::raise(nix::sys::signal::SIGKILL).unwrap();
}
