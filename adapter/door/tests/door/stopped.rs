//! A worker that somebody stops, or that gets no processor, around a call. libcamera has given up after
//! two seconds then, and takes what comes later for an event, which aborts the application (numbers 4
//! and 5).

use std::time::{Duration, Instant};

use cami_door::limits;
use cami_wire::libcamera::Dialect;
use cami_wire::libcamera::ipu3::{Call, Event, Reply};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::host::{Host, SLACK};

/// libcamera has given up.
const GIVEN_UP: Duration = Duration::from_millis(2100);
/// Whoever has something to say says it within this time.
const QUIET: Duration = Duration::from_millis(500);

fn pid(host: &Host) -> Pid {
    Pid::from_raw(i32::try_from(host.child.id()).unwrap())
}

fn stop(host: &Host) {
    kill(pid(host), Signal::SIGSTOP).unwrap();
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(pid(host)), flags).unwrap();
}

fn go_on(host: &Host) {
    kill(pid(host), Signal::SIGCONT).unwrap();
}

/// Makes calls of a worker that is stopped, until libcamera has given up.
fn in_vain(host: &mut Host, calls: impl FnOnce(&mut Host)) {
    stop(host);
    calls(host);
    std::thread::sleep(GIVEN_UP);
    go_on(host);
    host.silent(QUIET);
}

#[test]
fn a_call_that_nobody_waits_for_any_more_is_not_answered() {
    let mut host = Host::start("", Dialect::V0_6);
    // Before the worker has come so far that it could know when.
    in_vain(&mut host, |host| {
        let call = host.init_call();
        host.tell(&call);
    });
    assert_eq!(host.init().0, 0);
    in_vain(&mut host, |host| {
        let call = host.configure_call(false);
        host.tell(&call);
    });
    assert_eq!(host.configure(false).0, 0);
    in_vain(&mut host, |host| {
        host.tell(&Call::Start);
    });
    // libcamera holds it for failed.
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
    host.next();
    in_vain(&mut host, |host| {
        host.tell(&Call::UnmapBuffers(vec![1]));
    });
    in_vain(&mut host, |host| {
        host.tell(&Call::Stop);
    });
    // It has stopped all the same.
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
    host.next();
    assert_eq!(host.ask(&Call::Stop), Reply::Stop);
    host.exit();
}

/// Frames that were asked for before a `stop` that libcamera has given up on: it knows them no more.
#[test]
fn frames_of_a_stream_that_is_over_are_not_answered() {
    for script in ["", "hang@stats"] {
        let mut host = Host::streaming(script);
        host.next();
        in_vain(&mut host, |host| {
            host.compute(0);
            host.process(0);
            host.tell(&Call::Stop);
        });
        host.exit();
    }
}

/// Frames are answered, however late: nobody else completes them.
#[test]
fn frames_of_a_stream_that_runs_are_answered() {
    let mut host = Host::streaming("");
    host.next();
    stop(&host);
    host.compute(0);
    host.process(0);
    std::thread::sleep(GIVEN_UP);
    go_on(&host);
    assert_eq!(host.next(), Event::ParamsComputed { frame: 0 });
    while !matches!(host.next(), Event::MetadataReady { frame: 0, .. }) {}
    assert_eq!(host.ask(&Call::Stop), Reply::Stop);
    host.exit();
}

/// The time of a call runs while the worker does not.
#[test]
fn time_runs_from_the_call_on() {
    std::thread::scope(|scope| {
        for at in ["init", "configure", "start", "stop"] {
            scope.spawn(move || time_runs_in(at));
        }
    });
}

fn time_runs_in(at: &str) {
    let mut host = Host::start(&format!("slow@{at}"), Dialect::V0_6);
    if at != "init" {
        assert_eq!(host.init().0, 0);
    }
    if at == "start" || at == "stop" {
        host.configure(false);
    }
    if at == "stop" {
        host.ask(&Call::Start);
        host.next();
    }
    stop(&host);
    let call = match at {
        "init" => host.init_call(),
        "configure" => host.configure_call(false),
        "start" => Call::Start,
        _ => Call::Stop,
    };
    let asked = host.tell(&call);
    std::thread::sleep(Duration::from_millis(1200));
    go_on(&host);
    let message = host.receive(GIVEN_UP).expect("an answer");
    assert_eq!(message.command, call.command(), "{at}");
    let took = message.at - asked;
    assert!(took <= limits::CALL + SLACK, "{at}: {took:?}");
}

/// Stopped while the IPA is at a call that it answers meanwhile (`soon`), or after it (`slow`). False
/// where the answer had come before.
fn stopped_in(what: &str, at: &str) -> bool {
    let mut host = Host::start(&format!("{what}@{at}"), Dialect::V0_6);
    assert_eq!(host.init().0, 0);
    if at != "configure" {
        assert_eq!(host.configure(false).0, 0);
    }
    if at == "stop" {
        assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
        host.next();
    }
    let call = match at {
        "configure" => host.configure_call(false),
        "start" => Call::Start,
        _ => Call::Stop,
    };
    host.tell(&call);
    let until = Instant::now() + SLACK;
    while !host.lines().iter().any(|line| line.starts_with(at)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    stop(&host);
    if host.receive(Duration::ZERO).is_some() {
        return false;
    }
    std::thread::sleep(GIVEN_UP);
    go_on(&host);
    host.silent(Duration::from_millis(1500));
    // libcamera has given up on it, and begins again.
    if at == "start" {
        assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 }, "{what}");
    } else {
        assert_eq!(host.ask(&Call::Stop), Reply::Stop, "{what}");
    }
    host.exit();
    true
}

#[test]
fn an_answer_that_the_worker_could_not_send_is_not_sent() {
    std::thread::scope(|scope| {
        for at in ["configure", "start", "stop"] {
            for what in ["slow", "soon"] {
                scope.spawn(move || {
                    assert!((0..10).any(|_| stopped_in(what, at)), "it is never stopped in time");
                });
            }
        }
    });
}
