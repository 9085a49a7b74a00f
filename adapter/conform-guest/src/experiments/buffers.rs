//! `register_buffer` and `deregister_buffers`.

use std::collections::HashSet;
use std::os::fd::{AsRawFd, OwnedFd};

use cami_conform::Verdict;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use crate::bench::{Bench, Outcome, Working};
use crate::descriptors::{self, Buffer, identity_of};

/// Buffers at the same time.
const MANY: usize = 64;
/// One behind the other; more than IPU6's 1024.
const CYCLES: usize = 1200;
/// Rounds of a race that a library may win by chance.
const ROUNDS: usize = 1000;
/// Requests in flight in each: so many that a worker is behind.
const IN_FLIGHT: usize = 64;
/// A number that is not open: far above what the kernel gives.
const CLOSED_NUMBER: i32 = 60_000;
/// A handle that no library has got to.
const UNKNOWN: i32 = 123_456_789;

pub fn accepts(bench: &Bench) -> Outcome {
    // Blamed on it in `register`, here and everywhere.
    bench.register()?;
    Ok(Verdict::pass(""))
}

fn some(bench: &Bench, count: usize) -> Result<Vec<Buffer>, Verdict> {
    (0..count).map(|_| bench.register()).collect()
}

pub fn distinct_handles(bench: &Bench) -> Outcome {
    let buffers = some(bench, 16)?;
    let mut seen = HashSet::new();
    match buffers.iter().find(|buffer| !seen.insert(buffer.handle)) {
        Some(buffer) => Ok(Verdict::fail(format!("two buffers have the handle {}", buffer.handle))),
        None => Ok(Verdict::pass("")),
    }
}

pub fn many(bench: &Bench) -> Outcome {
    bench.register()?;
    bench.test("in register_buffer with many buffers registered");
    for count in 1..MANY {
        if let Err(refused) = bench.register_in_test() {
            return Ok(with_count(refused, count, "buffers"));
        }
    }
    Ok(Verdict::pass(""))
}

pub fn cycles(bench: &Bench) -> Outcome {
    let first = bench.register()?;
    let target = bench.target()?;
    bench.test("in register_buffer and deregister_buffers, again and again");
    target.deregister_buffers(&[first.handle]);
    for count in 1..CYCLES {
        match bench.register_in_test() {
            Ok(buffer) => target.deregister_buffers(&[buffer.handle]),
            Err(refused) => return Ok(with_count(refused, count, "cycles")),
        }
    }
    Ok(Verdict::pass(""))
}

/// A refusal that the rule is about, with how far it went; our own want of descriptors stays what it
/// is.
fn with_count(refused: Verdict, count: usize, what: &str) -> Verdict {
    if refused.blocked_by.is_none() {
        return refused;
    }
    Verdict::fail(format!("after {count} {what}: {}", refused.detail))
}

pub fn number_again(bench: &Bench) -> Outcome {
    let buffer = bench.register()?;
    bench.target()?.deregister_buffers(&[buffer.handle]);
    if identity_of(buffer.number) == Some(buffer.identity) {
        return Err(still_open(bench));
    }
    let (file, _) = descriptors::memory(4096).map_err(|error| ours(&error))?;
    let file = if file.as_raw_fd() == buffer.number {
        file
    } else {
        descriptors::at_number(&file, buffer.number).map_err(|error| ours(&error))?
    };
    bench.test("in register_buffer of a number that was deregistered");
    let number = descriptors::give_away(file);
    match bench.target()?.register_buffer(number) {
        code if code < 0 => Ok(Verdict::fail(format!("register_buffer returned {code}"))),
        _ => Ok(Verdict::pass("")),
    }
}

fn still_open(bench: &Bench) -> Verdict {
    bench.broken("deregister.closes-descriptor", "the descriptor is open after deregister_buffers")
}

fn ours(error: &std::io::Error) -> Verdict {
    Verdict::skipped(format!("no descriptor could be made: {error}"))
}

fn refuses(bench: &Bench, what: &str, number: i32) -> Result<Option<String>, Verdict> {
    bench.test(&format!("in register_buffer of {what}"));
    let code = bench.target()?.register_buffer(number);
    Ok((code >= 0).then(|| format!("{what} got the handle {code}")))
}

fn refused(wrong: Option<String>) -> Outcome {
    Ok(wrong.map_or_else(|| Verdict::pass(""), Verdict::fail))
}

pub fn closed_number(bench: &Bench) -> Outcome {
    refused(refuses(bench, "a number that is not open", CLOSED_NUMBER)?)
}

