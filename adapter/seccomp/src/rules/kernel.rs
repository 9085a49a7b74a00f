//! The kernel's own programs, keys, modules and rings.

use nix::errno::Errno;

use super::{BUFFERS, MAINTENANCE, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::Kernel);

/// ENOSYS and not the end: runtimes try io_uring and fall back, and kernels are built without it.
const RING: &str = "it opens, writes and connects without a system call that a filter could see; \
                    runtimes that try it fall back";

pub(super) const RULES: &[Rule] = &[
    OF.kill("bpf", "programs in the kernel are no library's to bring", MAINTENANCE),
    OF.kill("perf_event_open", "it measures other processes, and is often attacked", MAINTENANCE),
    OF.kill("userfaultfd", "attacks on the kernel stop it at a page fault with it", MAINTENANCE),
    OF.kill("keyctl", "the keys of the user are not the library's", MAINTENANCE),
    OF.kill("add_key", "the keys of the user are not the library's", MAINTENANCE),
    OF.kill("request_key", "it starts a program outside the sandbox", MAINTENANCE),
    OF.kill("kexec_load", "it replaces the kernel", MAINTENANCE),
    OF.kill("kexec_file_load", "it replaces the kernel", MAINTENANCE),
    OF.kill("init_module", "it extends the kernel", MAINTENANCE),
    OF.kill("finit_module", "it extends the kernel", MAINTENANCE),
    OF.kill("delete_module", "it takes from the kernel", MAINTENANCE),
    OF.kill("iopl", "ports of the machine", MAINTENANCE),
    OF.kill("ioperm", "ports of the machine", MAINTENANCE),
    OF.refuse("io_uring_setup", Errno::ENOSYS, RING, BUFFERS),
    OF.refuse("io_uring_enter", Errno::ENOSYS, RING, BUFFERS),
    OF.refuse("io_uring_register", Errno::ENOSYS, RING, BUFFERS),
];
