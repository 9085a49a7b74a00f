//! The terminal, while a picture is renewed in it: another screen, keys as they are pressed, and
//! everything as it was at the end, however it comes, and while the program is stopped.
//!
//! Job control (POSIX.1-2017, General Terminal Interface, 11.1.4): who is not in the terminal's
//! foreground process group and sets its modes or reads from it is stopped (SIGTTOU, SIGTTIN). Shells
//! send SIGCONT to a job that they put into the foreground only if it was stopped; one that `bg` had
//! continued before is told nothing. So it is asked at each look whether the terminal is ours, and
//! nothing of it is touched while it is not. If it is taken away between the question and what
//! follows, SIGTTOU stops the program until it is in the foreground again, which is no harm.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{getpgrp, tcgetpgrp};

use crate::failure::Failure;

/// The other screen, without a cursor; and back (xterm's private modes 1049 and 25).
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// How often a program in the background asks whether it is there still.
const FOREGROUND_QUESTION: Duration = Duration::from_millis(250);

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To look on.
    Stay,
    /// To be done.
    Leave,
}

/// A terminal that is restored when it is dropped.
pub struct Terminal {
    signals: SignalFd,
    /// Whether a picture is to be renewed in it.
    in_place: bool,
    /// Whether the other screen is shown.
    taken: bool,
    /// What its keys did before; `None` where nothing was changed.
    before: Option<Termios>,
}

impl Terminal {
    /// Takes the signals that end a program, and, if a picture is to be renewed in place, those that
    /// stop and continue it.
    pub fn open(in_place: bool) -> Result<Self, Failure> {
        let failed = |error: Errno| Failure::environment(format!("signals: {error}"));
        let mut wanted = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            wanted.add(signal);
        }
        if in_place {
            wanted.add(Signal::SIGTSTP);
            wanted.add(Signal::SIGCONT);
        }
        wanted.thread_block().map_err(failed)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&wanted, flags).map_err(failed)?;
        Ok(Self { signals, in_place, taken: false, before: None })
    }

    /// Whether something can be shown now: always, except where a picture is renewed in place and the
    /// terminal is another job's. Takes the terminal if it has become ours.
    pub fn is_ours(&mut self) -> bool {
        if !self.in_place {
            return true;
        }
        if !in_foreground() {
            // Continued in the background after a SIGSTOP, which leaves no time to give it back.
            self.leave_screen();
            return false;
        }
        if !self.taken {
            self.take_keys();
            self.taken = true;
            write(ENTER);
        }
        true
    }

    /// Keys come one by one and are not shown. ^C and ^Z stay signals.
    fn take_keys(&mut self) {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return;
        }
        let Ok(now) = tcgetattr(&stdin) else { return };
        let mut keys = now.clone();
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        for (place, value) in
            [(SpecialCharacterIndices::VMIN, 0), (SpecialCharacterIndices::VTIME, 0)]
        {
            if let Some(character) = keys.control_chars.get_mut(place as usize) {
                *character = value;
            }
        }
        if tcsetattr(&stdin, SetArg::TCSANOW, &keys).is_ok() && self.before.is_none() {
            self.before = Some(now);
        }
    }

    /// Everything as it was.
    fn give_back(&mut self) {
        self.leave_screen();
        // In the background the keys are somebody else's.
        if in_foreground()
            && let Some(before) = self.before.take()
        {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &before);
        }
    }

    fn leave_screen(&mut self) {
        if std::mem::take(&mut self.taken) {
            write(LEAVE);
        }
    }

    /// Stops as if SIGTSTP had never been taken: where it is ignored, or nobody is there who could
    /// continue (an orphaned process group), not at all. Comes back when continued.
    fn stop(&mut self) {
        self.give_back();
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTSTP);
        if raise(Signal::SIGTSTP).is_ok() && stop.thread_unblock().is_ok() {
            let _ = stop.thread_block();
        }
    }

    /// What the signals that have come ask for.
    fn signalled(&mut self) -> Option<Wish> {
        let mut wish = None;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match i32::try_from(signal.ssi_signo).map(Signal::try_from) {
                Ok(Ok(Signal::SIGTSTP)) => {
                    self.stop();
                    wish = Some(Wish::Stay);
                }
                // A SIGSTOP may have been before it, and the shell's own modes.
                Ok(Ok(Signal::SIGCONT)) => {
                    self.leave_screen();
                    wish = Some(Wish::Stay);
                }
                _ => return Some(Wish::Leave),
            }
        }
        wish
    }

    /// Its size in columns and rows, as `stty` says it to a program that asks: by the environment,
    /// else 80 by 24 where nobody says.
    pub fn size(&self) -> (usize, usize) {
        let said = |name: &str| std::env::var(name).ok()?.parse().ok().filter(|size| *size > 0);
        let (columns, rows) =
            crate::terminal::size(std::io::stdout()).unwrap_or((crate::terminal::COLUMNS, 24));
        (said("COLUMNS").unwrap_or(columns), said("LINES").unwrap_or(rows))
    }

    /// Waits for a time, a key or a signal.
    pub fn wait(&mut self, time: Duration) -> Result<Wish, Failure> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let waits_for_terminal = self.in_place && !self.taken;
            let most = if waits_for_terminal { left.min(FOREGROUND_QUESTION) } else { left };
            let timeout =
                PollTimeout::try_from(most + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let stdin = std::io::stdin();
            let mut waited = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            let listens = self.taken && self.before.is_some();
            if listens {
                waited.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut waited, timeout) {
                Ok(0) if left <= most || in_foreground() => return Ok(Wish::Stay),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(Failure::environment(format!("waiting: {error}"))),
            }
            let came = waited.get(1).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
            if let Some(wish) = self.signalled() {
                return Ok(wish);
            }
            let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
            if came.intersects(gone) || (came.contains(PollFlags::POLLIN) && asked_to_leave()) {
                return Ok(Wish::Leave);
            }
            if left.is_zero() {
                return Ok(Wish::Stay);
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Reads the keys that were pressed.
fn asked_to_leave() -> bool {
    let mut keys = [0; 64];
    let stdin = std::io::stdin();
    let pressed = match nix::unistd::read(&stdin, &mut keys) {
        Ok(pressed) => keys.get(..pressed).unwrap_or_default(),
        Err(_) => return false,
    };
    // An arrow key is more than one byte that begins with Esc.
    pressed.contains(&b'q') || pressed.contains(&b'Q') || pressed == [0x1b]
}

/// Whether the terminal may be used. One that is not the controlling terminal knows no jobs (ENOTTY),
/// and a foreground group of another process id namespace (0) is none that could be waited for.
fn in_foreground() -> bool {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let ours = getpgrp();
    [stdin.as_fd(), stdout.as_fd()]
        .into_iter()
        .all(|fd| tcgetpgrp(fd).map_or(true, |group| group == ours || group.as_raw() == 0))
}

fn write(sequence: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(sequence).and_then(|()| out.flush());
}
