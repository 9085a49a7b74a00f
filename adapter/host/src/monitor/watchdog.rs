//! How long the library may take, and how long its process may be stopped.
//!
//! Calls are timed by the client too, where there is one: it returns from them at their deadline, and
//! asks for the kill. The monitor comes later by [`GRACE`] then, so that the client's `-ETIMEDOUT`
//! comes first. What no client times are requests, `update_return`, and all calls of a client that
//! has no control socket.
//!
//! All times are of `CLOCK_MONOTONIC`, which stands still while the machine sleeps: a machine that
//! was suspended for an hour kills nothing.

use std::fs;
use std::time::{Duration, Instant};

use cami_config::Config;
use cami_record::Deadlines;
use cami_vendor::activity::{InFlight, Snapshot, Stage};

use super::cause::signal_name;

/// How much later than a client the monitor ends a call.
const GRACE: Duration = Duration::from_millis(500);
/// A look costs some microseconds and a wake-up of the machine.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);
const LONGEST_LOOK: Duration = Duration::from_millis(500);

/// The deadlines of one request; `None` is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct RequestDeadline {
    /// Of the time inside `request`.
    inside: Option<Duration>,
    /// Of the time until its callback.
    answered: Option<Duration>,
}

/// A host's deadlines.
#[derive(Clone, Debug)]
pub struct Watchdog {
    initialize: Duration,
    register: Duration,
    request: Duration,
    /// Deadlines of commands that have one of their own; zero is none, as for a long poll.
    commands: Vec<(u32, Duration)>,
    /// See `Profile::answers_every_request`.
    answers_every_request: bool,
    grace: Duration,
    /// Since when an untraced process is known to be stopped.
    seen_stopped: Option<Instant>,
}

impl Watchdog {
    /// The configured deadlines. `client` is whether there is one that times its own calls.
    pub fn new(config: &Config, client: bool) -> Self {
        Self {
            initialize: config.timeouts.initialize,
            register: config.timeouts.register,
            request: config.timeouts.request,
            commands: config
                .profile
                .own_limits()
                .map(|(req_id, ms)| (req_id, Duration::from_millis(u64::from(ms))))
                .collect(),
            answers_every_request: config.profile.answers_every_request,
            grace: if client { GRACE } else { Duration::ZERO },
            seen_stopped: None,
        }
    }

    /// The deadlines of a request by its number, which is the command with most vendors.
    fn deadline_of(&self, req_id: u32) -> RequestDeadline {
        let own = self.commands.iter().find(|(command, _)| *command == req_id);
        let limit = some(own.map_or(self.request, |&(_, own)| own));
        RequestDeadline { inside: limit, answered: limit.filter(|_| self.answers_every_request) }
    }

    /// The deadline of a call, its name, and the key that sets it.
    fn deadline_of_call(&self, stage: Stage) -> Option<(Duration, &'static str, &'static str)> {
        let (limit, key) = match stage {
            Stage::Loading | Stage::Initialize => (self.initialize, "timeouts.initialize_ms"),
            Stage::RegisterBuffer
            | Stage::DeregisterBuffers
            | Stage::UpdateReturn
            | Stage::Deinitialize => (self.register, "timeouts.register_ms"),
            Stage::Starting | Stage::Request | Stage::Idle => return None,
        };
        Some((some(limit)?, call_name(stage)?, key))
    }

    /// How long the process may be stopped. What it owes by then it cannot give, and with nothing in
    /// flight that the monitor knows of it is no longer: a request that was made after the stop waits
    /// in the link, and a HAL waits for its answer. Where requests have no deadline, that of the other
    /// calls is taken.
    fn stopped_limit(&self) -> Option<Duration> {
        some(self.request).or(some(self.register))
    }

    /// All of them, for the status.
    pub fn deadlines(&self) -> Deadlines {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Deadlines {
            initialize_ms: milliseconds(self.initialize),
            register_ms: milliseconds(self.register),
            request_ms: milliseconds(self.request),
            stopped_ms: milliseconds(self.stopped_limit().unwrap_or_default()),
        }
    }

    /// When to look next: often enough that a hang is seen within an eighth of its limit, and not
    /// more often than the machine's sleep can bear; `None` where nothing has a limit.
    pub fn next_look(&self) -> Option<Duration> {
        let shortest = [self.initialize, self.register, self.request]
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .min()?;
        Some((shortest / 8).clamp(SHORTEST_LOOK, LONGEST_LOOK))
    }

