//! What is known of a terminal before something is drawn in it.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// The columns of a terminal that does not say how many it has.
pub const COLUMNS: usize = 80;

/// Whether it is a terminal that understands control sequences: `TERM=dumb` is for one that does not.
pub fn can_draw(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Its size in columns and rows, as it says itself.
pub fn size(out: impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(out).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}
