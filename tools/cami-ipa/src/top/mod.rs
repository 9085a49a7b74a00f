//! `cami-ipa top`: the hosts that run, as they run.

mod rates;
mod screen;
mod terminal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, number, path, usage_of};
use crate::outputs::STANDARD_OUTPUT;
use crate::sink::Sink;
use crate::status::{self, StatusOptions};
use crate::terminal::can_draw;
use rates::Rates;
use terminal::{Terminal, Wish};

/// How to show them.
#[derive(Debug, Clone)]
pub struct TopOptions {
    /// In place of the configured `status_dir`.
    pub status_dir: Option<PathBuf>,
    /// Once, and not again and again.
    pub once: bool,
    /// How often they are shown; 0 is without end.
    pub times: u64,
    /// Between two looks.
    pub every: Duration,
    /// Where the data goes; "-" is standard output, in place of the text.
    pub json: Option<PathBuf>,
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa top [OPTION...]

Shows what the hosts that run are doing, and again every second: requests per second, requests in
flight, how long the last answers took (of at most 64 requests), restarts, memory. Where standard
output is a terminal the picture is renewed in place, and q, Esc or ^C ends it (^Z stops it as any
program, and nothing is shown while it is in the background); elsewhere tables follow one another.

  --once              show it once
  --times N           show it N times
  --every MS          milliseconds between two looks (default: 1000; hosts write once per second)
  --json FILE         the same as JSON lines, one for each look (\"-\" for standard output, in place of
                      the text)
  --status-dir DIR    where hosts leave their status (default: the configured status_dir, else
                      /run/cami-ipa)

exit codes: 0 done; 2 wrong usage, or a folder that cannot be read
";

/// Understands the arguments behind `top`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("top");
    let mut options = TopOptions {
        status_dir: None,
        once: false,
        times: 0,
        every: Duration::from_secs(1),
        json: None,
    };
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("once") => options.once = true,
            Long("times") => options.times = number(&mut parser, "--times", 1, u64::MAX)?,
            Long("every") => {
                let every = number(&mut parser, "--every", 50, 3_600_000)?;
                options.every = Duration::from_millis(every);
            }
            Long("json") => options.json = Some(path(&mut parser)?),
            Long("status-dir") => options.status_dir = Some(path(&mut parser)?),
            other => return Err(usage(other.unexpected())),
        }
    }
    if options.once {
        options.times = 1;
    }
    Ok(Command::Top(options))
}

/// Does it.
pub fn top(options: &TopOptions) -> Result<(), Failure> {
    let status =
        StatusOptions { status_dir: options.status_dir.clone(), ..StatusOptions::default() };
    let folders = status::folders(&status)?;
    let to_stdout = options.json.as_deref() == Some(Path::new(STANDARD_OUTPUT));
    let mut data = match options.json.as_deref() {
        Some(_) if to_stdout => Sink::stdout(),
        Some(path) => Sink::file(path)?,
        None => Sink::none(),
    };
    let mut text = if to_stdout { Sink::none() } else { Sink::stdout() };
    let in_place = !to_stdout && options.times != 1 && can_draw(&std::io::stdout());
    let mut terminal = Terminal::open(in_place)?;
    let mut rates = Rates::default();
    let mut looks: u64 = 0;
    loop {
        let (status_dir, crash_dir) = folders.clone();
        let report = status::collect(status_dir, crash_dir)?;
        let look = rates.look(&report);
        data.line(&look.json())?;
        data.flush()?;
        let shows = terminal.is_ours();
        if shows {
            text.put(&screen::render(&look, in_place.then(|| terminal.size())))?;
            text.flush()?;
        }
        // One that is not to be seen anywhere is none of those that were asked for.
        looks = looks.saturating_add(u64::from(shows || !data.is_gone()));
        if looks == options.times || (text.is_gone() && data.is_gone()) {
            return Ok(());
        }
        if terminal.wait(options.every)? == Wish::Leave {
            return Ok(());
        }
    }
}
