//! What the vendor process writes, line by line into our log.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

/// Longer lines are broken: one log record is to fit a system log datagram.
const MAX_LINE_BYTES: usize = 2048;
/// Lines per second that are logged of one stream; more are counted.
const LINES_PER_SECOND: u32 = 100;
/// Lines that are kept of those left out, for the end of the process.
const LAST_LINES: usize = 10;
/// Lines that are kept for the crash record, logged or not, and their bytes together.
const TAIL_LINES: usize = 64;
const TAIL_BYTES: usize = 16 << 10;
/// Bytes taken from a stream before the others get their turn.
const TURN_BYTES: usize = 256 << 10;

/// One stream of the vendor process.
#[derive(Debug)]
pub struct Output<R> {
    pipe: R,
    line: Vec<u8>,
    limit: Limit,
    /// The last lines that were left out: a library's reason to die stands there.
    last: VecDeque<String>,
    tail: Tail,
    open: bool,
}

/// The last lines, as they came.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Tail {
    fn push(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.lines.push_back(line.to_vec());
        while self.lines.len() > TAIL_LINES || self.bytes > TAIL_BYTES {
            self.bytes -= self.lines.pop_front().map_or(self.bytes, |line| line.len());
        }
    }
}

impl<R: Read> Output<R> {
    /// A stream that does not block.
    pub fn new(pipe: R) -> Self {
        Self {
            pipe,
            line: Vec::with_capacity(MAX_LINE_BYTES),
            limit: Limit::new(),
            last: VecDeque::new(),
            tail: Tail::default(),
            open: true,
        }
    }

    /// The pipe, to poll it.
    pub fn pipe(&self) -> &R {
        &self.pipe
    }

    /// Whether it has not ended yet.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The last lines, logged or not.
    pub fn tail(&self) -> Vec<String> {
        self.tail.lines.iter().map(|line| printable(line)).collect()
    }

    /// Takes what is there and gives complete lines to `log`.
    pub fn take(&mut self, mut log: impl FnMut(&str)) {
        let mut buffer = [0; 4096];
        let mut taken = 0;
        while taken < TURN_BYTES {
            let count = match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.open = false;
                    return;
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.open = error.kind() == ErrorKind::WouldBlock;
                    return;
                }
            };
            taken += count;
            for byte in buffer.iter().take(count) {
                if *byte != b'\n' {
                    self.line.push(*byte);
                }
                if *byte == b'\n' || self.line.len() >= MAX_LINE_BYTES {
                    self.end_line(&mut log);
                }
            }
        }
    }

    /// Logs what has no line end yet, and how much was left out.
    pub fn finish(&mut self, mut log: impl FnMut(&str)) {
        self.take(&mut log);
        if !self.line.is_empty() {
            self.end_line(&mut log);
        }
        if let Some(note) = self.limit.note() {
            log(&format!("{note}, the last of them:"));
        }
        for line in self.last.drain(..) {
            log(&line);
        }
    }

    fn end_line(&mut self, log: &mut impl FnMut(&str)) {
        self.tail.push(&self.line);
        let (allowed, note) = self.limit.next(Instant::now());
        if let Some(note) = note {
            log(&note);
        }
        if allowed {
            self.last.clear();
            log(&printable(&self.line));
        } else {
            if self.last.len() >= LAST_LINES {
                self.last.pop_front();
            }
            self.last.push_back(printable(&self.line));
        }
        self.line.clear();
    }
}

/// A library cannot paint the administrator's terminal.
pub fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    if text.chars().any(char::is_control) {
        text.chars()
            .flat_map(|character| {
                let escape = character.is_control() && character != '\t';
                let plain = (!escape).then_some(character);
                plain.into_iter().chain(character.escape_default().filter(move |_| escape))
            })
            .collect()
    } else {
        text.into_owned()
    }
}

/// A bound on the lines of each second.
#[derive(Debug)]
struct Limit {
    second: Instant,
    logged: u32,
    left_out: u64,
}

impl Limit {
    fn new() -> Self {
        Self { second: Instant::now(), logged: 0, left_out: 0 }
    }

    /// Whether the next line may be logged, and what to say before it.
    fn next(&mut self, now: Instant) -> (bool, Option<String>) {
        let mut note = None;
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.logged = 0;
            note = self.note();
        }
        if self.logged < LINES_PER_SECOND {
            self.logged += 1;
            (true, note)
        } else {
            self.left_out += 1;
            (false, note)
        }
    }

    fn note(&mut self) -> Option<String> {
        let left_out = std::mem::take(&mut self.left_out);
        (left_out > 0).then(|| format!("… {left_out} more lines left out"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{
        LAST_LINES, LINES_PER_SECOND, Limit, MAX_LINE_BYTES, Output, TAIL_BYTES, TAIL_LINES,
        printable,
    };

    fn lines(input: &[u8]) -> Vec<String> {
        let mut output = Output::new(input);
        let mut lines = Vec::new();
        output.finish(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn output_is_split_at_line_ends_and_the_rest_is_kept() {
        assert_eq!(lines(b"one\ntwo\n\nthree"), ["one", "two", "", "three"]);
    }

    #[test]
    fn output_long_line_is_broken() {
        let found = lines(&vec![b'x'; MAX_LINE_BYTES + 5]);
        assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_BYTES, 5]);
    }

    #[test]
    fn output_flood_is_counted_and_not_logged() {
        let flood = format!("{}why\n", "x\n".repeat(5000));
        let found = lines(flood.as_bytes());
        assert!(found.len() < 5000, "{}", found.len());
        let note = found.iter().position(|line| line.contains("left out")).unwrap();
        assert_eq!(found.len() - note, 1 + LAST_LINES, "{found:?}");
        assert_eq!(found.last().unwrap(), "why");
    }

    #[test]
    fn tail_keeps_the_last_lines_of_a_flood_and_of_long_ones() {
        let flood: String = (0..5000).map(|number| format!("{number}\n")).collect();
        let mut output = Output::new(flood.as_bytes());
        output.finish(|_| ());
        let expected: Vec<String> = (5000 - TAIL_LINES..5000).map(|n| n.to_string()).collect();
        assert_eq!(output.tail(), expected);
        let long = format!("{}\n", "x".repeat(2000)).repeat(20);
        let mut output = Output::new(long.as_bytes());
        output.finish(|_| ());
        assert_eq!(output.tail().len(), TAIL_BYTES / 2000);
    }

    #[test]
    fn limit_starts_afresh_each_second_and_says_what_it_left_out() {
        let mut limit = Limit::new();
        let start = Instant::now();
        for _ in 0..LINES_PER_SECOND {
            assert_eq!(limit.next(start), (true, None));
        }
        assert_eq!(limit.next(start), (false, None));
        let (allowed, note) = limit.next(start + Duration::from_secs(2));
        assert!(allowed && note.unwrap().contains("1 more"));
    }

    #[test]
    fn printable_escapes_control_characters() {
        assert_eq!(printable(b"a\tb\x1b[31m"), "a\tb\\u{1b}[31m");
        assert_eq!(printable(b"\xff"), "\u{fffd}");
    }
}
