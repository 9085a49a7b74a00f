//! Folders of hosts, friendly and hostile.
#![allow(clippy::unwrap_used, reason = "a failure here is the test's failure")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::process::Command;

use cami_record::{Death, Kind, MAX_FILE_BYTES, Status, keep_newest, name, read, write};

fn death(time_unix_ms: u64) -> Death {
    Death { time_unix_ms, cause: "why".to_owned(), ..Death::default() }
}

#[test]
fn names_sort_by_time_and_say_it() {
    assert_eq!(name(Kind::Status, 5, 77), "77.json");
    assert_eq!(name(Kind::Death, 1_764_110_277_123, 77), "death-20251125T223757.123Z-77.json");
    assert!(name(Kind::Crash, 1_764_110_277_123, 77) < name(Kind::Crash, 1_764_110_277_124, 8));
}

#[test]
fn written_files_are_read_newest_first_and_the_oldest_go() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("made");
    for time in [3, 1, 2, 5, 4] {
        write(&folder, Kind::Death, &name(Kind::Death, time, 7), &death(time)).unwrap();
    }
    write(&folder, Kind::Status, "7.json", &Status::default()).unwrap();
    keep_newest(&folder, Kind::Death, 3);
    let read = read::<Death>(&folder, Kind::Death, 2).unwrap();
    let times: Vec<u64> =
        read.found.iter().map(|found| found.content.as_ref().unwrap().time_unix_ms).collect();
    assert_eq!(times, [5, 4]);
    assert!(read.more);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
    write(&folder, Kind::Crash, "crash-1.json", &death(1)).unwrap();
    for (name, expected) in [("7.json", 0o644), ("crash-1.json", 0o600)] {
        // What the umask leaves of it.
        let like = room.path().join(format!("like-{name}"));
        OpenOptions::new().write(true).create_new(true).mode(expected).open(&like).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(folder.join(name)), mode(like), "{name}");
    }
}

#[test]
fn what_stands_where_a_file_is_to_be_is_replaced_and_not_followed() {
    let room = tempfile::tempdir().unwrap();
    let precious = room.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    let folder = room.path().join("status");
    fs::create_dir(&folder).unwrap();
    symlink(&precious, folder.join("7.json")).unwrap();
    symlink(&precious, folder.join(".7.json.new")).unwrap();
    write(&folder, Kind::Status, "7.json", &Status::default()).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    assert!(folder.join("7.json").symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn hostile_files_are_named_and_do_no_harm() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path();
    fs::write(folder.join("1.json"), "{").unwrap();
    fs::write(folder.join("2.json"), "[".repeat(100_000)).unwrap();
    fs::write(folder.join("3.json"), r#"{"requests": -1}"#).unwrap();
    fs::File::create(folder.join("4.json")).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    symlink("/dev/zero", folder.join("5.json")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("6.json")).status().unwrap().success());
    fs::create_dir(folder.join("7.json")).unwrap();
    fs::write(folder.join("8.json"), r#"{"requests": 8, "of_tomorrow": true}"#).unwrap();
    fs::write(folder.join("notes.txt"), "").unwrap();
    let read = read::<Status>(folder, Kind::Status, 100).unwrap();
    assert_eq!(read.found.len(), 8);
    let good: Vec<u64> =
        read.found.iter().filter_map(|found| Some(found.content.as_ref().ok()?.requests)).collect();
    assert_eq!(good, [8]);
}

#[test]
fn value_that_is_too_large_is_not_written() {
    let room = tempfile::tempdir().unwrap();
    let huge = Death { cause: "x".repeat(1 << 20), ..Death::default() };
    write(room.path(), Kind::Death, "death-x.json", &huge).unwrap_err();
    assert_eq!(fs::read_dir(room.path()).unwrap().count(), 0);
}
