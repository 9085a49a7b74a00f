//! What was learnt, for people and as data.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cami_seccomp::{Arch, rule_for, system_call_name};
use nix::errno::Errno;
use serde::Serialize;
use system_call_trace::End;

use super::files::Access;
use super::observe::{CallKey, Learnt};

/// Everything, with stable names.
#[derive(Debug, Serialize)]
pub struct Data {
    library: PathBuf,
    arch: &'static str,
    ending: String,
    initialized: bool,
    system_calls: Vec<CallRow>,
    foreign_abi_calls: u64,
    ioctls: Vec<IoctlRow>,
    files: Vec<FileRow>,
    configuration: Configuration,
}

#[derive(Debug, Serialize)]
struct CallRow {
    name: String,
    number: i64,
    /// `loading` or `running`.
    phase: &'static str,
    count: u64,
    /// `allow`, an errno's name, or `SIGSYS`.
    answer: String,
    /// Why it is not let through; empty where it is.
    reason: &'static str,
    first_arguments: [String; 6],
}

#[derive(Debug, Serialize)]
struct IoctlRow {
    number: String,
    file: PathBuf,
    succeeded: u64,
    failed: u64,
}

#[derive(Debug, Serialize)]
struct FileRow {
    path: PathBuf,
    access: &'static str,
    succeeded: u64,
    failed: u64,
}

/// The keys of `/etc/cami-ipa.toml` that the library needs.
#[derive(Debug, Serialize)]
struct Configuration {
    sandbox_read: BTreeSet<PathBuf>,
    sandbox_write: BTreeSet<PathBuf>,
    sandbox_ioctl: BTreeSet<u32>,
}

/// How the process ended, in words.
pub fn ending(end: End) -> String {
    match end {
        End::Exited(code) => format!("exited with code {code}"),
        End::Signaled(libc_number) => {
            let name = nix::sys::signal::Signal::try_from(libc_number);
            format!(
                "ended by {}",
                name.map_or_else(|_| format!("signal {libc_number}"), |name| name.to_string())
            )
        }
        End::Broken => "initialised and deinitialised".to_owned(),
    }
}

/// As data.
pub fn data(library: &Path, learnt: &Learnt, end: End) -> Data {
    let system_calls = learnt.calls.iter().map(|(key, found)| {
        let name = system_call_name(Arch::current(), key.number);
        CallRow {
            name: name.map_or_else(|| format!("call {}", key.number), str::to_owned),
            number: key.number,
            phase: if key.running { "running" } else { "loading" },
            count: found.count,
            answer: answer(key),
            reason: reason(key),
            first_arguments: found.arguments.map(|argument| format!("{argument:#x}")),
        }
    });
    let ioctls = learnt.ioctls.iter().map(|((number, file), found)| IoctlRow {
        number: format!("{number:#x}"),
        file: file.clone(),
        succeeded: found.succeeded,
        failed: found.failed,
    });
    let files = learnt.files.iter().map(|((path, access), found)| FileRow {
        path: path.clone(),
        access: access.name(),
        succeeded: found.succeeded,
        failed: found.failed,
    });
    Data {
        library: library.to_path_buf(),
        arch: Arch::current().name(),
        ending: ending(end),
        initialized: learnt.initialized,
        system_calls: system_calls.collect(),
        foreign_abi_calls: learnt.foreign,
        ioctls: ioctls.collect(),
        files: files.collect(),
        configuration: configuration(learnt),
    }
}

fn answer(key: &CallKey) -> String {
    match key.answer {
        0 => "allow".to_owned(),
        errno if errno > 0 => format!("{:?}", Errno::from_raw(errno)),
        _ => "SIGSYS".to_owned(),
    }
}

fn reason(key: &CallKey) -> &'static str {
    if key.answer == 0 {
        return "";
    }
    let rule = system_call_name(Arch::current(), key.number).and_then(rule_for);
    let Some(rule) = rule else {
        return "no rule names it; callers know that a kernel may lack it";
    };
    // The limit that was met is one of those with this answer.
    let limit = rule.limits.iter().find(|limit| match limit.otherwise {
        cami_seccomp::Answer::Errno(errno) => errno as i32 == key.answer,
        cami_seccomp::Answer::Kill => key.answer < 0,
    });
    limit.map_or(rule.reason, |limit| limit.reason)
}

