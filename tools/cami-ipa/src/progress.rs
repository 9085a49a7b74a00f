//! What is seen while it runs: a small table that changes on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use crate::convergence::FrameTruth;
use crate::terminal;

/// Frames between two plain lines.
const PLAIN_STEP: u64 = 10;
/// Cells of the progress bar.
const BAR: u64 = 40;
/// Columns of the table.
const TABLE_COLUMNS: usize = 72;
/// Lines of the table.
const TABLE_LINES: u32 = 3;

/// Where progress goes.
pub struct Progress {
    out: Box<dyn Write>,
    terminal: bool,
    frames: u64,
    table_is_last: bool,
}

/// What is told of a frame.
#[derive(Debug, Clone, Copy)]
pub struct FrameLine {
    /// Its number, from 0.
    pub frame: u64,
    /// Exposure time, in µs.
    pub exposure_us: i32,
    /// Analogue gain.
    pub analogue_gain: f32,
    /// Estimated colour temperature, in kelvin.
    pub cct_k: u32,
    /// What the sensor model says.
    pub truth: FrameTruth,
}

impl Progress {
    /// On standard output, or on standard error if figures go to standard output.
    pub fn new(frames: u64, stdout_is_taken: bool) -> Self {
        if stdout_is_taken {
            Self::on(Box::new(io::stderr()), holds_table(io::stderr()), frames)
        } else {
            Self::on(Box::new(io::stdout()), holds_table(io::stdout()), frames)
        }
    }

    fn on(out: Box<dyn Write>, terminal: bool, frames: u64) -> Self {
        Self { out, terminal, frames, table_is_last: false }
    }

    /// A frame is done.
    pub fn frame(&mut self, line: &FrameLine) {
        // What cannot be shown is not worth ending the run for.
        if self.terminal {
            self.table(line);
        } else if line.frame.is_multiple_of(PLAIN_STEP) || line.frame + 1 == self.frames {
            let _ = writeln!(
                self.out,
                "frame {:>4}  {:>7} us x {:<6.2} level {:>5.1} %  {:>5} K  grey R/G {:>+6.1} %  \
                 B/G {:>+6.1} %",
                line.frame,
                line.exposure_us,
                line.analogue_gain,
                100.0 * line.truth.level,
                line.cct_k,
                100.0 * line.truth.red_error,
                100.0 * line.truth.blue_error,
            );
        }
    }

    /// Draws the table, over the one before if nothing was told in between.
    fn table(&mut self, line: &FrameLine) {
        if std::mem::replace(&mut self.table_is_last, true) {
            let _ = write!(self.out, "\x1b[{TABLE_LINES}A");
        }
        let done = line.frame + 1;
        let filled = done * BAR / self.frames.max(1);
        let bar: String = (0..BAR).map(|cell| if cell < filled { '#' } else { '.' }).collect();
        let _ = write!(
            self.out,
            "\r\x1b[K  frame    exposure    gain    level     CCT   grey R/G   grey B/G\n\
             \x1b[K  {:>5}  {:>7} us  {:>6.2}  {:>5.1} %  {:>4} K   {:>+6.1} %   {:>+6.1} %\n\
             \x1b[K  [{bar}] {done} of {}\n",
            line.frame,
            line.exposure_us,
            line.analogue_gain,
            100.0 * line.truth.level,
            line.cct_k,
            100.0 * line.truth.red_error,
            100.0 * line.truth.blue_error,
            self.frames
        );
        let _ = self.out.flush();
    }

    /// Something else is to be told.
    pub fn line(&mut self, text: &str) {
        self.table_is_last = false;
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
    }
}

/// Whether each of the table's lines is one of the terminal's.
fn holds_table(out: impl IsTerminal + AsFd) -> bool {
    let columns = terminal::size(&out).map_or(terminal::COLUMNS, |(columns, _)| columns);
    terminal::can_draw(&out) && columns > TABLE_COLUMNS
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(terminal: bool, frames: u64) -> String {
        let page = Page::default();
        let mut progress = Progress::on(Box::new(page.clone()), terminal, frames);
        let truth = FrameTruth { product: 1.0, level: 0.2, red_error: 0.01, blue_error: -0.02 };
        for frame in 0..frames {
            progress.frame(&FrameLine {
                frame,
                exposure_us: 9999,
                analogue_gain: 1.5,
                cct_k: 5000,
                truth,
            });
        }
        progress.line("done");
        let bytes = page.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn plain_lines_are_few_and_without_control_characters() {
        let text = shown(false, 25);
        assert_eq!(text.lines().count(), 5, "frames 0, 10, 20, 24 and the line: {text}");
        assert!(!text.contains(['\r', '\x1b']));
        assert!(text.contains("20.0 %") && text.contains("+1.0 %") && text.contains("-2.0 %"));
    }

    #[test]
    fn a_terminal_has_one_table_that_changes() {
        let text = shown(true, 25);
        assert_eq!(text.matches("\x1b[3A").count(), 24, "all but the first go over the last");
        assert!(text.ends_with(" 25 of 25\ndone\n"), "{text}");
        assert!(text.contains(&"#".repeat(40)));
        let widest = text.lines().map(|line| line.replace("\x1b[K", "").len()).max();
        assert!(widest <= Some(TABLE_COLUMNS), "{widest:?}");
    }
}
