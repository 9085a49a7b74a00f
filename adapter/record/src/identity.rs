//! A process that can be recognised later, by somebody else.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// A process id alone is given to another process sooner or later; with its start it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessIdentity {
    /// Its number in its own PID namespace.
    pub pid: i32,
    /// When it started, in clock ticks since the boot: field 22 of `/proc/PID/stat` (proc(5)).
    pub start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// The inode number of its PID namespace.
    pub pid_namespace: u64,
}

/// What has become of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Running,
    /// It has ended.
    Ended,
    /// It is of another PID namespace (a container), and cannot be looked for.
    Elsewhere,
}

impl ProcessIdentity {
    /// This process.
    #[must_use]
    pub fn own() -> Self {
        let pid = std::process::id().cast_signed();
        Self {
            pid,
            start_ticks: start_ticks(pid).unwrap_or(0),
            boot_id: boot_id(),
            pid_namespace: pid_namespace(),
        }
    }

    /// Whether it still runs.
    #[must_use]
    pub fn life(&self) -> Life {
        if self.boot_id != boot_id() {
            return Life::Ended;
        }
        if self.pid_namespace != pid_namespace() {
            return Life::Elsewhere;
        }
        if start_ticks(self.pid) == Some(self.start_ticks) { Life::Running } else { Life::Ended }
    }
}

/// When a process started, in clock ticks since the boot; 0 where that cannot be said.
#[must_use]
pub fn start_of(pid: i32) -> u64 {
    start_ticks(pid).unwrap_or(0)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim_end().to_owned())
        .unwrap_or_default()
}

fn pid_namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

/// `None` where there is no such process, or only its exit status is left of it.
fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the last one ends it. Then the state is field 3.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::{Life, ProcessIdentity};

    #[test]
    fn life_of_ourselves_is_running_and_of_our_number_before_us_ended() {
        let own = ProcessIdentity::own();
        assert_eq!(own.life(), Life::Running);
        let before = ProcessIdentity { start_ticks: own.start_ticks - 1, ..own.clone() };
        assert_eq!(before.life(), Life::Ended);
        let last_boot = ProcessIdentity { boot_id: "x".to_owned(), ..own.clone() };
        assert_eq!(last_boot.life(), Life::Ended);
        let container = ProcessIdentity { pid_namespace: 1, ..own };
        assert_eq!(container.life(), Life::Elsewhere);
    }

    #[test]
    fn life_of_an_exit_status_is_ended() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = child.id().cast_signed();
        let start_ticks = super::start_ticks(pid).unwrap();
        let child_identity = ProcessIdentity { pid, start_ticks, ..ProcessIdentity::own() };
        assert_eq!(child_identity.life(), Life::Running);
        child.kill().unwrap();
        // Until it is waited for, its number is still there.
        while super::start_ticks(pid).is_some() {
            std::thread::yield_now();
        }
        assert_eq!(child_identity.life(), Life::Ended);
        child.wait().unwrap();
    }
}
