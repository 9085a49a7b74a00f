//! `cami-ipa conform`: whether a vendor library keeps the rules of the ABI.
//!
//! * `options`: what is asked for; the configuration of the hosts.
//! * `job`: one rule in a process of its own, which is the client of a host.
//! * `beside`, `outside`, `ipu3`, `seldom`: what that process does, by where the rule is seen; `hal` and `log` are
//!   its halves of the ABI and of the log.
//! * `results`, `text`, `tap`, `junit`, `list`: what comes out.

mod beside;
mod hal;
mod ipu3;
pub mod job;
mod junit;
mod list;
mod log;
mod options;
mod outside;
mod progress;
mod results;
mod seldom;
mod tap;
mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use cami_abi::{TableSymbol, inspect};
use cami_conform::{Ask, Rule, Stage, State, Verdict};

pub use options::{ConformOptions, HELP, parse};

use crate::failure::Failure;
use crate::library;
use crate::outputs::{self, Output, STANDARD_OUTPUT};
use crate::probe;
use job::{Done, Job};
use options::{Listing, Surroundings, needs_a_process};
use progress::Bar;
use results::{Outcome, Results};

/// The guest's file name.
const GUEST: &str = "libcam_algo_conform.so";

/// Looks, and tells.
pub fn conform(options: &ConformOptions) -> Result<(), Failure> {
    match options.list {
        Some(Listing::Text) => return Output::print(&list::text(&options.rules())),
        Some(Listing::Markdown) => return Output::print(&list::markdown()),
        None => {}
    }
    let library = library::existing(options.library.clone(), "the library")?;
    let table = inspect(&library)
        .map_err(|error| Failure::falls_short(format!("{} {error}", library.display())))?;
    if table.is_shim() {
        return Err(Failure::falls_short(format!(
            "{} is cami-ipa's own libcam_algo.so, which runs a vendor library and is none: name the \
             vendor's file",
            library.display()
        )));
    }
    let guest = match &options.guest {
        Some(path) => library::existing(path.clone(), "the guest")?,
        None => library::built(library::our_own(GUEST)?, "what looks at it", "--guest")?,
    };
    let suite = Suite {
        options,
        surroundings: Surroundings::new(options, &library, &guest)?,
        library,
        guest,
        // Paths are opened by another process, in another folder.
        tuning: options
            .tuning
            .clone()
            .map(|path| library::existing(path, "the tuning file"))
            .transpose()?,
    };
    let results = suite.look(&table)?;
    write(options, &results)?;
    match results.broken() {
        0 => Ok(()),
        broken => Err(Failure::falls_short(format!(
            "{} does not keep {broken} of the rules that count",
            suite.library.display()
        ))),
    }
}

fn write(options: &ConformOptions, results: &Results) -> Result<(), Failure> {
    let standard = Path::new(STANDARD_OUTPUT);
    let files = [&options.tap, &options.junit, &options.json];
    if files.into_iter().flatten().all(|path| path != standard) {
        Output::print(&text::render(results, text::colour_is_wanted()))?;
    }
    if let Some(path) = &options.tap {
        Output::write_all(path, &tap::render(results))?;
    }
    if let Some(path) = &options.junit {
        Output::write_all(path, &junit::render(results))?;
    }
    if let Some(path) = &options.json {
        Output::write_all(path, &outputs::json(results)?)?;
    }
    Ok(())
}

/// A library and all that it takes to look at it.
struct Suite<'a> {
    options: &'a ConformOptions,
    surroundings: Surroundings,
    library: PathBuf,
    guest: PathBuf,
    tuning: Option<PathBuf>,
}

impl Suite<'_> {
    fn look(&self, table: &TableSymbol) -> Result<Results, Failure> {
        let rules = self.options.rules();
        let mut results = Results::new(self.options, &self.library, table);
        let mut bar = Bar::new(rules.len());
        // What nothing behind it can be seen without.
        let mut broken: Option<(Stage, &'static str)> = None;
        for rule in rules {
            bar.show(rule.id);
            let start = Instant::now();
            let (verdict, log) = match broken.filter(|(stage, _)| rule.after >= *stage) {
                Some((_, by)) => (hidden(by), Vec::new()),
                None => self.look_at(rule)?,
            };
            if verdict.state == State::Fail
                && let Some(stage) = Stage::decided_by(rule.id)
                && broken.is_none_or(|(before, _)| stage < before)
            {
                broken = Some((stage, rule.id));
            }
            results.push(Outcome::new(rule, verdict, start.elapsed(), log));
        }
        Ok(results)
    }

    fn look_at(&self, rule: &'static Rule) -> Result<(Verdict, Vec<String>), Failure> {
        if !needs_a_process(rule) {
            return Ok((self.imports(), Vec::new()));
        }
        let job = Job {
            ask: Ask {
                library: self.library.clone(),
                rule: rule.id.to_owned(),
                sample: self.options.sample(),
                patience: self.options.deadline / 2,
            },
            guest: self.guest.clone(),
            tuning: self.tuning.clone(),
            deadline: self.options.deadline,
        };
        let looked = job.look(rule, &self.surroundings)?;
        match looked.done {
            Done::Verdict(verdict) => Ok((verdict, looked.log)),
            Done::Environment(reason) => {
                Err(Failure::environment(format!("{}: {reason}", rule.id)))
            }
        }
    }

    /// `sandbox.imports`.
    fn imports(&self) -> Verdict {
        let fatal = probe::fatal_imports(
            &self.library,
            self.surroundings.config().clone(),
            self.surroundings.library_path().to_vec(),
        );
        if fatal.is_empty() {
            return Verdict::pass("");
        }
        Verdict::fail(format!("imports {}", fatal.join(", ")))
    }
}

/// A rule that cannot be seen because another is broken.
fn hidden(by: &str) -> Verdict {
    let detail = format!("the library breaks {by}");
    Verdict { blocked_by: Some(by.to_owned()), ..Verdict::skipped(detail) }
}
