//! An IPA that hangs, is slow, fails, or answers what it should not: libcamera does not notice but by
//! what frames look like.

use std::time::{Duration, Instant};

use cami_door::limits;
use cami_wire::libcamera::ipu3::{Call, Event, Reply, command};
use cami_wire::libcamera::{ControlValue, Dialect};

use crate::calls::request;
use crate::host::{Host, SLACK};
use crate::worker::{EXPOSURE, EXPOSURE_TIME, PARAMS};

/// One frame of a stream whose IPA says nothing: both answers in time, and the parameters as given.
fn silent_frame(host: &mut Host, number: u32, params: u8) {
    host.tell(&request(number, true));
    let asked = host.compute(number);
    let (event, at) = host.event();
    assert_eq!(event, Event::ParamsComputed { frame: number });
    host.in_time(asked, at);
    assert_eq!(host.params_of(number), [params; 2]);
    let asked = host.process(number);
    let (event, at) = host.event();
    let Event::MetadataReady { frame, metadata } = event else { panic!("{event:?}") };
    assert_eq!(frame, number);
    host.in_time(asked, at);
    let list = host.serializer.receive_list(metadata.unwrap()).unwrap();
    // 1000 lines of 3648 pixels at 182.4 MHz.
    assert_eq!(list.get(EXPOSURE_TIME).and_then(ControlValue::get), Some(20_000_i32));
}

fn bounded(time: Duration) {
    assert!(time <= limits::CALL + SLACK, "{time:?}");
}

fn stop(host: &mut Host) {
    let (reply, time) = host.ask_with(&Call::Stop, &[]);
    assert_eq!(reply, Reply::Stop);
    bounded(time);
}

/// Numbers 1, 2, 3 and 4.
#[test]
fn stream_goes_on_while_the_ipa_is_gone_from_the_first_frame_on() {
    for script in ["hang@params", "panic@params"] {
        let mut host = Host::streaming(script);
        assert!(matches!(host.next(), Event::SetSensorControls { .. }));
        for number in 0..20 {
            // Nothing was good yet: all zero, with which the ISP keeps what it has.
            silent_frame(&mut host, number, 0);
        }
        host.was_in_time();
        stop(&mut host);
        host.silent(Duration::from_millis(100));
        host.exit();
    }
}

#[test]
fn stream_goes_on_with_what_was_last_good() {
    for script in ["hang@stats", "panic@stats"] {
        let mut host = Host::streaming(script);
        assert!(matches!(host.next(), Event::SetSensorControls { .. }));
        host.compute(1);
        assert_eq!(host.next(), Event::ParamsComputed { frame: 1 });
        assert_eq!(host.params_of(1), [PARAMS + 1; 2]);
        host.process(1);
        let Event::MetadataReady { frame: 1, .. } = host.next() else { panic!("no metadata") };
        for number in 2..20 {
            silent_frame(&mut host, number, PARAMS + 1);
        }
        host.was_in_time();
        stop(&mut host);
        // The parameters are those of the mode still.
        assert!(matches!(host.ask(&Call::Start), Reply::Start { .. }));
        host.exit();
    }
}

/// Numbers 4 and 5: each call that waits has its bound, and what the IPA says after that is not sent.
#[test]
fn slow_answers_are_given_up_and_never_sent_late() {
    for (at, number) in
        [("init", command::INIT), ("configure", command::CONFIGURE), ("stop", command::STOP)]
    {
        let mut host = Host::start(&format!("slow@{at}"), Dialect::V0_6);
        let (ret, _, time) = host.init();
        bounded(time);
        if number == command::INIT {
            assert_eq!(ret, -libc::ETIMEDOUT);
        } else {
            let (ret, _, time) = host.configure(false);
            bounded(time);
            if number == command::CONFIGURE {
                assert_eq!(ret, -libc::ETIMEDOUT);
            } else {
                host.map();
                host.ask(&Call::Start);
                host.next();
                stop(&mut host);
            }
        }
        host.silent(Duration::from_millis(2500));
        assert!(host.lines().contains(&format!("{at} done")), "the IPA did answer, too late");
        host.exit();
    }
}

