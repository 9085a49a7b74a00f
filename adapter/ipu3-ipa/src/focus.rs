//! What the lens does: `AfMode`, `AfTrigger`, `AfPause` and the library's answers.

use cami_ipu3::payload::{AfResults, Rectangle as IaRectangle};
use cami_ipu3::sequence::af::{AfControls, ManualFocus, lens_target};
use cami_wire::libcamera::Rectangle;

use crate::numbers::round_to_i32;
use crate::ranges;
use crate::sensor::Limits;
use crate::settings::{AfMode, AfPause, AfRange, AfTrigger, Settings};

/// IA coordinates go from 0 to this (`ia_coordinate.h`).
const IA_END: i64 = 8192;
/// `ia_aiq_af_operation_mode`.
const AUTOMATIC: i32 = 0;
const AT_INFINITY: i32 = 1;
const BY_HAND: i32 = 3;
/// `ia_aiq_af_status`.
const LOCAL_SEARCH: i32 = 1;
const EXTENDED_SEARCH: i32 = 2;
const SUCCESS: i32 = 3;
const FAIL: i32 = 4;
/// What the library says for infinity, in mm.
const INFINITE_MM: u16 = u16::MAX;

/// `AfState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfState {
    /// Nothing is going on.
    #[default]
    Idle = 0,
    /// A search is.
    Scanning = 1,
    /// It has found something.
    Focused = 2,
    /// It has not.
    Failed = 3,
}

/// `AfPauseState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfPauseState {
    /// The lens may move.
    #[default]
    Running = 0,
    /// Until the search has ended.
    Pausing = 1,
    /// It does not move.
    Paused = 2,
}

/// The lens and what it is at.
#[derive(Debug)]
pub struct Focus {
    limits: Limits,
    /// The sensor's analogue crop, which windows are parts of.
    crop: Rectangle,
    mode: AfMode,
    /// How it stands.
    pub state: AfState,
    /// Whether it is halted.
    pub pause: AfPauseState,
    /// A search of [`AfMode::Auto`] is under way, and its first answer is still to come.
    scan: Option<First>,
    /// The next request begins a search.
    search: bool,
    position: i32,
    /// Whether the lens was told so: before, it stands wherever the mode before has left it.
    sent: bool,
    moved_us: u64,
    results: Option<AfResults>,
    /// As near as the lens comes, in dioptres.
    pub nearest: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct First(bool);

impl Focus {
    /// A lens that stands nobody knows where; the library is told its default.
    pub fn new(limits: Limits, crop: Rectangle) -> Self {
        Self {
            limits,
            crop,
            mode: AfMode::default(),
            state: AfState::Scanning,
            pause: AfPauseState::Running,
            scan: None,
            search: false,
            position: limits.def,
            sent: false,
            moved_us: 0,
            results: None,
            nearest: ranges::LENS_POSITION.max,
        }
    }

    /// The newest answer, for the statistics.
    pub fn results(&self) -> Option<&AfResults> {
        self.results.as_ref()
    }

    /// The distance that the lens is focused at, in dioptres, as far as the library tells.
    pub fn dioptres(&self) -> Option<f32> {
        match self.results?.current_focus_distance {
            0 => None,
            INFINITE_MM => Some(0.0),
            distance_mm => Some(1000.0 / f32::from(distance_mm)),
        }
    }

    /// What AF is asked after a frame; `None` to leave the lens alone.
    pub fn plan(&mut self, settings: &mut Settings) -> Option<AfControls> {
        let (trigger, pause) = (settings.af_trigger.take(), settings.af_pause.take());
        if settings.af_mode != self.mode {
            self.enter(settings.af_mode);
        }
        let mut controls = AfControls {
            lens_position: self.position,
            lens_moved_us: self.moved_us,
            focus_mode: AUTOMATIC,
            focus_range: match settings.af_range {
                AfRange::Normal => 0,
                AfRange::Macro => 1,
                AfRange::Full => 2,
            },
            window: settings.af_window.and_then(|window| ia_window(&window, &self.crop)),
            ..AfControls::default()
        };
        match self.mode {
            AfMode::Manual => {
                let dioptres = settings.lens_position?.min(self.nearest);
                if dioptres > 0.0 {
                    controls.focus_mode = BY_HAND;
                    let distance = round_to_i32(1000.0 / f64::from(dioptres));
                    let distance = u32::try_from(distance).unwrap_or(0);
                    // Farther than the library counts is infinity.
                    if distance < u32::from(INFINITE_MM) {
                        controls.manual = ManualFocus::Distance(distance);
                        return Some(controls);
                    }
                }
                controls.focus_mode = AT_INFINITY;
            }
            AfMode::Auto => {
                self.trigger(trigger);
                self.scan?;
            }
            AfMode::Continuous => {
                self.halt(pause);
                if self.pause == AfPauseState::Paused {
                    return None;
                }
            }
        }
        controls.new_search = std::mem::take(&mut self.search);
        Some(controls)
    }

