//! The description: what is said of each system call, by intent.
//!
//! A call that no rule names is answered with `ENOSYS`. Rules that refuse with `ENOSYS` say why a
//! call that one might expect is not there.

mod children;
mod confinement;
mod devices;
mod events;
mod files_read;
mod files_write;
mod identity;
mod kernel;
mod memory;
mod namespaces;
mod other_processes;
mod signals;
mod sockets;
mod threads;
mod time;

use nix::errno::Errno;

pub(crate) use devices::NEVER as NEVER_AN_IOCTL;

use crate::rule::{Answer, Intent, Limit, Rule, Since, Test, Tier, Width};

/// All rules, by intent. Which of them an architecture has is [`crate::system_call_number`]'s.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        memory::RULES,
        threads::RULES,
        signals::RULES,
        time::RULES,
        events::RULES,
        sockets::RULES,
        files_read::RULES,
        files_write::RULES,
        identity::RULES,
        children::RULES,
        devices::RULES,
        confinement::RULES,
        other_processes::RULES,
        namespaces::RULES,
        kernel::RULES,
    ]
    .into_iter()
    .flatten()
}

/// ChromeOS's policies for the same libraries list it.
const CHROMEOS: &str = "spec/cami-abi.md, 3.2";
/// The C library calls it.
const GLIBC: &str = "glibc 2.36";
/// Rust's standard library calls it, in our code beside the library.
const RUST: &str = "Rust std";
/// Our code beside the library calls it.
const OURS: &str = "adapter/vendor, adapter/link";
/// What a library may do without harm, and old ones do.
const HARMLESS: &str = "man-pages section 2";
/// What we learnt of these libraries and the kernel.
const MAINTENANCE: &str = "spec/anchors.md, 4.2";
/// Buffers are the HAL's shared memory.
const BUFFERS: &str = "SECURITY.md, the HAL's buffers";

/// The rules of one intent are written with these.
#[derive(Clone, Copy)]
struct Of(Intent);

impl Of {
    const fn allow(self, call: &'static str, reason: &'static str, source: &'static str) -> Rule {
        self.limited(call, &[], reason, source)
    }

    const fn limited(
        self,
        call: &'static str,
        limits: &'static [Limit],
        reason: &'static str,
        source: &'static str,
    ) -> Rule {
        Rule { call, intent: self.0, tier: Tier::Allow, limits, reason, source }
    }

    const fn refuse(
        self,
        call: &'static str,
        errno: Errno,
        reason: &'static str,
        source: &'static str,
    ) -> Rule {
        Rule { call, intent: self.0, tier: Tier::Refuse(errno), limits: &[], reason, source }
    }

    const fn kill(self, call: &'static str, reason: &'static str, source: &'static str) -> Rule {
        Rule { call, intent: self.0, tier: Tier::Kill, limits: &[], reason, source }
    }
}

/// A limit of an `int` argument, from loading on.
const fn int(
    argument: u8,
    name: &'static str,
    test: Test,
    otherwise: Errno,
    reason: &'static str,
) -> Limit {
    Limit {
        argument,
        name,
        width: Width::Int,
        test,
        otherwise: Answer::Errno(otherwise),
        since: Since::Loading,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Arch, system_call_number};

    #[test]
    fn each_call_has_one_rule_and_exists() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.call), "{} has two rules", rule.call);
            let exists =
                Arch::ALL.into_iter().any(|arch| system_call_number(arch, rule.call).is_some());
            assert!(exists, "{} is no system call", rule.call);
            assert!(rule.reason.len() > 3 && !rule.source.is_empty(), "{}", rule.call);
            assert!(!rule.reason.ends_with('.'), "{}", rule.call);
        }
    }

    /// With two errnos for one call, which one it is would depend on the order of programs.
    #[test]
    fn a_call_fails_with_one_errno_only() {
        for rule in rules() {
            let errnos: BTreeSet<i32> = rule
                .limits
                .iter()
                .filter_map(|limit| match limit.otherwise {
                    Answer::Errno(errno) => Some(errno as i32),
                    Answer::Kill => None,
                })
                .collect();
            assert!(errnos.len() <= 1, "{}", rule.call);
        }
    }

    #[test]
    fn only_allowed_calls_have_limits() {
        for rule in rules().filter(|rule| rule.tier != Tier::Allow) {
            assert!(rule.limits.is_empty(), "{}", rule.call);
        }
    }
}
