//! The minijail policy: a text that only changes on purpose, and that says what the filters say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exit,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::collections::BTreeMap;

use cami_seccomp::{Arch, Options, Phase, Verdict, minijail_policy, system_call_number};
use common::samples;

fn golden(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => include_str!("golden/x86_64.policy"),
        Arch::Aarch64 => include_str!("golden/aarch64.policy"),
    }
}

/// Of `DMA_BUF_IOCTL_SYNC`, as a policy in use would allow it.
fn options() -> Options {
    Options { ioctls: vec![0x4008_6200], may_truncate: false }
}

/// `UPDATE_GOLDEN=1` writes the files anew. They have been read by minijail's own parsers, see
/// tests/golden/README.md.
#[test]
fn policy_is_the_one_that_minijail_has_read() {
    for arch in Arch::ALL {
        let text = minijail_policy(arch, &options());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let file = format!("{}/tests/golden/{arch}.policy", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(file, &text).unwrap();
        } else {
            assert_eq!(text, golden(arch), "{arch}: see tests/golden/README.md");
        }
    }
}

/// The language as minijail0(5) describes it: `arg0 == 1 && arg1 in ~2 || arg0 == 3; return 1`.
#[test]
fn policy_decides_as_the_filters_do() {
    for arch in Arch::ALL {
        let policy = parse(golden(arch));
        for sample in samples::all(arch, Phase::Loading, &options()) {
            let name = sample.name.split(' ').next().unwrap().to_owned();
            if name == "call" || sample.arguments.iter().any(|argument| argument >> 32 != 0) {
                // Calls without a name; and what is above an int minijail does not overlook.
                continue;
            }
            assert!(system_call_number(arch, &name).is_some());
            let found = policy.get(&name).map_or(Answer::Kill, |line| line.of(sample.arguments));
            let expected = match sample.expected {
                Verdict::Allow => Answer::Allow,
                Verdict::Errno(errno) => Answer::Errno(errno as i32),
                // minijail knows one answer for the limits of a call.
                Verdict::Kill if matches!(name.as_str(), "clone" | "ioctl") => {
                    assert_ne!(found, Answer::Allow, "{}", sample.name);
                    continue;
                }
                Verdict::Kill => Answer::Kill,
            };
            if policy.contains_key(&name) || !commented(golden(arch), &name) {
                assert_eq!(found, expected, "{arch}: {}", sample.name);
            }
        }
    }
}

fn commented(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.starts_with(&format!("# unknown to some: {name}:")))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Allow,
    Errno(i32),
    Kill,
}

/// Alternatives, each of which is a list of atoms; and what is answered without any.
struct Line {
    alternatives: Vec<Vec<(usize, String, u64)>>,
    otherwise: Answer,
}

impl Line {
    fn of(&self, arguments: [u64; 6]) -> Answer {
        let holds = |(argument, operator, value): &(usize, String, u64)| {
            let found = arguments[*argument];
            match operator.as_str() {
                "==" => found == *value,
                "!=" => found != *value,
                "in" => found & !value == 0,
                other => panic!("an operator that is not used: {other}"),
            }
        };
        let any = self.alternatives.iter().any(|all| all.iter().all(holds));
        if any { Answer::Allow } else { self.otherwise }
    }
}

fn parse(text: &str) -> BTreeMap<String, Line> {
    let mut policy = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(": ").unwrap();
        let (expression, otherwise) = match rest.split_once("return ") {
            Some((before, errno)) => {
                (before.trim_end_matches("; "), Answer::Errno(errno.parse().unwrap()))
            }
            None => (rest, Answer::Kill),
        };
        let alternatives = match expression {
            "1" => vec![vec![]],
            "" => vec![],
            _ => expression.split(" || ").map(conjunction).collect(),
        };
        assert!(
            policy.insert(name.to_owned(), Line { alternatives, otherwise }).is_none(),
            "{name}"
        );
    }
    policy
}

fn conjunction(text: &str) -> Vec<(usize, String, u64)> {
    let atom = |text: &str| {
        let parts: Vec<&str> = text.split(' ').collect();
        let [argument, operator, value] = parts[..] else { panic!("{text}") };
        let number = |text: &str| {
            text.strip_prefix("0x")
                .map_or_else(|| text.parse().unwrap(), |hex| u64::from_str_radix(hex, 16).unwrap())
        };
        let value = value.strip_prefix('~').map_or_else(|| number(value), |value| !number(value));
        (argument.strip_prefix("arg").unwrap().parse().unwrap(), operator.to_owned(), value)
    };
    text.split(" && ").map(atom).collect()
}
