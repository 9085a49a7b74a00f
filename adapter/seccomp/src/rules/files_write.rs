//! Writing: logs, cache files where Landlock allows them, memory to share.
//!
//! Nothing that shrinks a file or makes holes in it, as a filter cannot tell a cache file from the
//! HAL's buffer. A memfd grows by writing to it or by `fallocate`; `ftruncate` to grow cannot be
//! told from `ftruncate` to shrink. ChromeOS's amd64 policy has no `ftruncate` either.

use nix::errno::Errno;

use super::files_read::TRUNCATES;
use super::{BUFFERS, CHROMEOS, HARMLESS, OURS, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::FilesWrite);

const GROW_ONLY: &[Limit] = &[int(
    1,
    "mode",
    Test::OneOf(&[Named("0", 0), Named("FALLOC_FL_KEEP_SIZE", 1)]),
    Errno::EPERM,
    "a collapsed range shrinks a buffer, and a hole in it is SIGBUS where its tmpfs is full",
)];

const CREAT: &[Limit] = &[Limit {
    argument: 0,
    name: "path",
    width: Width::Long,
    test: Test::Never,
    otherwise: Answer::Errno(Errno::EPERM),
    since: Since::LoadingUnlessMayTruncate,
    reason: TRUNCATES,
}];

pub(super) const RULES: &[Rule] = &[
    OF.allow("write", "logs, and our log's pipe", OURS),
    OF.allow("writev", "logs; abort's message", CHROMEOS),
    OF.allow("pwrite64", "writes", HARMLESS),
    OF.allow("pwritev", "writes", HARMLESS),
    OF.allow("pwritev2", "writes", HARMLESS),
    OF.allow("fsync", "a cache file is on its disk", HARMLESS),
    OF.allow("fdatasync", "a cache file is on its disk", HARMLESS),
    OF.limited("fallocate", GROW_ONLY, "gives a new memfd its size", HARMLESS),
    OF.allow("memfd_create", "memory for update", CHROMEOS),
    OF.limited("creat", CREAT, "open with O_CREAT and O_TRUNC", CHROMEOS),
    OF.allow("mkdir", "a cache folder's folders", CHROMEOS),
    OF.allow("mkdirat", "a cache folder's folders", CHROMEOS),
    OF.allow("rmdir", "a cache folder's folders", HARMLESS),
    OF.allow("unlink", "old cache files", CHROMEOS),
    OF.allow("unlinkat", "old cache files", CHROMEOS),
    OF.allow("rename", "a cache file appears whole", HARMLESS),
    OF.allow("renameat", "a cache file appears whole", HARMLESS),
    OF.allow("renameat2", "a cache file appears whole", HARMLESS),
    OF.refuse("ftruncate", Errno::EPERM, "whoever shrinks a buffer ends the HAL", BUFFERS),
    OF.refuse("truncate", Errno::EPERM, TRUNCATES, BUFFERS),
];
