//! The description as a policy text for minijail.
//!
//! minijail's language allows a call, allows it by a condition with one errno otherwise, or refuses
//! it; what the text does not name kills (google/minijail `syscall_filter.c`). So every call that
//! this crate answers with an errno is written out, `ENOSYS` among them, up to the newest name that
//! a parser can be expected to know: a name that it does not know is an error to it, and the text as
//! a whole useless. The others are written as comments.
//!
//! Where a call has limits that kill and limits that refuse, minijail refuses for both.

use std::fmt::Write as _;

use nix::errno::Errno;

use crate::compile::{Options, Phase};
use crate::rule::{Answer, Limit, Named, Rule, Test, Tier};
use crate::{Arch, rule_for, system_call_names};

/// The last call of Linux 6.1, whose headers the oldest minijail that we know of in use is built
/// with (linux `include/uapi/asm-generic/unistd.h`: `set_mempolicy_home_node`).
const NEWEST_KNOWN: i64 = 450;
/// Below it, and not known: an old gap that x86_64 fills late (`uretprobe`, since Linux 6.11), and
/// the calls with 64-bit times, which 32-bit architectures alone have.
const NOT_KNOWN: std::ops::Range<i64> = 335..424;
/// The policy of [`Phase::Loading`] for one architecture. minijail installs one policy, so nothing
/// is tightened after `initialize`.
#[must_use]
pub fn minijail_policy(arch: Arch, options: &Options) -> String {
    let mut text = format!(
        "# System calls of a vendor library's process on {arch}.\n\
         # Made by: cami-ipa policy --format minijail\n\
         #\n\
         # What is not named here kills, execve among it: minijail0 must install this policy in\n\
         # the process itself (its way for dynamically linked programs), not before it.\n"
    );
    for (number, name) in system_call_names(arch) {
        let rule = rule_for(name);
        if rule.is_some_and(|rule| rule.tier == Tier::Kill) {
            continue;
        }
        let line = rule.map_or_else(|| refused(Errno::ENOSYS), |rule| expression(rule, options));
        let known = number <= NEWEST_KNOWN && !NOT_KNOWN.contains(&number);
        let _ = writeln!(text, "{}{name}: {line}", if known { "" } else { "# unknown to some: " });
    }
    text
}

fn refused(errno: Errno) -> String {
    format!("return {}", errno as i32)
}

fn expression(rule: &Rule, options: &Options) -> String {
    match rule.tier {
        Tier::Refuse(errno) => return refused(errno),
        Tier::Kill => return String::new(),
        Tier::Allow => {}
    }
    let limits: Vec<&Limit> = rule
        .limits
        .iter()
        .filter(|limit| limit.holds_in(Phase::Loading, options))
        .filter(|limit| limit.test != Test::OwnProcess)
        .collect();
    let errno = limits.iter().find_map(|limit| match limit.otherwise {
        Answer::Errno(errno) => Some(errno),
        Answer::Kill => None,
    });
    if limits.iter().any(|limit| limit.test == Test::Never) {
        return refused(errno.unwrap_or(Errno::EPERM));
    }
    // A list of values says all that a list of others could add.
    let listed = |limit: &Limit| matches!(limit.test, Test::OneOf(_) | Test::OneOfOrConfigured(_));
    let needed = limits.iter().filter(|limit| {
        !matches!(limit.test, Test::NoneOf(_))
            || !limits.iter().any(|other| listed(other) && other.argument == limit.argument)
    });
    // "any of (all of ...)": each limit multiplies the alternatives by its own.
    let mut alternatives = vec![String::new()];
    for limit in needed {
        let choices = choices(limit, options);
        alternatives = alternatives
            .iter()
            .flat_map(|before| {
                choices.iter().map(move |choice| {
                    let and = if before.is_empty() { "" } else { " && " };
                    format!("{before}{and}{choice}")
                })
            })
            .collect();
    }
    let mut text = alternatives.join(" || ");
    if text.is_empty() {
        return "1".to_owned();
    }
    if let Some(errno) = errno {
        let _ = write!(text, "; {}", refused(errno));
    }
    text
}

/// What a limit asks for, as alternatives of which one is enough.
fn choices(limit: &Limit, options: &Options) -> Vec<String> {
    let argument = format!("arg{}", limit.argument);
    let equal = |number: u32| format!("{argument} == {number:#x}");
    let without = |bits: u32| format!("{argument} in ~{bits:#x}");
    match limit.test {
        Test::OneOf(values) => values.iter().map(|named| equal(named.1)).collect(),
        Test::OneOfOrConfigured(values) => {
            let configured = options.ioctls.iter().copied();
            values.iter().map(|named| named.1).chain(configured).map(equal).collect()
        }
        Test::NoneOf(values) => {
            let each = |named: &Named| format!("{argument} != {:#x}", named.1);
            vec![values.iter().map(each).collect::<Vec<_>>().join(" && ")]
        }
        Test::NoBits(bits) => vec![without(bits.iter().fold(0, |all, named| all | named.1))],
        Test::NotBoth(one, other) => vec![without(one.1), without(other.1)],
        Test::Null => vec![format!("{argument} == 0")],
        Test::OwnProcess | Test::Never => vec![],
    }
}