    /// Why the process is to be killed, if it is. `stopped` is what tracing says of a stop;
    /// `untraced` is the process to ask the kernel about where there is no tracing.
    pub fn verdict(
        &mut self,
        snapshot: &Snapshot,
        stopped: Option<(i32, Instant)>,
        untraced: Option<i32>,
    ) -> Option<String> {
        let stopped = match untraced {
            Some(pid) => self.look_for_stop(pid).map(|since| (None, since)),
            None => stopped.map(|(signal, since)| (Some(signal), since)),
        };
        stopped
            .and_then(|(signal, since)| self.stopped_for(snapshot, signal, since.elapsed()))
            .or_else(|| self.call_overdue(snapshot))
            .or_else(|| self.request_overdue(snapshot))
    }

    /// Whether the last look found an untraced process stopped.
    pub fn has_seen_a_stop(&self) -> bool {
        self.seen_stopped.is_some()
    }

    fn stopped_for(
        &self,
        snapshot: &Snapshot,
        signal: Option<i32>,
        time: Duration,
    ) -> Option<String> {
        let in_call = snapshot.stage.and_then(call_name);
        let busy = in_call.is_some() || !snapshot.in_flight.is_empty();
        let limit = self.stopped_limit().filter(|limit| time >= *limit)?.as_millis();
        let signal = signal.map_or_else(|| "a signal".to_owned(), signal_name);
        let what = match snapshot.in_flight.len() {
            0 if busy => "in a call",
            0 => "with nothing in flight",
            _ => "with requests in flight",
        };
        Some(format!("it was stopped by {signal} for more than {limit} ms, {what}"))
    }

    fn call_overdue(&self, snapshot: &Snapshot) -> Option<String> {
        let (limit, call, key) = self.deadline_of_call(snapshot.stage?)?;
        let overdue = snapshot.in_call_for >= limit.saturating_add(self.grace);
        overdue.then(|| format!("{call} took more than {} ms ({key})", limit.as_millis()))
    }

    fn request_overdue(&self, snapshot: &Snapshot) -> Option<String> {
        let Snapshot { req_id, handle, in_call_for: age, .. } = *snapshot;
        let inside = (snapshot.stage == Some(Stage::Request))
            .then(|| (InFlight { req_id, handle, age }, self.deadline_of(req_id).inside));
        let unanswered = snapshot
            .in_flight
            .iter()
            .map(|request| (*request, self.deadline_of(request.req_id).answered));
        inside.into_iter().chain(unanswered).find_map(|(request, limit)| {
            let limit = limit.filter(|limit| request.age >= *limit)?.as_millis();
            let InFlight { req_id, handle, .. } = request;
            Some(format!("request {req_id} (buffer {handle}) took more than {limit} ms"))
        })
    }

    /// Since when an untraced process is seen in the state `T` of `/proc/PID/stat`.
    fn look_for_stop(&mut self, pid: i32) -> Option<Instant> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let stopped = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'));
        self.seen_stopped = stopped.then(|| self.seen_stopped.unwrap_or_else(Instant::now));
        self.seen_stopped
    }
}

fn some(limit: Duration) -> Option<Duration> {
    Some(limit).filter(|limit| !limit.is_zero())
}