    /// Takes an answer over. Where the lens shall go, if it shall move; `now_us` is the time on the
    /// clock of the statistics.
    pub fn take(&mut self, results: AfResults, now_us: u64) -> Option<i32> {
        self.results = Some(results);
        let searched = match results.status {
            LOCAL_SEARCH | EXTENDED_SEARCH => Some(AfState::Scanning),
            SUCCESS => Some(AfState::Focused),
            FAIL => Some(AfState::Failed),
            _ => None,
        };
        let ended = searched.filter(|state| *state != AfState::Scanning);
        match self.mode {
            AfMode::Manual => {}
            AfMode::Auto => match (self.scan, ended) {
                // The first answer after a trigger may still be that of the search before.
                (Some(First(true)), _) => self.scan = Some(First(false)),
                (Some(First(false)), Some(ended)) => {
                    self.state = ended;
                    self.scan = None;
                }
                _ => {}
            },
            AfMode::Continuous => {
                self.state = searched.unwrap_or(self.state);
                if self.pause == AfPauseState::Pausing && ended.is_some() {
                    self.pause = AfPauseState::Paused;
                }
            }
        }
        let target = self.limits.clamp(lens_target(&results)?);
        if target == self.position && self.sent {
            return None;
        }
        self.sent = true;
        self.position = target;
        self.moved_us = now_us;
        Some(target)
    }

    fn enter(&mut self, mode: AfMode) {
        self.mode = mode;
        self.scan = None;
        self.pause = AfPauseState::Running;
        self.search = mode == AfMode::Continuous;
        self.state = if mode == AfMode::Continuous { AfState::Scanning } else { AfState::Idle };
    }

    fn trigger(&mut self, trigger: Option<AfTrigger>) {
        match trigger {
            Some(AfTrigger::Start) if self.scan.is_none() => {
                self.scan = Some(First(true));
                self.search = true;
                self.state = AfState::Scanning;
            }
            Some(AfTrigger::Cancel) if self.scan.is_some() => {
                self.scan = None;
                self.search = false;
                self.state = AfState::Idle;
            }
            _ => {}
        }
    }

