//! Which numbers the controls of the libcamera have that we speak with.

use cami_config::LibcameraVersion;
use cami_ipu3_ipa::{ControlIds, IdSet};
use cami_wire::libcamera::Dialect;

use crate::library::Library;

/// The numbers, from what is known: `version` as configured, the dialect that `init` showed, and the
/// libcameras that are installed.
///
/// Where the dialect leaves a choice, the installed libcameras that speak it decide if they agree.
/// Where there is none, or they do not, only the numbers hold that are the same in all candidates. So
/// it is where none of them is what `version` says: it may be of the libcamera before an upgrade, and a
/// control of another type than its number's ends an application (`ControlInfoMap::validate`, fatal).
#[must_use]
pub fn control_ids(
    version: Option<LibcameraVersion>,
    dialect: Dialect,
    installed: &[Library],
) -> ControlIds {
    let candidates = ControlIds::of_dialect(dialect);
    if let Some(LibcameraVersion { major, minor, .. }) = version {
        // What the wire shows is true, and a configuration may be of the libcamera before.
        if speaks_so(major, minor, dialect) {
            let configured = IdSet::of_version(major, minor);
            let mut sets = sets(installed, dialect);
            if sets.is_empty() || sets.contains(&configured) {
                return configured.into();
            }
            log::warn!(
                "libcamera.version is {major}.{minor}, but the libcamera that is installed numbers its \
                 controls otherwise: few are offered. If another one is used, put its folder into \
                 LD_LIBRARY_PATH"
            );
            sets.push(configured);
            return ControlIds::any_of(&sets);
        }
        log::warn!(
            "libcamera.version is {major}.{minor}, but libcamera does not speak as that: not used"
        );
    }
    if candidates.known().is_some() {
        return candidates;
    }
    // One that tells neither may be any of them.
    if installed.iter().any(|library| speaks(library, dialect) && library.ids.is_none()) {
        return candidates;
    }
    match sets(installed, dialect).as_slice() {
        [set] => (*set).into(),
        _ => candidates,
    }
}

/// The numbers of those libcameras that speak so, each once.
fn sets(installed: &[Library], dialect: Dialect) -> Vec<IdSet> {
    let mut sets = Vec::new();
    for library in installed.iter().filter(|library| speaks(library, dialect)) {
        sets.extend(library.ids.filter(|set| !sets.contains(set)));
    }
    sets
}

/// Whether that version speaks so. One that does not tell its version may.
fn speaks(library: &Library, dialect: Dialect) -> bool {
    let Some(LibcameraVersion { major, minor, .. }) = library.version else { return true };
    speaks_so(major, minor, dialect)
}

fn speaks_so(major: u32, minor: u32, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V0_0 => (major, minor) == (0, 0),
        Dialect::V0_1 => major == 0 && (1..=3).contains(&minor),
        Dialect::V0_4 => major == 0 && (4..=5).contains(&minor),
        Dialect::V0_6 | Dialect::V0_7_1 => major > 0 || minor >= 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(version: &str, ids: Option<IdSet>) -> Library {
        Library { path: version.into(), version: LibcameraVersion::parse(version), ids }
    }

    #[test]
    fn the_installed_libcamera_that_speaks_so_decides() {
        let old = library("0.0.3", Some(IdSet::UpTo0_1));
        let trixie = library("0.4.0", Some(IdSet::From0_2To0_4));
        let newer = library("0.5.2", Some(IdSet::From0_5));
        let silent = library("0.5.1", None);
        let known = |dialect, installed: &[Library]| control_ids(None, dialect, installed).known();
        assert_eq!(known(Dialect::V0_4, &[]), None);
        let both = [old.clone(), trixie.clone()];
        assert_eq!(known(Dialect::V0_4, &both), Some(IdSet::From0_2To0_4));
        assert_eq!(known(Dialect::V0_4, std::slice::from_ref(&newer)), Some(IdSet::From0_5));
        assert_eq!(known(Dialect::V0_4, &[trixie.clone(), newer]), None, "they do not agree");
        assert_eq!(known(Dialect::V0_4, &[trixie.clone(), silent]), None);
        assert_eq!(known(Dialect::V0_1, &both), None, "none of them speaks so");
        assert_eq!(known(Dialect::V0_0, std::slice::from_ref(&trixie)), Some(IdSet::UpTo0_1));
        let version = LibcameraVersion::parse("0.5.0");
        assert_eq!(control_ids(version, Dialect::V0_4, &[]).known(), Some(IdSet::From0_5));
        let (old, newer) = (&both[..1], library("0.5.2", Some(IdSet::From0_5)));
        assert_eq!(control_ids(version, Dialect::V0_4, old).known(), Some(IdSet::From0_5));
        let all = [trixie, newer];
        assert_eq!(control_ids(version, Dialect::V0_4, &all).known(), Some(IdSet::From0_5));
        // What was right before an upgrade, or after the wrong one: nothing that may be another's.
        let unsure = control_ids(version, Dialect::V0_4, &both);
        assert_eq!(unsure, ControlIds::of_dialect(Dialect::V0_4));
        // Of the libcamera before the upgrade.
        assert_eq!(control_ids(version, Dialect::V0_0, &both).known(), Some(IdSet::UpTo0_1));
        let stale = LibcameraVersion::parse("0.4.0");
        assert_eq!(control_ids(stale, Dialect::V0_6, &[]).known(), Some(IdSet::From0_5));
    }
}
