//! AF finds the sharpest position, and goes where it is told.

use virtual_camera::{Camera, ChartCamera, SceneColumns, SceneModel};

use super::{sensor_exposure, statistics};
use crate::algorithm::{Exposure, Window, af};

/// AF in a loop with a camera whose exposure is right; the lens is at once where it shall be.
struct Focus<'a> {
    camera: &'a dyn Camera,
    state: af::State,
    lens: i32,
    frame: u64,
    moved_us: u64,
}

impl<'a> Focus<'a> {
    fn new(camera: &'a dyn Camera) -> Self {
        Self { camera, state: af::State::default(), lens: 0, frame: 0, moved_us: 0 }
    }

    fn step(&mut self, change: impl Fn(&mut af::Inputs<'_>)) -> af::Outcome {
        let exposure = Exposure { time_us: 12_000.0, analog_gain: 1.0, digital_gain: 1.0 };
        let now = 1_000_000 + 33_333 * self.frame;
        let grids = self.camera.grids(self.frame, &sensor_exposure(&exposure), self.lens);
        let measured = statistics(&grids, now, Some(exposure));
        let mut inputs = af::Inputs {
            statistics: Some(&measured),
            lens_position: self.lens,
            lens_movement_start_us: self.moved_us,
            mode: af::Mode::Auto,
            range: af::Range::Full,
            window: Window::default(),
            trigger_new_search: false,
        };
        change(&mut inputs);
        let outcome = self.state.run(&inputs);
        assert!(af::POSITIONS.contains(&outcome.next_position));
        if let Some(position) = outcome.move_to {
            (self.lens, self.moved_us) = (position, now + 13_000);
        }
        self.frame += 1;
        outcome
    }

    /// Runs until AF says that it is done; the last answer and the number of frames.
    fn finish(&mut self) -> (af::Outcome, u64) {
        let start = self.frame;
        loop {
            let outcome = self.step(|_| {});
            if outcome.final_position_reached {
                return (outcome, self.frame - start);
            }
            assert!(self.frame - start < 100, "a search ends");
        }
    }
}

/// A scene of the model that is sharp at a lens position.
fn sharp_at(lens: i32) -> SceneModel {
    let columns = SceneColumns {
        brightness: 0.004,
        r_per_g: 0.58,
        b_per_g: 0.68,
        right_brightness: 0.004,
        right_r_per_g: 0.58,
        right_b_per_g: 0.68,
        lens,
    };
    SceneModel::from_frames(vec![columns]).unwrap()
}

#[test]
fn af_finds_the_peak_wherever_it_is() {
    for lens in (0..=1023).step_by(31) {
        let scene = sharp_at(lens);
        let mut focus = Focus::new(&scene);
        let (outcome, frames) = focus.finish();
        assert_eq!(outcome.status, af::Status::Success);
        assert!((focus.lens - lens).abs() <= 30, "{lens}: {} of 1023", focus.lens);
        assert!(frames < 40, "{frames} frames");
        for _ in 0..20 {
            assert!(focus.step(|_| {}).move_to.is_none(), "it rests");
        }
    }
}

#[test]
fn af_finds_the_chart_and_searches_again_when_told() {
    let camera = ChartCamera::new(&ChartCamera::usual_lights(1000), 1).unwrap();
    let mut focus = Focus::new(&camera);
    let (outcome, _) = focus.finish();
    assert_eq!(outcome.status, af::Status::Success);
    assert!((focus.lens - 300).abs() <= 15, "{}", focus.lens);
    assert!((300..400).contains(&outcome.distance_mm), "{}", outcome.distance_mm);
    let again = focus.step(|inputs| inputs.trigger_new_search = true);
    assert_eq!((again.status, again.final_position_reached), (af::Status::ExtendedSearch, false));
    focus.finish();
    assert!((focus.lens - 300).abs() <= 15, "{}", focus.lens);
}

#[test]
fn af_searches_by_itself_when_the_scene_goes_out_of_focus() {
    let (near, far) = (sharp_at(700), sharp_at(100));
    let mut focus = Focus::new(&far);
    focus.finish();
    for _ in 0..3 {
        focus.step(|_| {});
    }
    focus.camera = &near;
    for _ in 0..60 {
        focus.step(|_| {});
    }
    assert!((focus.lens - 700).abs() <= 30, "{}", focus.lens);
}

#[test]
fn af_without_contrast_fails_and_says_so() {
    let mut scene = sharp_at(500).scene(0);
    scene.lens = i32::MAX;
    let scene = SceneModel::from_frames(vec![scene]).unwrap();
    let mut focus = Focus::new(&scene);
    let (outcome, _) = focus.finish();
    assert_eq!(outcome.status, af::Status::Fail);
    assert_eq!(focus.lens, 51, "at the hyperfocal distance");
}

#[test]
fn af_searches_again_when_contrast_appears() {
    let mut far = sharp_at(500).scene(0);
    far.lens = i32::MAX;
    let far = SceneModel::from_frames(vec![far]).unwrap();
    let near = sharp_at(300);
    let mut focus = Focus::new(&far);
    focus.finish();
    focus.step(|_| {});
    focus.camera = &near;
    for _ in 0..60 {
        focus.step(|_| {});
    }
    assert!((focus.lens - 300).abs() <= 30, "{}", focus.lens);
}

#[test]
fn af_gives_up_on_a_lens_that_does_not_move() {
    let scene = sharp_at(500);
    let mut focus = Focus::new(&scene);
    let stuck = (0..60).map(|_| focus.step(|inputs| inputs.lens_position = 7)).last().unwrap();
    assert_eq!((stuck.status, stuck.move_to), (af::Status::Fail, None));
}

#[test]
fn af_waits_for_the_lens_to_arrive() {
    let scene = sharp_at(500);
    let mut focus = Focus::new(&scene);
    let mut waiting = |late: u64| {
        let now = 1_000_000 + 33_333 * focus.frame;
        focus.step(|inputs| inputs.lens_movement_start_us = now + late).move_to.is_some()
    };
    // The first frame is not used as nothing is known of AE's movement before it.
    assert!(!waiting(0));
    for _ in 0..10 {
        assert!(!waiting(0), "frames from before the lens came to rest are not used");
    }
    assert!(focus.step(|_| {}).move_to.is_some());
}

#[test]
fn af_modes_go_where_they_say() {
    let scene = sharp_at(500);
    for (mode, expected) in [
        (af::Mode::from_protocol(1, 0, 0, 0), 0),
        (af::Mode::from_protocol(2, 0, 0, 0), 51),
        (af::Mode::from_protocol(3, 1, 200, 0), 512),
        (af::Mode::from_protocol(3, 1, 0, 0), 0),
        (af::Mode::from_protocol(3, 2, 0, 777), 777),
        (af::Mode::from_protocol(3, 2, 0, i32::MAX), 1023),
        (af::Mode::from_protocol(3, 0, 0, 0), 400),
    ] {
        let mut focus = Focus { lens: 400, ..Focus::new(&scene) };
        assert_eq!(focus.step(|inputs| inputs.mode = mode).next_position, expected, "{mode:?}");
        assert!(focus.step(|inputs| inputs.mode = mode).final_position_reached);
    }
    let mut focus = Focus::new(&scene);
    assert!(focus.step(|inputs| inputs.range = af::Range::from_protocol(1)).next_position >= 511);
}