#[test]
fn hung_calls_are_given_up_and_so_are_those_after_them() {
    for at in ["init", "configure"] {
        let mut host = Host::start(&format!("hang@{at}"), Dialect::V0_4);
        let (ret, controls, time) = host.init();
        bounded(time);
        assert_eq!(ret == 0, at == "configure");
        assert_eq!(controls.is_empty(), at == "init");
        let (ret, controls, time) = host.configure(false);
        bounded(time);
        assert_eq!((ret, controls.len()), (-libc::ETIMEDOUT, 0));
        host.map();
        stop(&mut host);
        host.exit();
    }
}

/// The stream runs without the IPA from the start, as it does when the IPA goes away later; what it
/// says at last still sets the sensor, with the next frame.
#[test]
fn start_that_is_slow_runs_the_stream() {
    let mut host = Host::start("slow@start", Dialect::V0_6);
    host.init();
    host.configure(false);
    host.map();
    let (reply, time) = host.ask_with(&Call::Start, &[]);
    assert_eq!(reply, Reply::Start { ret: 0 });
    bounded(time);
    silent_frame(&mut host, 0, 0);
    let until = Instant::now() + Duration::from_secs(10);
    while !host.lines().contains(&"start done".to_owned()) {
        assert!(Instant::now() < until, "the IPA does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    host.compute(1);
    assert_eq!(host.next(), Event::ParamsComputed { frame: 1 });
    host.process(1);
    let event = host.next();
    assert_eq!(host.settings(&event).0, 1);
    assert!(matches!(host.next(), Event::MetadataReady { frame: 1, .. }));
    stop(&mut host);
}

/// Slower than a frame may be, and alive: its answers are not lost, they go with the next frame.
#[test]
fn late_statistics_set_the_sensor_with_a_later_frame() {
    let mut host = Host::streaming("late@stats");
    let event = host.next();
    host.settings(&event);
    let mut settings = Vec::new();
    let mut answered = Vec::new();
    for number in 0..12 {
        let asked = host.process(number);
        loop {
            let (event, at) = host.event();
            match event {
                Event::MetadataReady { frame, .. } => {
                    host.in_time(asked, at);
                    answered.push(frame);
                    break;
                }
                Event::SetSensorControls { .. } => settings.push(host.settings(&event).1[0]),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(answered, (0..12).collect::<Vec<u32>>());
    assert!(settings.len() >= 3, "{settings:?}");
    assert!(settings.is_sorted(), "{settings:?}");
    assert!(settings.iter().all(|value| *value > EXPOSURE + 1), "{settings:?}");
    stop(&mut host);
    host.silent(Duration::from_millis(200));
    host.exit();
}

/// The IPA says once where the lens is to go, in an answer that is too late for its frame.
#[test]
fn a_lens_move_that_comes_late_is_not_lost() {
    let mut host = Host::start("lens once", Dialect::V0_6);
    assert_eq!(host.init().0, 0);
    assert_eq!(host.configure(true).0, 0);
    host.map();
    assert_eq!(host.ask(&Call::Start), Reply::Start { ret: 0 });
    let event = host.next();
    assert_eq!(host.settings(&event).2, None);
    let mut moved = Vec::new();
    for number in 1..20 {
        host.process(number);
        loop {
            match host.next() {
                Event::MetadataReady { .. } => break,
                event => moved.extend(host.settings(&event).2),
            }
        }
    }
    assert_eq!(moved, [300], "once");
    stop(&mut host);
    host.exit();
}

/// Number 22: statistics that take long do not hold up the next frame's parameters.
#[test]
fn parameters_do_not_wait_for_statistics() {
    let mut host = Host::streaming("slow@stats");
    host.next();
    host.compute(0);
    assert_eq!(host.next(), Event::ParamsComputed { frame: 0 });
    let processed = host.process(0);
    let computed = host.compute(1);
    let mut seen = [host.event(), host.event()];
    seen.sort_by_key(|(event, _)| event.number());
    let [(params, params_at), (metadata, metadata_at)] = seen;
    assert_eq!(params, Event::ParamsComputed { frame: 1 });
    assert!(matches!(metadata, Event::MetadataReady { frame: 0, .. }));
    host.in_time(computed, params_at);
    host.in_time(processed, metadata_at);
    host.exit();
}

#[test]
fn an_ipa_that_has_nothing_to_say_completes_frames_at_once() {
    let mut host = Host::streaming("nothing");
    host.next();
    for number in 0..5 {
        let asked = host.compute(number);
        let (event, at) = host.event();
        assert_eq!(event, Event::ParamsComputed { frame: number });
        host.in_time(asked, at);
        assert_eq!(host.params_of(number), [0; 2]);
        host.process(number);
        assert!(matches!(host.next(), Event::MetadataReady { .. }));
    }
    host.exit();
}

#[test]
fn errors_are_told_and_are_negative() {
    for (script, expected) in [("error", -libc::ENODEV), ("positive", -libc::EIO)] {
        let mut host = Host::start(&format!("{script}@init"), Dialect::V0_0);
        let (ret, controls, _) = host.init();
        assert_eq!((ret, controls.len()), (expected, 0));
        let mut host = Host::start(&format!("{script}@configure"), Dialect::V0_0);
        host.init();
        assert_eq!(host.configure(false).0, expected);
        let mut host = Host::start(&format!("{script}@start"), Dialect::V0_0);
        host.init();
        host.configure(false);
        assert_eq!(host.ask(&Call::Start), Reply::Start { ret: expected });
        host.compute(0);
        host.silent(Duration::from_millis(100));
    }
}

/// Values that no sensor has, types that this libcamera does not know (number 23), more metadata than
/// a message holds, parameters that are none.
#[test]
fn absurd_answers_are_made_harmless() {
    for dialect in [Dialect::V0_0, Dialect::V0_4, Dialect::V0_6] {
        let mut host = Host::start("absurd", dialect);
        let ids: Vec<u32> = host.init().1.iter().map(|control| control.id).collect();
        let expected: &[u32] = match dialect {
            Dialect::V0_0 => &[EXPOSURE_TIME],
            Dialect::V0_4 => &[EXPOSURE_TIME, 3001],
            _ => &[EXPOSURE_TIME, 3000, 3001],
        };
        assert_eq!(ids, expected, "{dialect:?}");
        host.configure(true);
        host.map();
        host.ask(&Call::Start);
        let event = host.next();
        assert_eq!(host.settings(&event), (0, vec![4, 232], Some(1023)));
        for number in 0..3 {
            host.compute(number);
            assert_eq!(host.next(), Event::ParamsComputed { frame: number });
            assert_eq!(host.params_of(number), [0; 2]);
            host.process(number);
            assert!(matches!(host.next(), Event::SetSensorControls { .. }));
            let Event::MetadataReady { frame, metadata } = host.next() else { panic!() };
            assert_eq!(frame, number);
            let list = host.serializer.receive_list(metadata.unwrap()).unwrap();
            assert!(list.controls.len() <= 256, "{}", list.controls.len());
        }
        stop(&mut host);
        host.exit();
    }
}

/// A frame that is under way when `stop` comes is answered before `stop` is, and never after.
#[test]
fn stop_answers_what_is_under_way_and_nothing_comes_after_it() {
    let mut host = Host::streaming("late@stats");
    host.next();
    host.process(0);
    host.compute(1);
    let (reply, time) = host.ask_with(&Call::Stop, &[]);
    assert_eq!(reply, Reply::Stop);
    bounded(time);
    // They came before the answer: `ask_with` has kept them.
    let mut kept = [host.next(), host.next()];
    kept.sort_by_key(Event::number);
    assert_eq!(kept[0], Event::ParamsComputed { frame: 1 });
    assert!(matches!(kept[1], Event::MetadataReady { frame: 0, .. }));
    host.silent(Duration::from_millis(300));
    host.exit();
}
