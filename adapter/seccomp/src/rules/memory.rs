//! Memory: the allocator's, the loader's and the buffers' mappings.
//!
//! Nothing is writable and executable at once, from before the library is opened (W^X). While it
//! loads, memory may be written first and made executable then, as a loader does; once it runs,
//! nothing becomes executable any more. What needs the first is refused from the start, as by
//! ChromeOS: libraries that ask for an executable stack, or with relocations in their text.

use nix::errno::Errno;

use super::{BUFFERS, CHROMEOS, GLIBC, HARMLESS, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::Memory);

const WRITE: Named = Named("PROT_WRITE", 0x2);
const EXEC: Named = Named("PROT_EXEC", 0x4);

/// Limits of a `prot` argument. EACCES is what `mmap` and `mprotect` give for access that may not
/// be had, SELinux's `execmem` among the reasons.
const PROTECTION: &[Limit] = &[
    Limit {
        argument: 2,
        name: "prot",
        width: Width::Int,
        test: Test::NotBoth(WRITE, EXEC),
        otherwise: Answer::Errno(Errno::EACCES),
        since: Since::Loading,
        reason: "who can write a library's memory must not be able to run what was written",
    },
    Limit {
        argument: 2,
        name: "prot",
        width: Width::Int,
        test: Test::NoBits(&[EXEC]),
        otherwise: Answer::Errno(Errno::EACCES),
        since: Since::Running,
        reason: "all code is there when initialize has returned, libgcc_s among it",
    },
];

const ADVICE: &[Limit] = &[int(
    2,
    "advice",
    Test::NoneOf(&[
        Named("MADV_REMOVE", 9),
        Named("MADV_HWPOISON", 100),
        Named("MADV_SOFT_OFFLINE", 101),
    ]),
    Errno::EPERM,
    "a hole in a buffer is SIGBUS for the HAL where its tmpfs is full, a poisoned page anywhere",
)];

pub(super) const RULES: &[Rule] = &[
    OF.allow("brk", "malloc grows its first heap with it", CHROMEOS),
    OF.limited("mmap", PROTECTION, "the loader, malloc, thread stacks, buffers", CHROMEOS),
    OF.limited("mprotect", PROTECTION, "the loader, malloc's heaps, stack guards", CHROMEOS),
    OF.limited("pkey_mprotect", PROTECTION, "mprotect with a key, or without one", HARMLESS),
    OF.allow("pkey_alloc", "a protection key of the process's own", HARMLESS),
    OF.allow("pkey_free", "a protection key of the process's own", HARMLESS),
    OF.allow("munmap", "gives memory back", CHROMEOS),
    OF.allow("mremap", "realloc of large blocks", GLIBC),
    OF.limited("madvise", ADVICE, "malloc and thread stacks give pages back", CHROMEOS),
    OF.allow("mseal", "the loader makes its mappings final", CHROMEOS),
    OF.allow("msync", "writes a mapped file; unwinders test addresses with it", HARMLESS),
    OF.allow("mincore", "unwinders test addresses with it", HARMLESS),
    OF.allow("mlock", "keeps working memory in place, within RLIMIT_MEMLOCK", HARMLESS),
    OF.allow("mlock2", "keeps working memory in place, within RLIMIT_MEMLOCK", HARMLESS),
    OF.allow("mlockall", "keeps working memory in place, within RLIMIT_MEMLOCK", HARMLESS),
    OF.allow("munlock", "lets working memory go", HARMLESS),
    OF.allow("munlockall", "lets working memory go", HARMLESS),
    OF.allow("map_shadow_stack", "a stack of return addresses that nothing can write", HARMLESS),
    OF.refuse(
        "shmat",
        Errno::ENOSYS,
        "System V segments outlive the process, and SHM_EXEC is memory to write and execute",
        CHROMEOS,
    ),
    OF.refuse("shmget", Errno::ENOSYS, "see shmat", CHROMEOS),
    OF.refuse("shmctl", Errno::ENOSYS, "see shmat", CHROMEOS),
    OF.refuse("shmdt", Errno::ENOSYS, "see shmat", CHROMEOS),
    OF.refuse(
        "process_madvise",
        Errno::ENOSYS,
        "its advice is madvise's, and its target may be another process",
        BUFFERS,
    ),
];
