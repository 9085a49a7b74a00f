//! SIGKILL at a random point of a frame, and how long it takes until requests are answered again.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;

use super::processes;

/// How long a host may take to be gone after it was killed, or its vendor process.
const DYING: Duration = Duration::from_millis(100);

/// Whom to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Victim {
    /// The process that holds the vendor library.
    #[default]
    Vendor,
    /// The one that watches it.
    Monitor,
    /// Now the one, now the other.
    Either,
}

impl Victim {
    /// What the option names.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "vendor" => Some(Self::Vendor),
            "monitor" => Some(Self::Monitor),
            "either" => Some(Self::Either),
            _ => None,
        }
    }
}

/// The kills of a run as the requests see them.
#[derive(Debug, Default)]
pub struct KillClock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kills: u64,
    /// Kills after which another host was seen: each runs one vendor process.
    restarts: u64,
    last_host: Option<u32>,
    last_kill: Option<Instant>,
    unanswered_since: Option<Instant>,
    recoveries: crate::latency::Latencies,
}

impl KillClock {
    /// The vendor process of `host` was killed, or `host` itself. The vendor process does not tell
    /// restarts apart: while one starts or dies, another of its ancestors stands for it.
    pub fn killed(&self, at: Instant, host: u32) {
        let mut state = self.0.lock();
        state.kills += 1;
        state.last_kill = Some(at);
        if state.last_host.replace(host).is_some_and(|last| last != host) {
            state.restarts += 1;
        }
        state.unanswered_since.get_or_insert(at);
    }

    /// Whether `host` is not just dying of the last kill. One that is still there after a while was
    /// not hit: what was killed was a process that ended anyway.
    fn is_alive(&self, host: u32, now: Instant) -> bool {
        let state = self.0.lock();
        let is_dying = |at: Instant| now.saturating_duration_since(at) < DYING;
        state.last_host != Some(host) || !state.last_kill.is_some_and(is_dying)
    }

    /// A request that was made at `made` was answered at `answered`. Only one that was made after
    /// the kill tells of a recovery: the others may have been answered before.
    pub fn answered(&self, made: Instant, answered: Instant) {
        let mut state = self.0.lock();
        if let Some(since) = state.unanswered_since.filter(|since| *since <= made) {
            state.unanswered_since = None;
            state.recoveries.push(answered.saturating_duration_since(since));
        }
    }

    /// The run is over; `host` is there now.
    pub fn finish(&self, host: Option<u32>) -> Kills {
        let mut state = self.0.lock();
        let restarted = host.is_some() && state.kills > 0 && host != state.last_host;
        let restarts = state.restarts + u64::from(restarted);
        Kills { kills: state.kills, restarts, recoveries: std::mem::take(&mut state.recoveries) }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Kills {
    /// Processes killed.
    pub kills: u64,
    /// Vendor processes that took their places.
    pub restarts: u64,
    /// From a kill to the answer of the first request made after it.
    pub recoveries: crate::latency::Latencies,
}

/// Kills now and then.
#[derive(Debug)]
pub struct Killer {
    victim: Victim,
    random: fastrand::Rng,
    clock: Arc<KillClock>,
    thread: Option<JoinHandle<Option<Killed>>>,
}

/// One kill that was carried out.
#[derive(Debug, Clone)]
pub struct Killed {
    /// In which frame.
    pub frame: u64,
    /// What happened, in one sentence.
    pub text: String,
}

impl Killer {
    /// A killer whose choices are always those of `seed`.
    pub fn new(victim: Victim, seed: u64, clock: Arc<KillClock>) -> Self {
        Self { victim, random: fastrand::Rng::with_seed(seed), clock, thread: None }
    }

    /// Kills at some moment from now to `within`, while the caller goes on.
    pub fn arm(&mut self, frame: u64, within: Duration) -> Option<Killed> {
        let before = self.disarm();
        let delay = within.mul_f64(self.random.f64());
        let monitor = match self.victim {
            Victim::Vendor => false,
            Victim::Monitor => true,
            Victim::Either => self.random.bool(),
        };
        let clock = Arc::clone(&self.clock);
        self.thread = Some(std::thread::spawn(move || {
            std::thread::sleep(delay);
            // One that was killed before and is not gone yet cannot be killed again.
            let found =
                processes::find().filter(|found| clock.is_alive(found.host, Instant::now()))?;
            let (name, pid) =
                if monitor { ("monitor", found.host) } else { ("vendor process", found.vendor) };
            let process = Pid::from_raw(i32::try_from(pid).ok()?);
            let at = Instant::now();
            kill(process, Signal::SIGKILL).ok()?;
            clock.killed(at, found.host);
            let text = format!("{name} {pid} killed with SIGKILL (--kill-every)");
            Some(Killed { frame, text })
        }));
        before
    }

    /// Waits for the kill that is under way, if there is one.
    pub fn disarm(&mut self) -> Option<Killed> {
        self.thread.take()?.join().ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_made_after_the_kill_tells_of_a_recovery() {
        let clock = KillClock::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(clock.is_alive(1, at(10)));
        clock.killed(at(10), 1);
        assert!(!clock.is_alive(1, at(11)) && clock.is_alive(2, at(11)));
        assert!(clock.is_alive(1, at(10) + DYING), "it was not hit");
        clock.answered(at(9), at(11));
        clock.answered(at(12), at(15));
        clock.answered(at(16), at(17));
        clock.killed(at(20), 2);
        clock.answered(at(21), at(22));
        let kills = clock.finish(Some(3));
        assert_eq!((kills.kills, kills.restarts), (2, 2));
        assert_eq!(kills.recoveries.percentile_us(100), Some(5000));
        assert_eq!(kills.recoveries.percentile_us(50), Some(2000));
    }
}
