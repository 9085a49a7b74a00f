//! A process is followed into its children.
#![allow(clippy::unwrap_used, reason = "a failure here is the test's failure")]

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use system_call_trace::{Call, End, Observer, trace};

#[derive(Default)]
struct Seen {
    calls: BTreeMap<i64, usize>,
    ended: usize,
    children: usize,
    executed: usize,
    break_at: Option<i64>,
}

impl Observer for Seen {
    fn enters(&mut self, call: &Call) -> ControlFlow<()> {
        *self.calls.entry(call.number).or_default() += 1;
        if self.break_at == Some(call.number) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
    fn leaves(&mut self, _: i32, _: i64) {
        self.ended += 1;
    }
    fn starts(&mut self, _: i32, _: i32) {
        self.children += 1;
    }
    fn executes(&mut self, _: i32) {
        self.executed += 1;
    }
}

/// A shell that waits for a line, and then does `work`.
fn follow(work: &str, seen: &mut Seen) -> Option<End> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("read line; {work}")])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    let end = trace(pid, || stdin.write_all(b"go\n").unwrap(), seen);
    if let Err(error) = &end {
        println!("SKIPPED: {error}");
        child.kill().unwrap();
    }
    // Of a process that was followed the tracer has taken the status.
    let _ = child.wait();
    end.ok()
}

// One test, as a tracer waits for all children of its process.
#[test]
fn calls_threads_children_signals_and_the_end_are_seen() {
    let mut seen = Seen::default();
    let Some(end) = follow("(exit 3); /bin/true; exit 7", &mut seen) else { return };
    assert_eq!(end, End::Exited(7));
    assert_eq!((seen.children, seen.executed), (2, 1));
    assert!(seen.calls[&libc::SYS_exit_group] == 3 && seen.ended > 10, "{:?}", seen.calls);

    let mut seen = Seen::default();
    assert_eq!(follow("kill -TERM $$", &mut seen), Some(End::Signaled(libc::SIGTERM)));

    let mut seen = Seen { break_at: Some(libc::SYS_execve), ..Seen::default() };
    assert_eq!(follow("exec /bin/true", &mut seen), Some(End::Broken));
    assert_eq!(seen.executed, 0);
}
