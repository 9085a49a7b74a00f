//! What the shim and the host cost while nothing happens: file size, threads, descriptors, memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::driver::Driver;
use crate::failure::Failure;
use crate::report::{Report, Row};
use crate::room::Room;

/// DESIGN.md, "Promises": the shim's file, stripped.
const BOUND_SHIM_KIB: f64 = 512.0;
/// DESIGN.md, "Promises": threads of the shim in the HAL's process.
const BOUND_THREADS: f64 = 1.0;
/// DESIGN.md, "Promises": descriptors beyond the HAL's own.
const BOUND_FDS: f64 = 4.0;
/// DESIGN.md, "Promises": private memory of monitor and vendor process together.
const BOUND_PRIVATE_KIB: f64 = 6.0 * 1024.0;
/// Requests before the memory is looked at.
const WARM_UP: &str = "run 5000";

/// Measures all four.
pub(crate) fn measure(room: &Room, report: &mut Report) -> Result<(), Failure> {
    report.progress("sizes");
    let bytes = stripped_bytes(room)?;
    report.add(
        Row::new("shim_stripped_kib", "libcam_algo.so, stripped", kib(bytes), "KiB")
            .at_most(BOUND_SHIM_KIB),
    );
    let mut hal = room.hal()?;
    // An answer, though an empty one, says that the program is through its own start.
    let idle = held(&mut hal, "nothing")?;
    hal.ask("initialize")?;
    let busy = held(&mut hal, WARM_UP)?;
    let [vendor] = hal.ask_for("process")?;
    let more = |now: u64, before: u64| to_f64(now.saturating_sub(before));
    report.add(
        Row::new("shim_threads", "threads of the shim", more(busy.threads, idle.threads), "")
            .at_most(BOUND_THREADS),
    );
    report.add(
        Row::new("shim_fds", "descriptors beyond the HAL's own", more(busy.fds, idle.fds), "")
            .at_most(BOUND_FDS),
    );
    let monitor = monitor_of(vendor)?;
    if parent(monitor)? != hal.pid() {
        return Err(Failure::new("the vendor process's parent is not the HAL's child"));
    }
    let library = room.path("vendor.so");
    let [monitor, vendor] = [private_bytes(monitor, &library)?, private_bytes(vendor, &library)?];
    report.add(Row::new("monitor_private_kib", "private memory, monitor", kib(monitor), "KiB"));
    let text = "private memory, vendor process without the library";
    report.add(Row::new("vendor_process_private_kib", text, kib(vendor), "KiB"));
    report.add(
        Row::new("host_private_kib", "private memory, both", kib(monitor + vendor), "KiB")
            .at_most(BOUND_PRIVATE_KIB),
    );
    Ok(())
}

/// Strips a copy.
fn stripped_bytes(room: &Room) -> Result<u64, Failure> {
    let copy = room.path("stripped.so");
    let status = Command::new("strip")
        .args(["--strip-all", "-o"])
        .args([&copy, &room.shim()])
        .status()
        .map_err(Failure::at("strip (Debian: apt install binutils)"))?;
    if !status.success() {
        return Err(Failure::new("strip does not take libcam_algo.so"));
    }
    fs::metadata(&copy).map(|file| file.len()).map_err(Failure::at(copy.display()))
}

/// What a process holds.
struct Held {
    threads: u64,
    fds: u64,
}

/// Looks once a command has been answered.
fn held(hal: &mut Driver, after: &str) -> Result<Held, Failure> {
    hal.ask(after)?;
    let pid = hal.pid();
    Ok(Held {
        threads: entries(&format!("/proc/{pid}/task"))?,
        fds: entries(&format!("/proc/{pid}/fd"))?,
    })
}

fn entries(path: &str) -> Result<u64, Failure> {
    let folder = fs::read_dir(path).map_err(Failure::at(path))?;
    Ok(folder.map(|_| 1).sum())
}

/// The monitor of a vendor process: its parent, or that of the first process of its PID namespace.
pub(crate) fn monitor_of(vendor: u32) -> Result<u32, Failure> {
    let above = parent(vendor)?;
    let name = std::fs::read_to_string(format!("/proc/{above}/comm")).unwrap_or_default();
    if name.trim_end() == "cami-init" { parent(above) } else { Ok(above) }
}

/// The number of a process's parent.
pub(crate) fn parent(pid: u32) -> Result<u32, Failure> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(Failure::at(&path))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| Failure::new(format!("{path} names no parent")))
}

/// Private memory of a process, without that of the mappings of `library`.
fn private_bytes(pid: u32, library: &Path) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/smaps");
    let smaps = fs::read_to_string(&path).map_err(Failure::at(&path))?;
    private_in(&smaps, &library.display().to_string())
        .ok_or_else(|| Failure::new(format!("{path} is not as proc(5) describes it")))
}

/// The sum of `Private_Clean` and `Private_Dirty`; `None` where there is none.
fn private_in(smaps: &str, library: &str) -> Option<u64> {
    let mut total = None;
    let mut counts = true;
    for line in smaps.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !key.ends_with(':') {
            // The first line of a mapping: its addresses, and at the end its file.
            counts = !line.ends_with(library);
        } else if counts && matches!(key, "Private_Clean:" | "Private_Dirty:") {
            let kib: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
            *total.get_or_insert(0) += kib * 1024;
        }
    }
    total
}

fn kib(bytes: u64) -> f64 {
    to_f64(bytes) / 1024.0
}

/// Sizes here are far below 4 GiB.
fn to_f64(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_does_not_count() {
        let smaps = "\
7f0000000000-7f0000001000 r-xp 00000000 08:01 1 /room/vendor.so
Private_Clean:        40 kB
7f0000001000-7f0000002000 rw-p 00000000 00:00 0 [heap]
Private_Clean:         4 kB
Private_Dirty:         8 kB
Private_Hugetlb:      16 kB
";
        assert_eq!(private_in(smaps, "/room/vendor.so"), Some(12 * 1024));
        assert_eq!(private_in("", "/room/vendor.so"), None);
    }
}
