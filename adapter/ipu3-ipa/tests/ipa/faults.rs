//! A library that fails, answers nonsense, takes too long or dies costs what it was asked for, and
//! nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_ipu3::Command;
use cami_ipu3_ipa::{ControlName, IdSet, Ipa};
use virtual_camera::Source;

use crate::camera::{Session, exposure, lights, mode, plenty};
use crate::faulty::{Fault, Faulty};

/// What is asked for each frame.
const PER_FRAME: [Command; 9] = [
    Command::StatisticsSet,
    Command::AeRun,
    Command::GbceRun,
    Command::AwbRun,
    Command::PaRun,
    Command::SaRun,
    Command::AfRun,
    Command::AicRun,
    Command::AicGetConfig,
];
/// What is asked before the first.
const SET_UP: [Command; 8] = [
    Command::CmcInit,
    Command::ExcAnalogGainToSensor,
    Command::ExcSensorToAnalogGain,
    Command::MknInit,
    Command::MknEnable,
    Command::AiqInit,
    Command::AiqGetVersion,
    Command::AicInit,
];
/// A deadline that a call must keep, and what a slow machine may take beyond it.
const SHORT: Duration = Duration::from_millis(40);
const SLACK: Duration = Duration::from_secs(10);

/// Frames within which anything has happened that will.
const MANY: u32 = 20_000;

fn session() -> (Session, Arc<Faulty>) {
    let library = Faulty::new();
    let day = lights(500.0, Source::Daylight(6504.0));
    let session = Session::started(library.clone(), IdSet::From0_5, &day);
    (session, library)
}

