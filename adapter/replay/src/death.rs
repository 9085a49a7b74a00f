//! Where a recorded library died.

use cami_recording::Session;
use cami_recording::block::{Call, Died};
use cami_recording::session::{Event, HostLife};

use crate::exchanges::Exchange;
use crate::updates::Update;

/// A recorded death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// At what.
    pub place: Place,
    /// The signal; 0: it exited.
    pub signal: i32,
    /// Its exit code, if it exited.
    pub exit_code: i32,
    /// Whether the host ended it, for a deadline mostly.
    pub by_host: bool,
}

/// What a library was at when it died: what came last from it, or what it was asked for since then and
/// first. A library that is asked for much at a time may have died of the second; nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a call: which, and how many of its kind came before.
    Call(Call, usize),
    /// At a request, by its place among the host's.
    Requested(usize),
    /// After the answer to one.
    Answered(usize),
    /// After an update, by its place among the host's.
    Updated(usize),
    /// Nothing was asked any more: before the first request that the recording does not have.
    End,
}

impl Death {
    /// Of a host that died.
    pub(crate) fn of<'a>(
        session: &Session,
        life: &HostLife,
        exchanges: impl Iterator<Item = &'a Exchange> + Clone,
        updates: &[Update],
    ) -> Option<Self> {
        let Died { at_ns, signal, exit_code, by_host, .. } = *life.died.as_ref()?;
        Some(Self {
            at_ns,
            place: place(session, life.host.host, exchanges, updates),
            signal,
            exit_code,
            by_host: by_host != 0,
        })
    }
}

fn place<'a>(
    session: &Session,
    host: u32,
    exchanges: impl Iterator<Item = &'a Exchange> + Clone,
    updates: &[Update],
) -> Place {
    // What it did last.
    let answers = exchanges
        .clone()
        .enumerate()
        .filter_map(|(place, exchange)| Some((exchange.answer?.at_ns, Place::Answered(place))));
    let updates = updates.iter().enumerate();
    let updates = updates.map(|(place, update)| (update.at_ns, Place::Updated(place)));
    let mut last = answers.chain(updates).max_by_key(|&(at_ns, _)| at_ns);
    let mut calls = Vec::new();
    let mut counts = [0_usize; 8];
    for event in session.events.iter().filter(|event| event.host() == host) {
        let Event::Call { called, answered } = event else { continue };
        let Some(call) = Call::of_number(called.call) else { continue };
        let Some(count) = usize::try_from(called.call).ok().and_then(|at| counts.get_mut(at))
        else {
            continue;
        };
        match answered {
            Some(answered) if last.is_none_or(|(at_ns, _)| at_ns < answered.at_ns) => {
                last = Some((answered.at_ns, Place::End));
            }
            Some(_) => {}
            None => calls.push((called.at_ns, Place::Call(call, *count))),
        }
        *count += 1;
    }
    let since = last.map_or(0, |(at_ns, _)| at_ns);
    let asked = exchanges.enumerate().filter(|(_, exchange)| exchange.answer.is_none());
    let asked = asked.map(|(place, exchange)| (exchange.at_ns, Place::Requested(place)));
    let next = asked.chain(calls).filter(|&(at_ns, _)| at_ns >= since).min_by_key(|&(at, _)| at);
    next.or(last).map_or(Place::End, |(_, place)| place)
}
