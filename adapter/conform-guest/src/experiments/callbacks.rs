//! `return_callback`, `notify`, `update`, and `update_return`.

use cami_conform::Verdict;

use crate::bench::{A_WHILE, Bench, Outcome, Working};
use crate::descriptors::{self, identity_of};
use crate::witness::{self, CallbackTable, Update};

fn nothing_came() -> Verdict {
    Verdict::not_seen("no request was answered")
}

pub fn own_table(bench: &Bench, working: &Working) -> Outcome {
    let Some(answer) = working.answers.first() else { return Ok(nothing_came()) };
    if Some(answer.table) == bench.table().map(CallbackTable::number) {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail("return_callback got another address than initialize"))
}

pub fn table_not_written(bench: &Bench) -> Outcome {
    let table = CallbackTable::read_only()
        .map_err(|errno| Verdict::skipped(format!("no memory: {errno}")))?;
    bench.test("with a callback table that cannot be written to");
    let code = bench.target()?.initialize(Some(table));
    if code < 0 {
        return Err(bench.broken("initialize.succeeds", format!("initialize returned {code}")));
    }
    let buffer = bench.register_in_test()?;
    let mark = witness::mark();
    bench.request_sample(buffer.handle)?;
    bench.await_answer(mark, A_WHILE);
    Ok(Verdict::pass(""))
}

pub fn names_its_request(bench: &Bench, working: &Working) -> Outcome {
    let sample = &bench.ask().sample;
    let Some(first) = working.answers.first() else { return Ok(nothing_came()) };
    let right = |answer: &witness::Answer| {
        answer.req_id == sample.req_id && answer.handle == working.buffer.handle
    };
    if working.answers.iter().any(right) {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!(
        "request {} on buffer {} was answered as request {} on buffer {}",
        sample.req_id, working.buffer.handle, first.req_id, first.handle
    )))
}

pub fn once(bench: &Bench, working: &Working) -> Outcome {
    if !working.is_answered() {
        return Ok(nothing_came());
    }
    // A second answer would come soon after the first.
    std::thread::sleep(A_WHILE);
    let sample = &bench.ask().sample;
    let all = witness::wait(0, 0, bench.patience());
    let same = all
        .iter()
        .filter(|answer| answer.req_id == sample.req_id && answer.handle == working.buffer.handle);
    match same.count() {
        0 | 1 => Ok(Verdict::pass("")),
        count => Ok(Verdict::fail(format!("one request was answered {count} times"))),
    }
}

pub fn no_notify(bench: &Bench, working: &Working) -> Outcome {
    for _ in 0..4 {
        bench.breathe(working)?;
    }
    match witness::notifications() {
        0 => Ok(Verdict::pass("")),
        count => Ok(Verdict::fail(format!("notify was called {count} times"))),
    }
}

pub fn may_call_back(bench: &Bench, working: &Working) -> Outcome {
    if !working.is_answered() {
        return Ok(nothing_came());
    }
    let sample = bench.ask().sample.clone();
    let handle = working.buffer.handle;
    let request = bench.target()?.requester();
    let header = bench.header();
    bench.test("in a request that is made inside a callback");
    let mark = witness::mark();
    witness::within_next_answer(move || request(sample.req_id, header, handle));
    bench.request_sample(handle)?;
    if witness::wait(mark, 2, bench.patience()).len() < 2 {
        return Ok(Verdict::fail("a request that was made inside a callback is not answered"));
    }
    Ok(Verdict::pass(""))
}

/// An update with a descriptor, if one came.
fn update(bench: &Bench, working: &Working) -> Result<Update, Verdict> {
    for _ in 0..4 {
        if let Some(update) = witness::updates().into_iter().find(|update| update.number >= 0) {
            return Ok(update);
        }
        bench.breathe(working)?;
    }
    Err(Verdict::not_seen("the library has sent no update with a descriptor"))
}

pub fn update_descriptor(bench: &Bench, working: &Working) -> Outcome {
    let update = update(bench, working)?;
    let Some(identity) = update.identity else {
        return Ok(Verdict::fail(format!("descriptor {} of an update is not open", update.number)));
    };
    std::thread::sleep(A_WHILE);
    if identity_of(update.number) == Some(identity) {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail("the descriptor of an update was closed after it was given away"))
}

pub fn update_return(bench: &Bench, working: &Working) -> Outcome {
    let target = bench.target()?;
    if !target.has_update_return() {
        return Ok(Verdict::skipped("its CAMI has no update_return"));
    }
    let update = update(bench, working)?;
    bench.test("in update_return, or soon after it");
    target.update_return(update.upd_id, 0, update.number);
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn update_return_unknown(bench: &Bench) -> Outcome {
    let target = bench.target()?;
    if !target.has_update_return() {
        return Ok(Verdict::skipped("its CAMI has no update_return"));
    }
    bench.test("in update_return of an update that never was, without a descriptor");
    target.update_return(0xffff_fff0, 0, -1);
    let (file, _) = descriptors::memory(4096)
        .map_err(|error| Verdict::skipped(format!("no descriptor could be made: {error}")))?;
    bench.test("in update_return of an update that never was, with a descriptor");
    target.update_return(0xffff_fff1, 1, descriptors::give_away(file));
    std::thread::sleep(A_WHILE);
    Ok(Verdict::pass(""))
}
