//! One line of the log.

use std::fmt::{self, Write};

/// Prefix of every line, so that it is found in the HAL's own log.
pub(crate) const PREFIX: &str = "cami-ipa: ";
/// Longest line in bytes, with its end: a pipe takes up to PIPE_BUF bytes at once or not at all
/// (pipe(7)), so lines of several threads never mix.
const MAX_BYTES: usize = libc::PIPE_BUF;

/// A formatted line: prefix, text without control characters, newline.
#[derive(Debug)]
pub(crate) struct LogLine {
    bytes: String,
}

impl LogLine {
    pub(crate) fn new(text: &fmt::Arguments<'_>) -> Self {
        let mut line = Self { bytes: PREFIX.to_owned() };
        // The only error is our own: the line is full.
        let _ = line.write_fmt(*text);
        line.bytes.push('\n');
        line
    }

    /// The whole line with its newline.
    pub(crate) fn whole(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// The text alone.
    pub(crate) fn text(&self) -> &str {
        self.bytes.strip_prefix(PREFIX).unwrap_or(&self.bytes).trim_end_matches('\n')
    }
}

impl Write for LogLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.bytes.len() + character.len_utf8() >= MAX_BYTES {
                return Err(fmt::Error);
            }
            // A vendor's text may be in it: it shall not forge lines or steer a terminal.
            self.bytes.push(if character.is_control() { ' ' } else { character });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_whatever_is_in_it() {
        let line = LogLine::new(&format_args!("a\nb\x1b[31mc"));
        assert_eq!(line.whole(), b"cami-ipa: a b [31mc\n");
        assert_eq!(line.text(), "a b [31mc");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "ä".repeat(5000);
        let line = LogLine::new(&format_args!("{long}"));
        assert!(line.whole().len() <= MAX_BYTES);
        assert!(line.whole().ends_with("ä\n".as_bytes()));
    }
}
