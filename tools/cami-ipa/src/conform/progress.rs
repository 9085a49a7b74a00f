//! The bar on standard error, where that is a terminal.

use std::io::Write;

use crate::terminal;

/// Cells of the bar, at most.
const CELLS: usize = 30;

/// How far it is. Dropped, it is gone from the screen.
#[derive(Debug)]
pub struct Bar {
    all: usize,
    done: usize,
    terminal: bool,
}

impl Bar {
    /// Nothing done of so many.
    pub fn new(all: usize) -> Self {
        Self { all, done: 0, terminal: terminal::can_draw(&std::io::stderr()) }
    }

    /// The next one begins.
    pub fn show(&mut self, name: &str) {
        if self.terminal {
            // Each time: a window may become narrower.
            let size = terminal::size(std::io::stderr());
            let columns = size.map_or(terminal::COLUMNS, |(columns, _)| columns);
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", self.line(name, columns));
            let _ = std::io::stderr().flush();
        }
        self.done += 1;
    }

    /// It stays left of the last column, behind which a terminal begins another line: that would not be
    /// written over.
    fn line(&self, name: &str, columns: usize) -> String {
        let cells = CELLS.min(columns / 4);
        let filled = self.done * cells / self.all.max(1);
        let bar: String = (0..cells).map(|cell| if cell < filled { '#' } else { '.' }).collect();
        let line = format!("[{bar}] {} of {}  {name}", self.done, self.all);
        line.chars().take(columns.saturating_sub(1)).collect()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_a_line_fits_its_terminal() {
        let mut bar = Bar { all: 90, done: 45, terminal: false };
        let longest = cami_conform::rules().max_by_key(|rule| rule.id.len()).unwrap().id;
        let line = bar.line(longest, 80);
        assert!(line.starts_with("[##########..........] 45 of 90  "), "{line}");
        assert!(line.ends_with(longest), "{line}");
        let line = bar.line(longest, 400);
        assert!(line.starts_with("[###############...............] 45 of 90  "), "{line}");
        for columns in 0..200 {
            let length = bar.line(longest, columns).chars().count();
            assert!(length < columns.max(1), "{columns}: {length}");
        }
        bar.show("x");
        assert_eq!(bar.done, 46);
    }
}
