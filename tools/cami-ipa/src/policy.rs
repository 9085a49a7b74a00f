//! `cami-ipa policy`: which system calls a vendor library may use.

use std::fmt::Write as _;
use std::path::PathBuf;

use cami_seccomp::{
    Arch, Intent, Options, Phase, Rule, minijail_policy, rules, system_call_number,
};
use lexopt::prelude::*;
use serde::Serialize;

use crate::failure::Failure;
use crate::options::{Command, ioctl_number, text, usage_of};
use crate::outputs::Output;

/// What to print.
#[derive(Debug, Clone)]
pub struct PolicyOptions {
    format: Format,
    arch: Arch,
    phase: Phase,
    ioctls: Vec<u32>,
    /// Where the same goes as JSON, besides what is printed.
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Minijail,
    Json,
}

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa policy [OPTION...]

Prints which system calls a vendor library may use in its process, and why.

  --format FORMAT   table (default), json, or minijail: a policy text for minijail0 -S
  --arch ARCH       x86_64 or aarch64 (default: this machine's)
  --phase PHASE     loading (default): before the library is opened; running: once initialize has
                    returned. A minijail policy is that of loading: there is no second one
  --ioctl N         an ioctl number to allow, as in sandbox.ioctl; may be given again
  --json FILE       writes the rules as JSON (\"-\" for standard output, in place of the table)

A call that is not listed fails with ENOSYS.

exit codes: 0 done, 2 wrong usage or environment
";

/// Understands the arguments behind `policy`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("policy");
    let mut options = PolicyOptions {
        format: Format::Table,
        arch: Arch::current(),
        phase: Phase::Loading,
        ioctls: Vec::new(),
        json: None,
    };
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("format") => {
                options.format = match text(&mut parser, "--format")?.as_str() {
                    "table" => Format::Table,
                    "minijail" => Format::Minijail,
                    "json" => Format::Json,
                    other => return Err(unknown("--format", other, "table, json or minijail")),
                }
            }
            Long("arch") => {
                let name = text(&mut parser, "--arch")?;
                options.arch = Arch::by_name(&name)
                    .ok_or_else(|| unknown("--arch", &name, "x86_64 or aarch64"))?;
            }
            Long("phase") => {
                let name = text(&mut parser, "--phase")?;
                options.phase = Phase::ALL
                    .into_iter()
                    .find(|phase| phase.name() == name)
                    .ok_or_else(|| unknown("--phase", &name, "loading or running"))?;
            }
            Long("ioctl") => options.ioctls.push(ioctl_number(&mut parser)?),
            Long("json") => options.json = Some(parser.value().map_err(&usage)?.into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    if options.format == Format::Minijail && options.phase == Phase::Running {
        return Err(Failure::usage(
            "--phase running: minijail installs one policy, that of loading".into(),
        ));
    }
    Ok(Command::Policy(options))
}

fn unknown(option: &str, value: &str, known: &str) -> Failure {
    Failure::usage(format!("{option}: \"{value}\" is not {known}"))
}

/// Prints it.
pub fn policy(options: &PolicyOptions) -> Result<(), Failure> {
    let with = Options { ioctls: options.ioctls.clone(), may_truncate: false };
    // An ioctl that cannot be had is said before anything is printed.
    cami_seccomp::compile(options.arch, options.phase, &with)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let standard = PathBuf::from(crate::outputs::STANDARD_OUTPUT);
    let text = match options.format {
        Format::Table => table(options.arch, options.phase, &with),
        Format::Minijail => minijail_policy(options.arch, &with),
        Format::Json => json(options.arch, options.phase, &with)?,
    };
    match &options.json {
        Some(path) => {
            if *path != standard {
                Output::write_all(&standard, &text)?;
            }
            Output::write_all(path, &json(options.arch, options.phase, &with)?)
        }
        None => Output::write_all(&standard, &text),
    }
}

/// The rules that an architecture has, with their numbers.
fn rules_of(arch: Arch) -> impl Iterator<Item = (i64, &'static Rule)> {
    rules().filter_map(move |rule| Some((system_call_number(arch, rule.call)?, rule)))
}

fn table(arch: Arch, phase: Phase, options: &Options) -> String {
    let mut text =
        format!("System calls of a vendor library's process on {arch}, {}.\n", phase.name());
    let mut group: Option<Intent> = None;
    for (_, rule) in rules_of(arch) {
        if group != Some(rule.intent) {
            group = Some(rule.intent);
            let _ = writeln!(text, "\n{}", rule.intent.name());
        }
        let condition = rule.condition(phase, options);
        let tier = if rule.never(phase, options) { "refuse" } else { rule.tier.name() };
        let answer = rule.answer(phase, options);
        let what = if tier == "allow" { String::new() } else { format!(" {answer}") };
        let _ = writeln!(text, "  {:22} {:19} {}", rule.call, format!("{tier}{what}"), rule.reason);
        if tier == "allow" && !condition.is_empty() {
            let _ = writeln!(text, "  {:22} {:19} if {condition}; else {answer}", "", "");
        }
        for limit in rule.limits.iter().filter(|limit| limit.holds_in(phase, options)) {
            let _ = writeln!(text, "  {:22} {:19} ({})", "", "", limit.reason);
        }
    }
    text.push_str("\nEvery other call fails with ENOSYS; one of another ABI ends the process.\n");
    text
}

#[derive(Serialize)]
struct Document {
    arch: &'static str,
    phase: &'static str,
    ioctls: Vec<u32>,
    other_calls: &'static str,
    rules: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    number: i64,
    intent: &'static str,
    tier: &'static str,
    /// What a call gets that is not let through; empty where all are.
    answer: String,
    condition: String,
    condition_reasons: Vec<&'static str>,
    reason: &'static str,
    source: &'static str,
}

fn json(arch: Arch, phase: Phase, options: &Options) -> Result<String, Failure> {
    let rules = rules_of(arch).map(|(number, rule)| Row {
        name: rule.call,
        number,
        intent: rule.intent.name(),
        tier: if rule.never(phase, options) { "refuse" } else { rule.tier.name() },
        answer: rule.answer(phase, options),
        condition: rule.condition(phase, options),
        condition_reasons: rule
            .limits
            .iter()
            .filter(|limit| limit.holds_in(phase, options))
            .map(|limit| limit.reason)
            .collect(),
        reason: rule.reason,
        source: rule.source,
    });
    let document = Document {
        arch: arch.name(),
        phase: phase.name(),
        ioctls: options.ioctls.clone(),
        other_calls: "ENOSYS",
        rules: rules.collect(),
    };
    crate::outputs::json(&document)
}
