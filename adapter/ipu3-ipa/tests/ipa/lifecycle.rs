//! init, configure, start, stop, and what outlives them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cam_algo_reference::Server;
use cami_ipu3::Command;
use cami_ipu3_ipa::{ControlName, IdSet, Ipa};
use cami_wire::libcamera::Size;

use crate::camera::{Session, exposure, lights, mode, plenty};
use crate::faulty::{Fault, Faulty};

/// What a slow machine may take beyond a deadline.
const SLACK: Duration = Duration::from_secs(10);

fn session() -> Session {
    let day = lights(500.0, virtual_camera::Source::Daylight(6504.0));
    Session::new(Arc::new(Server::new()), IdSet::From0_5, &day)
}

#[test]
fn limits_come_from_the_sensor_and_the_library() {
    let mut session = session();
    let limits = session.init().unwrap();
    let find = |control| {
        let id = session.ids.id(control).unwrap();
        limits.iter().find(|info| info.id == id)
    };
    let gain = find(ControlName::AnalogueGain).unwrap();
    assert_eq!((gain.min.get(), gain.max.get()), (Some(1.0_f32), Some(16.0_f32)));
    let time = find(ControlName::ExposureTime).unwrap();
    assert_eq!((time.min.get(), time.max.get()), (Some(41), Some(33_247)));
    assert!(find(ControlName::AfMode).is_none(), "libcamera has not said yet that there is a lens");
    let limits = session.ipa.configure(&mode(), plenty()).unwrap();
    let id = session.ids.id(ControlName::AfMode).unwrap();
    assert!(limits.iter().any(|info| info.id == id));
}

/// Drivers know codes that tunings do not (ov13858: 8191, and 1984).
#[test]
fn codes_beyond_those_of_the_tuning_do_not_limit_the_gain() {
    let library = Faulty::new();
    for command in [Command::ExcAnalogGainToSensor, Command::ExcSensorToAnalogGain] {
        library.fault(command, Fault::CodesTo(1984));
    }
    let evening = lights(100.0, virtual_camera::Source::Daylight(6504.0));
    let mut session = Session::started(library, IdSet::From0_5, &evening);
    let last = session.run(20);
    let taken = exposure(&last.in_effect).analogue_gain;
    assert!(taken > 2.0, "{taken}");
    assert_eq!(session.get::<f32>(&last, ControlName::AnalogueGain), Some(taken));
    let limits = session.ipa.configure(&mode(), plenty()).unwrap();
    let id = session.ids.id(ControlName::AnalogueGain).unwrap();
    let gain = limits.iter().find(|info| info.id == id).unwrap();
    assert_eq!((gain.min.get(), gain.max.get()), (Some(1.0_f32), Some(15.5_f32)));
}

#[test]
fn calls_out_of_order_are_errors_and_harmless() {
    let mut session = session();
    assert!(session.ipa.start(plenty()).is_err());
    assert!(session.ipa.compute_params(0, plenty()).is_none());
    session.ipa.stop(plenty());
    session.init().unwrap();
    assert!(session.ipa.start(plenty()).is_err());
    let mut bad = mode();
    bad.iif = Size { width: 70_000, height: 1 };
    assert!(session.ipa.configure(&bad, plenty()).unwrap_err().errno < 0);
    session.ipa.configure(&mode(), plenty()).unwrap();
    session.start();
    session.step();
}

#[test]
fn a_missing_tuning_file_is_told_with_the_places_where_it_was_looked_for() {
    let mut session = session();
    session.files.0.lock().unwrap().clear();
    let error = session.init().unwrap_err();
    assert!(error.errno < 0 && error.text.contains("/t.aiqb"), "{error}");
}

#[test]
fn a_start_after_a_stop_begins_where_the_exposure_was() {
    let mut session = Session::reference(IdSet::From0_5);
    let last = session.run(40);
    session.ipa.stop(plenty());
    session.start();
    let first = session.step();
    let (before, after) = (last.in_effect, first.in_effect);
    assert_eq!(before.exposure_lines, after.exposure_lines);
    assert_eq!(before.analogue_gain_code, after.analogue_gain_code);
    assert!(first.params.is_some());
    assert_eq!(session.get::<i32>(&first, ControlName::AeState), Some(2), "still converged");
}

#[test]
fn another_mode_starts_with_its_own_exposure_and_default_controls() {
    let mut session = Session::reference(IdSet::From0_5);
    session.ask(&[(ControlName::Brightness, crate::camera::scalar(0.5_f32))]);
    let bright = session.run(5);
    session.ipa.stop(plenty());
    let mut smaller = mode();
    smaller.bds = Size { width: 1280, height: 720 };
    session.ipa.configure(&smaller, plenty()).unwrap();
    session.start();
    let first = session.step();
    assert!(first.params != bright.params);
    assert!(first.params.is_some());
}

#[test]
fn what_was_learnt_is_kept() {
    let mut session = Session::reference(IdSet::From0_5);
    session.run(3);
    let learnt = Path::new("/learnt/ov13858.aiqd");
    assert!(!session.files.0.lock().unwrap().contains_key(learnt));
    session.ipa.stop(plenty());
    let kept = session.files.0.lock().unwrap().get(learnt).cloned();
    assert_eq!(kept.as_deref(), Some(cam_algo_reference::VERSION.as_bytes()));
    // And it does not hurt the next time.
    session.init().unwrap();
}

#[test]
fn a_disk_that_is_slow_holds_no_call() {
    const SHORT: Duration = Duration::from_millis(600);
    let mut session = Session::reference(IdSet::From0_5);
    let disk = Arc::clone(&session.files.1);
    let learnt = Path::new("/learnt/ov13858.aiqd");
    let slow = disk.write().unwrap();
    for _ in 0..3 {
        session.run(3);
        let begun = Instant::now();
        session.ipa.stop(begun + SHORT);
        assert!(begun.elapsed() < SHORT + SLACK, "{:?}", begun.elapsed());
        session.start();
        assert!(session.step().params.is_some(), "the library goes on");
    }
    assert!(!session.files.0.lock().unwrap().contains_key(learnt));
    drop(slow);
    session.ipa.stop(plenty());
    assert!(session.files.0.lock().unwrap().contains_key(learnt));
}
