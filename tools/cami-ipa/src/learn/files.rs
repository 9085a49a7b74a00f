//! Which files a system call names.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use system_call_trace::Call;

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Looked at: what it is, where a link leads.
    Look,
    /// Opened to be read.
    Read,
    /// Opened to be written, made, renamed or removed.
    Write,
    /// Executed.
    Execute,
}

impl Access {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
        }
    }
}

/// The files that a call names, with what it does to them. The thread stands still at its beginning.
pub fn named_files(name: &str, call: &Call) -> Vec<(PathBuf, Access)> {
    let [first, second, third, fourth, ..] = call.arguments;
    let from_here = |address| path(call.thread, None, address);
    let from = |folder, address| path(call.thread, Some(folder), address);
    let found = match name {
        "open" => vec![(from_here(first), opened(second))],
        "creat" => vec![(from_here(first), Access::Write)],
        "openat" => vec![(from(first, second), opened(third))],
        "openat2" => vec![(from(first, second), Access::Read)],
        "stat" | "lstat" | "access" | "readlink" | "statfs" | "chdir" => {
            vec![(from_here(first), Access::Look)]
        }
        "newfstatat" | "statx" | "faccessat" | "faccessat2" | "readlinkat"
        | "inotify_add_watch" => vec![(from(first, second), Access::Look)],
        "mkdir" | "rmdir" | "unlink" | "truncate" => vec![(from_here(first), Access::Write)],
        "mkdirat" | "unlinkat" => vec![(from(first, second), Access::Write)],
        "rename" => {
            vec![(from_here(first), Access::Write), (from_here(second), Access::Write)]
        }
        "renameat" | "renameat2" => {
            vec![(from(first, second), Access::Write), (from(third, fourth), Access::Write)]
        }
        "execve" => vec![(from_here(first), Access::Execute)],
        "execveat" => vec![(from(first, second), Access::Execute)],
        _ => vec![],
    };
    found.into_iter().filter_map(|(path, access)| Some((path?, access))).collect()
}

fn opened(flags: u64) -> Access {
    // O_WRONLY, O_RDWR, O_CREAT and O_TRUNC are the same on both architectures
    // (linux include/uapi/asm-generic/fcntl.h).
    const WRITES: u64 = 0o3 | 0o100 | 0o1000;
    if flags & WRITES == 0 { Access::Read } else { Access::Write }
}

/// The file that a thread's descriptor is.
pub fn open_file(thread: i32, fd: u64) -> Option<PathBuf> {
    // A descriptor is an int, whatever stands above it.
    let fd = u32::try_from(fd & u64::from(u32::MAX)).ok()?.cast_signed();
    std::fs::read_link(format!("/proc/{thread}/fd/{fd}")).ok()
}

/// The path at an address of a thread's memory, absolute.
fn path(thread: i32, folder: Option<u64>, address: u64) -> Option<PathBuf> {
    let text = text(thread, address)?;
    // A descriptor alone, as in fstat by newfstatat.
    if text.is_empty() {
        return None;
    }
    let path = Path::new(OsStr::from_bytes(&text));
    if path.is_absolute() {
        return Some(path.to_path_buf());
    }
    // AT_FDCWD is no descriptor that is open.
    let base = folder
        .and_then(|folder| open_file(thread, folder))
        .or_else(|| std::fs::read_link(format!("/proc/{thread}/cwd")).ok())?;
    Some(base.join(path))
}

/// A text that ends with a zero, of at most PATH_MAX bytes.
fn text(thread: i32, address: u64) -> Option<Vec<u8>> {
    const PATH_MAX: usize = 4096;
    /// A text may end on the last page that is mapped.
    const PAGE: u64 = 4096;
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut found = Vec::new();
    let mut at = address;
    while found.len() < PATH_MAX {
        let mut bytes = vec![0; usize::try_from(PAGE - at % PAGE).ok()?];
        let read = memory.read_at(&mut bytes, at).ok().filter(|read| *read > 0)?;
        let bytes = bytes.get(..read)?;
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            found.extend_from_slice(bytes.get(..end)?);
            return Some(found);
        }
        found.extend_from_slice(bytes);
        at = at.checked_add(u64::try_from(read).ok()?)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: [u64; 6]) -> Call {
        let thread = i32::try_from(std::process::id()).unwrap();
        Call { thread, audit_arch: 0, number: 0, arguments }
    }

    #[test]
    fn paths_are_read_from_memory_and_made_absolute() {
        let absolute = c"/etc/x";
        let relative = c"x";
        let at = |text: &std::ffi::CStr| u64::try_from(text.as_ptr().addr()).unwrap();
        let folder = File::open("/etc").unwrap();
        let fd = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&folder)).unwrap();
        let cwd = u64::from((-100_i32).cast_unsigned());
        for (name, arguments, expected, access) in [
            ("openat", [cwd, at(absolute), 0, 0, 0, 0], "/etc/x".into(), Access::Read),
            ("openat", [fd, at(relative), 0o1101, 0, 0, 0], "/etc/x".into(), Access::Write),
            ("unlinkat", [fd, at(relative), 0, 0, 0, 0], "/etc/x".into(), Access::Write),
            (
                "newfstatat",
                [cwd, at(relative), 0, 0, 0, 0],
                std::env::current_dir().unwrap().join("x"),
                Access::Look,
            ),
        ] {
            assert_eq!(named_files(name, &call(arguments)), [(expected, access)]);
        }
        assert!(named_files("newfstatat", &call([fd, at(c""), 0, 0, 0, 0])).is_empty());
        assert!(named_files("openat", &call([cwd, 8, 0, 0, 0, 0])).is_empty());
    }
}
