//! Where the vendor process was when a fatal signal came.

use std::fmt;
use std::fs;
use std::mem::{MaybeUninit, size_of};
use std::os::unix::fs::FileExt;
use std::ptr;

/// Bytes of stack that are searched for a caller; an `abort` in libc is four frames deep.
const STACK_BYTES: usize = 4096;

/// More of `/proc/PID/maps` than this is not read: a process with that many mappings has been at
/// it on purpose.
const MAX_MAPS_BYTES: u64 = 4 << 20;

/// A place in a mapped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name without its folder.
    pub file: String,
    /// The offset from the start of the file's first mapping, as `addr2line` wants it.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:#x}", self.file, self.offset)
    }
}

/// One fatal signal.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The signal.
    pub signal: i32,
    /// The address that was accessed, for SIGSEGV and SIGBUS.
    pub address: Option<u64>,
    /// The system call that a filter refused, for SIGSYS.
    pub system_call: Option<i32>,
    /// The process that sent it, if one did.
    pub sender: Option<i32>,
    /// The instruction.
    pub place: Option<Place>,
    /// The innermost return address outside the runtime libraries, if the instruction lies in one.
    pub caller: Option<Place>,
    /// The thread's name.
    pub thread: String,
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

impl Fault {
    /// Looks at a thread that is stopped with `signal` on its way.
    #[must_use]
    pub fn of(process: i32, thread: i32, signal: i32) -> Self {
        let mut fault = Self {
            signal,
            address: None,
            system_call: None,
            sender: None,
            place: None,
            caller: None,
            thread: fs::read_to_string(format!("/proc/{process}/task/{thread}/comm"))
                .map(|name| name.trim_end().to_owned())
                .unwrap_or_default(),
        };
        if let Some(info) = signal_info(thread) {
            fault.read_info(&info);
            // The kernel keeps the number that the process knows itself by.
            fault.sender = fault.sender.map(|sender| outer_number(process, sender));
        }
        if let Some((instruction, stack)) = registers(thread) {
            let maps = Maps::read(process);
            fault.place = maps.place(instruction);
            if fault.place.as_ref().is_none_or(|place| says_nothing(&place.file)) {
                fault.caller = caller(process, stack, &maps);
            }
        }
        fault
    }

    fn read_info(&mut self, info: &libc::siginfo_t) {
        if info.si_code <= 0 {
            // SAFETY: a code of 0 or below means that a process sent the signal, so the pid is set.
            self.sender = Some(unsafe { info.si_pid() });
        } else if matches!(self.signal, libc::SIGSEGV | libc::SIGBUS) {
            // SAFETY: the kernel raised SIGSEGV or SIGBUS, so the address is set.
            self.address = Some(unsafe { info.si_addr() }.addr() as u64);
        } else if self.signal == libc::SIGSYS {
            // The kernel's `_sigsys`: call address, then the number (linux
            // include/uapi/asm-generic/siginfo.h); libc has no accessor for it.
            const NUMBER: usize = if size_of::<usize>() == 8 { 24 } else { 16 };
            let bytes = ptr::from_ref(info).cast::<u8>().wrapping_add(NUMBER).cast::<i32>();
            // SAFETY: within siginfo_t, which has 128 bytes and which the kernel filled.
            self.system_call = Some(unsafe { bytes.read_unaligned() });
        }
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

/// Instruction pointer and stack pointer.
fn registers(thread: i32) -> Option<(u64, u64)> {
    const NT_PRSTATUS: usize = 1;
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
    let mut vector = libc::iovec {
        iov_base: registers.as_mut_ptr().cast(),
        iov_len: size_of::<libc::user_regs_struct>(),
    };
    let set = ptr::without_provenance_mut::<libc::c_void>(NT_PRSTATUS);
    // SAFETY: the iovec describes `registers`, which is writable.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, thread, set, &raw mut vector) };
    if result != 0 {
        return None;
    }
    // SAFETY: zeroed bytes are valid registers, and the kernel filled them.
    let registers = unsafe { registers.assume_init() };
    #[cfg(target_arch = "x86_64")]
    return Some((registers.rip, registers.rsp));
    #[cfg(target_arch = "aarch64")]
    return Some((registers.pc, registers.sp));
}

/// One line of `/proc/PID/maps`.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: u64,
    end: u64,
    executable: bool,
    file: String,
}

#[derive(Debug)]
struct Maps(Vec<Mapping>);

impl Maps {
    fn read(process: i32) -> Self {
        use std::io::Read;
        let mut text = String::new();
        if let Ok(file) = fs::File::open(format!("/proc/{process}/maps")) {
            // Names that are not UTF-8 end the reading; what came before is still good.
            let _ = file.take(MAX_MAPS_BYTES).read_to_string(&mut text);
        }
        Self(text.lines().filter_map(Mapping::parse).collect())
    }

