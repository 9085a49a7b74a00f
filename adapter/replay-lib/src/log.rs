//! Lines on standard error: the only log that a vendor library has. The host reads them.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};

/// Lines about single requests that a process writes at most: they are the peer's to cause.
const MOST: u32 = 200;

/// Writes a line, in one piece. It is lost where standard error is closed.
pub fn line(text: fmt::Arguments<'_>) {
    let line = format!("cami-replay: {text}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes a line that a peer can cause at will.
pub fn rarely(text: fmt::Arguments<'_>) {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let so_far = WRITTEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |written| {
        (written <= MOST).then_some(written + 1)
    });
    match so_far {
        Ok(MOST) => line(format_args!("more such lines are left out")),
        Ok(_) => line(text),
        Err(_) => {}
    }
}
