//! What a library may change for everybody in its process: signals, floating point, locale.

use std::ffi::CStr;

use nix::sys::signal::SigSet;

/// The state of the calling thread, and of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The handler of each signal, by number.
    pub handlers: Vec<(i32, usize)>,
    /// The signals that the thread blocks.
    pub blocked: Option<SigSet>,
    /// The control bits of its floating point unit.
    pub floating_point: u64,
    /// The locale.
    pub locale: String,
}

impl Machine {
    /// As it is.
    pub fn of_this_thread() -> Self {
        Self {
            handlers: (1..=libc::SIGRTMAX())
                .filter_map(|signal| Some((signal, handler(signal)?)))
                .collect(),
            blocked: SigSet::thread_get_mask().ok(),
            floating_point: floating_point(),
            locale: locale(),
        }
    }
}

/// `None` where there can be none: the C library keeps some signals to itself.
fn handler(signal: i32) -> Option<usize> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action; the old one is written to a struct of the right type.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all its fields are integers, and it was zeroed.
    let action = unsafe { action.assume_init() };
    (result == 0).then_some(action.sa_sigaction)
}

/// Rounding, flush-to-zero and exception masks; the flags of past exceptions are not among them.
#[cfg(target_arch = "x86_64")]
fn floating_point() -> u64 {
    const FLAGS: u32 = 0x3f;
    let mut control: u32 = 0;
    // SAFETY: stmxcsr stores four bytes at the address, which is that of a local.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack)) };
    u64::from(control & !FLAGS)
}

/// Rounding and flush-to-zero.
#[cfg(target_arch = "aarch64")]
fn floating_point() -> u64 {
    let control: u64;
    // SAFETY: reads a register that may be read everywhere.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack)) };
    control
}

/// Not looked at on other machines.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn floating_point() -> u64 {
    0
}

fn locale() -> String {
    // SAFETY: NULL asks for the locale and changes nothing.
    let text = unsafe { libc::setlocale(libc::LC_ALL, std::ptr::null()) };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not NULL; the C library's texts end with NUL, and it is copied at once.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changes_by_looking() {
        assert_eq!(Machine::of_this_thread(), Machine::of_this_thread());
    }

    #[test]
    fn a_blocked_signal_is_seen() {
        let before = Machine::of_this_thread();
        let mut set = SigSet::empty();
        set.add(nix::sys::signal::Signal::SIGUSR2);
        set.thread_block().unwrap();
        let after = Machine::of_this_thread();
        set.thread_unblock().unwrap();
        assert_ne!(before.blocked, after.blocked);
        assert_eq!(before.handlers, after.handlers);
    }
}
