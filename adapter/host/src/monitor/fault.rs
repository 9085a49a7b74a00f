//! What a thread was doing when its process ended.
//!
//! It is seen twice. When a signal is about to be delivered, the kernel says what raised it
//! ([`SignalInfo`]); whether it kills is not known yet, since the library may handle it. At the exit
//! stop of the thread that ends the process, registers, mappings and memory are still there
//! ([`Fault::of`]). A system call that a filter kills has only the second.

use std::fmt;
use std::fs;
use std::mem::{MaybeUninit, size_of};
use std::os::unix::fs::FileExt;
use std::ptr;

use cami_seccomp::{Arch, system_call_name};

use super::maps::{MappedFile, Mapping, Maps, Place, base_name, says_nothing};
use super::registers::Registers;

/// Bytes of stack that are searched for a caller; an `abort` in libc is four frames deep.
const STACK_BYTES: usize = 4096;

/// What the kernel says of a signal at its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalInfo {
    /// The signal.
    pub signal: i32,
    /// The thread that it came to.
    pub thread: i32,
    /// The address that was accessed, for SIGSEGV and SIGBUS.
    pub address: Option<u64>,
    /// The system call that a filter refused, for SIGSYS.
    pub system_call: Option<i64>,
    /// The process that sent it, if one did.
    pub sender: Option<i32>,
}

/// A thread at its end.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What the kernel says of the signal.
    pub info: SignalInfo,
    /// The instruction.
    pub place: Option<Place>,
    /// The innermost return address outside the runtime libraries, if the instruction lies in one.
    pub caller: Option<Place>,
    /// The thread's name.
    pub thread_name: String,
}

/// The process at its end, for the crash record.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The registers of the thread that ended it.
    pub registers: Vec<(String, u64)>,
    /// What was mapped.
    pub mappings: Vec<Mapping>,
    /// The mapped ELF files.
    pub modules: Vec<MappedFile>,
}

/// Whether a signal is one that code brings upon itself.
#[must_use]
pub fn is_fault(signal: i32) -> bool {
    matches!(
        signal,
        libc::SIGSEGV
            | libc::SIGBUS
            | libc::SIGILL
            | libc::SIGFPE
            | libc::SIGABRT
            | libc::SIGTRAP
            | libc::SIGSYS
    )
}

impl SignalInfo {
    /// A signal of which nothing more is known.
    #[must_use]
    pub fn bare(thread: i32, signal: i32) -> Self {
        Self { signal, thread, address: None, system_call: None, sender: None }
    }

    /// The sender by the number that it has here: a process in a PID namespace knows itself by another.
    #[must_use]
    pub fn in_our_numbers(mut self, process: i32) -> Self {
        self.sender = self.sender.map(|sender| outer_number(process, sender));
        self
    }

    /// Asks for that of a thread which is stopped with `signal` on its way.
    #[must_use]
    pub fn of(thread: i32, signal: i32) -> Self {
        let mut known = Self::bare(thread, signal);
        let Some(info) = signal_info(thread) else { return known };
        if info.si_code <= 0 {
            // SAFETY: a code of 0 or below means that a process sent the signal, so the pid is set.
            known.sender = Some(unsafe { info.si_pid() });
        } else if matches!(signal, libc::SIGSEGV | libc::SIGBUS) {
            // SAFETY: the kernel raised SIGSEGV or SIGBUS, so the address is set.
            known.address = Some(unsafe { info.si_addr() }.addr() as u64);
        } else if signal == libc::SIGSYS {
            // The kernel's `_sigsys`: call address, then the number (linux
            // include/uapi/asm-generic/siginfo.h); libc has no accessor for it.
            const NUMBER: usize = if size_of::<usize>() == 8 { 24 } else { 16 };
            let bytes = ptr::from_ref(&info).cast::<u8>().wrapping_add(NUMBER).cast::<i32>();
            // SAFETY: within siginfo_t, which has 128 bytes and which the kernel filled.
            known.system_call = Some(i64::from(unsafe { bytes.read_unaligned() }));
        }
        known
    }
}

/// The number of `sender` in our PID namespace, where it is the process itself: it may know itself by
/// another.
fn outer_number(process: i32, sender: i32) -> i32 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let own = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let inner = own.and_then(|numbers| numbers.split_whitespace().last()?.parse().ok());
    if inner == Some(sender) { process } else { sender }
}

fn signal_info(thread: i32) -> Option<libc::siginfo_t> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let none = ptr::null_mut::<libc::c_void>();
    // SAFETY: `info` is writable and of the type that this request fills.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, thread, none, info.as_mut_ptr()) };
    // SAFETY: zeroed bytes are a valid siginfo_t, filled or not.
    (result == 0).then(|| unsafe { info.assume_init() })
}

impl Fault {
    /// Looks at a thread that is stopped at its exit, and at its process.
    #[must_use]
    pub fn of(process: i32, info: SignalInfo, registers: &Registers) -> (Self, Image) {
        let name = fs::read(format!("/proc/{process}/task/{}/comm", info.thread));
        let maps = Maps::read(process, info.thread);
        let mut fault = Self {
            info,
            place: maps.place(registers.instruction()),
            caller: None,
            thread_name: name
                .map(|name| String::from_utf8_lossy(&name).trim_end().to_owned())
                .unwrap_or_default(),
        };
        if fault.place.as_ref().is_none_or(|place| says_nothing(&place.file)) {
            fault.caller = caller(registers.stack(), &maps);
        }
        let image = Image {
            registers: registers.all(),
            modules: maps.modules(),
            mappings: maps.mappings().to_vec(),
        };
        (fault, image)
    }

    /// The name of the system call that was refused, if that was it.
    #[must_use]
    pub fn system_call_name(&self) -> Option<&'static str> {
        system_call_name(Arch::current(), self.info.system_call?)
    }
}

/// The innermost word on the stack that points into code outside the runtime libraries. It may be
/// left over from an earlier call, so messages say "near".
fn caller(stack: u64, maps: &Maps) -> Option<Place> {
    let mut bytes = [0; STACK_BYTES];
    let read = maps.memory()?.read_at(&mut bytes, stack).ok()?;
    let word =
        bytes.get(..read)?.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).find(
            |word| maps.code(*word).is_some_and(|(file, _)| !says_nothing(base_name(file))),
        )?;
    maps.place(word)
}

impl fmt::Display for Fault {
    /// The middle of a sentence: "accessing 0x0 in libfoo.so+0x1139 (build-id 1f2e) (thread AIQ)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.info.address {
            write!(f, " accessing {address:#x}")?;
        }
        match (self.info.system_call, self.system_call_name()) {
            (Some(number), Some(name)) => write!(f, " for system call {name} ({number})")?,
            (Some(number), None) => write!(f, " for system call {number}")?,
            (None, _) => {}
        }
        match &self.place {
            Some(place) => write!(f, " in {place}")?,
            None => write!(f, " outside all files")?,
        }
        if let Some(caller) = &self.caller {
            write!(f, ", called near {caller}")?;
        }
        write!(f, " (thread {})", self.thread_name)
    }
}
