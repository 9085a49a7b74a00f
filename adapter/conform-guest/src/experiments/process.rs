//! What a library does to its process.

use std::collections::HashSet;

use cami_conform::Verdict;
use nix::sys::signal::Signal;

use crate::bench::{Bench, Outcome, Working};
use crate::descriptors::{self, Identity};
use crate::machine::Machine;

/// Rounds of requests and buffers before, and between, two looks.
const ROUNDS: usize = 20;

/// Some requests and buffers; which files the buffers were.
fn rounds(bench: &Bench, working: &Working) -> Result<HashSet<Identity>, Verdict> {
    let mut buffers = HashSet::from([working.buffer.identity]);
    for _ in 0..ROUNDS {
        let buffer = bench.register()?;
        buffers.insert(buffer.identity);
        bench.blame("request.survives", "in a request, or soon after it");
        bench.breathe(working)?;
        bench.target()?.deregister_buffers(&[buffer.handle]);
    }
    Ok(buffers)
}

pub fn foreign_descriptors(bench: &Bench, working: &Working) -> Outcome {
    rounds(bench, working)?;
    let now = descriptors::table();
    let gone =
        bench.before().descriptors.iter().find(|(number, file)| now.get(number) != Some(file));
    match gone {
        None => Ok(Verdict::pass("")),
        Some((number, _)) => {
            let what = if now.contains_key(number) { "is another file now" } else { "was closed" };
            Ok(Verdict::fail(format!("descriptor {number}, which was open before, {what}")))
        }
    }
}

pub fn no_descriptor_leak(bench: &Bench, working: &Working) -> Outcome {
    let mut buffers = rounds(bench, working)?;
    let count = |buffers: &HashSet<Identity>| {
        descriptors::table().values().filter(|file| !buffers.contains(*file)).count()
    };
    let before = count(&buffers);
    buffers.extend(rounds(bench, working)?);
    let after = count(&buffers);
    if after <= before {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("{} more descriptors are open after {ROUNDS} rounds", after - before)))
}

/// What the process was like before the library was loaded, and is now that it works.
fn then_and_now<'a>(
    bench: &'a Bench,
    working: &Working,
) -> Result<(&'a Machine, Machine), Verdict> {
    bench.breathe(working)?;
    Ok((&bench.before().machine, Machine::of_this_thread()))
}

pub fn signal_handlers(bench: &Bench, working: &Working) -> Outcome {
    let (before, now) = then_and_now(bench, working)?;
    let changed: Vec<String> = before
        .handlers
        .iter()
        .filter(|before| !now.handlers.contains(before))
        .map(|(signal, _)| {
            Signal::try_from(*signal)
                .map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned())
        })
        .collect();
    if changed.is_empty() {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("the library has set the handler of {}", changed.join(", "))))
}

pub fn signal_mask(bench: &Bench, working: &Working) -> Outcome {
    let (before, now) = then_and_now(bench, working)?;
    if before.blocked == now.blocked {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail("the calling thread blocks other signals than before"))
}

pub fn floating_point_mode(bench: &Bench, working: &Working) -> Outcome {
    let (before, now) = then_and_now(bench, working)?;
    if before.floating_point == now.floating_point {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!(
        "the control bits were {:#x} and are {:#x}",
        before.floating_point, now.floating_point
    )))
}

pub fn locale(bench: &Bench, working: &Working) -> Outcome {
    let (before, now) = then_and_now(bench, working)?;
    if before.locale == now.locale {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("the locale was {} and is {}", before.locale, now.locale)))
}
