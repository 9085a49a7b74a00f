//! From dlopen to `deinitialize`.

use std::time::Duration;

use cami_abi::Revision;
use cami_conform::Verdict;

use crate::bench::{A_WHILE, Bench, Outcome, Working};
use crate::code::is_code;
use crate::target::{SLOTS, Target, addresses};
use crate::witness::{self, CallbackTable};

/// ChromeOS's attempts (platform2 `common/camera_algorithm_bridge_impl.cc`, 57-61).
const ATTEMPT: Duration = Duration::from_millis(500);
/// Requests in flight where a load is wanted: more than any known HAL has.
const LOAD: usize = 64;
/// How long late callbacks are looked out for.
const LATE: Duration = Duration::from_millis(300);

pub fn loaded(_bench: &Bench) -> Outcome {
    Ok(Verdict::pass(""))
}

pub fn initialized(_bench: &Bench) -> Outcome {
    Ok(Verdict::pass(""))
}

pub fn required_slots(bench: &Bench) -> Outcome {
    let addresses = addresses(bench.target()?.library().table());
    let empty: Vec<&str> = SLOTS
        .iter()
        .zip(addresses)
        .take(4)
        .filter(|(_, address)| *address == 0)
        .map(|(name, _)| *name)
        .collect();
    if empty.is_empty() {
        return Ok(Verdict::pass(format!("revision {}", bench.target()?.library().revision())));
    }
    Ok(Verdict::fail(format!("CAMI has no {}", empty.join(", "))))
}

pub fn functions_are_code(bench: &Bench) -> Outcome {
    let addresses = addresses(bench.target()?.library().table());
    let wrong: Vec<String> = SLOTS
        .iter()
        .zip(addresses)
        .filter(|(_, address)| *address != 0 && !is_code(*address))
        .map(|(name, address)| format!("{name} is {address:#x}"))
        .collect();
    if wrong.is_empty() {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("{}, which is no loaded code", wrong.join(", "))))
}

pub fn unchanged(bench: &Bench) -> Outcome {
    let library = bench.target()?.library();
    let (then, now) = (addresses(library.table()), addresses(&library.table_now()));
    let changed: Vec<&str> = SLOTS
        .iter()
        .zip(then.iter().zip(now))
        .filter(|(_, (then, now))| **then != *now)
        .map(|(name, _)| *name)
        .collect();
    if changed.is_empty() {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("initialize has changed {} in CAMI", changed.join(", "))))
}

pub fn in_time(bench: &Bench) -> Outcome {
    let text = format!("{} us", bench.start_took.as_micros());
    Ok(if bench.start_took < ATTEMPT { Verdict::pass(text) } else { Verdict::fail(text) })
}

/// A code that must be negative.
fn refused(call: &str, code: i32) -> Outcome {
    if code < 0 {
        return Ok(Verdict::pass(format!("{code}")));
    }
    Ok(Verdict::fail(format!("{call} returned {code}")))
}

pub fn null_table(bench: &Bench) -> Outcome {
    bench.test("in initialize without a table");
    refused("initialize(NULL)", bench.target()?.initialize(None))
}

pub fn null_return_callback(bench: &Bench) -> Outcome {
    bench.test("in initialize with a table without return_callback");
    let table = CallbackTable::without_return_callback();
    refused("initialize", bench.target()?.initialize(Some(table)))
}

/// Initialises the library with that table and makes requests, all of it for the rule.
fn used_with(bench: &Bench, table: CallbackTable) -> Outcome {
    let target = bench.target()?;
    let code = target.initialize(Some(table));
    if code < 0 {
        return Ok(Verdict::fail(format!("initialize returned {code}")));
    }
    let buffer = bench.register_in_test()?;
    for _ in 0..4 {
        let mark = witness::mark();
        bench.request_sample(buffer.handle)?;
        bench.await_answer(mark, A_WHILE);
    }
    Ok(Verdict::pass(""))
}

pub fn null_notify(bench: &Bench) -> Outcome {
    bench.test("with a table without notify");
    used_with(bench, CallbackTable::without_notify())
}

pub fn null_update(bench: &Bench) -> Outcome {
    bench.test("with a table without update");
    used_with(bench, CallbackTable::without_update())
}

pub fn short_callback_table(bench: &Bench) -> Outcome {
    let revision = bench.target()?.library().revision();
    if revision != Revision::E {
        return Ok(Verdict::skipped(format!("its revision, {revision}, knows three callbacks")));
    }
    let table = CallbackTable::of_two_slots()
        .map_err(|errno| Verdict::skipped(format!("no memory: {errno}")))?;
    bench.test("with a callback table of two slots, behind which nothing can be read");
    used_with(bench, table)
}

