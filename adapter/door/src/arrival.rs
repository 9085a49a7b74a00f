//! When libcamera made a call: its time runs from then on, also while this process does not.
//!
//! The kernel says when a datagram got into the socket, by the system's clock, which somebody may set
//! at any time; deadlines are of the monotonic one, by which libcamera counts too (libcamera
//! `src/libcamera/ipc_pipe_unixsocket.cpp`, `sendSync`). Where both could be right, it is the earlier
//! instant: an answer that is left out costs libcamera its two seconds, a late one its life.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cami_link::{Deadline, Event, Interest, Link, wait};
use nix::time::{ClockId, clock_gettime};

/// A clock that was set differs by more than this, and looks at two clocks by less.
const SLACK: Duration = Duration::from_millis(100);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Moment {
    monotonic: Instant,
    /// Since 1970.
    system: Duration,
}

impl Moment {
    fn now() -> Self {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Instant::now(), system }
    }
}

/// What is known of the times of messages.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// When the socket was seen empty: what is received now came later.
    empty: Moment,
    /// What was in the socket before times were asked for came later than this.
    early: Option<Instant>,
}

impl Arrivals {
    /// Asks for times, where the socket has them.
    pub(crate) fn new(link: &Link) -> Self {
        let mut arrivals = Self { empty: Moment::now(), early: None };
        if link.ask_for_times() && is_readable(link) {
            arrivals.early = process_start();
        }
        arrivals
    }

    /// The socket is empty.
    pub(crate) fn seen_empty(&mut self) {
        self.empty = Moment::now();
        self.early = None;
    }

    /// When a message was sent that was received just now.
    pub(crate) fn instant(&mut self, stamp: Option<Duration>) -> Instant {
        let now = Moment::now();
        let Some(stamp) = stamp else { return now.monotonic };
        let early = self.early.take();
        early.unwrap_or_else(|| sent(self.empty, now, stamp))
    }
}

/// The instant of a system time between two moments.
fn sent(empty: Moment, now: Moment, stamp: Duration) -> Instant {
    let most = now.monotonic.saturating_duration_since(empty.monotonic);
    // By the clock as it is, and as it was.
    let age = [now.system, empty.system.saturating_add(most)]
        .into_iter()
        .filter_map(|system| system.checked_sub(stamp))
        .filter(|age| *age <= most.saturating_add(SLACK))
        .max()
        .unwrap_or_default();
    now.monotonic.checked_sub(age).unwrap_or(now.monotonic)
}

fn is_readable(link: &Link) -> bool {
    let mut watched = [(link.as_fd(), Interest::Message, Event::default())];
    let looked = wait(&mut watched, Some(Deadline::now()));
    let [(.., event)] = watched;
    looked.is_ok() && event.readable
}

/// When this process was started: libcamera starts one for each of its sockets. `None` where the
/// system does not say.
fn process_start() -> Option<Instant> {
    /// `USER_HZ` (linux `Documentation/filesystems/proc.rst`: "starttime").
    const TICKS: u64 = 100;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may hold anything; after it come the third and further fields.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks: u64 = fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
    let started = Duration::from_millis(ticks.checked_mul(1000 / TICKS)?);
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
    Instant::now().checked_sub(now.checked_sub(started)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);
    const CLOCK: Duration = Duration::from_secs(1_700_000_000);

    /// Seen empty, and then a message after [`IDLE`], with a clock that was set by `step`.
    fn age(sent_ago: Duration, step: Duration, sent_before_step: bool, back: bool) -> Duration {
        let empty = Moment { monotonic: Instant::now(), system: CLOCK };
        let set = |time: Duration| if back { time - step } else { time + step };
        let now = Moment { monotonic: empty.monotonic + IDLE, system: set(CLOCK + IDLE) };
        let stamp = CLOCK + IDLE - sent_ago;
        let stamp = if sent_before_step { stamp } else { set(stamp) };
        now.monotonic - sent(empty, now, stamp)
    }

    #[test]
    fn the_age_of_a_message_is_that_of_its_stamp() {
        for ago in [0, 1, 700, 9_999] {
            let ago = Duration::from_millis(ago);
            assert_eq!(age(ago, Duration::ZERO, true, false), ago);
        }
    }

    #[test]
    fn a_clock_that_is_set_makes_nothing_younger_and_nothing_older_than_it_can_be() {
        let ago = Duration::from_millis(700);
        for step in [1, 60, 3600 * 24] {
            let step = Duration::from_secs(step);
            for back in [false, true] {
                for before in [false, true] {
                    let age = age(ago, step, before, back);
                    assert!(age >= ago && age <= IDLE + SLACK, "{step:?} {back} {before}: {age:?}");
                }
            }
        }
        let hour = Duration::from_secs(3600);
        assert_eq!(age(ago, hour, true, true), ago);
        assert_eq!(age(ago, hour, true, false), ago);
        assert_eq!(age(ago, hour, false, false), ago);
        assert_eq!(age(ago, hour, false, true), ago);
    }

    #[test]
    fn this_process_has_started() {
        let started = process_start().unwrap();
        assert!(started < Instant::now());
        assert!(started.elapsed() < Duration::from_secs(3600));
    }
}
