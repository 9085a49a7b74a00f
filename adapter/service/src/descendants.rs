//! What a library left running when its monitor was killed.
//!
//! A monitor ends what its library has started. One that is killed cannot: those processes become
//! ours, because the service is their subreaper. So does what a monitor leaves of its own: the writer
//! of a recording, and the child that writes a crash record. These end by themselves and are spared.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Makes this process the parent of what its descendants leave.
pub fn adopt() {
    if let Err(errno) = nix::sys::prctl::set_child_subreaper(true) {
        log::warn!("cannot become a subreaper: what a library leaves running may stay: {errno}");
    }
}

/// Kills and reaps every child but those in `ours` and what a monitor of the program `host` has left;
/// true while some have not ended yet. The service has one thread, so the children of that thread are
/// all it has.
pub fn end_all_but(ours: &[i32], host: &Path) -> bool {
    let Ok(thread) = std::fs::read_link("/proc/thread-self") else { return false };
    let list = Path::new("/proc").join(thread).join("children");
    let Ok(children) = std::fs::read_to_string(list) else { return false };
    let strangers = children
        .split_whitespace()
        .filter_map(|pid| pid.parse::<i32>().ok())
        .filter(|pid| !ours.contains(pid) && !is_of_a_monitor(*pid, host));
    let mut left = false;
    for pid in strangers.map(Pid::from_raw) {
        // It is a child that nobody has reaped: the number is its own.
        let _ = kill(pid, Signal::SIGKILL);
        let ended = waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL));
        left |= !matches!(ended, Ok(status) if status.pid().is_some());
    }
    left
}

/// The first argument of a vendor process (adapter/host/src/monitor/spawn.rs).
const VENDOR_ROLE: &[u8] = b"--vendor-process";

/// Whether a child is one that a monitor has left to end by itself: it runs the host's program, in no
/// sandbox, and not in the vendor's role. A library can write any command line over its own, but not
/// leave its namespaces, its filter or `no_new_privs`, and what it executes is in them too. Where no
/// layer of a sandbox can be had it may pass for one of these, and nothing keeps it from anything then.
fn is_of_a_monitor(pid: i32, host: &Path) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let own = Path::new("/proc/self");
    let same_file = |one: &Path, other: &Path| match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    let spaces = ["user", "mnt", "pid", "net"].map(|name| Path::new("ns").join(name));
    let line = fs::read(folder.join("cmdline")).unwrap_or_default();
    same_file(&folder.join("exe"), host)
        && spaces.iter().all(|space| same_file(&folder.join(space), &own.join(space)))
        && restraints(&folder).is_some_and(|found| Some(found) == restraints(own))
        && line.split(|&byte| byte == 0).nth(1).is_some_and(|role| role != VENDOR_ROLE)
}

/// The lines of `status` that no process can take back (proc(5)).
fn restraints(folder: &Path) -> Option<Vec<String>> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let names = ["NoNewPrivs:", "Seccomp:", "Seccomp_filters:"];
    let wanted = |line: &&str| names.iter().any(|name| line.starts_with(name));
    Some(status.lines().filter(wanted).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hosts_own_program_outside_of_a_sandbox_is_spared() {
        let own = std::env::current_exe().unwrap_or_default();
        let pid = i32::try_from(std::process::id()).unwrap_or(0);
        assert!(is_of_a_monitor(pid, &own));
        assert!(!is_of_a_monitor(pid, Path::new("/bin/sh")), "another program");
        assert!(!is_of_a_monitor(0, &own), "no process");
    }
}
