//! The supervisor against hosts of every kind.
//!
//! This executable is three things. Run by cargo it runs every scenario in a process of its own:
//! they count file descriptors, ignore SIGCHLD, fork. With a scenario's name in its environment it
//! is that process, and plays the HAL. Started by the supervisor it plays the host.
//!
//! Arguments as for other tests: part of a name, or `--list`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects of its own set-up"
)]

mod allocations;
mod callbacks;
mod calls;
mod death;
mod fake_host;
mod guest;
mod hal;
mod recovery;
mod resume;
mod start;

use std::process::{Command, ExitCode, Stdio};

/// Names the scenario that a process is to play.
const SCENARIO: &str = "CAMI_CLIENT_SCENARIO";
/// A scenario that hangs is ended by SIGALRM after so many seconds.
const HANG_SECONDS: u32 = 60;

type Scenario = (&'static str, fn());

fn scenarios() -> Vec<Scenario> {
    [
        start::SCENARIOS,
        death::SCENARIOS,
        calls::SCENARIOS,
        callbacks::SCENARIOS,
        resume::SCENARIOS,
        recovery::SCENARIOS,
        guest::SCENARIOS,
        allocations::SCENARIOS,
    ]
    .concat()
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--control") {
        return fake_host::main();
    }
    if let Some(name) = std::env::var_os(SCENARIO) {
        nix::unistd::alarm::set(HANG_SECONDS);
        hal::capture_log();
        for (scenario, play) in scenarios() {
            if name == scenario {
                play();
                return ExitCode::SUCCESS;
            }
        }
        return ExitCode::FAILURE;
    }
    run_all()
}

fn run_all() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen: Vec<&str> = scenarios()
        .iter()
        .map(|&(name, _)| name)
        .filter(|name| filters.is_empty() || filters.iter().any(|part| name.contains(&**part)))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for name in chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let own = std::env::current_exe().unwrap();
    let mut failed = 0;
    for name in &chosen {
        // However the scenario ends, what it and its hosts left goes with the folder.
        let room = tempfile::tempdir().unwrap();
        let output = Command::new(&own)
            .env(SCENARIO, name)
            .env("TMPDIR", room.path())
            .env("CAMI_IPA_HOST", &own)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() {
            println!("test {name} ... ok");
        } else {
            failed += 1;
            println!("test {name} ... FAILED ({})", output.status);
            print!("{}", String::from_utf8_lossy(&output.stdout));
            print!("{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let passed = chosen.len() - failed;
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