pub fn empty_file(bench: &Bench) -> Outcome {
    let (file, _) = descriptors::memory(0).map_err(|error| ours(&error))?;
    refused(refuses(bench, "a file of size 0", descriptors::give_away(file))?)
}

pub fn unmappable_file(bench: &Bench) -> Outcome {
    let (pipe, _writer) =
        pipe2(OFlag::O_CLOEXEC).map_err(|errno| ours(&std::io::Error::from(errno)))?;
    if let Some(wrong) = refuses(bench, "a pipe", descriptors::give_away(pipe))? {
        return Ok(Verdict::fail(wrong));
    }
    // A file that is certainly there and can only be read.
    let file = std::fs::File::open(&bench.ask().library).map_err(|error| ours(&error))?;
    let number = descriptors::give_away(OwnedFd::from(file));
    refused(refuses(bench, "a file opened for reading", number)?)
}

pub fn closes_descriptor(bench: &Bench) -> Outcome {
    let buffer = bench.register()?;
    bench.test("in deregister_buffers");
    bench.target()?.deregister_buffers(&[buffer.handle]);
    match descriptors::count(buffer.identity) {
        0 => Ok(Verdict::pass("")),
        open => Ok(Verdict::fail(format!(
            "after deregister_buffers {open} {} of the buffer {} open",
            if open == 1 { "descriptor" } else { "descriptors" },
            if open == 1 { "is" } else { "are" }
        ))),
    }
}

pub fn closes_once(bench: &Bench) -> Outcome {
    let buffer = bench.register()?;
    let target = bench.target()?;
    target.deregister_buffers(&[buffer.handle]);
    if identity_of(buffer.number) == Some(buffer.identity) {
        return Err(still_open(bench));
    }
    let (file, identity) = descriptors::memory(4096).map_err(|error| ours(&error))?;
    let stranger = if file.as_raw_fd() == buffer.number {
        file
    } else {
        descriptors::at_number(&file, buffer.number).map_err(|error| ours(&error))?
    };
    let number = descriptors::give_away(stranger);
    bench.test("in deregister_buffers of a handle that was deregistered");
    target.deregister_buffers(&[buffer.handle]);
    target.deregister_buffers(&[buffer.handle, buffer.handle]);
    if identity_of(number) == Some(identity) {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail("deregistering a handle again closed the descriptor that has its number now"))
}

pub fn keeps_others(bench: &Bench) -> Outcome {
    let buffers = some(bench, 3)?;
    let [first, second, third] = buffers.as_slice() else { return Ok(Verdict::skipped("")) };
    let before = [first, third].map(|buffer| descriptors::count(buffer.identity));
    if before == [0, 0] {
        return Ok(Verdict::not_seen("the library closes descriptors once it has mapped them"));
    }
    bench.test("in deregister_buffers of one of three buffers");
    bench.target()?.deregister_buffers(&[second.handle]);
    let after = [first, third].map(|buffer| descriptors::count(buffer.identity));
    if before == after {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail("deregistering one buffer closed another's descriptor"))
}

pub fn unknown_handles(bench: &Bench, working: &Working) -> Outcome {
    let target = bench.target()?;
    let known = working.buffer.handle;
    let other = bench.register()?;
    for handle in [-1, 0, UNKNOWN, i32::MAX, i32::MIN, -2] {
        if handle == known || handle == other.handle {
            continue;
        }
        bench.test(&format!("in deregister_buffers of the handle {handle}"));
        target.deregister_buffers(&[handle]);
    }
    bench.test("in deregister_buffers of one handle twice in a list");
    target.deregister_buffers(&[other.handle, other.handle, UNKNOWN]);
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn empty_list(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in deregister_buffers(NULL, 0)");
    bench.target()?.deregister_buffers(&[]);
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn under_load(bench: &Bench, working: &Working) -> Outcome {
    let target = bench.target()?;
    for _ in 0..ROUNDS {
        let buffer = bench.register()?;
        bench.test("in deregister_buffers with requests on the buffer in flight");
        for _ in 0..IN_FLIGHT {
            bench.request_sample(buffer.handle)?;
        }
        target.deregister_buffers(&[buffer.handle]);
        bench.breathe(working)?;
    }
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn then_request(bench: &Bench, working: &Working) -> Outcome {
    let buffer = bench.register()?;
    bench.target()?.deregister_buffers(&[buffer.handle]);
    bench.test("in a request that names a deregistered buffer, or soon after it");
    bench.request_sample(buffer.handle)?;
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}
