//! Deaths: of the vendor process, seen by the HAL; of the HAL, seen by the vendor process.

use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Interest, ProcessFd, wait};
use nix::sys::prctl;

use crate::driver::Driver;
use crate::failure::Failure;
use crate::footprint::monitor_of;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;
use crate::statistics::summary;

/// DESIGN.md, "Promises": crash → `notify` delivered.
const BOUND_NOTIFY_US: f64 = 20_000.0;
/// DESIGN.md, "Promises": crash → next request answered, without the vendor's own init.
const BOUND_RESUME_US: f64 = 50_000.0;
/// DESIGN.md, "Failure": when the HAL dies, the vendor host dies.
const BOUND_CLIENT_END_US: f64 = 100_000.0;
/// A process that has not ended by then does not end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures both.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    let deaths = options.count(200, 30);
    let mut hal = room.hal()?;
    hal.ask("initialize")?;
    report.progress(&format!("{deaths} times SIGKILL to the vendor process"));
    die(&mut hal, "kill", "SIGKILL", deaths, report)?;
    report.progress(&format!("{deaths} times SIGSEGV in a request"));
    die(&mut hal, "crash", "SIGSEGV in request()", deaths, report)?;
    drop(hal);
    let resumptions = options.count(200, 30);
    for standby in [false, true] {
        report.progress(&format!("{resumptions} times SIGKILL, resumed, standby = {standby}"));
        resume(room, resumptions, standby, report)?;
    }
    let ends = options.count(50, 10);
    report.progress(&format!("{ends} times SIGKILL to the HAL"));
    leave(room, ends, report)
}

fn die(
    hal: &mut Driver,
    command: &str,
    text: &str,
    deaths: u32,
    report: &mut Report,
) -> Result<(), Failure> {
    let (mut notified, mut revived) = (Vec::new(), Vec::new());
    for _ in 0..deaths {
        let [notify, revival] = hal.ask_for(command)?;
        notified.push(notify);
        revived.push(revival);
    }
    let notify = summary(&notified);
    let name = |part: &str| format!("{command}_to_notify_{part}_us");
    report.add(Row::new(name("p50"), format!("{text} → notify, p50"), notify.p50, "µs"));
    report.add(
        Row::new(name("p99"), format!("{text} → notify, p99"), notify.p99, "µs")
            .at_most(BOUND_NOTIFY_US),
    );
    let revival = summary(&revived);
    for (part, value) in [("p50", revival.p50), ("p99", revival.p99)] {
        report.add(Row::new(
            format!("{command}_initialize_to_answer_{part}_us"),
            format!("initialize after it → first answer, {part} (no bound yet)"),
            value,
            "µs",
        ));
    }
    Ok(())
}

/// `recovery = "resume"`: from a death to the answer of the next request.
fn resume(room: &Room, deaths: u32, standby: bool, report: &mut Report) -> Result<(), Failure> {
    let mut hal = room.resuming_hal(standby)?;
    hal.ask("initialize")?;
    let mut times = Vec::new();
    for _ in 0..deaths {
        let [time] = hal.ask_for("resume")?;
        times.push(time);
    }
    let times = summary(&times);
    let (name, text) = if standby {
        ("standby", "SIGKILL → next request answered, a host standing by")
    } else {
        ("resume", "SIGKILL → next request answered")
    };
    report.add(Row::new(format!("{name}_p50_us"), format!("{text}, p50"), times.p50, "µs"));
    report.add(
        Row::new(format!("{name}_p99_us"), format!("{text}, p99"), times.p99, "µs")
            .at_most(BOUND_RESUME_US),
    );
    Ok(())
}

fn leave(room: &Room, ends: u32, report: &mut Report) -> Result<(), Failure> {
    // What the HAL leaves behind becomes ours, so that it can be reaped whatever process 1 does.
    prctl::set_child_subreaper(true).map_err(Failure::at("PR_SET_CHILD_SUBREAPER"))?;
    let mut times = Vec::new();
    for _ in 0..ends {
        let mut hal = room.hal()?;
        hal.ask("initialize")?;
        let [vendor] = hal.ask_for("process")?;
        let monitor = open(monitor_of(vendor)?)?;
        let vendor = open(vendor)?;
        let begin = Instant::now();
        hal.kill()?;
        wait_for_end(&vendor, "the vendor process")?;
        let time = begin.elapsed();
        // It is ours only once the HAL has been reaped.
        drop(hal);
        wait_for_end(&monitor, "the monitor")?;
        monitor.reap();
        vendor.reap();
        times.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }
    let end = summary(&times);
    let text = "SIGKILL to the HAL → vendor process has ended";
    report.add(Row::new("client_end_p50_us", format!("{text}, p50"), end.p50, "µs"));
    report.add(
        Row::new("client_end_max_us", format!("{text}, longest of {ends}"), end.max, "µs")
            .at_most(BOUND_CLIENT_END_US),
    );
    Ok(())
}

fn open(pid: u32) -> Result<ProcessFd, Failure> {
    ProcessFd::open(pid.cast_signed()).map_err(Failure::at(format!("the pidfd of process {pid}")))
}

fn wait_for_end(process: &ProcessFd, name: &str) -> Result<(), Failure> {
    let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
    match wait(&mut polled, Some(Deadline::after(PATIENCE))) {
        Ok(1..) => Ok(()),
        Ok(_) => Err(Failure::new(format!("{name} outlives the HAL by {PATIENCE:?}"))),
        Err(errno) => Err(Failure::new(format!("cannot wait for {name}: {errno}"))),
    }
}