fn nonsense() -> Vec<Fault> {
    let mut faults = vec![Fault::Fails, Fault::Thrice];
    faults.extend([0, 1, 0x7f, 0x80, 0xff].map(Fault::Bytes));
    faults.extend([f32::NAN, f32::INFINITY, -1.0, 0.0, 1e30, -1e30, 1e-30].map(Fault::Floats));
    faults.extend((1..=8_u64).map(|seed| Fault::Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    faults
}

/// Limits and finite numbers are checked by [`Session::step`] in each frame.
#[test]
fn nonsense_in_any_answer_never_reaches_libcamera() {
    for command in PER_FRAME {
        let (mut session, library) = session();
        session.run(10);
        for fault in nonsense() {
            library.fault(command, fault);
            session.run(2);
        }
        library.heal();
        let last = session.run(40);
        let level = session.chart_level(&last);
        assert!((25.0..80.0).contains(&level), "after {}: level {level}", command.name());
        assert!(last.params.is_some(), "after {}", command.name());
    }
}

#[test]
fn nonsense_before_the_first_frame_is_an_error_or_harmless() {
    for command in SET_UP {
        for fault in nonsense() {
            let library = Faulty::new();
            library.fault(command, fault);
            let day = lights(500.0, Source::Daylight(6504.0));
            let mut session = Session::new(library.clone(), IdSet::From0_5, &day);
            let Ok(limits) = session.init() else { continue };
            for info in limits {
                if let (Some(min), Some(max)) = (info.min.get::<f32>(), info.max.get::<f32>()) {
                    assert!(min <= max, "{} {fault:?}", command.name());
                    assert!(min.is_finite() && max.is_finite());
                }
            }
            if session.ipa.configure(&mode(), plenty()).is_ok() {
                session.start();
                session.run(2);
            }
        }
    }
}

#[test]
fn malformed_statistics_cost_themselves_only() {
    let (mut session, _library) = session();
    let before = session.run(40);
    for spoilt in [vec![], vec![0; 7], vec![0xff; 125_664], vec![0; 125_665]] {
        session.spoil = Some(spoilt);
        let frame = session.step();
        assert!(frame.params.is_some());
        assert_eq!(
            session.get::<i32>(&frame, ControlName::ExposureTime),
            Some(exposure(&before.in_effect).time_us)
        );
    }
    let after = session.run(5);
    let ratio = exposure(&after.in_effect).product() / exposure(&before.in_effect).product();
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
}

#[test]
fn a_late_answer_holds_its_call_no_longer_than_the_deadline() {
    for command in PER_FRAME {
        let (mut session, library) = session();
        let before = session.run(30);
        library.requests();
        library.fault(command, Fault::Held);
        session.patience = SHORT;
        for _ in 0..3 {
            let begun = Instant::now();
            let frame = session.step();
            assert!(begun.elapsed() < SHORT * 2 + SLACK);
            let time = session.get::<i32>(&frame, ControlName::ExposureTime);
            assert_eq!(time, Some(exposure(&frame.in_effect).time_us));
            let held = frame.processed.sensor.unwrap();
            assert!((held.exposure_lines - before.in_effect.exposure_lines).abs() < 100);
        }
        let asked = library.requests();
        let times = asked.iter().filter(|number| **number == command.number()).count();
        assert_eq!(times, 1, "{} is not asked again while it is under way", command.name());
        library.heal();
        session.patience = crate::camera::PLENTY;
        assert_eq!(library.release(), 1);
        let last = session.run(3);
        assert!(last.params.is_some(), "after {}", command.name());
        assert_eq!(library.initialized(), 1, "it was late, not lost");
    }
}

#[test]
fn a_dead_library_is_brought_up_again_and_goes_on_where_it_was() {
    for command in PER_FRAME {
        let (mut session, library) = session();
        let before = session.run(40);
        library.fault(command, Fault::Dies);
        let frame = session.step();
        assert!(session.get::<i32>(&frame, ControlName::ExposureTime).is_some());
        library.heal();
        // Each frame gives it a few milliseconds only.
        let mut after = session.step();
        for _ in 0..MANY {
            if after.params.is_some() && library.initialized() == 2 {
                break;
            }
            after = session.step();
        }
        assert_eq!(library.initialized(), 2, "{}", command.name());
        after = session.run(4);
        let ratio = exposure(&after.in_effect).product() / exposure(&before.in_effect).product();
        assert!((ratio - 1.0).abs() < 0.05, "{}: no cold start: {ratio}", command.name());
        assert!(after.params.is_some());
    }
}

#[test]
fn a_library_that_stays_dead_is_tried_ever_more_seldom_and_frames_go_on() {
    let (mut session, library) = session();
    let before = session.run(30);
    library.refuse(-5);
    library.fault(Command::AeRun, Fault::Dies);
    for _ in 0..300 {
        let frame = session.step();
        assert_eq!(frame.processed.sensor.unwrap().exposure_lines, before.in_effect.exposure_lines);
        assert!(session.get::<i64>(&frame, ControlName::FrameDuration).is_some());
    }
    assert!(library.initialized() < 20, "{} attempts", library.initialized());
    // stop, start and configure answer nevertheless.
    session.ipa.stop(plenty());
    session.start();
    session.step();
    session.ipa.configure(&mode(), plenty()).unwrap();
    session.start();
    assert!(session.step().params.is_none());
}

#[test]
fn a_library_that_does_not_come_up_is_an_error_of_init() {
    let day = lights(500.0, Source::Daylight(6504.0));
    let library = Faulty::new();
    library.refuse(-12);
    let mut session = Session::new(library.clone(), IdSet::From0_5, &day);
    assert_eq!(session.init().unwrap_err().errno, -12);

    let library = Faulty::new();
    library.hang(true);
    let mut session = Session::new(library.clone(), IdSet::From0_5, &day);
    session.patience = SHORT;
    let begun = Instant::now();
    assert_eq!(session.init().unwrap_err().errno, -110);
    assert!(begun.elapsed() < SHORT + SLACK);
    library.hang(false);
    session.patience = crate::camera::PLENTY;
    assert!(session.init().is_ok(), "the next call finds it");
}

/// A library that hangs while it comes up is at work too.
#[test]
fn a_library_that_hangs_in_initialize_is_ended_at_a_stop() {
    let day = lights(500.0, Source::Daylight(6504.0));
    for (apart, ended) in [(true, 1), (false, 0)] {
        let library = Faulty::new();
        library.hang(true);
        if apart {
            library.live_apart();
        }
        let mut session = Session::new(library.clone(), IdSet::From0_5, &day);
        session.patience = SHORT;
        assert!(session.init().is_err());
        let begun = Instant::now();
        // On a busy machine the thread that ends the library takes a while to begin.
        let time = if apart { 10 * SHORT } else { SHORT };
        session.ipa.stop(begun + time);
        assert!(begun.elapsed() < time + SLACK);
        assert_eq!(library.ended(), ended);
        library.hang(false);
        session.patience = crate::camera::PLENTY;
        assert!(session.init().is_ok());
        // In this process nothing can end it, and it is not called twice at a time.
        assert!(apart || library.initialized() == 1);
    }
}

#[test]
fn nothing_is_under_way_after_a_stop() {
    let (mut session, library) = session();
    session.run(5);
    library.fault(Command::AicRun, Fault::Held);
    session.patience = SHORT;
    session.step();
    let begun = Instant::now();
    session.ipa.stop(Instant::now() + SHORT);
    assert!(begun.elapsed() < SHORT + SLACK);
    library.wait_deinitialized(1);
    library.heal();
    session.patience = crate::camera::PLENTY;
    session.start();
    let came_back = (0..MANY).any(|_| session.step().params.is_some());
    assert!(came_back);
    assert_eq!(library.initialized(), 2, "it was ended, and is another one now");
    assert_eq!(library.deinitialized(), 1);
}

#[test]
fn a_library_in_another_process_is_ended_before_a_stop_returns() {
    let (mut session, library) = session();
    library.live_apart();
    session.run(5);
    for round in 1..4 {
        library.fault(Command::AicRun, Fault::Held);
        session.patience = SHORT;
        session.step();
        session.ipa.stop(plenty().min(Instant::now() + SHORT));
        assert_eq!((library.ended(), library.deinitialized()), (round, 0));
        library.heal();
        session.patience = crate::camera::PLENTY;
        session.start();
        assert!((0..MANY).any(|_| session.step().params.is_some()));
        assert_eq!(library.initialized(), round + 1);
    }
    // One that answers goes on.
    session.ipa.stop(plenty());
    assert_eq!(library.ended(), 3);
}

/// Where it runs in this process it can only be asked to end.
#[test]
fn a_library_is_not_started_again_before_it_has_ended() {
    let (mut session, library) = session();
    session.run(5);
    library.fault(Command::AicRun, Fault::Held);
    library.linger(true);
    session.patience = SHORT;
    session.step();
    session.ipa.stop(Instant::now() + SHORT);
    library.heal();
    session.start();
    for _ in 0..20 {
        assert!(session.step().params.is_none());
    }
    session.ipa.stop(Instant::now() + SHORT);
    assert_eq!(session.init().unwrap_err().errno, -110);
    assert_eq!((library.initialized(), library.deinitialized()), (1, 0));
    library.linger(false);
    session.patience = crate::camera::PLENTY;
    session.init().unwrap();
    assert_eq!((library.initialized(), library.deinitialized()), (2, 1));
}

#[test]
fn answers_that_nobody_asked_for_change_nothing() {
    let (mut session, library) = session();
    for command in PER_FRAME {
        library.fault(command, Fault::Thrice);
    }
    let last = session.run(40);
    let level = session.chart_level(&last);
    assert!((25.0..80.0).contains(&level), "{level}");
}

/// As the HAL ends what it has made (spec/ipu3-protocol.md, 2, "Close").
#[test]
fn the_engine_is_ended_with_the_ipa_and_before_another_is_made() {
    const CLOSE: [Command; 3] = [Command::AiqDeinit, Command::MknUninit, Command::CmcDeinit];
    let close = CLOSE.map(Command::number);
    let (mut session, library) = session();
    session.run(3);
    library.requests();
    session.init().unwrap();
    assert_eq!(library.requests()[..3], close);
    session.ipa.configure(&mode(), plenty()).unwrap();
    session.start();
    library.requests();
    session.ipa.end(plenty());
    assert_eq!(library.requests(), close);
    assert_eq!((library.initialized(), library.deinitialized()), (2, 1));
    drop(session);
    assert_eq!(library.deinitialized(), 1, "once");
}

#[test]
fn a_library_that_is_dead_or_hangs_is_not_asked_to_end_its_engine() {
    for fault in [Fault::Dies, Fault::Held] {
        let (mut session, library) = session();
        session.run(3);
        library.fault(Command::AeRun, fault);
        session.patience = SHORT;
        session.step();
        library.requests();
        let begun = Instant::now();
        session.ipa.end(begun + SHORT);
        assert!(begun.elapsed() < SHORT + SLACK);
        assert_eq!(library.requests(), [0; 0], "{fault:?}");
    }
    // One that does not answer there, and one that does not return from `deinitialize`.
    let (mut session, library) = session();
    library.fault(Command::AiqDeinit, Fault::Held);
    library.linger(true);
    let begun = Instant::now();
    session.ipa.end(begun + SHORT);
    assert!(begun.elapsed() < SHORT + SLACK);
    assert_eq!(library.requests().last(), Some(&Command::AiqDeinit.number()));
    library.linger(false);
}
