//! Running a command whose hosts record.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use cami_recording::Recording;
use nix::sys::signal::{SigSet, Signal};

use super::RunOptions;
use super::tally::Tally;
use crate::failure::Failure;

/// How long the hosts may take to write what they have, once the command has ended.
const WRITING_PATIENCE: Duration = Duration::from_secs(10);
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
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => {
            say(&format!("{}: {error}", program.to_string_lossy()));
            let found = error.kind() != ErrorKind::NotFound;
            return Ok(ExitCode::from(if found { 126 } else { 127 }));
        }
    };
    let mut recorded = false;
    for file in files.iter().filter(|file| file.exists()) {
        wait_for_hosts(file);
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
    Ok(match code(status) {
        0 if !recorded => ExitCode::from(1),
        code => ExitCode::from(code),
    })
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "cami-ipa: {line}");
}

/// As a shell tells it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(255);
    u8::try_from(code).unwrap_or(255)
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
    let mut start = [0; 4];
    let is_recording = File::open(file)
        .is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *b"CAMR");
    match (force, is_recording) {
        (true, true) => fs::remove_file(file)
            .map_err(|error| Failure::environment(format!("{}: {error}", file.display()))),
        (false, true) => Err(Failure::usage(format!(
            "{} is there: --force replaces it, --output names another",
            file.display()
        ))),
        (_, false) => {
            Err(Failure::usage(format!("{} is there, and is no recording", file.display())))
        }
    }
}

/// A host holds its file locked until it has written all.
fn wait_for_hosts(file: &Path) {
    let deadline = Instant::now() + WRITING_PATIENCE;
    let Ok(opened) = File::open(file) else { return };
    while matches!(opened.try_lock_shared(), Err(fs::TryLockError::WouldBlock)) {
        if Instant::now() >= deadline {
            say(&format!("{} is still being written", file.display()));
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
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
    fn names_are_those_of_the_monitor() {
        let files = files(Path::new("/a/x.y.camr"));
        assert_eq!(files.first().unwrap(), Path::new("/a/x.y.camr"));
        assert_eq!(files.get(1).unwrap(), Path::new("/a/x.y-2.camr"));
        assert_eq!(super::files(Path::new("/a/x")).get(8).unwrap(), Path::new("/a/x-9"));
    }
}
