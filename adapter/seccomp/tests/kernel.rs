//! The running kernel decides as the description says: children that try every call, and die of
//! those that kill.
//!
//! Below the filters stands a probe: a program that was installed before them and fails every call
//! with an errno that nothing else gives. So a call that the filters let through is seen and never
//! run, whatever it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exit,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use cami_seccomp::{Arch, BpfProgram, Options, Phase, Verdict, install, own_signals};
use common::samples::{self, Sample};
use common::{options, stack};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// No call gives this errno (the largest that exists is 133).
const LET_THROUGH: i32 = 4000;
/// Only with this code may a child exit through the probe.
const DONE: i32 = 0x5a;

/// Fails all calls but those that the child itself needs, none of which a sample looks like.
fn probe() -> BpfProgram {
    let condition = |argument, operator, value| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value).unwrap()
    };
    let only = |conditions| vec![SeccompRule::new(conditions).unwrap()];
    let done = u64::from(DONE.cast_unsigned());
    let mut needed = BTreeMap::new();
    needed.insert(libc::SYS_exit_group, only(vec![condition(0, SeccompCmpOp::Eq, done)]));
    needed.insert(libc::SYS_seccomp, only(vec![condition(2, SeccompCmpOp::Ne, 0)]));
    needed.insert(
        libc::SYS_prctl,
        only(vec![
            condition(0, SeccompCmpOp::Eq, 38), // PR_SET_NO_NEW_PRIVS
            condition(1, SeccompCmpOp::Eq, 1),
        ]),
    );
    let errno = SeccompAction::Errno(LET_THROUGH.cast_unsigned());
    let target = std::env::consts::ARCH.try_into().unwrap();
    SeccompFilter::new(needed, errno, SeccompAction::Allow, target).unwrap().try_into().unwrap()
}

/// Forks; the child does `work` and exits with what it returns; of locks it touches malloc's only, which
/// glibc keeps usable after a fork.
fn child(work: impl FnOnce() -> i32) -> Pid {
    // SAFETY: the child makes system calls only.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
            let code = work();
            // SAFETY: it ends the child, whose copy of everything is nobody else's.
            unsafe { libc::syscall(libc::SYS_exit_group, code) };
            std::process::abort()
        }
    }
}

/// The errno of a raw call, 0 for success.
fn call(number: i64, a: [u64; 6]) -> i32 {
    // SAFETY: in a child, and the filters or the probe answer every call of a sample.
    if unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) } == -1 {
        nix::errno::Errno::last_raw()
    } else {
        0
    }
}

fn expected_errno(sample: &Sample) -> Option<i32> {
    match sample.expected {
        Verdict::Allow => Some(LET_THROUGH),
        Verdict::Errno(errno) => Some(errno as i32),
        Verdict::Kill => None,
    }
}

#[test]
fn kernel_decides_every_rule_as_described() {
    let probe = probe();
    for phase in Phase::ALL {
        for options in options() {
            let programs = stack(Arch::current(), phase, &options);
            let samples: Vec<Sample> = samples::all(Arch::current(), phase, &options)
                .into_iter()
                .filter(|sample| sample.expected != Verdict::Kill)
                .collect();
            let size = NonZeroUsize::new(samples.len() * size_of::<i32>()).unwrap();
            let (protection, flags) =
                (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED);
            // SAFETY: a fresh mapping.
            let shared = unsafe { mmap_anonymous(None, size, protection, flags) }.unwrap();
            // SAFETY: it is as long, aligned to a page, zeroed, and used by parent and child in turn.
            let found = unsafe {
                std::slice::from_raw_parts_mut(shared.cast::<i32>().as_ptr(), samples.len())
            };
            let pid = child(|| {
                if install(std::slice::from_ref(&probe), false).is_err()
                    || install(&programs, false).is_err()
                {
                    return 1;
                }
                for (sample, found) in samples.iter().zip(found.iter_mut()) {
                    *found = call(sample.number, sample.arguments);
                }
                DONE
            });
            assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, DONE)), "{phase:?}");
            for (sample, found) in samples.iter().zip(found.iter()) {
                assert_eq!(Some(*found), expected_errno(sample), "{phase:?}: {}", sample.name);
            }
            // SAFETY: nothing refers to it any more.
            unsafe { munmap(shared, size.get()) }.unwrap();
        }
    }
}

#[test]
fn every_rule_that_kills_ends_its_process_with_sigsys() {
    let probe = probe();
    let options = Options::default();
    for phase in Phase::ALL {
        let programs = stack(Arch::current(), phase, &options);
        let samples = samples::all(Arch::current(), phase, &options);
        let mut died = 0;
        for sample in samples.iter().filter(|sample| sample.expected == Verdict::Kill) {
            let pid = child(|| {
                if install(std::slice::from_ref(&probe), false).is_err()
                    || install(&programs, false).is_err()
                {
                    return 1;
                }
                call(sample.number, sample.arguments);
                DONE
            });
            let status = waitpid(pid, None).unwrap();
            let signalled = WaitStatus::Signaled(pid, Signal::SIGSYS, false);
            assert_eq!(status, signalled, "{phase:?}: {}", sample.name);
            died += 1;
        }
        assert!(died > 40, "{died} calls that kill");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_call_of_the_i386_abi_kills_and_one_of_x32_is_refused() {
    let programs = stack(Arch::X86_64, Phase::Loading, &Options::default());
    let pid = child(|| {
        if install(&programs, false).is_err() {
            return 1;
        }
        // ftruncate of x32: __X32_SYSCALL_BIT and 77.
        if call(0x4000_0000 + 77, [0; 6]) != libc::ENOSYS {
            return 2;
        }
        // SAFETY: getpid of i386 changes nothing but the register that it answers in.
        unsafe { std::arch::asm!("int 0x80", inout("eax") 20 => _) };
        DONE
    });
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Signaled(pid, Signal::SIGSYS, false)));
}

/// Without a PID namespace and without Landlock.
#[test]
fn own_signals_leave_other_processes_alone_and_abort_works() {
    let loading = stack(Arch::current(), Phase::Loading, &Options::default());
    let pid = child(|| {
        let Ok(own) = own_signals(Arch::current(), std::process::id()) else { return 1 };
        if install(&loading, false).is_err() || install(&[own], false).is_err() {
            return 2;
        }
        let ask = |pid: i32| {
            // SAFETY: kill with signal 0 only asks.
            if unsafe { libc::kill(pid, 0) } == 0 { 0 } else { nix::errno::Errno::last_raw() }
        };
        if ask(nix::unistd::getppid().as_raw()) != libc::EPERM || ask(0) != libc::EPERM {
            return 3;
        }
        if ask(nix::unistd::getpid().as_raw()) != 0 {
            return 4;
        }
        std::process::abort()
    });
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Signaled(pid, Signal::SIGABRT, false)));
}

#[test]
fn an_error_of_the_installation_names_the_errno_and_what_it_means() {
    let loading = stack(Arch::current(), Phase::Running, &Options::default());
    let pid = child(|| {
        if install(&loading, false).is_err() {
            return 1;
        }
        match install(&loading, false) {
            Err(cami_seccomp::InstallError::Seccomp(nix::errno::Errno::EPERM)) => DONE,
            _ => 2,
        }
    });
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, DONE)));
    let text = cami_seccomp::InstallError::Seccomp(nix::errno::Errno::EINVAL).to_string();
    assert!(text.contains("EINVAL") && text.contains("CONFIG_SECCOMP_FILTER"), "{text}");
}
