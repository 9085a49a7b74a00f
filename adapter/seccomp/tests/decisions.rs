//! The filters of both architectures decide as the description says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exit,
    reason = "a failure here is the test's failure"
)]

mod common;

use cami_seccomp::{
    Arch, Error, Options, Phase, Tier, Verdict, compile, decide, own_signals, rules,
    system_call_number,
};
use common::{bpf, options, samples, stack};
use nix::errno::Errno;
use proptest::prelude::*;

#[test]
fn filters_of_both_architectures_decide_as_the_rules_say() {
    for arch in Arch::ALL {
        for phase in Phase::ALL {
            for options in options() {
                let programs = stack(arch, phase, &options);
                for sample in samples::all(arch, phase, &options) {
                    let number = u32::try_from(sample.number).unwrap();
                    let found =
                        bpf::run(&programs, bpf::audit_arch(arch), number, sample.arguments);
                    assert_eq!(found, sample.expected, "{arch}, {phase:?}: {}", sample.name);
                    let decided = decide(arch, phase, &options, sample.number, sample.arguments);
                    assert_eq!(decided, sample.expected, "{arch}, {phase:?}: {}", sample.name);
                }
            }
        }
    }
}

/// What matters most, written down by hand: a mistake in the description is seen here.
#[test]
fn facts_that_no_change_of_the_description_may_change() {
    let errno = Verdict::Errno;
    let allow = Verdict::Allow;
    let facts: &[(&str, [u64; 3], Verdict, Verdict)] = &[
        ("recvmsg", [3, 1, 0], allow, allow),
        ("mmap", [0, 4096, 3], allow, allow),
        ("mmap", [0, 4096, 5], allow, errno(Errno::EACCES)),
        ("mmap", [0, 4096, 6], errno(Errno::EACCES), errno(Errno::EACCES)),
        ("mmap", [0, 4096, 7], errno(Errno::EACCES), errno(Errno::EACCES)),
        ("mprotect", [0, 4096, 5], allow, errno(Errno::EACCES)),
        ("mprotect", [0, 4096, 7], errno(Errno::EACCES), errno(Errno::EACCES)),
        ("pkey_mprotect", [0, 4096, 7], errno(Errno::EACCES), errno(Errno::EACCES)),
        ("shmat", [1, 0, 0o100_000], errno(Errno::ENOSYS), errno(Errno::ENOSYS)),
        ("personality", [0x40_0000, 0, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("personality", [0xffff_ffff, 0, 0], allow, allow),
        ("openat", [0, 0, 0x200], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("openat", [0, 0, 0x41], allow, allow),
        ("ftruncate", [3, 0, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("truncate", [0, 0, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("fallocate", [3, 0, 0], allow, allow),
        ("fallocate", [3, 3, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("fallocate", [3, 8, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("fcntl", [3, 1033, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("fcntl", [3, 8, 1], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("fcntl", [3, 1030, 0], allow, allow),
        ("madvise", [0, 4096, 100], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("madvise", [0, 4096, 9], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("madvise", [0, 4096, 4], allow, allow),
        ("socket", [1, 1, 0], allow, allow),
        ("socket", [2, 1, 0], errno(Errno::EAFNOSUPPORT), errno(Errno::EAFNOSUPPORT)),
        ("socket", [16, 3, 0], errno(Errno::EAFNOSUPPORT), errno(Errno::EAFNOSUPPORT)),
        ("clone", [0x3d_0f00, 0, 0], allow, allow),
        ("clone", [0x1000_0011, 0, 0], Verdict::Kill, Verdict::Kill),
        ("clone3", [1, 88, 0], errno(Errno::ENOSYS), errno(Errno::ENOSYS)),
        ("prlimit64", [0, 7, 0], allow, allow),
        ("prlimit64", [0, 7, 0x7fff_0000_0000], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("prctl", [15, 0, 0], allow, allow),
        ("prctl", [1, 0, 0], errno(Errno::EINVAL), errno(Errno::EINVAL)),
        ("prctl", [4, 0, 0], errno(Errno::EINVAL), errno(Errno::EINVAL)),
        ("ioctl", [0, 0x5401, 0], allow, allow),
        ("ioctl", [0, 0x5412, 0], Verdict::Kill, Verdict::Kill),
        ("ioctl", [0, 0x4008_6200, 0], errno(Errno::ENOTTY), errno(Errno::ENOTTY)),
        ("seccomp", [1, 1, 0], allow, errno(Errno::EPERM)),
        ("seccomp", [1, 8, 0], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("io_uring_setup", [0; 3], errno(Errno::ENOSYS), errno(Errno::ENOSYS)),
        ("openat2", [0; 3], errno(Errno::ENOSYS), errno(Errno::ENOSYS)),
        ("process_vm_readv", [0; 3], errno(Errno::EPERM), errno(Errno::EPERM)),
        ("execve", [0; 3], Verdict::Kill, Verdict::Kill),
        ("ptrace", [0; 3], Verdict::Kill, Verdict::Kill),
        ("mount", [0; 3], Verdict::Kill, Verdict::Kill),
        ("bpf", [0; 3], Verdict::Kill, Verdict::Kill),
        ("open_by_handle_at", [0; 3], Verdict::Kill, Verdict::Kill),
    ];
    for arch in Arch::ALL {
        for (call, [a, b, c], loading, running) in facts {
            let number = u32::try_from(system_call_number(arch, call).unwrap()).unwrap();
            let arguments = [*a, *b, *c, 0, 0, 0];
            for (phase, expected) in [(Phase::Loading, loading), (Phase::Running, running)] {
                let programs = stack(arch, phase, &Options::default());
                let found = bpf::run(&programs, bpf::audit_arch(arch), number, arguments);
                assert_eq!(found, *expected, "{arch}, {phase:?}: {call} {arguments:x?}");
            }
        }
    }
}

#[test]
fn other_architectures_are_killed_whatever_the_call() {
    const I386: u32 = 0x4000_0003;
    const ARM: u32 = 0x4000_0028;
    for arch in Arch::ALL {
        let programs = stack(arch, Phase::Loading, &Options::default());
        let other = Arch::ALL.into_iter().find(|other| *other != arch).unwrap();
        for foreign in [I386, ARM, bpf::audit_arch(other), 0] {
            for number in [0, 1, 20, 0x4000_0001] {
                assert_eq!(bpf::run(&programs, foreign, number, [0; 6]), Verdict::Kill);
            }
        }
    }
}

#[test]
fn own_signals_reach_the_process_itself_only() {
    for arch in Arch::ALL {
        let mut programs = stack(arch, Phase::Loading, &Options::default());
        programs.push(own_signals(arch, 4711).unwrap());
        for call in ["kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"] {
            let number = u32::try_from(system_call_number(arch, call).unwrap()).unwrap();
            let answer =
                |pid: u64| bpf::run(&programs, bpf::audit_arch(arch), number, [pid, 9, 9, 0, 0, 0]);
            assert_eq!(answer(4711), Verdict::Allow);
            assert_eq!(answer(0x1_0000_0000 + 4711), Verdict::Allow, "a pid is an int");
            for pid in [0, 1, 4710, 4712, u64::from(u32::MAX), u64::MAX, 4711 + 0x8000_0000] {
                assert_eq!(answer(pid), Verdict::Errno(Errno::EPERM), "{call}({pid:#x})");
            }
        }
    }
}

#[test]
fn ioctls_that_type_into_a_terminal_cannot_be_configured() {
    for number in [0x5412, 0x541c] {
        let options = Options { ioctls: vec![1, number], may_truncate: false };
        let error = compile(Arch::current(), Phase::Loading, &options).unwrap_err();
        assert!(matches!(error, Error::ForbiddenIoctl(found, _) if found == number));
        assert!(error.to_string().contains("sandbox.ioctl"), "{error}");
    }
}

/// ChromeOS's lists (spec/cami-abi.md, 3.2): a library that lives there lives here. What is not let
/// through fails softly, but for the one call that starts another program.
#[test]
fn what_chromeos_allows_is_allowed_or_fails_softly() {
    const AMD64: &str = "rseq accept access arch_prctl bind brk clock_gettime clock_nanosleep \
        clone clone3 close connect creat epoll_create1 epoll_ctl epoll_wait eventfd2 execve exit \
        exit_group faccessat faccessat2 fcntl fstat futex getdents getdents64 getegid geteuid \
        getgid getpid gettid gettimeofday getuid kill listen lseek madvise memfd_create mseal \
        munmap newfstatat open openat pipe2 prctl pread64 prlimit64 read readlink readlinkat \
        recvmsg restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity \
        sched_setaffinity sendmsg sendto set_robust_list set_tid_address setpriority sigaltstack \
        stat sysinfo uname unlink wait4 write fstatfs writev sched_getattr getrandom ioctl mmap \
        mprotect socket socketpair";
    const ARM64: &str = "rseq lseek accept bind brk clock_gettime clock_nanosleep clone clone3 \
        close connect epoll_create1 epoll_ctl epoll_pwait eventfd2 execve exit exit_group \
        faccessat faccessat2 fcntl fstat ftruncate futex getdents64 getegid geteuid getgid getpid \
        getpriority gettid gettimeofday getuid inotify_init1 kill listen madvise memfd_create \
        mkdirat mseal munmap newfstatat openat pipe2 ppoll prctl pread64 prlimit64 \
        process_vm_readv read readlinkat recvfrom recvmsg rt_sigaction rt_sigprocmask rt_sigreturn \
        sendmsg sendto set_robust_list set_tid_address setgroups setpriority setresgid setresuid \
        sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity sched_setattr \
        sched_setscheduler sched_yield sigaltstack uname unlinkat wait4 write writev fstatfs \
        sched_getattr getrandom ioctl mmap mprotect setpgid socket socketpair";
    /// The service around the library uses these, or starts with them; the library does not.
    const SOFT: &str = "accept bind clone3 connect creat ftruncate listen process_vm_readv \
        setgroups setpgid setresgid setresuid";
    let soft: Vec<&str> = SOFT.split_whitespace().collect();
    for (arch, list) in [(Arch::X86_64, AMD64), (Arch::Aarch64, ARM64)] {
        for call in list.split_whitespace().filter(|call| *call != "execve") {
            assert!(system_call_number(arch, call).is_some(), "{arch} has no {call}");
            let rule = cami_seccomp::rule_for(call).unwrap_or_else(|| panic!("no rule for {call}"));
            let never = rule.never(Phase::Loading, &Options::default());
            match rule.tier {
                Tier::Allow if !never => {}
                Tier::Allow | Tier::Refuse(_) => assert!(soft.contains(&call), "{call}"),
                Tier::Kill => panic!("{call} kills"),
            }
        }
    }
}

/// The kernel can remember what is allowed for calls without limits only: those of a request's way
/// and of every lock must stay so.
#[test]
fn calls_of_the_request_path_have_no_limits() {
    for call in ["recvmsg", "sendmsg", "ppoll", "futex", "read", "write", "clock_gettime"] {
        let rule = rules().find(|rule| rule.call == call).unwrap();
        assert!(rule.limits.is_empty(), "{call}");
    }
}

proptest! {
    #[test]
    fn filters_and_description_agree_on_any_call(
        number in prop_oneof![0_u32..480, any::<u32>()],
        arguments in prop::array::uniform6(prop_oneof![
            any::<u64>(),
            0_u64..64,
            (0_u32..32).prop_map(|bit| 1 << bit),
            prop::sample::select(vec![0x5401_u64, 0x5412, 0x802c_542a, 0x4008_6200, 0x5356_4d41])
        ]),
        running: bool,
        may_truncate: bool,
    ) {
        let phase = if running { Phase::Running } else { Phase::Loading };
        let options = Options { ioctls: vec![0x4008_6200], may_truncate };
        for arch in Arch::ALL {
            let programs = stack(arch, phase, &options);
            let found = bpf::run(&programs, bpf::audit_arch(arch), number, arguments);
            let decided = decide(arch, phase, &options, i64::from(number), arguments);
            prop_assert_eq!(found, decided, "{} {}", arch, number);
        }
    }
}