    fn halt(&mut self, pause: Option<AfPause>) {
        self.pause = match pause {
            None => self.pause,
            Some(AfPause::Resume) => AfPauseState::Running,
            Some(AfPause::Immediate) => AfPauseState::Paused,
            Some(AfPause::Deferred) if self.pause == AfPauseState::Paused => AfPauseState::Paused,
            Some(AfPause::Deferred) if self.state == AfState::Scanning => AfPauseState::Pausing,
            Some(AfPause::Deferred) => AfPauseState::Paused,
        };
    }
}

/// A part of the crop in IA coordinates; `None` if nothing of the window is in the crop.
fn ia_window(window: &Rectangle, crop: &Rectangle) -> Option<IaRectangle> {
    let along = |at: i32, length: u32, from: i32, size: u32| {
        let size = i64::from(size.max(1));
        let place = |offset: i64| {
            let scaled = offset.saturating_mul(IA_END).div_euclid(size).clamp(0, IA_END);
            i32::try_from(scaled).unwrap_or(0)
        };
        let begin = i64::from(at) - i64::from(from);
        (place(begin), place(begin.saturating_add(i64::from(length))))
    };
    let (left, right) = along(window.x, window.width, crop.x, crop.width);
    let (top, bottom) = along(window.y, window.height, crop.y, crop.height);
    (left < right && top < bottom).then_some(IaRectangle { left, top, right, bottom })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    const CROP: Rectangle = Rectangle { x: 0, y: 0, width: 4224, height: 3136 };

    fn focus() -> Focus {
        Focus::new(Limits { min: 0, max: 1023, def: 0 }, CROP)
    }

    fn answer(status: i32, next: Option<i32>) -> AfResults {
        AfResults {
            status,
            next_lens_position: next.unwrap_or(0),
            lens_driver_action: i32::from(next.is_some()),
            current_focus_distance: 500,
            ..AfResults::new_zeroed()
        }
    }

    fn in_mode(af_mode: AfMode) -> Settings {
        Settings { af_mode, ..Settings::default() }
    }

    #[test]
    fn continuous_goes_on_until_it_is_paused() {
        let (mut focus, mut settings) = (focus(), in_mode(AfMode::Continuous));
        assert!(focus.plan(&mut settings).is_some());
        assert_eq!(focus.take(answer(EXTENDED_SEARCH, Some(62)), 7), Some(62));
        settings.af_pause = Some(AfPause::Deferred);
        let asked = focus.plan(&mut settings).unwrap();
        assert_eq!((asked.lens_position, asked.lens_moved_us), (62, 7));
        assert_eq!((focus.state, focus.pause), (AfState::Scanning, AfPauseState::Pausing));
        focus.take(answer(SUCCESS, None), 8);
        assert_eq!((focus.state, focus.pause), (AfState::Focused, AfPauseState::Paused));
        assert!(focus.plan(&mut settings).is_none());
        settings.af_pause = Some(AfPause::Resume);
        assert!(focus.plan(&mut settings).is_some());
        settings.af_pause = Some(AfPause::Immediate);
        assert!(focus.plan(&mut settings).is_none());
        assert_eq!(focus.dioptres(), Some(2.0));
    }

    #[test]
    fn auto_searches_once_for_each_trigger() {
        let (mut focus, mut settings) = (focus(), in_mode(AfMode::Auto));
        assert!(focus.plan(&mut settings).is_none());
        assert_eq!(focus.state, AfState::Idle);
        settings.af_trigger = Some(AfTrigger::Start);
        assert!(focus.plan(&mut settings).unwrap().new_search);
        focus.take(answer(SUCCESS, None), 1);
        assert_eq!(focus.state, AfState::Scanning, "that was the search before");
        assert!(!focus.plan(&mut settings).unwrap().new_search);
        focus.take(answer(FAIL, None), 2);
        assert_eq!(focus.state, AfState::Failed);
        assert!(focus.plan(&mut settings).is_none());
        settings.af_trigger = Some(AfTrigger::Start);
        assert!(focus.plan(&mut settings).is_some());
        settings.af_trigger = Some(AfTrigger::Cancel);
        assert!(focus.plan(&mut settings).is_none());
        assert_eq!(focus.state, AfState::Idle);
    }

    #[test]
    fn manual_is_a_distance() {
        let (mut focus, mut settings) = (focus(), in_mode(AfMode::Manual));
        assert!(focus.plan(&mut settings).is_none(), "wherever it is");
        let mut asked = |dioptres| {
            settings.lens_position = Some(dioptres);
            let asked = focus.plan(&mut settings).unwrap();
            (asked.focus_mode, asked.manual)
        };
        assert_eq!(asked(2.0), (BY_HAND, ManualFocus::Distance(500)));
        assert_eq!(asked(40.0), (BY_HAND, ManualFocus::Distance(100)), "never beyond the lens");
        assert_eq!(asked(0.0), (AT_INFINITY, ManualFocus::Stay));
        assert_eq!(asked(1e-9), (AT_INFINITY, ManualFocus::Stay));
        assert_eq!(focus.state, AfState::Idle);
        focus.take(answer(SUCCESS, Some(5000)), 1);
        assert_eq!((focus.state, focus.position), (AfState::Idle, 1023), "never beyond the lens");
    }

    #[test]
    fn windows_become_parts_of_the_picture() {
        let window = |x, y, width, height| {
            ia_window(&Rectangle { x, y, width, height }, &CROP)
                .map(|found| [found.left, found.top, found.right, found.bottom])
        };
        assert_eq!(window(2112, 1568, 2112, 1568), Some([4096, 4096, 8192, 8192]));
        assert_eq!(window(-100, -100, 9000, 9000), Some([0, 0, 8192, 8192]));
        assert_eq!(window(5000, 0, 10, 10), None);
        assert_eq!(window(i32::MIN, 0, u32::MAX, u32::MAX), Some([0, 0, 8192, 8192]));
        let nothing = Rectangle { x: 0, y: 0, width: 0, height: 0 };
        assert!(ia_window(&CROP, &nothing).is_some());
    }
}
