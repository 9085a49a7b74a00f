//! A process of its own for a test: it may lose its privileges, its root or its life.

use std::fs::File;
use std::io::{Read, Write};

use cami_sandbox::{Files, Layer, Layers, Outcomes, Plan};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe2};

/// Runs `attempt` in a child and returns what it said, and how the child ended.
pub fn in_child(attempt: impl FnOnce() -> String) -> (String, WaitStatus) {
    let (reader, writer) = pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    // SAFETY: the child calls `attempt`, which takes no lock that another test's thread may hold:
    // glibc makes its allocator fit for the child.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop(reader);
            // A panic must not go on in a copy of the test program.
            let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
            let _ = File::from(writer).write_all(said.as_deref().unwrap_or_default().as_bytes());
            unsafe { libc::_exit(if said.is_ok() { 0 } else { 101 }) }
        }
        ForkResult::Parent { child } => {
            drop(writer);
            let mut said = String::new();
            File::from(reader).read_to_string(&mut said).unwrap();
            (said, waitpid(child, None).unwrap())
        }
    }
}

/// A plan with these layers alone.
pub fn plan(layers: &[Layer], files: Files) -> Plan {
    let mut plan = Plan::new(files, Vec::new());
    plan.layers = layers.iter().fold(Layers::NONE, |set, layer| set.with(*layer));
    plan
}

/// Runs `attempt` under these layers alone; the layers' failure is the test's.
#[track_caller]
pub fn under(layers: &[Layer], files: Files, attempt: impl FnOnce() -> String) -> String {
    let plan = plan(layers, files);
    let (said, status) = in_child(|| {
        let mut outcomes = Outcomes::new();
        plan.enter(&mut outcomes);
        plan.confine(&mut outcomes);
        match outcomes.check() {
            Ok(()) => attempt(),
            Err(error) => format!("not built: {error}"),
        }
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?} {said}");
    assert!(!said.starts_with("not built"), "{said}");
    said
}

/// "done", or the error's number.
pub fn outcome<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => error.raw_os_error().unwrap_or(-1).to_string(),
    }
}

/// What an `execve` without a mapped user leaves.
pub fn lose_capabilities() {
    let mut outcomes = Outcomes::new();
    plan(&[Layer::Caps], Files::default()).confine(&mut outcomes);
    outcomes.check().unwrap();
}