/// The name of the call that the library is in; `None` where it is in none.
pub fn call_name(stage: Stage) -> Option<&'static str> {
    Some(match stage {
        Stage::Starting | Stage::Idle => return None,
        Stage::Loading => "load",
        Stage::Initialize => "initialize",
        Stage::RegisterBuffer => "register_buffer",
        Stage::Request => "request",
        Stage::DeregisterBuffers => "deregister_buffers",
        Stage::UpdateReturn => "update_return",
        Stage::Deinitialize => "deinitialize",
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use cami_vendor::activity::{Activity, ActivityFile, Stage};

    use super::Watchdog;

    const TICK: Duration = Duration::from_nanos(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn dog(initialize: Duration, register: Duration, request: Duration) -> Watchdog {
        let (answers_every_request, grace, seen_stopped) = (true, Duration::ZERO, None);
        Watchdog {
            initialize,
            register,
            request,
            answers_every_request,
            grace,
            seen_stopped,
            commands: Vec::new(),
        }
    }

    fn verdict(dog: &Watchdog, prepare: impl FnOnce(Activity)) -> Option<String> {
        let mut dog = dog.clone();
        let page = ActivityFile::new().unwrap();
        prepare(Activity::map(page.as_fd()).unwrap());
        dog.verdict(&page.read(), None, None)
    }

    #[test]
    fn each_call_has_its_own_deadline_and_key() {
        let initialize = dog(TICK, HOUR, HOUR);
        let register = dog(HOUR, TICK, HOUR);
        for (stage, name) in [
            (Stage::Loading, "load"),
            (Stage::Initialize, "initialize"),
            (Stage::RegisterBuffer, "register_buffer"),
            (Stage::DeregisterBuffers, "deregister_buffers"),
            (Stage::UpdateReturn, "update_return"),
            (Stage::Deinitialize, "deinitialize"),
        ] {
            let early = matches!(stage, Stage::Loading | Stage::Initialize);
            let (mine, other, key) = if early {
                (initialize.clone(), register.clone(), "timeouts.initialize_ms")
            } else {
                (register.clone(), initialize.clone(), "timeouts.register_ms")
            };
            let expected = format!("{name} took more than 0 ms ({key})");
            assert_eq!(verdict(&mine, |page| page.enter(stage)), Some(expected));
            assert_eq!(verdict(&other, |page| page.enter(stage)), None);
            let later = Watchdog { grace: HOUR, ..mine.clone() };
            assert_eq!(verdict(&later, |page| page.enter(stage)), None);
        }
    }

    #[test]
    fn request_is_overdue_inside_or_unanswered() {
        let strict = dog(HOUR, HOUR, TICK);
        let lenient = Watchdog { answers_every_request: false, ..strict.clone() };
        let expected = Some("request 8 (buffer 3) took more than 0 ms".to_owned());
        assert_eq!(verdict(&strict, |_| ()), None);
        assert_eq!(verdict(&strict, |page| page.request(8, 3)), expected);
        assert_eq!(verdict(&lenient, |page| page.request(8, 3)), expected);
        let unanswered = |page: Activity| {
            page.request(8, 3);
            page.leave();
        };
        assert_eq!(verdict(&strict, unanswered), expected);
        assert_eq!(verdict(&lenient, unanswered), None);
        assert_eq!(verdict(&dog(HOUR, HOUR, HOUR), unanswered), None);
        let answered = |page: Activity| {
            unanswered(page);
            page.returned(8, 0);
        };
        assert_eq!(verdict(&strict, answered), None);
        let forgotten = |page: Activity| {
            unanswered(page);
            page.forget_requests();
        };
        assert_eq!(verdict(&strict, forgotten), None);
    }

    #[test]
    fn no_deadline_is_no_verdict_and_no_look() {
        let none = dog(Duration::ZERO, Duration::ZERO, Duration::ZERO);
        assert_eq!(none.next_look(), None);
        assert_eq!(verdict(&none, |page| page.enter(Stage::Initialize)), None);
        assert_eq!(verdict(&none, |page| page.request(1, 1)), None);
        assert_eq!(none.stopped_limit(), None);
    }

    #[test]
    fn stop_is_named_with_what_was_in_flight() {
        let page = ActivityFile::new().unwrap();
        let activity = Activity::map(page.as_fd()).unwrap();
        activity.leave();
        let mut dog = dog(HOUR, HOUR, Duration::from_millis(10));
        let since = Instant::now();
        let stopped = Some((libc::SIGSTOP, since));
        assert_eq!(dog.stopped_for(&page.read(), None, Duration::from_millis(9)), None);
        activity.request(8, 3);
        assert_eq!(dog.stopped_for(&page.read(), None, Duration::from_millis(9)), None);
        while since.elapsed() < Duration::from_millis(10) {
            std::thread::yield_now();
        }
        let expected = "it was stopped by SIGSTOP for more than 10 ms, with requests in flight";
        assert_eq!(dog.verdict(&page.read(), stopped, None).as_deref(), Some(expected));
        activity.leave();
        activity.forget_requests();
        let idle = dog.stopped_for(&page.read(), None, Duration::from_millis(10)).unwrap();
        assert_eq!(idle, "it was stopped by a signal for more than 10 ms, with nothing in flight");
    }

    #[test]
    fn long_poll_of_a_profile_is_not_a_hang() {
        let poll = Watchdog { commands: vec![(8, Duration::ZERO)], ..dog(HOUR, HOUR, TICK) };
        assert_eq!(verdict(&poll, |page| page.request(8, 3)), None);
        assert!(verdict(&poll, |page| page.request(9, 3)).is_some());
    }
}