    /// The place of an instruction in a file; `None` outside all files.
    fn place(&self, address: u64) -> Option<Place> {
        let found = self.0.iter().find(|mapping| {
            mapping.executable && (mapping.start..mapping.end).contains(&address)
        })?;
        // The file's first mapping is where it was loaded.
        let base = self.0.iter().filter(|m| m.file == found.file).map(|m| m.start).min()?;
        let name = found.file.rsplit('/').next().unwrap_or_default();
        (!name.is_empty())
            .then(|| Place { file: name.to_owned(), offset: address.saturating_sub(base) })
    }
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        // start-end perms offset dev inode path; the path may hold spaces.
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let permissions = fields.next()?;
        let file = fields.nth(3).unwrap_or_default().trim_start();
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            executable: permissions.contains('x'),
            file: file.to_owned(),
        })
    }
}

/// Files whose frames say nothing of who is at fault: the runtime libraries, and this program, whose
/// frames are below every call of the library.
fn says_nothing(file: &str) -> bool {
    let own = std::env::current_exe().ok();
    if own.as_deref().and_then(|path| path.file_name()).is_some_and(|name| name == file) {
        return true;
    }
    ["libc.so", "libc-", "ld-linux", "libpthread", "[vdso]", "libstdc++", "libgcc_s", "libc++"]
        .iter()
        .any(|name| file.starts_with(name))
}

/// The innermost word on the stack that points into code outside the runtime libraries. It may be left over
/// from an earlier call, so messages say "near".
fn caller(process: i32, stack: u64, maps: &Maps) -> Option<Place> {
    let mut bytes = [0; STACK_BYTES];
    let memory = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let read = memory.read_at(&mut bytes, stack).ok()?;
    bytes
        .get(..read)?
        .as_chunks::<8>()
        .0
        .iter()
        .filter_map(|word| maps.place(u64::from_ne_bytes(*word)))
        .find(|place| !says_nothing(&place.file))
}

impl fmt::Display for Fault {
    /// The middle of a sentence: "accessing 0x0 in libfoo.so+0x1139 (thread AIQ)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            write!(f, " accessing {address:#x}")?;
        }
        if let Some(number) = self.system_call {
            write!(f, " for system call {number}")?;
        }
        match &self.place {
            Some(place) => write!(f, " in {place}")?,
            None => write!(f, " outside all files")?,
        }
        if let Some(caller) = &self.caller {
            write!(f, ", called near {caller}")?;
        }
        write!(f, " (thread {})", self.thread)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mapping, Maps, Place};

    const MAPS: &str = "\
55f0c0000000-55f0c0001000 r--p 00000000 fe:01 12 /opt/vendor lib/libfoo.so
55f0c0001000-55f0c0002000 r-xp 00001000 fe:01 12 /opt/vendor lib/libfoo.so
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
";

    fn maps() -> Maps {
        Maps(MAPS.lines().filter_map(Mapping::parse).collect())
    }

    #[test]
    fn place_is_relative_to_the_first_mapping_of_the_file() {
        let expected = Place { file: "libfoo.so".to_owned(), offset: 0x1139 };
        assert_eq!(maps().place(0x55f0_c000_1139), Some(expected));
    }

    #[test]
    fn place_outside_code_is_none() {
        assert_eq!(maps().place(0x55f0_c000_0139), None);
        assert_eq!(maps().place(0x7f00_0000_0010), None);
        assert_eq!(maps().place(0), None);
    }

    #[test]
    fn mapping_of_rubbish_is_skipped() {
        for line in ["", "x", "1-", "zz-yy r-xp", "1-2"] {
            assert_eq!(Mapping::parse(line), None, "{line}");
        }
    }
}
