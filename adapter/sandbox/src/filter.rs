//! The first seccomp filter: the library cannot shrink the HAL's buffers.
//!
//! Buffers are shared memory. Whoever shrinks one kills with SIGBUS whoever reads its mapping, the
//! HAL among them. So, in this process and all that it starts, from before the library is loaded:
//!
//! | call | answer | because |
//! |---|---|---|
//! | `ftruncate`, `truncate` | EPERM | they shrink; ChromeOS's amd64 policy has neither (spec/cami-abi.md, 3.2) |
//! | `fallocate` with `FALLOC_FL_COLLAPSE_RANGE` | EPERM | it shrinks |
//! | `fcntl(F_ADD_SEALS)` | EPERM | it would take growing and writing from the HAL |
//! | `open`, `openat` with `O_TRUNC`, `creat` | EPERM | `/proc/self/fd/N` names the HAL's buffers |
//! | `open_by_handle_at` | EPERM | with privileges it opens a buffer again, `O_TRUNC` included |
//! | `madvise` with `MADV_HWPOISON`, `MADV_SOFT_OFFLINE` | EPERM | with privileges it poisons a buffer's pages: SIGBUS as well |
//! | `openat2` | ENOSYS | its flags lie in memory, where a filter cannot look |
//! | `io_uring_*` | ENOSYS | it does all that without a system call |
//! | `process_madvise` | ENOSYS | its advice is `madvise`'s |
//! | any call in another ABI (i386, x32) | kill, ENOSYS | other numbers would pass all of the above |
//!
//! What is left is for ordinary files on some file systems (extents exchanged by `ioctl`); buffers are
//! shared memory.

use std::collections::BTreeMap;

use nix::errno::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

/// Installs the filter for this thread and all that it starts. `no_new_privs` is set before.
///
/// # Errors
/// Why the kernel does not take it.
pub fn install() -> Result<(), String> {
    let programs = programs().map_err(|error| error.to_string())?;
    for program in &programs {
        apply_filter(program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn programs() -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    Ok(vec![other_abi(), compile(denied()?, Errno::EPERM)?, compile(absent(), Errno::ENOSYS)?])
}

fn compile(rules: Rules, errno: Errno) -> Result<BpfProgram, seccompiler::BackendError> {
    let errno = SeccompAction::Errno((errno as i32).cast_unsigned());
    // seccompiler checks the architecture first and kills the process if it is another.
    SeccompFilter::new(rules, SeccompAction::Allow, errno, ARCH)?.try_into()
}

/// The rules that answer EPERM.
fn denied() -> Result<Rules, seccompiler::BackendError> {
    let flag = |argument: u8, bits: i32| {
        let bits = u64::from(bits.cast_unsigned());
        let operator = SeccompCmpOp::MaskedEq(bits);
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, bits)?;
        SeccompRule::new(vec![condition])
    };
    let equals = |argument: u8, value: i32| {
        let value = u64::from(value.cast_unsigned());
        let condition =
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
        SeccompRule::new(vec![condition])
    };
    let mut rules = Rules::new();
    rules.insert(libc::SYS_ftruncate, vec![]);
    rules.insert(libc::SYS_truncate, vec![]);
    rules.insert(libc::SYS_fallocate, vec![flag(1, libc::FALLOC_FL_COLLAPSE_RANGE)?]);
    rules.insert(libc::SYS_fcntl, vec![equals(1, libc::F_ADD_SEALS)?]);
    rules.insert(libc::SYS_openat, vec![flag(2, libc::O_TRUNC)?]);
    rules.insert(libc::SYS_open_by_handle_at, vec![]);
    let poison = [libc::MADV_HWPOISON, libc::MADV_SOFT_OFFLINE];
    let poison = poison.into_iter().map(|advice| equals(2, advice));
    rules.insert(libc::SYS_madvise, poison.collect::<Result<_, _>>()?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.insert(libc::SYS_open, vec![flag(1, libc::O_TRUNC)?]);
        rules.insert(libc::SYS_creat, vec![]);
    }
    Ok(rules)
}

/// The calls that answer ENOSYS.
fn absent() -> Rules {
    let calls = [
        libc::SYS_openat2,
        libc::SYS_process_madvise,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ];
    calls.into_iter().map(|call| (call, vec![])).collect()
}

/// x32 calls carry the architecture of x86_64 and a bit in the number (linux
/// `arch/x86/include/uapi/asm/unistd.h`, `__X32_SYSCALL_BIT`): ENOSYS, as on a kernel without x32.
#[cfg(target_arch = "x86_64")]
fn other_abi() -> BpfProgram {
    const X32_BIT: u32 = 0x4000_0000;
    let load_number = 0x20; // BPF_LD | BPF_W | BPF_ABS, offset 0 of seccomp_data: nr
    let jump_if_above = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    let give = 0x06; // BPF_RET | BPF_K
    let nosys = 0x0005_0000 | (Errno::ENOSYS as i32).cast_unsigned(); // SECCOMP_RET_ERRNO
    let allow = 0x7fff_0000; // SECCOMP_RET_ALLOW
    vec![
        sock_filter { code: load_number, jt: 0, jf: 0, k: 0 },
        sock_filter { code: jump_if_above, jt: 0, jf: 1, k: X32_BIT },
        sock_filter { code: give, jt: 0, jf: 0, k: nosys },
        sock_filter { code: give, jt: 0, jf: 0, k: allow },
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn other_abi() -> BpfProgram {
    vec![sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 }]
}
