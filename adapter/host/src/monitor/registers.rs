//! A stopped thread's registers.

use std::mem::{MaybeUninit, size_of};
use std::ptr;

/// Its general registers.
#[derive(Clone, Copy)]
pub struct Registers(libc::user_regs_struct);

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}

impl Registers {
    /// Reads them; `None` where the thread is not stopped for us.
    pub fn read(thread: i32) -> Option<Self> {
        const NT_PRSTATUS: usize = 1;
        let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
        let mut vector = libc::iovec {
            iov_base: registers.as_mut_ptr().cast(),
            iov_len: size_of::<libc::user_regs_struct>(),
        };
        let set = ptr::without_provenance_mut::<libc::c_void>(NT_PRSTATUS);
        // SAFETY: the iovec describes `registers`, which is writable.
        let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, thread, set, &raw mut vector) };
        // SAFETY: zeroed bytes are valid registers, and where it succeeded the kernel filled them.
        (result == 0).then(|| Self(unsafe { registers.assume_init() }))
    }
}

#[cfg(target_arch = "x86_64")]
impl Registers {
    /// The next instruction.
    pub fn instruction(&self) -> u64 {
        self.0.rip
    }

    /// The top of the stack.
    pub fn stack(&self) -> u64 {
        self.0.rsp
    }

    /// The number of the system call that the thread is in, if it is in one.
    pub fn system_call(&self) -> Option<i64> {
        Some(self.0.orig_rax.cast_signed()).filter(|number| *number >= 0)
    }

    /// Whether the thread is in a system call whose registers were put back as they were before
    /// it, as the kernel does when a filter says to kill (`syscall_rollback` in linux
    /// kernel/seccomp.c). A call that a death interrupts has an error number there instead.
    pub fn was_refused(&self) -> bool {
        self.system_call().is_some() && self.0.rax == self.0.orig_rax
    }

    /// All, by the names of the kernel's structure.
    pub fn all(&self) -> Vec<(String, u64)> {
        let r = &self.0;
        [
            ("rax", r.rax),
            ("rbx", r.rbx),
            ("rcx", r.rcx),
            ("rdx", r.rdx),
            ("rsi", r.rsi),
            ("rdi", r.rdi),
            ("rbp", r.rbp),
            ("rsp", r.rsp),
            ("r8", r.r8),
            ("r9", r.r9),
            ("r10", r.r10),
            ("r11", r.r11),
            ("r12", r.r12),
            ("r13", r.r13),
            ("r14", r.r14),
            ("r15", r.r15),
            ("rip", r.rip),
            ("eflags", r.eflags),
            ("orig_rax", r.orig_rax),
            ("fs_base", r.fs_base),
            ("gs_base", r.gs_base),
            ("cs", r.cs),
            ("ss", r.ss),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

#[cfg(target_arch = "aarch64")]
impl Registers {
    /// The next instruction.
    pub fn instruction(&self) -> u64 {
        self.0.pc
    }

    /// The top of the stack.
    pub fn stack(&self) -> u64 {
        self.0.sp
    }

    /// The number of the system call that the thread was in last: x8 has it by the ABI, and is not
    /// cleared afterwards.
    pub fn system_call(&self) -> Option<i64> {
        let x8 = self.0.regs.get(8)?;
        Some(x8.cast_signed()).filter(|number| (0..4096).contains(number))
    }

    /// Whether the thread is in a system call whose registers were put back as they were before
    /// it, as the kernel does when a filter says to kill (`syscall_rollback` in linux
    /// kernel/seccomp.c). A call that a death interrupts has one of the kernel's own error numbers
    /// (512 to 516, linux include/linux/errno.h) there instead.
    pub fn was_refused(&self) -> bool {
        let [x0, ..] = self.0.regs;
        self.system_call().is_some() && !(-516..=-512).contains(&x0.cast_signed())
    }

    /// All, by the names of the kernel's structure.
    pub fn all(&self) -> Vec<(String, u64)> {
        let named = [("sp", self.0.sp), ("pc", self.0.pc), ("pstate", self.0.pstate)];
        let numbered = self.0.regs.iter().enumerate();
        numbered
            .map(|(index, value)| (format!("x{index}"), *value))
            .chain(named.map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }
}
