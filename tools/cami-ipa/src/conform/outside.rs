//! Rules that the client of a host can see.

use std::fs::{self, File};

use cami_abi::CameraAlgorithm;
use cami_conform::Verdict;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::hal::{A_WHILE, Hal, Trouble, memory};
use super::job::{Done, Job};
use super::log::take_cause;
use crate::hal::processes;
use crate::status::human::printable;

type Outcome = Result<Verdict, Verdict>;

/// The host's own thread beside the first one. Threads that the library starts are called as the first
/// one until they are given names.
const OUR_THREAD: &str = "cami-watch";
/// What a HAL is ended, and told of its children, by.
const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD];

/// Looks at the job's rule.
pub fn look(job: &Job) -> Done {
    let look = match job.ask.rule.as_str() {
        "deregister.unmaps" => unmaps,
        "process.threads-block-signals" => threads_block_signals,
        "host.session" => session,
        "host.restart" => restart,
        "host.same-handles" => same_handles,
        other => return Done::Environment(format!("nobody looks at {other} from outside")),
    };
    let outcome = Hal::start(job).and_then(|hal| {
        let outcome = look(job, &hal);
        hal.end();
        outcome
    });
    Done::Verdict(outcome.unwrap_or_else(|verdict| verdict))
}

fn buffer(job: &Job) -> Result<File, Verdict> {
    memory(job.ask.sample.buffer_bytes)
}

/// One sample request; whether it was answered.
fn sample(hal: &Hal<'_>, handle: i32, rule: &str) -> Result<bool, Verdict> {
    match hal.sample(handle) {
        Ok(_) => Ok(true),
        Err(Trouble::NoAnswer) => Ok(false),
        Err(Trouble::Lost(cause)) => Err(hal.blame(rule, cause)),
    }
}

/// A file that nobody has mapped for writing can be sealed against it, and no other
/// (fcntl(2), F_SEAL_WRITE).
fn is_mapped(file: &File) -> Result<bool, Verdict> {
    match fcntl(file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)) {
        Ok(_) => Ok(false),
        Err(Errno::EBUSY) => Ok(true),
        Err(errno) => Err(Verdict::skipped(format!("the file cannot be sealed: {errno}"))),
    }
}

fn unmaps(job: &Job, hal: &Hal<'_>) -> Outcome {
    let file = buffer(job)?;
    let handle = hal.register(&file)?;
    sample(hal, handle, "request.survives")?;
    if !is_mapped(&file)? {
        return Ok(Verdict::not_seen("the library has not mapped the buffer for writing"));
    }
    hal.library().deregister_buffers(&[handle]);
    // A worker may hold it to the end of its request.
    let other = hal.register(&buffer(job)?)?;
    sample(hal, other, "request.survives")?;
    if is_mapped(&file)? {
        return Ok(Verdict::fail("the buffer is mapped after deregister_buffers"));
    }
    Ok(Verdict::pass(""))
}

fn threads_block_signals(job: &Job, hal: &Hal<'_>) -> Outcome {
    let handle = hal.register(&buffer(job)?)?;
    sample(hal, handle, "request.survives")?;
    let Some(processes) = processes::find() else {
        return Ok(Verdict::skipped("the vendor process is not visible"));
    };
    let folder = format!("/proc/{}/task", processes.vendor);
    let first = processes.vendor.to_string();
    let threads: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok())
        .filter(|status| field(status, "Name:") != Some(OUR_THREAD))
        .filter(|status| field(status, "Pid:") != Some(&first))
        .collect();
    if threads.is_empty() {
        return Ok(Verdict::not_seen("the library has no threads"));
    }
    let open = threads.iter().find(|status| {
        let mask = field(status, "SigBlk:").and_then(|mask| u64::from_str_radix(mask, 16).ok());
        let blocks = |signal: &Signal| mask.unwrap_or(0) >> (*signal as i32 - 1) & 1 == 1;
        !SIGNALS.iter().all(blocks)
    });
    Ok(match open {
        Some(status) => Verdict::fail(format!(
            "thread \"{}\" does not block SIGINT, SIGTERM and SIGCHLD",
            printable(field(status, "Name:").unwrap_or_default())
        )),
        None => Verdict::pass(format!("{} threads", threads.len())),
    })
}

/// The value of a line of `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn session(job: &Job, hal: &Hal<'_>) -> Outcome {
    let rule = job.ask.rule.as_str();
    let mut answered = 0;
    let mut handles = Vec::new();
    for _ in 0..3 {
        handles.push(hal.register(&buffer(job)?)?);
    }
    for round in 0..4 {
        for handle in &handles {
            answered += u32::from(sample(hal, *handle, rule)?);
        }
        if round == 0 && answered == 0 && job.ask.sample.is_answered {
            return Err(hal.blame("request.is-answered", "no request is answered in the host"));
        }
    }
    hal.library().deregister_buffers(&handles);
    let again = hal.register(&buffer(job)?)?;
    sample(hal, again, rule)?;
    if hal.is_lost(A_WHILE) {
        return Ok(Verdict::fail(take_cause()));
    }
    hal.end();
    Ok(Verdict::pass(format!("{answered} of 12 requests were answered")))
}

fn restart(job: &Job, hal: &Hal<'_>) -> Outcome {
    let handle = hal.register(&buffer(job)?)?;
    let answered = sample(hal, handle, "request.survives")?;
    let Some(processes) = processes::find() else {
        return Ok(Verdict::skipped("the vendor process is not visible"));
    };
    let victim = i32::try_from(processes.vendor).map(Pid::from_raw);
    // In the midst of requests.
    for _ in 0..16 {
        hal.library().request(job.ask.sample.req_id, &job.ask.sample.header, handle);
    }
    if !victim.is_ok_and(|pid| kill(pid, Signal::SIGKILL).is_ok()) || !hal.is_lost(job.deadline) {
        return Ok(Verdict::skipped("the vendor process could not be killed"));
    }
    take_cause();
    if let Err(why) = hal.begin() {
        return Ok(Verdict::fail(format!("after a kill, {why}")));
    }
    let handle = match hal.register(&buffer(job)?) {
        Ok(handle) => handle,
        Err(verdict) => return Ok(Verdict::fail(format!("after a kill, {}", verdict.detail))),
    };
    if answered && !sample(hal, handle, &job.ask.rule)? {
        return Ok(Verdict::fail("after a kill, no request is answered"));
    }
    Ok(Verdict::pass(""))
}

fn same_handles(job: &Job, hal: &Hal<'_>) -> Outcome {
    let history = |hal: &Hal<'_>| -> Result<Vec<i32>, Verdict> {
        let mut handles = Vec::new();
        for _ in 0..5 {
            handles.push(hal.register(&buffer(job)?)?);
        }
        if let [_, second, _, fourth, ..] = handles.as_slice() {
            hal.library().deregister_buffers(&[*second, *fourth]);
        }
        for _ in 0..3 {
            handles.push(hal.register(&buffer(job)?)?);
        }
        Ok(handles)
    };
    let first = history(hal)?;
    hal.end();
    hal.begin().map_err(|why| hal.blame("host.restart", why))?;
    let second = history(hal)?;
    if first == second {
        return Ok(Verdict::pass(""));
    }
    Ok(Verdict::fail(format!("first {first:?}, then {second:?}")))
}
