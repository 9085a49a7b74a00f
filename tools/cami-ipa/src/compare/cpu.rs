//! CPU time of a worker and of every process below it.
//!
//! The time of each process is read from its CPU clock (`clock_getcpuclockid`): user and system time of
//! all its threads, in ns, those that have ended included.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::process_tree::processes;

/// The time that each process had used when it was last looked at.
#[derive(Debug, Default)]
pub struct CpuMeter {
    root: i32,
    first: BTreeMap<i32, Duration>,
    last: BTreeMap<i32, Duration>,
}

impl CpuMeter {
    /// Begins now, with the process `root` and those below it.
    pub fn start(root: i32) -> Self {
        let first = times(root);
        Self { root, last: first.clone(), first }
    }

    /// Looks again. What a process does between its last look and its end is not counted.
    pub fn look(&mut self) {
        self.last.extend(times(self.root));
    }

    /// The time of all from the start to the last look; who came later counts from its own start.
    pub fn used(&self) -> Duration {
        let of = |(pid, last): (&i32, &Duration)| {
            last.saturating_sub(self.first.get(pid).copied().unwrap_or_default())
        };
        self.last.iter().map(of).sum()
    }

    /// How many processes were seen.
    pub fn processes(&self) -> usize {
        self.last.len()
    }
}

fn times(root: i32) -> BTreeMap<i32, Duration> {
    let clock = |pid: i32| {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).ok()?;
        Some((pid, Duration::from(clock.now().ok()?)))
    };
    tree(root).into_iter().filter_map(clock).collect()
}

/// A process and its descendants.
fn tree(root: i32) -> Vec<i32> {
    let all = processes();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = all.iter().filter(|p| p.parent == parent && !found.contains(&p.pid));
        let children: Vec<i32> = children.map(|process| process.pid).collect();
        found.extend(children);
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    struct Killed(Child);

    impl Drop for Killed {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn children_of_children_are_counted() {
        // The outer shell waits, the inner one counts for a while and says so.
        let script =
            "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo done; read x'; :";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .expect("a shell");
        let pid = i32::try_from(shell.0.id()).expect("a process");
        let mut meter = CpuMeter { root: pid, ..CpuMeter::default() };
        let out = shell.0.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        meter.look();
        assert_eq!(meter.processes(), 2);
        assert!(meter.used() > Duration::from_millis(2), "{:?}", meter.used());
        // Nothing more is done from here on.
        let mut later = CpuMeter::start(pid);
        later.look();
        assert!(later.used() < meter.used(), "{:?}", later.used());
    }
}