fn configuration(learnt: &Learnt) -> Configuration {
    let used = |wanted: Access| {
        learnt
            .files
            .iter()
            .filter(move |((_, access), found)| *access == wanted && found.succeeded > 0)
            .map(|((path, _), _)| path)
            .filter(|path| !always_there(path))
    };
    let sandbox_read = used(Access::Read)
        .filter(|path| !learnt.executables.contains(*path))
        .filter(|path| !is_mapped_elsewhere(path, learnt))
        .map(|path| real(path))
        .collect();
    let sandbox_write = used(Access::Write).filter_map(|path| path.parent()).map(real).collect();
    let refused = learnt.calls.keys().any(|key| key.answer == Errno::ENOTTY as i32);
    let sandbox_ioctl = learnt
        .ioctls
        .iter()
        .filter(|(_, found)| refused && found.succeeded > 0)
        .map(|((number, _), _)| *number)
        .filter(|number| !is_allowed_ioctl(*number))
        .collect();
    Configuration { sandbox_read, sandbox_write, sandbox_ioctl }
}

/// The path without links, which is what a sandbox knows a file by.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// A library by another of its names: the loader opens links, and maps what they lead to.
fn is_mapped_elsewhere(path: &Path, learnt: &Learnt) -> bool {
    learnt.executables.contains(&real(path))
}

fn is_allowed_ioctl(number: u32) -> bool {
    let arch = Arch::current();
    let options = cami_seccomp::Options::default();
    let call = cami_seccomp::system_call_number(arch, "ioctl").unwrap_or(-1);
    let arguments = [0, u64::from(number), 0, 0, 0, 0];
    cami_seccomp::decide(arch, cami_seccomp::Phase::Loading, &options, call, arguments)
        == cami_seccomp::Verdict::Allow
}

/// What the sandbox has for every library: the process's own folder, the loader's files, devices
/// without content.
fn always_there(path: &Path) -> bool {
    const FILES: [&str; 8] = [
        "/etc/ld.so.cache",
        "/etc/ld.so.preload",
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/etc/localtime",
    ];
    path.starts_with("/proc")
        || path.starts_with("/sys/devices/system/cpu")
        || FILES.iter().any(|file| path == Path::new(file))
}

/// For people.
pub fn text(library: &Path, learnt: &Learnt, end: End) -> String {
    let data = data(library, learnt, end);
    let mut text = format!("{}\n{}, {}\n", library.display(), data.arch, data.ending);
    for (phase, title) in [
        ("loading", "System calls until initialize returned"),
        ("running", "System calls from then on"),
    ] {
        let rows: Vec<&CallRow> =
            data.system_calls.iter().filter(|row| row.phase == phase).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for row in rows {
            let refused = if row.answer == "allow" {
                String::new()
            } else {
                format!("refused: {}, as {}", row.answer, row.reason)
            };
            let line = format!("  {:>7}  {:18}  {refused}", row.count, row.name);
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    if data.foreign_abi_calls > 0 {
        let _ = writeln!(text, "\n{} calls of another ABI: SIGSYS", data.foreign_abi_calls);
    }
    if !data.ioctls.is_empty() {
        text.push_str("\nioctls\n");
        for row in &data.ioctls {
            let count = row.succeeded + row.failed;
            let failed = failures(row.failed);
            let _ =
                writeln!(text, "  {count:>7}  {} on {}{failed}", row.number, row.file.display());
        }
    }
    if !data.files.is_empty() {
        text.push_str("\nFiles\n");
        for row in &data.files {
            let count = row.succeeded + row.failed;
            let failed = failures(row.failed);
            let _ = writeln!(text, "  {count:>7}  {:8}{}{failed}", row.access, row.path.display());
        }
    }
    text.push_str("\nFor /etc/cami-ipa.toml, besides the library and what it links to\n");
    text.push_str(&data.configuration.lines());
    text
}

fn failures(failed: u64) -> String {
    if failed == 0 { String::new() } else { format!(" ({failed} failed)") }
}

impl Configuration {
    /// As lines of TOML. Text is quoted as JSON quotes it, which TOML reads.
    fn lines(&self) -> String {
        let list = |values: Vec<String>| format!("[{}]", values.join(", "));
        let paths = |paths: &BTreeSet<PathBuf>| {
            list(paths.iter().map(|path| quoted(&path.to_string_lossy())).collect())
        };
        let numbers = list(self.sandbox_ioctl.iter().map(|n| format!("{n:#x}")).collect());
        let mut text = String::from("  [sandbox]\n");
        for (key, value, empty) in [
            ("read", paths(&self.sandbox_read), self.sandbox_read.is_empty()),
            ("write", paths(&self.sandbox_write), self.sandbox_write.is_empty()),
            ("ioctl", numbers, self.sandbox_ioctl.is_empty()),
        ] {
            if !empty {
                let _ = writeln!(text, "  {key} = {value}");
            }
        }
        if text.lines().count() == 1 {
            return "  nothing\n".to_owned();
        }
        text
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
