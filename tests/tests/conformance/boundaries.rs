//! SIGKILL at every boundary of a call and of a callback, one after the other.

use cami_tests::{Hal, Setup};
use tempfile::TempDir;

/// More than the script below passes; a kill that never comes is noticed.
const MOST: u32 = 40;
/// Passed before `initialize` returns: a death there is a return code.
const IN_INITIALIZE: u32 = 1;

/// A HAL whose vendor process kills itself at the `after`th boundary, once, and the folder in which it
/// leaves the file `killed` then.
fn start(after: u32, recovery: &str) -> (Hal, TempDir) {
    let marks = tempfile::tempdir().unwrap();
    let once = marks.path().join("killed");
    let environment = format!("FAULT_AFTER={after}:FAULT_ONCE={}", once.display());
    let hal = Setup::new("fault")
        .with("CAMI_IPA_RECOVERY", recovery)
        .with("CAMI_IPA_SANDBOX__WRITE", marks.path().to_str().unwrap())
        .with("CAMI_IPA_ENVIRONMENT", &environment)
        .start();
    (hal, marks)
}

fn killed(marks: &TempDir) -> bool {
    marks.path().join("killed").exists()
}

#[test]
fn killed_at_every_boundary_and_resumed_nothing_is_lost_or_doubled() {
    let mut kills = 0;
    for after in IN_INITIALIZE + 1..MOST {
        let (mut hal, marks) = start(after, "resume");
        assert_eq!(hal.call("init"), "init 0");
        assert_eq!(hal.call("reg memfd 4096"), "reg 1", "boundary {after}");
        assert_eq!(hal.call("reg memfd 8192"), "reg 2", "boundary {after}");
        for (id, handle) in [(11, 1), (12, 2), (13, 1)] {
            hal.call(&format!("req {id} 0102 {handle}"));
        }
        hal.call("req 14 55 2");
        hal.event("update 14 ");
        for id in 11..=14 {
            hal.event(&format!("return {id} "));
        }
        hal.call("updret 14 0 none");
        hal.call("dereg 1");
        hal.call("req 15 00 2");
        hal.event("return 15 ");
        for id in 11..=15 {
            assert_eq!(hal.count(&format!("return {id} ")), 1, "boundary {after}: request {id}");
        }
        hal.call("deinit");
        assert_eq!(hal.count("notify"), 0, "boundary {after}: {}", hal.log.text());
        assert_eq!(hal.resources().processes, 0, "boundary {after}");
        let came = killed(&marks);
        hal.finish();
        if !came {
            break;
        }
        kills += 1;
    }
    assert!((10..MOST - 2).contains(&kills), "{kills} boundaries");
}

#[test]
fn killed_at_every_boundary_and_told_no_notice_is_missing() {
    let mut kills = 0;
    for after in IN_INITIALIZE + 1..MOST {
        let (mut hal, marks) = start(after, "notify");
        assert_eq!(hal.call("init"), "init 0");
        hal.call("reg memfd 4096");
        for id in 11..=13 {
            hal.call(&format!("req {id} 0102 1"));
        }
        hal.call("req 14 55 1");
        hal.call("updret 14 0 none");
        hal.call("dereg 1");
        // Answered, or refused because the process is gone: all before it has been done then.
        let alive = !hal.call("reg memfd 4096").starts_with("reg -");
        let came = killed(&marks);
        assert_eq!(came, !alive, "boundary {after}: {}", hal.log.text());
        if came {
            hal.event("notify 1");
        }
        assert_eq!(hal.count("notify"), usize::from(came), "boundary {after}");
        hal.call("deinit");
        hal.finish();
        if !came {
            break;
        }
        kills += 1;
    }
    assert!((8..MOST - 2).contains(&kills), "{kills} boundaries");
}

/// `./x kills` asks for more than the 25 of every run.
#[test]
fn killed_at_random_instants_and_told_each_death_is_one_notice() {
    let rounds = std::env::var("CAMI_TESTS_KILLS").ok().and_then(|text| text.parse().ok());
    let mut hal = Setup::new("plain").start();
    for round in 1..=rounds.unwrap_or(25_u32) {
        assert_eq!(hal.call("init"), "init 0", "{}", hal.log.text());
        // Each is on its way, somewhere in the process, or answered when the kill comes.
        for id in 0..round * 7 % 23 {
            hal.call(&format!("req {id} 0102 -1"));
        }
        hal.signal(hal.vendor(), libc::SIGKILL);
        hal.event("notify 1");
        assert_eq!(hal.count("notify"), usize::try_from(round).unwrap());
    }
    hal.call("deinit");
    assert_eq!(hal.resources().processes, 0);
    hal.finish();
}
