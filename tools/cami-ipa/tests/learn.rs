//! `cami-ipa learn`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use support::{cami_ipa, code, output, stderr};

/// A vendor library whose `initialize` does `body`.
fn library(folder: &Path, body: &str) -> PathBuf {
    let source = folder.join("vendor.c");
    let text = format!(
        "#define _GNU_SOURCE\n\
         #include <fcntl.h>\n#include <pthread.h>\n#include <stdlib.h>\n#include <sys/ioctl.h>\n\
         #include <sys/mman.h>\n#include <sys/stat.h>\n#include <sys/socket.h>\n\
         #include <sys/syscall.h>\n#include <unistd.h>\n\
         static void *thread(void *c) {{ (void)c; mkdir(\"{folder}/cache/made\", 0700); return 0; }}\n\
         static int init(const void *c) {{ (void)c; (void)thread; {body}; return 0; }}\n\
         static int none(int fd) {{ close(fd); return 1; }}\n\
         static void request(unsigned i, const void *h, unsigned n, int b)\n\
         {{ (void)i; (void)h; (void)n; (void)b; }}\n\
         static void deregister(const int *b, unsigned n) {{ (void)b; (void)n; }}\n\
         void *CAMI[4] = {{(void *)init, (void *)none, (void *)request, (void *)deregister}};\n",
        folder = folder.display()
    );
    std::fs::write(&source, text).unwrap();
    let file = folder.join("libvendor.so");
    let status = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-pthread", "-o"])
        .args([&file, &source])
        .status()
        .unwrap();
    assert!(status.success());
    file
}

/// The report of a library, and how the command ended; `None` where ptrace is not allowed.
fn learn(library: &Path, more: &[&str]) -> Option<(Output, Value)> {
    let json = library.with_extension("json");
    let mut command = cami_ipa(&["learn"]);
    let output = output(command.arg(library).arg("--json").arg(&json).args(more));
    if stderr(&output).contains("cannot be traced") {
        println!("SKIPPED: {}", stderr(&output));
        return None;
    }
    let data = std::fs::read_to_string(&json)
        .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    Some((output, data))
}

fn answer<'a>(data: &'a Value, name: &str) -> Vec<&'a str> {
    let calls = data["system_calls"].as_array().unwrap().iter();
    calls.filter(|row| row["name"] == name).map(|row| row["answer"].as_str().unwrap()).collect()
}

#[test]
fn everything_that_the_reference_library_uses_is_let_through_or_falls_back() {
    for more in [&[][..], &["--drive", "--", "--frames", "5"]] {
        let folder = tempfile::tempdir().unwrap();
        // The report is written beside the library.
        let library = folder.path().join("libreference.so");
        std::fs::copy(support::reference(), &library).unwrap();
        let Some((output, data)) = learn(&library, more) else { return };
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(data["initialized"], true);
        for row in data["system_calls"].as_array().unwrap() {
            assert!(row["answer"] == "allow" || row["name"] == "clone3", "{row}");
        }
        assert!(data["configuration"]["sandbox_read"].as_array().unwrap().is_empty(), "{data}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("System calls from then on"), "{text}");
    }
}

#[test]
fn files_devices_and_refusals_are_listed_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    std::fs::write(folder.path().join("tuning.bin"), "tuning").unwrap();
    std::fs::create_dir(folder.path().join("cache")).unwrap();
    let body = format!(
        "char byte; int fd = open(\"{at}/tuning.bin\", O_RDONLY); if (read(fd, &byte, 1) != 1) return -1;\
         int n = 0; ioctl(fd, FIONREAD, &n); ioctl(fd, FIGETBSZ, &n); close(fd);\
         fd = open(\"{at}/cache/state\", O_WRONLY | O_CREAT | O_TRUNC, 0600); close(fd);\
         open(\"{at}/missing.bin\", O_RDONLY); close(socket(AF_INET, SOCK_DGRAM, 0));\
         pthread_t t; pthread_create(&t, 0, thread, 0); pthread_join(t, 0)"
    )
    .replace("FIGETBSZ", "_IO(0x00, 2)");
    let library = library(folder.path(), &body);
    let Some((output, data)) = learn(&library, &[]) else { return };
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(answer(&data, "openat"), ["allow", "EPERM"], "one with O_TRUNC");
    assert_eq!(answer(&data, "socket"), ["EAFNOSUPPORT"]);
    let ours = |key: &str| {
        let all = data["configuration"][key].as_array().unwrap().iter();
        all.map(|path| path.as_str().unwrap().to_owned())
            .filter(|path| path.starts_with(&at.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ours("sandbox_read"), [format!("{at}/tuning.bin")]);
    // A thread of the library is the library's.
    assert_eq!(ours("sandbox_write"), [format!("{at}/cache")]);
    assert_eq!(data["configuration"]["sandbox_ioctl"], serde_json::json!([2]), "FIGETBSZ");
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        format!("  read = [\"{at}/tuning.bin\"]"),
        "  ioctl = [0x2]".to_owned(),
        format!("read    {at}/missing.bin (1 failed)"),
        "refused: EAFNOSUPPORT, as no 3A library needs a network".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
    let Some((_, data)) = learn(&library, &["--ioctl", "2"]) else { return };
    assert_eq!(answer(&data, "ioctl"), ["allow"]);
}

#[test]
fn a_library_that_its_sandbox_would_end_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path(), "if (system(\"true\")) return -1");
    let Some((output, data)) = learn(&library, &[]) else { return };
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("would have ended"), "{}", stderr(&output));
    assert_eq!(answer(&data, "execve"), ["SIGSYS"]);
}

#[test]
fn libraries_that_fail_hang_or_crash_are_1_and_say_so() {
    for (body, limit_s, expected) in [
        ("return -19", "60", "initialize returned -19"),
        ("pause()", "2", "did not return within 2 s: ended by SIGKILL"),
        ("abort()", "60", "ended by SIGABRT"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path(), body);
        let Some((output, data)) = learn(&library, &["--timeout", limit_s]) else { return };
        assert_eq!(code(&output), 1, "{body}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{body}: {}", stderr(&output));
        assert!(!data["system_calls"].as_array().unwrap().is_empty(), "what was seen is told");
    }
}

#[test]
fn wrong_usage_is_2() {
    let reference = support::reference();
    let reference = reference.to_str().unwrap();
    for (arguments, expected) in [
        (&[][..], "which library"),
        (&["/nowhere/libx.so"], "/nowhere/libx.so"),
        (&["/etc/passwd"], "could not be loaded"),
        (&[reference, "--", "--frames", "3"], "--drive"),
        (&[reference, "--timeout", "0"], "--timeout"),
        (&[reference, "--ioctl", "0x5412"], "TIOCSTI"),
        (&[reference, "again"], "again"),
    ] {
        let output = output(cami_ipa(&["learn"]).args(arguments));
        let text = stderr(&output);
        if text.contains("cannot be traced") {
            println!("SKIPPED: {text}");
            continue;
        }
        assert_eq!(code(&output), 2, "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}
