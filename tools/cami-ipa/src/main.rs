//! The command line.
#![forbid(unsafe_code)]

mod commands;
mod compare;
mod conform;
mod convergence;
mod doctor;
mod failure;
mod hal;
mod ipu3;
mod latency;
mod learn;
mod library;
mod options;
mod outputs;
mod policy;
mod printf;
mod probe;
mod process_tree;
mod progress;
mod record;
mod recorded;
mod recorder;
mod replay;
mod report;
mod run;
mod run_options;
mod sensors;
mod serve;
mod show;
mod sink;
mod status;
mod summary;
mod terminal;
mod top;
mod trace;

use std::io::Write;
use std::process::ExitCode;

use options::Command;

fn main() -> ExitCode {
    let done = match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => {
            // A reader that goes away early is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
        Ok(Command::Doctor(options)) => doctor::doctor(&options),
        Ok(Command::Compare(options)) => compare::compare(&options),
        Ok(Command::Run(options)) => run::run(&options),
        Ok(Command::Serve(options)) => serve::serve(&options),
        Ok(Command::Policy(options)) => policy::policy(&options),
        Ok(Command::Learn(options)) => learn::learn(&options),
        Ok(Command::Probe(options)) => probe::probe(&options),
        Ok(Command::Conform(options)) => conform::conform(&options),
        Ok(Command::ConformOne(job)) => conform::job::run(&job),
        Ok(Command::Report(options)) => report::report(&options),
        Ok(Command::Show(options)) => show::show(&options),
        Ok(Command::Top(options)) => top::top(&options),
        Ok(Command::Status(options)) => status::run(&options),
        Ok(Command::Ipu3(options)) => ipu3::ipu3(&options),
        Ok(Command::Record(options)) => match recorder::record(&options) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Ok(Command::Replay(options)) => replay::replay(&options),
        Ok(Command::Import(options)) => replay::import::import(&options),
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "cami-ipa: {failure}");
            failure.exit_code()
        }
    }
}
