//! Every fault at every moment, where deaths are told and where they are recovered from.
//!
//! After each: the HAL is whole, no call took longer than its deadline, exactly the documented
//! notifications came, every request was answered exactly once where the vendor process is replaced,
//! the cause is named, the camera works again, and nothing is left behind.

use std::time::{Duration, Instant};

use cami_tests::{Hal, Resources, Setup};

/// `-ECONNRESET`: nobody is there any more.
const LOST: i32 = -libc::ECONNRESET;
/// The status of a request that could not be carried out (the generic profile's).
const ERROR_STATUS: &str = "1";
/// Of each kind of call, in milliseconds.
const DEADLINE_MS: u64 = 400;
/// Two deaths by deadline and their recoveries, on a machine that is busy with other tests.
const LONGEST: Duration = Duration::from_secs(20);

/// The faults, and the words that name each.
const FAULTS: [(&str, &[&str]); 9] = [
    ("segv", &["killed by SIGSEGV", "accessing 0x10", "libvendor.so+"]),
    ("abort", &["killed by SIGABRT", "libvendor.so"]),
    ("exit", &["called exit(4)"]),
    ("exit_now", &["called exit(3)"]),
    ("stack", &["killed by SIGSEGV", "libvendor.so+"]),
    ("bus", &["killed by SIGBUS", "libvendor.so+"]),
    ("kill", &["killed by SIGKILL"]),
    ("execve", &["killed by SIGSYS", "execve"]),
    ("hang", &["400 ms"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recovery {
    Notify,
    Resume,
}

fn start(moment: &str, fault: &str, recovery: Recovery) -> Hal {
    let name = match recovery {
        Recovery::Notify => "notify",
        Recovery::Resume => "resume",
    };
    let deadline = DEADLINE_MS.to_string();
    // The initialisation includes the start of the host, which takes its time on a busy machine.
    let initialize =
        if (moment, fault) == ("initialize", "hang") { deadline.clone() } else { "30000".into() };
    Setup::new("fault")
        .with("CAMI_IPA_RECOVERY", name)
        .with("CAMI_IPA_ENVIRONMENT", &format!("FAULT_AT={moment}:FAULT_BY={fault}"))
        .with("CAMI_IPA_TIMEOUTS__INITIALIZE_MS", &initialize)
        .with("CAMI_IPA_TIMEOUTS__REGISTER_MS", &deadline)
        .with("CAMI_IPA_TIMEOUTS__REQUEST_MS", &deadline)
        .start()
}

/// Runs a command that must be over by its deadline, whatever the library does.
#[track_caller]
fn call_in_time(hal: &mut Hal, command: &str) -> String {
    let began = Instant::now();
    let reply = hal.call(command);
    assert!(began.elapsed() < LONGEST, "{command} took {:?}", began.elapsed());
    reply
}

/// The camera works, as far as this library lets it, and `notify` came so many times.
#[track_caller]
fn works_again(
    mut hal: Hal,
    before: Resources,
    notified: usize,
    recovery: Recovery,
    cause: &[&str],
) {
    hal.log.wait(cause);
    if notified > 0 || recovery == Recovery::Notify {
        hal.room.install("plain", "libvendor.so");
        assert_eq!(hal.call("init"), "init 0", "{}", hal.log.text());
    }
    hal.call("req 501 00 -1");
    hal.event("return 501 ");
    assert_eq!(hal.count("return 501 "), 1);
    assert_eq!(hal.count("notify"), notified, "{}", hal.log.text());
    // Where the library faults in it, a good one takes its place first.
    hal.room.install("plain", "libvendor.so");
    assert_eq!(hal.call("init"), "init 0");
    hal.call("deinit");
    // This HAL keeps what updates lend it.
    let lent = hal.count("update ");
    let after = hal.resources();
    assert_eq!(after.processes, 0, "{:?} is left\n{}", hal.family(), hal.log.text());
    assert!(after.fds <= before.fds + 1 + lent, "{before:?} became {after:?}");
    assert!(after.threads <= before.threads + 1, "{before:?} became {after:?}");
    hal.finish();
}

/// Runs the whole column of one moment.
fn every_fault(moment: &str, recovery: Recovery, play: impl Fn(&mut Hal, &str) -> usize) {
    for (fault, cause) in FAULTS {
        // Deadlines of requests end a hang in a callback; nobody waits for an idle library.
        if fault == "hang" && matches!(moment, "idle" | "callback") {
            continue;
        }
        let mut hal = start(moment, fault, recovery);
        let before = hal.resources();
        let notified = play(&mut hal, fault);
        let mut words = cause.to_vec();
        if fault == "hang" && matches!(moment, "request" | "update") {
            words = vec!["took more than 400 ms"];
        }
        works_again(hal, before, notified, recovery, &words);
    }
}

fn initialized(hal: &mut Hal) {
    assert_eq!(hal.call("init"), "init 0", "{}", hal.log.text());
}

#[track_caller]
fn told(hal: &mut Hal) -> usize {
    hal.event("notify 1");
    1
}

/// `initialize` fails the same way in both modes: it is a return code, and nothing to recover.
fn faults_in_initialize(recovery: Recovery) {
    every_fault("initialize", recovery, |hal, _| {
        let reply = call_in_time(hal, "init");
        assert!(reply.starts_with("init -"), "{reply}");
        hal.room.install("plain", "libvendor.so");
        assert_eq!(hal.call("init"), "init 0");
        0
    });
}

#[test]
fn faults_in_initialize_told() {
    faults_in_initialize(Recovery::Notify);
}

#[test]
fn faults_in_initialize_resumed() {
    faults_in_initialize(Recovery::Resume);
}

#[test]
fn faults_in_register_told() {
    every_fault("register", Recovery::Notify, |hal, fault| {
        initialized(hal);
        let code = if fault == "hang" { -libc::ETIMEDOUT } else { LOST };
        assert_eq!(call_in_time(hal, "reg memfd 4096"), format!("reg {code}"));
        told(hal)
    });
}

#[test]
fn faults_in_register_resumed() {
    every_fault("register", Recovery::Resume, |hal, fault| {
        initialized(hal);
        // Made again once; the second death is the answer.
        let code = if fault == "hang" { -libc::ETIMEDOUT } else { LOST };
        assert_eq!(call_in_time(hal, "reg memfd 4096"), format!("reg {code}"));
        0
    });
}

/// A request that the HAL hears of in any case: lost with the session, or answered.
fn faults_in_request(moment: &str, header: &str, answered: bool) {
    every_fault(moment, Recovery::Notify, |hal, _| {
        initialized(hal);
        hal.call(&format!("req 42 {header} -1"));
        let notified = told(hal);
        assert_eq!(hal.count("return 42 "), usize::from(answered));
        notified
    });
}

fn faults_in_request_resumed(moment: &str, header: &str, answered: bool) {
    every_fault(moment, Recovery::Resume, |hal, _| {
        initialized(hal);
        assert_eq!(hal.call("reg memfd 4096"), "reg 1");
        hal.call(&format!("req 42 {header} 1"));
        let event = hal.event("return 42 ");
        if !answered {
            let expected = format!("return 42 {ERROR_STATUS} 1");
            assert!(event.starts_with(&expected), "{event}: two vendor processes died with it");
        }
        // The buffer is still there under its number.
        hal.call("req 43 00 1");
        hal.event("return 43 ");
        assert_eq!(hal.count("return 42 "), 1, "exactly once");
        0
    });
}

#[test]
fn faults_in_request_told() {
    faults_in_request("request", "58", false);
}

#[test]
fn faults_in_request_are_resumed() {
    faults_in_request_resumed("request", "58", false);
}

#[test]
fn faults_after_a_callback_told() {
    faults_in_request("callback", "58", true);
}

#[test]
fn faults_after_a_callback_resumed() {
    faults_in_request_resumed("callback", "58", true);
}

#[test]
fn faults_while_idle_told() {
    faults_in_request("idle", "58", true);
}

#[test]
fn faults_while_idle_resumed() {
    faults_in_request_resumed("idle", "58", true);
}

#[test]
fn faults_in_update_told() {
    faults_in_request("update", "55", false);
}

#[test]
fn faults_in_update_resumed() {
    faults_in_request_resumed("update", "55", false);
}

#[test]
fn faults_in_update_return_told() {
    every_fault("update_return", Recovery::Notify, |hal, fault| {
        initialized(hal);
        hal.call("updret 1 0 none");
        if fault == "hang" {
            // Nobody waits for it; the next call does.
            call_in_time(hal, "reg memfd 4096");
        }
        told(hal)
    });
}

#[test]
fn faults_in_update_return_resumed() {
    every_fault("update_return", Recovery::Resume, |hal, fault| {
        initialized(hal);
        hal.call("req 9 55 -1");
        hal.event("update 9 ");
        hal.event("return 9 ");
        hal.call("updret 9 0 none");
        if fault == "hang" {
            call_in_time(hal, "reg memfd 4096");
        }
        0
    });
}

#[test]
fn faults_in_deregister_told() {
    every_fault("deregister", Recovery::Notify, |hal, _| {
        initialized(hal);
        assert_eq!(hal.call("reg memfd 4096"), "reg 1");
        call_in_time(hal, "dereg 1");
        told(hal)
    });
}

#[test]
fn faults_in_deregister_resumed() {
    every_fault("deregister", Recovery::Resume, |hal, _| {
        initialized(hal);
        assert_eq!(hal.call("reg memfd 4096"), "reg 1");
        call_in_time(hal, "dereg 1");
        0
    });
}

/// The HAL leaves: nothing to tell, and nothing to recover.
fn faults_in_deinitialize(recovery: Recovery) {
    every_fault("deinitialize", recovery, |hal, _| {
        initialized(hal);
        call_in_time(hal, "deinit");
        assert_eq!(hal.resources().processes, 0, "{}", hal.log.text());
        hal.room.install("plain", "libvendor.so");
        assert_eq!(hal.call("init"), "init 0");
        0
    });
}

#[test]
fn faults_in_deinitialize_told() {
    faults_in_deinitialize(Recovery::Notify);
}

#[test]
fn faults_in_deinitialize_resumed() {
    faults_in_deinitialize(Recovery::Resume);
}
