//! What comes before a library is used, when there is no file yet.
//!
//! A host that only stands by leaves no file, so what comes waits for a reason to have one. A library that
//! writes and writes meanwhile costs no more than some lines, and never what a host is made with.

use std::collections::VecDeque;

use cami_recording::{Block, Call};

use super::about::About;
use super::entry::Entry;

/// Of what a library says before anybody uses it, the newest lines that are kept.
const MAX_EARLY_LINES: usize = 1000;

/// So many other things are a reason to have a file: there they are bounded as they are anywhere.
const MAX_EARLY: usize = 1000;

/// What came before there was a reason to have a file.
#[derive(Debug, Default)]
pub struct Early {
    /// Who is recorded, and where.
    pub about: Option<Box<About>>,
    /// How often the client had started a host anew, once that was said.
    pub restarts: Option<u32>,
    /// The rest.
    pub entries: VecDeque<Entry>,
    lines: usize,
    /// Lines that were not kept.
    pub lost_lines: u64,
}

impl Early {
    /// Takes one; true where it is a reason to have a file.
    pub fn take(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::About(about) => self.about = Some(about),
            Entry::Restarts(count) => self.restarts = Some(count),
            entry => {
                let others = self.entries.len().saturating_sub(self.lines);
                let says = says_something(&entry) || others >= MAX_EARLY;
                self.lines += usize::from(is_line(&entry));
                self.entries.push_back(entry);
                if self.lines > MAX_EARLY_LINES
                    && let Some(oldest) = self.entries.iter().position(is_line)
                {
                    self.entries.remove(oldest);
                    self.lines -= 1;
                    self.lost_lines += 1;
                }
                return says;
            }
        }
        false
    }
}

fn is_line(entry: &Entry) -> bool {
    matches!(entry, Entry::Block(Block::Line(_)))
}

/// Whether an entry is a reason to have a file at all: a library that was loaded and not used is none.
fn says_something(entry: &Entry) -> bool {
    match entry {
        Entry::Block(Block::Called(called)) => called.call != Call::Load.number(),
        Entry::Block(Block::Answered(answered)) => answered.value < 0,
        Entry::Block(Block::Line(_) | Block::Ended(_)) | Entry::UnlessTold(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use cami_recording::block::{Answered, Called, Ended, Line};

    use super::*;

    fn line(number: u64) -> Entry {
        Entry::Block(Line { at_ns: number, ..Line::default() }.into())
    }

    fn called(call: Call) -> Entry {
        Entry::Block(Called { call: call.number(), ..Called::default() }.into())
    }

    #[test]
    fn what_nobody_asked_is_a_reason_for_a_file_where_there_is_much_of_it() {
        let mut early = Early::default();
        let mut answered = || early.take(Entry::Block(Answered::default().into()));
        let taken = std::iter::repeat_with(&mut answered).take_while(|says| !says).count();
        assert_eq!(taken, MAX_EARLY);
    }

    #[test]
    fn lines_are_no_reason_for_a_file_and_drive_nothing_else_out() {
        let mut early = Early::default();
        assert!(!early.take(called(Call::Load)));
        for number in 0..5000 {
            assert!(!early.take(line(number)));
        }
        assert!(!early.take(Entry::UnlessTold(Ended::default().into())));
        assert!(!early.take(Entry::Restarts(3)));
        assert!(early.take(called(Call::Initialize)), "it is used");
        assert_eq!((early.restarts, early.lost_lines), (Some(3), 4000));
        let mut kept = early.entries.iter();
        assert!(matches!(kept.next(), Some(Entry::Block(Block::Called(_)))));
        for number in 4000..5000 {
            let Some(Entry::Block(Block::Line(line))) = kept.next() else { panic!() };
            assert_eq!(line.at_ns, number);
        }
        assert!(matches!(kept.next(), Some(Entry::UnlessTold(_))));
        assert!(matches!(kept.next(), Some(Entry::Block(Block::Called(_)))));
        assert!(kept.next().is_none());
    }
}
