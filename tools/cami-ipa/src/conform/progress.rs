//! The bar on standard error, where that is a terminal.

use std::io::{IsTerminal, Write};

/// Cells of the bar.
const CELLS: usize = 30;

/// How far it is.
#[derive(Debug)]
pub struct Bar {
    all: usize,
    done: usize,
    terminal: bool,
}

impl Bar {
    /// Nothing done of so many.
    pub fn new(all: usize) -> Self {
        Self { all, done: 0, terminal: std::io::stderr().is_terminal() }
    }

    /// The next one begins.
    pub fn show(&mut self, name: &str) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", self.line(name));
            let _ = std::io::stderr().flush();
        }
        self.done += 1;
    }

    /// The line is wanted for something else.
    pub fn end(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn line(&self, name: &str) -> String {
        let filled = self.done * CELLS / self.all.max(1);
        let bar: String = (0..CELLS).map(|cell| if cell < filled { '#' } else { '.' }).collect();
        format!("[{bar}] {} of {}  {name}", self.done, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_a_line_fits_a_terminal() {
        let mut bar = Bar { all: 90, done: 45, terminal: false };
        let longest = cami_conform::rules().max_by_key(|rule| rule.id.len()).unwrap().id;
        let line = bar.line(longest);
        assert!(line.starts_with("[###############...............] 45 of 90  "), "{line}");
        assert!(line.len() < 80, "{line}");
        bar.show("x");
        assert_eq!(bar.done, 46);
    }
}
