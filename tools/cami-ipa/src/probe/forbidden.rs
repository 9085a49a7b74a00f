//! What a library imports that its sandbox refuses, or allows under limits.
//!
//! The verdict on a call is that of [`cami_seccomp`]'s description. Here stands only what that cannot
//! know: which function of the C library makes which call, where their names differ.

use std::collections::BTreeMap;

use cami_elf::{Closure, Object};
use cami_seccomp::{Answer, Intent, Options, Phase, Rule, Tier, rule_for};
use serde::Serialize;

/// Functions whose system call has another name (glibc 2.36).
const MADE_BY: [(&str, &str); 28] = [
    ("execl", "execve"),
    ("execle", "execve"),
    ("execlp", "execve"),
    ("execv", "execve"),
    ("execvp", "execve"),
    ("execvpe", "execve"),
    ("popen", "execve"),
    ("posix_spawn", "execve"),
    ("posix_spawnp", "execve"),
    ("system", "execve"),
    ("wordexp", "execve"),
    ("fexecve", "execveat"),
    // The C library's fork is clone, which is allowed.
    ("fork", "clone"),
    ("ftruncate64", "ftruncate"),
    ("posix_fallocate64", "fallocate"),
    ("truncate64", "truncate"),
    ("seteuid", "setresuid"),
    ("setegid", "setresgid"),
    ("daemon", "setsid"),
    ("setpgrp", "setpgid"),
    ("setrlimit", "prlimit64"),
    ("setrlimit64", "prlimit64"),
    ("prlimit", "prlimit64"),
    ("umount", "umount2"),
    ("syslog", "connect"),
    ("openlog", "connect"),
    ("getaddrinfo", "connect"),
    ("gethostbyname", "connect"),
];

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The process ends with SIGSYS.
    Kill,
    /// It fails.
    Refuse,
    /// It is let through, where a condition holds.
    Limited,
}

/// One call that a library imports a function for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forbidden {
    /// What becomes of it.
    pub effect: Effect,
    /// The system call.
    pub call: &'static str,
    /// The functions.
    pub imports: Vec<String>,
    /// File name of the library that imports them.
    pub imported_by: String,
    /// `SIGSYS`, or the name of an errno; where the call is limited, what it gets otherwise.
    pub answer: String,
    /// When it is let through; empty where it never is.
    pub condition: String,
    /// Why.
    pub reason: &'static str,
}

/// The rule of the call that a function makes.
fn rule_of(function: &str) -> Option<&'static Rule> {
    let made_by = MADE_BY.iter().find(|(name, _)| *name == function);
    rule_for(made_by.map_or(function, |(_, call)| call))
}

/// The intents of limited calls that are worth a line: memory, threads and files are everyone's.
fn tells_something(intent: Intent) -> bool {
    use Intent::{Confinement, Devices, OtherProcesses, Signals, Sockets};
    matches!(intent, Sockets | Devices | Confinement | OtherProcesses | Signals)
}

/// What becomes of a function's call; `None` where nothing is to be said.
fn judge(function: &str, options: &Options) -> Option<(Effect, &'static Rule)> {
    let rule = rule_of(function)?;
    let limited = || rule.limits.iter().any(|limit| limit.holds_in(Phase::Running, options));
    let kills = |limit: &cami_seccomp::Limit| {
        limit.otherwise == Answer::Kill && limit.holds_in(Phase::Running, options)
    };
    let effect = match rule.tier {
        Tier::Kill => Effect::Kill,
        Tier::Refuse(_) => Effect::Refuse,
        Tier::Allow if rule.never(Phase::Loading, options) => Effect::Refuse,
        Tier::Allow if limited() && tells_something(rule.intent) => Effect::Limited,
        Tier::Allow if rule.limits.iter().any(kills) && rule.intent != Intent::Threads => {
            Effect::Limited
        }
        Tier::Allow => return None,
    };
    Some((effect, rule))
}

/// What the libraries of a closure import, those of the system left aside: what the C library
/// imports says nothing of the vendor's.
pub fn forbidden(closure: &Closure, options: &Options) -> Vec<Forbidden> {
    let mut found: Vec<Forbidden> = Vec::new();
    let users = closure
        .users()
        .filter(|member| member.found.as_ref().is_some_and(|(_, by)| !by.is_system()));
    for member in users {
        let imports = member.object().map(Object::imports).and_then(Result::ok);
        let mut calls: BTreeMap<(Effect, &'static str), (Vec<String>, &'static Rule)> =
            BTreeMap::new();
        for import in imports.unwrap_or_default() {
            if let Some((effect, rule)) = judge(&import.name, options) {
                let entry = calls.entry((effect, rule.call)).or_insert((Vec::new(), rule));
                entry.0.push(import.name);
            }
        }
        found.extend(calls.into_iter().map(|((effect, call), (imports, rule))| {
            let limited = effect == Effect::Limited;
            Forbidden {
                effect,
                call,
                imports,
                imported_by: member.file_name(),
                answer: rule.answer(Phase::Running, options),
                condition: if limited {
                    rule.condition(Phase::Running, options)
                } else {
                    String::new()
                },
                reason: rule.reason,
            }
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(function: &str) -> Option<Effect> {
        judge(function, &Options::default()).map(|(effect, _)| effect)
    }

    #[test]
    fn every_function_makes_a_call_that_has_a_rule() {
        for (function, call) in MADE_BY {
            assert!(rule_for(call).is_some(), "{function} makes {call}");
        }
    }

    /// A new rule that kills is seen without a word here.
    #[test]
    fn every_call_that_is_never_let_through_is_told_under_its_own_name() {
        for rule in cami_seccomp::rules() {
            let renamed = MADE_BY.iter().any(|(function, _)| *function == rule.call);
            match rule.tier {
                Tier::Kill => assert_eq!(effect(rule.call), Some(Effect::Kill), "{}", rule.call),
                Tier::Refuse(_) if !renamed => {
                    assert_eq!(effect(rule.call), Some(Effect::Refuse), "{}", rule.call);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn functions_are_judged_by_the_calls_that_they_make() {
        for (function, expected) in [
            ("system", Some(Effect::Kill)),
            ("execvp", Some(Effect::Kill)),
            ("ptrace", Some(Effect::Kill)),
            ("ftruncate64", Some(Effect::Refuse)),
            ("connect", Some(Effect::Refuse)),
            ("socket", Some(Effect::Limited)),
            ("ioctl", Some(Effect::Limited)),
            ("fork", None),
            ("mmap", None),
            ("read", None),
            ("memcpy", None),
        ] {
            assert_eq!(effect(function), expected, "{function}");
        }
    }
}
