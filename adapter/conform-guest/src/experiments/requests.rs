//! `request` and its header.

use std::time::Duration;

use cami_conform::Verdict;
use nix::errno::Errno;

use crate::bench::{A_WHILE, Bench, Outcome, Working};
use crate::memory::Page;
use crate::witness;

/// What a `request` that only hands over takes a thousandth of.
const SOON: Duration = Duration::from_millis(100);
/// Requests at once: more than any HAL has in flight.
const BURST: usize = 256;
/// Random headers; between every so many the library may catch up.
const HEADERS: usize = 1000;
const STEP: usize = 8;
/// The longest of them: known vendors' have up to 24 bytes.
const LONGEST: u64 = 64;
/// A handle that no library has got to.
const UNKNOWN: i32 = 123_456_789;

pub fn survives(_bench: &Bench, _working: &Working) -> Outcome {
    Ok(Verdict::pass(""))
}

pub fn is_answered(bench: &Bench, working: &Working) -> Outcome {
    let sample = &bench.ask().sample;
    Ok(match working.answers.first() {
        Some(answer) => Verdict::pass(format!("with status {}", answer.status)),
        None if sample.is_answered => Verdict::fail(format!(
            "request {} has no answer after {:?}",
            sample.req_id,
            bench.patience()
        )),
        None => Verdict::not_seen(
            "the request was not answered; nothing is known of the library's protocol (--request \
             names a request that is)",
        ),
    })
}

/// A request that is to be survived.
fn survived(bench: &Bench, working: &Working, req_id: u32, header: &[u8], handle: i32) -> Outcome {
    bench.target()?.request(req_id, witness::for_ever(header), handle);
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn unknown_handle(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request that names an unknown handle, or soon after it");
    let sample = &bench.ask().sample;
    for handle in [UNKNOWN, i32::MAX, i32::MIN] {
        survived(bench, working, sample.req_id, &sample.header, handle)?;
    }
    Ok(Verdict::pass(""))
}

pub fn no_buffer(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request with the handle -1, or soon after it");
    let sample = &bench.ask().sample;
    survived(bench, working, sample.req_id, &sample.header, -1)
}

pub fn empty_header(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request with an empty header, or soon after it");
    survived(bench, working, bench.ask().sample.req_id, &[], working.buffer.handle)
}

pub fn any_header(bench: &Bench, working: &Working) -> Outcome {
    // Always the same ones: what is found can be found again.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for number in 0..HEADERS {
        let length = random() % LONGEST + 1;
        let mut header: Vec<u8> = (0..length).map(|_| random().to_le_bytes()[0]).collect();
        // Every second one looks right at its first byte.
        if let (Some(first), Some(right), 0) =
            (header.first_mut(), bench.ask().sample.header.first(), number % 2)
        {
            *first = *right;
        }
        if number % STEP == 0 {
            let shown: Vec<String> = header.iter().map(|byte| format!("{byte:02x}")).collect();
            bench.test(&format!("in the requests from random header {} on", shown.join("")));
        }
        bench.target()?.request(bench.ask().sample.req_id, witness::for_ever(&header), -1);
        if number % STEP == STEP - 1 {
            bench.breathe(working)?;
        }
    }
    bench.settle(working)?;
    Ok(Verdict::pass(""))
}

pub fn unknown_ids(bench: &Bench, working: &Working) -> Outcome {
    // Known protocols end at 67.
    for req_id in [1000, 0x7fff, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, u32::MAX] {
        bench.test(&format!("in request {req_id}, or soon after it"));
        survived(bench, working, req_id, &bench.ask().sample.header, -1)?;
    }
    Ok(Verdict::pass(""))
}

pub fn returns_soon(_bench: &Bench, working: &Working) -> Outcome {
    let text = format!("{} us", working.took.as_micros());
    Ok(if working.took < SOON { Verdict::pass(text) } else { Verdict::fail(text) })
}

pub fn burst(bench: &Bench, working: &Working) -> Outcome {
    bench.test(&format!("with {BURST} requests at once"));
    let mark = witness::mark();
    for _ in 0..BURST {
        bench.request_sample(working.buffer.handle)?;
    }
    if !working.is_answered() {
        std::thread::sleep(A_WHILE);
        return Ok(Verdict::not_seen("no request was answered"));
    }
    let answers = witness::wait(mark, BURST, bench.patience()).len();
    if answers >= BURST {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!(
        "{answers} of {BURST} requests were answered within {:?}",
        bench.patience()
    )))
}

pub fn from_another_thread(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request from another thread, or soon after it");
    let mark = witness::mark();
    let handle = working.buffer.handle;
    std::thread::scope(|scope| {
        scope.spawn(|| bench.request_sample(handle)).join().unwrap_or(Ok(()))
    })?;
    let patience = if working.is_answered() { bench.patience() } else { A_WHILE };
    if bench.await_answer(mark, patience).is_empty() && working.is_answered() {
        return Ok(Verdict::fail("a request from another thread is not answered"));
    }
    Ok(Verdict::pass(""))
}

fn no_memory(errno: Errno) -> Verdict {
    Verdict::skipped(format!("no memory: {errno}"))
}

/// Requests with the sample's header in pages that are protected before, or after, each.
fn requests_in_pages(
    bench: &Bench,
    working: &Working,
    before: fn(&Page) -> Result<(), Errno>,
    after: fn(&Page) -> Result<(), Errno>,
) -> Outcome {
    let sample = &bench.ask().sample;
    let mut answered = 0;
    for _ in 0..10 {
        let page = Page::ending_with(&sample.header).map_err(no_memory)?;
        before(&page).map_err(no_memory)?;
        let mark = witness::mark();
        bench.target()?.request_in(&page, sample.req_id, working.buffer.handle);
        after(&page).map_err(no_memory)?;
        let patience = if working.is_answered() { bench.patience() } else { A_WHILE / 5 };
        answered += bench.await_answer(mark, patience).len();
    }
    if working.is_answered() && answered == 0 {
        return Ok(Verdict::fail("such a request is not answered"));
    }
    Ok(Verdict::pass(""))
}

fn nothing(_page: &Page) -> Result<(), Errno> {
    Ok(())
}

pub fn header_after_return(bench: &Bench, working: &Working) -> Outcome {
    bench.test("after request had returned and its header was taken away");
    requests_in_pages(bench, working, nothing, Page::take_away)
}

pub fn header_behind_its_end(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request whose header ends where nothing can be read any more");
    requests_in_pages(bench, working, nothing, nothing)
}

pub fn header_not_written(bench: &Bench, working: &Working) -> Outcome {
    bench.test("in a request whose header cannot be written to");
    requests_in_pages(bench, working, Page::read_only, nothing)
}
