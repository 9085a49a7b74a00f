//! Landlock: the same files once more, and what namespaces do not see.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::files::{Access, Files};
use crate::layer::LayerError;
use crate::system::landlock_abi;

/// The newest version that the tests know. An older kernel enforces what it has.
const NEWEST: ABI = ABI::V7;

/// Confines this thread and all that it starts. Sets `no_new_privs`.
pub fn restrict(files: &Files) -> Result<String, LayerError> {
    let version = landlock_abi().map_err(LayerError::at::<Errno>("landlock_create_ruleset"))?;
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: landlock::RulesetError| LayerError::text(format!("{what}: {error}"))
    };
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(failed("landlock_create_ruleset"))?;
    for rule in &files.rules {
        // What is not there cannot be opened either.
        let Ok(fd) = PathFd::new(&rule.path) else { continue };
        let mut rights = rights(rule.access);
        if !rule.path.is_dir() {
            rights &= AccessFs::from_file(NEWEST);
        }
        rules = rules
            .add_rule(PathBeneath::new(fd, rights))
            .map_err(failed(&format!("landlock_add_rule for {}", rule.path.display())))?;
    }
    let status = rules.restrict_self().map_err(failed("landlock_restrict_self"))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(LayerError::text("landlock_restrict_self enforced nothing"));
    }
    // The kernel shows a domain to nobody: the proof is a door that it closes.
    let root_is_given = files.rules.iter().any(|rule| rule.path == Path::new("/"));
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    if !root_is_given && open("/", flags, Mode::empty()).is_ok() {
        return Err(LayerError::text("landlock_restrict_self, and the root can still be listed"));
    }
    Ok(describe(version))
}

fn rights(access: Access) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match access {
        Access::Read => read,
        Access::ReadExecute => read | AccessFs::Execute,
        Access::Device => read | AccessFs::WriteFile | AccessFs::IoctlDev,
        Access::Write => {
            let not =
                AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
            AccessFs::from_all(NEWEST) & !not
        }
    }
}

/// What a version does not know yet (linux Documentation/userspace-api/landlock.rst).
fn describe(version: i32) -> String {
    let lacks: Vec<&str> = [
        (2, "renames between folders"),
        (3, "truncation"),
        (4, "TCP"),
        (5, "device ioctls"),
        (6, "signals and abstract sockets"),
    ]
    .into_iter()
    .filter(|(since, _)| version < *since)
    .map(|(_, what)| what)
    .collect();
    match lacks.as_slice() {
        [] => format!("ABI {version}"),
        lacks => format!("ABI {version}: not for {}", lacks.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn describe_names_what_an_old_kernel_lacks() {
        assert_eq!(describe(7), "ABI 7");
        assert_eq!(describe(4), "ABI 4: not for device ioctls, signals and abstract sockets");
    }
}