pub fn again(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a second initialize, or the requests behind it");
    let table = CallbackTable::full();
    let code = bench.target()?.initialize(Some(table));
    if code < 0 {
        return Ok(Verdict::fail(format!("the second initialize returned {code}")));
    }
    let buffer = bench.register_in_test()?;
    let mark = witness::mark();
    bench.request_sample(buffer.handle)?;
    let patience = if working.is_answered() { bench.patience() } else { A_WHILE };
    let answers = bench.await_answer(mark, patience);
    Ok(match answers.first() {
        // Answers with an address that is no table's are another rule's.
        Some(answer) if Some(answer.table) == bench.table().map(CallbackTable::number) => {
            Verdict::fail("an answer went to the table of the first initialize")
        }
        Some(_) => Verdict::pass(""),
        None if working.is_answered() => {
            Verdict::fail("after the second initialize no request is answered")
        }
        None => Verdict::not_seen("no request was answered"),
    })
}

pub fn thread_may_end(bench: &Bench) -> Outcome {
    bench.blame("initialize.succeeds", "in initialize, on a thread of its own");
    let table = CallbackTable::full();
    let target = bench.target()?;
    let code = std::thread::scope(|scope| {
        scope.spawn(|| target.initialize(Some(table))).join().unwrap_or(-libc::EIO)
    });
    if code < 0 {
        return Err(bench.broken("initialize.succeeds", format!("initialize returned {code}")));
    }
    bench.test("after the thread that initialised it has ended");
    let buffer = bench.register_in_test()?;
    let mark = witness::mark();
    bench.request_sample(buffer.handle)?;
    let expected = bench.ask().sample.is_answered;
    let answers = bench.await_answer(mark, if expected { bench.patience() } else { A_WHILE });
    Ok(if !answers.is_empty() {
        Verdict::pass("")
    } else if expected {
        Verdict::fail("no request is answered")
    } else {
        Verdict::not_seen("no request was answered")
    })
}

/// The library, if it has a `deinitialize`.
fn ending(bench: &Bench) -> Result<&Target, Verdict> {
    let target = bench.target()?;
    if target.has_deinitialize() {
        return Ok(target);
    }
    Err(Verdict::skipped("its CAMI has no deinitialize"))
}

pub fn deinitialize_returns(bench: &Bench, working: &Working) -> Outcome {
    let target = ending(bench)?;
    target.deregister_buffers(&[working.buffer.handle]);
    bench.test("in deinitialize, or soon after it");
    target.deinitialize();
    // A thread that goes on without its memory needs a moment to fall.
    std::thread::sleep(A_WHILE);
    Ok(Verdict::pass(""))
}

fn load(bench: &Bench, working: &Working) -> Result<(), Verdict> {
    bench.blame("request.burst", "with many requests in flight");
    for _ in 0..LOAD {
        bench.request_sample(working.buffer.handle)?;
    }
    Ok(())
}

pub fn no_callback_after(bench: &Bench, working: &Working) -> Outcome {
    let target = ending(bench)?;
    load(bench, working)?;
    bench.blame("deinitialize.under-load", "in deinitialize with requests in flight");
    target.deinitialize();
    let mark = witness::mark();
    let late = witness::wait(mark, 1, LATE);
    if !late.is_empty() {
        return Ok(Verdict::fail("a callback came after deinitialize had returned"));
    }
    if mark == 0 {
        return Ok(Verdict::not_seen("the library has never called back"));
    }
    Ok(Verdict::pass(""))
}

pub fn deinitialize_under_load(bench: &Bench, working: &Working) -> Outcome {
    let target = ending(bench)?;
    load(bench, working)?;
    bench.test("in deinitialize with requests in flight, or soon after it");
    target.deinitialize();
    std::thread::sleep(A_WHILE);
    Ok(Verdict::pass(""))
}

pub fn deinitialize_with_buffers(bench: &Bench) -> Outcome {
    let target = ending(bench)?;
    for _ in 0..8 {
        bench.register()?;
    }
    bench.test("in deinitialize with buffers registered");
    target.deinitialize();
    Ok(Verdict::pass(""))
}

pub fn deinitialize_twice(bench: &Bench) -> Outcome {
    let target = ending(bench)?;
    bench.blame("deinitialize.returns", "in deinitialize");
    target.deinitialize();
    bench.test("in a second deinitialize");
    target.deinitialize();
    Ok(Verdict::pass(""))
}

pub fn deinitialize_before_initialize(bench: &Bench) -> Outcome {
    let target = ending(bench)?;
    bench.test("in deinitialize before initialize");
    target.deinitialize();
    bench.initialize(CallbackTable::full())?;
    Ok(Verdict::pass(""))
}

pub fn deinitialize_then_initialize(bench: &Bench, working: &Working) -> Outcome {
    let target = ending(bench)?;
    target.deregister_buffers(&[working.buffer.handle]);
    bench.blame("deinitialize.returns", "in deinitialize");
    target.deinitialize();
    bench.test("in initialize after deinitialize, or the requests behind it");
    let code = target.initialize(Some(CallbackTable::full()));
    if code < 0 {
        return Ok(Verdict::fail(format!("initialize after deinitialize returned {code}")));
    }
    let buffer = bench.register_in_test()?;
    let mark = witness::mark();
    bench.request_sample(buffer.handle)?;
    let patience = if working.is_answered() { bench.patience() } else { A_WHILE };
    if bench.await_answer(mark, patience).is_empty() && working.is_answered() {
        return Ok(Verdict::fail("after the second initialize no request is answered"));
    }
    Ok(Verdict::pass(""))
}
