//! The terminal, while a picture is renewed in it: another screen, keys as they are pressed, and
//! everything as it was at the end, however it comes.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};

use crate::failure::Failure;

/// The other screen, without a cursor; and back (xterm's private modes 1049 and 25).
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

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
    /// What its keys did before; `None` where nothing was changed.
    before: Option<Termios>,
    in_place: bool,
}

impl Terminal {
    /// Takes the signals that end a program, and, if a picture is to be renewed in place, the screen.
    pub fn open(in_place: bool) -> Result<Self, Failure> {
        let failed = |error: Errno| Failure::environment(format!("signals: {error}"));
        let mut wanted = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            wanted.add(signal);
        }
        wanted.thread_block().map_err(failed)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&wanted, flags).map_err(failed)?;
        let mut terminal = Self { signals, before: None, in_place };
        if in_place {
            terminal.take_keys();
            let mut out = std::io::stdout();
            let _ = out.write_all(ENTER).and_then(|()| out.flush());
        }
        Ok(terminal)
    }

    /// Keys come one by one and are not shown. ^C stays a signal.
    fn take_keys(&mut self) {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return;
        }
        let Ok(before) = tcgetattr(&stdin) else { return };
        let mut keys = before.clone();
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        for (place, value) in
            [(SpecialCharacterIndices::VMIN, 0), (SpecialCharacterIndices::VTIME, 0)]
        {
            if let Some(character) = keys.control_chars.get_mut(place as usize) {
                *character = value;
            }
        }
        if tcsetattr(&stdin, SetArg::TCSANOW, &keys).is_ok() {
            self.before = Some(before);
        }
    }

    /// Its size in columns and rows, as `stty` says it to a program that asks: by the environment,
    /// else 80 by 24 where nobody says.
    pub fn size(&self) -> (usize, usize) {
        let said = |name: &str| std::env::var(name).ok()?.parse().ok().filter(|size| *size > 0);
        let (columns, rows) = size_of_stdout().unwrap_or((80, 24));
        (said("COLUMNS").unwrap_or(columns), said("LINES").unwrap_or(rows))
    }

    /// Waits for a time, a key or a signal.
    pub fn wait(&mut self, time: Duration) -> Result<Wish, Failure> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout =
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let stdin = std::io::stdin();
            let mut waited = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            if self.before.is_some() {
                waited.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut waited, timeout) {
                Ok(0) => return Ok(Wish::Stay),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(Failure::environment(format!("waiting: {error}"))),
            }
            if matches!(self.signals.read_signal(), Ok(Some(_))) || self.asked_to_leave() {
                return Ok(Wish::Leave);
            }
            if left.is_zero() {
                return Ok(Wish::Stay);
            }
        }
    }

    /// Reads the keys that were pressed.
    fn asked_to_leave(&self) -> bool {
        if self.before.is_none() {
            return false;
        }
        let mut keys = [0; 64];
        let stdin = std::io::stdin();
        let pressed = match nix::unistd::read(&stdin, &mut keys) {
            Ok(pressed) => keys.get(..pressed).unwrap_or_default(),
            Err(_) => return false,
        };
        // An arrow key is more than one byte that begins with Esc.
        pressed.contains(&b'q') || pressed.contains(&b'Q') || pressed == [0x1b]
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.in_place {
            let mut out = std::io::stdout();
            let _ = out.write_all(LEAVE).and_then(|()| out.flush());
        }
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

/// What the terminal itself says.
fn size_of_stdout() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}
