//! Opening and reading files, and what is done with descriptors.
//!
//! Which files is for Landlock and the mount namespace.

use nix::errno::Errno;

use super::{BUFFERS, CHROMEOS, GLIBC, HARMLESS, MAINTENANCE, OURS, Of, RUST, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::FilesRead);

pub(super) const TRUNCATES: &str = "/proc/self/fd/N names the HAL's buffers: whoever shrinks one \
                                    ends the HAL with SIGBUS";

const fn no_truncation(argument: u8) -> Limit {
    Limit {
        argument,
        name: "flags",
        width: Width::Int,
        test: Test::NoBits(&[Named("O_TRUNC", 0x200)]),
        otherwise: Answer::Errno(Errno::EPERM),
        since: Since::LoadingUnlessMayTruncate,
        reason: TRUNCATES,
    }
}

const OPEN: &[Limit] = &[no_truncation(1)];
const OPENAT: &[Limit] = &[no_truncation(2)];

const FCNTL: &[Limit] = &[int(
    1,
    "op",
    Test::OneOf(&[
        Named("F_DUPFD", 0),
        Named("F_GETFD", 1),
        Named("F_SETFD", 2),
        Named("F_GETFL", 3),
        Named("F_SETFL", 4),
        Named("F_GETLK", 5),
        Named("F_SETLK", 6),
        Named("F_SETLKW", 7),
        Named("F_OFD_GETLK", 36),
        Named("F_OFD_SETLK", 37),
        Named("F_OFD_SETLKW", 38),
        Named("F_DUPFD_QUERY", 1027),
        Named("F_DUPFD_CLOEXEC", 1030),
        Named("F_SETPIPE_SZ", 1031),
        Named("F_GETPIPE_SZ", 1032),
        Named("F_GET_SEALS", 1034),
    ]),
    Errno::EPERM,
    "F_ADD_SEALS takes growing and writing from the HAL; F_SETOWN and F_SETSIG send signals to \
     anybody",
)];

pub(super) const RULES: &[Rule] = &[
    OF.limited("open", OPEN, "tuning files, libraries, /proc/self", CHROMEOS),
    OF.limited("openat", OPENAT, "tuning files, libraries, /proc/self", CHROMEOS),
    OF.refuse(
        "openat2",
        Errno::ENOSYS,
        "its flags lie in memory, where a filter cannot look; callers fall back to openat",
        BUFFERS,
    ),
    OF.kill(
        "open_by_handle_at",
        "with privileges it opens any file of a file system, and a buffer again",
        MAINTENANCE,
    ),
    OF.allow("close", "descriptors", CHROMEOS),
    OF.allow("close_range", "descriptors of the library's own children", GLIBC),
    OF.allow("dup", "descriptors", CHROMEOS),
    OF.allow("dup2", "descriptors", CHROMEOS),
    OF.allow("dup3", "descriptors", HARMLESS),
    OF.limited("fcntl", FCNTL, "descriptors; we put an update's back on its number", OURS),
    OF.allow("read", "reads", CHROMEOS),
    OF.allow("readv", "reads", HARMLESS),
    OF.allow("pread64", "the loader reads program headers with it", CHROMEOS),
    OF.allow("preadv", "reads", HARMLESS),
    OF.allow("preadv2", "reads", HARMLESS),
    OF.allow("lseek", "sizes of dma-bufs, positions of files", OURS),
    OF.allow("stat", "what a file is", CHROMEOS),
    OF.allow("lstat", "what a file is", CHROMEOS),
    OF.allow("fstat", "the size of a buffer", OURS),
    OF.allow("newfstatat", "what a file is; glibc's fstat", CHROMEOS),
    OF.allow("statx", "what a file is; Rust's metadata", RUST),
    OF.allow("statfs", "what a file system is", HARMLESS),
    OF.allow("fstatfs", "what a file system is", CHROMEOS),
    OF.allow("access", "whether a file may be read", CHROMEOS),
    OF.allow("faccessat", "whether a file may be read", CHROMEOS),
    OF.allow("faccessat2", "whether a file may be read", CHROMEOS),
    OF.allow("readlink", "where a link leads", CHROMEOS),
    OF.allow("readlinkat", "where a link leads", CHROMEOS),
    OF.allow("getdents", "what is in a folder", CHROMEOS),
    OF.allow("getdents64", "what is in a folder", CHROMEOS),
    OF.allow("getcwd", "the loader resolves relative paths", CHROMEOS),
    OF.allow("readahead", "reads early", HARMLESS),
    OF.allow("fadvise64", "how a file will be read", HARMLESS),
    OF.allow("flock", "locks of files", CHROMEOS),
];
