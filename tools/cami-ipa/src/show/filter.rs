//! Which of a recording's events are shown.

use std::collections::BTreeSet;

use cami_recording::Call;
use cami_recording::session::Event;

use crate::failure::Failure;
use crate::recorded::{FrameRange, Item, Recorded};

/// What all of must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In these frames.
    pub frames: Option<FrameRange>,
    /// A request or call of this name or number.
    pub command: Option<String>,
    /// In this host.
    pub host: Option<u32>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Something that did not succeed.
    pub failed: bool,
    /// A request that took as many microseconds, or has no answer.
    pub slow_us: Option<u64>,
}

impl Filter {
    /// Whether anything is asked for.
    pub fn is_any(&self) -> bool {
        let Self { frames, command, host, kind, failed, slow_us } = self;
        frames.is_some()
            || command.is_some()
            || host.is_some()
            || kind.is_some()
            || *failed
            || slow_us.is_some()
    }

    /// Whether what is asked for can be in this recording.
    pub fn check(&self, recorded: &Recorded) -> Result<(), Failure> {
        if self.frames.is_some() {
            recorded.must_have_frames()?;
        }
        if let Some(host) = self.host.filter(|host| recorded.host(*host).is_none()) {
            return Err(Failure::usage(format!("--host: there is no host {host} in it")));
        }
        let Some(wanted) = &self.command else { return Ok(()) };
        let mut names = BTreeSet::new();
        for item in recorded.items() {
            let Some(name) = name_of(&item) else { continue };
            if is_named(wanted, &name, number_of(&item)) {
                return Ok(());
            }
            names.insert(name);
        }
        let names: Vec<String> = names.into_iter().take(40).collect();
        Err(Failure::usage(format!(
            "--command: nothing in it is called \"{wanted}\"; there is {}",
            names.join(", ")
        )))
    }

    /// Whether an event is to be shown.
    pub fn takes(&self, item: &Item<'_>) -> bool {
        let frame = self
            .frames
            .as_ref()
            .is_none_or(|frames| item.frame().is_some_and(|frame| frames.has(frame)));
        let command = self.command.as_ref().is_none_or(|wanted| {
            name_of(item).is_some_and(|name| is_named(wanted, &name, number_of(item)))
        });
        let slow = self.slow_us.is_none_or(|least| match item {
            Item::Request(exchange) => exchange.latency_ns().is_none_or(|ns| ns / 1000 >= least),
            _ => false,
        });
        frame
            && command
            && slow
            && self.host.is_none_or(|host| host == item.host())
            && self.kind.as_ref().is_none_or(|kind| kind == item.kind())
            && (!self.failed || has_failed(item))
    }
}

fn name_of(item: &Item<'_>) -> Option<String> {
    match item {
        Item::Request(exchange) => Some(exchange.name()),
        Item::Event(Event::Call { called, .. }, _) => Some(call_name(called.call)),
        _ => None,
    }
}

fn number_of(item: &Item<'_>) -> Option<u32> {
    match item {
        Item::Request(exchange) => Some(exchange.command),
        _ => None,
    }
}

/// The name of a call.
pub fn call_name(call: u32) -> String {
    Call::of_number(call).map_or_else(|| format!("call {call}"), |call| call.name().to_owned())
}

/// `AE_RUN`, `aiq_ae_run` and `8` are all AIQ_AE_RUN.
fn is_named(wanted: &str, name: &str, number: Option<u32>) -> bool {
    if number.is_some_and(|number| wanted.parse() == Ok(number)) {
        return true;
    }
    let (wanted, name) = (wanted.to_ascii_lowercase(), name.to_ascii_lowercase());
    name.strip_suffix(&wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
}

fn has_failed(item: &Item<'_>) -> bool {
    match item {
        Item::Request(exchange) => !exchange.done,
        Item::Event(Event::Call { answered, .. }, _) => {
            answered.as_ref().is_none_or(|answer| answer.value < 0)
        }
        Item::Died(_) | Item::Lost(_) | Item::Event(Event::Unsolicited(_), _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn commands_are_named_in_full_by_their_end_or_by_number() {
        for wanted in ["AIQ_AE_RUN", "ae_run", "8"] {
            assert!(is_named(wanted, "AIQ_AE_RUN", Some(8)), "{wanted}");
        }
        for wanted in ["E_RUN", "RUN2", "9", "AIQ"] {
            assert!(!is_named(wanted, "AIQ_AE_RUN", Some(8)), "{wanted}");
        }
    }
}
