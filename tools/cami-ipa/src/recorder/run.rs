//! Running a command whose hosts record.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cami_recording::Recording;
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::RunOptions;
use super::tally::Tally;
use crate::failure::Failure;

/// How long the hosts may take to write what they have, once the command has ended.
const WRITING_PATIENCE: Duration = Duration::from_secs(10);
/// How long nobody writes before what COMMAND has left behind is no longer waited for: longer than a host
/// takes from its start to its file.
const QUIET: Duration = Duration::from_secs(1);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(10);
/// Files beside the first that are looked at: a HAL with more libraries is not known.
const BESIDE: u32 = 9;

pub fn run(options: &RunOptions) -> Result<ExitCode, Failure> {
    let (program, arguments) =
        options.command.split_first().ok_or_else(|| Failure::usage("nothing to run".into()))?;
    let output = std::path::absolute(&options.output)
        .map_err(|error| Failure::environment(format!("{}: {error}", options.output.display())))?;
    let files = files(&output);
    for file in &files {
        make_room(file, options.force)?;
    }
    let mut command = Command::new(program);
    command.args(arguments).env("CAMI_IPA_RECORD", &output);
    if let Some(limit) = options.limit_mib {
        command.env("CAMI_IPA_RECORD_LIMIT_MIB", limit.to_string());
    }
    // ^C is for the command: it decides when it ends, and we say what was recorded.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGQUIT);
    let _ = signals.thread_block();
    // Hosts that COMMAND leaves behind become our children: as long as there is one, more may be written.
    let _ = set_child_subreaper(true);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("{}: {error}", program.to_string_lossy()));
            let found = error.kind() != ErrorKind::NotFound;
            return Ok(ExitCode::from(if found { 126 } else { 127 }));
        }
    };
    let code = wait_for(child.id())
        .map_err(|errno| Failure::environment(format!("{}: {errno}", program.display())))?;
    wait_for_hosts(&files);
    let mut recorded = false;
    for file in files.iter().filter(|file| file.exists()) {
        match Recording::open(file).and_then(|recording| Tally::of(&recording)) {
            Ok(tally) if tally.is_empty() => {}
            Ok(tally) => {
                recorded = true;
                say(&format!("recording: {}: {tally}", file.display()));
            }
            Err(error) => say(&format!("{} {error}", file.display())),
        }
    }
    if !recorded {
        say(
            "nothing was recorded: the command started no host, or that of a service, or one that \
             could not write there (its log says so)",
        );
    }
    Ok(match code {
        0 if !recorded => ExitCode::from(1),
        code => ExitCode::from(code),
    })
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "cami-ipa: {line}");
}

/// Waits for COMMAND, and takes leave of what it has left behind and of what that left; how COMMAND
/// ended, as a shell tells it.
fn wait_for(command: u32) -> Result<u8, Errno> {
    let command = i32::try_from(command).map_or(Pid::from_raw(0), Pid::from_raw);
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == command => {
                return Ok(u8::try_from(code).unwrap_or(255));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                return Ok(u8::try_from(128 + signal as i32).unwrap_or(255));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether anything of COMMAND is still there.
fn anybody_left() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}

/// Where hosts may write: see `place.rs` of the monitor.
fn files(first: &Path) -> Vec<PathBuf> {
    let stem = first.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let end = first.extension().map(|end| format!(".{}", end.to_string_lossy()));
    let end = end.unwrap_or_default();
    let beside = (2..=BESIDE).map(|number| first.with_file_name(format!("{stem}-{number}{end}")));
    std::iter::once(first.to_owned()).chain(beside).collect()
}

/// What is there goes, if that was asked for and it is a recording.
fn make_room(file: &Path, force: bool) -> Result<(), Failure> {
    let found = match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::environment(format!("{}: {error}", file.display()))),
        Ok(found) => found,
    };
    if !found.is_file() {
        return Err(Failure::usage(format!("{} is there, and is no file", file.display())));
    }
    if found.len() == 0 {
        return Ok(());
    }
    let failed =
        |error: std::io::Error| Failure::environment(format!("{}: {error}", file.display()));
    let mut opened = File::open(file).map_err(failed)?;
    let mut start = [0; 4];
    let is_recording = opened.read_exact(&mut start).is_ok() && start == *b"CAMR";
    if !is_recording {
        return Err(Failure::usage(format!("{} is there, and is no recording", file.display())));
    }
    if !force {
        return Err(Failure::usage(format!(
            "{} is there: --force replaces it, --output names another",
            file.display()
        )));
    }
    // Held until it is gone. A host would go on writing to a file without a name.
    match opened.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Failure::usage(format!(
                "{} is being written: end that camera first, or name another with --output",
                file.display()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let (ours, named) = (opened.metadata().map_err(failed)?, fs::symlink_metadata(file));
    if !named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
        return Err(Failure::usage(format!("{} was just replaced", file.display())));
    }
    fs::remove_file(file).map_err(failed)
}

/// A host holds its file locked until it has written all. Its file may not be there yet when COMMAND
/// ends, and another host may follow: so all are waited for that COMMAND has left behind. What else that
/// leaves, a daemon of its own, is not, once nobody has written for a while.
fn wait_for_hosts(files: &[PathBuf]) {
    let deadline = Instant::now() + WRITING_PATIENCE;
    let mut quiet_since = Instant::now();
    loop {
        // In this order: a host that is gone has unlocked its file.
        let left = anybody_left();
        let busy = files.iter().find(|file| is_being_written(file));
        let now = Instant::now();
        match busy {
            Some(file) if now >= deadline => {
                say(&format!("{} is still being written", file.display()));
                return;
            }
            Some(_) => quiet_since = now,
            None if !left || now >= deadline || now.duration_since(quiet_since) >= QUIET => return,
            None => {}
        }
        std::thread::sleep(LOOK);
    }
}

fn is_being_written(file: &Path) -> bool {
    let opened = File::open(file);
    opened.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recordings_are_replaced_and_only_when_asked() {
        let room = tempfile::tempdir().unwrap();
        let file = room.path().join("x.camr");
        assert!(make_room(&file, false).is_ok());
        fs::write(&file, "").unwrap();
        assert!(make_room(&file, false).is_ok());
        fs::write(&file, "a letter").unwrap();
        assert!(make_room(&file, true).is_err() && file.exists());
        fs::write(&file, "CAMR and more").unwrap();
        assert!(make_room(&file, false).is_err() && file.exists());
        assert!(make_room(&file, true).is_ok() && !file.exists());
        assert!(make_room(room.path(), true).is_err());
    }

    #[test]
    fn a_recording_that_is_being_written_is_not_replaced() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        fs::write(&path, "CAMR and more").unwrap();
        let host = File::open(&path).unwrap();
        host.lock().unwrap();
        let refused = make_room(&path, true).unwrap_err().to_string();
        assert!(refused.contains("is being written") && path.exists(), "{refused}");
        drop(host);
        assert!(make_room(&path, true).is_ok() && !path.exists());
    }

    #[test]
    fn names_are_those_of_the_monitor() {
        let files = files(Path::new("/a/x.y.camr"));
        assert_eq!(files.first().unwrap(), Path::new("/a/x.y.camr"));
        assert_eq!(files.get(1).unwrap(), Path::new("/a/x.y-2.camr"));
        assert_eq!(super::files(Path::new("/a/x")).get(8).unwrap(), Path::new("/a/x-9"));
    }
}
