//! Which numbers the controls of the libcamera have that we speak with.

use cami_config::LibcameraVersion;
use cami_ipu3_ipa::{ControlIds, IdSet};
use cami_wire::libcamera::Dialect;

use crate::library::Library;

/// The numbers, from what is known: `version` as configured, the dialect that `init` showed, and the
/// libcameras that are installed.
///
/// Where the dialect leaves a choice, the installed libcameras that speak it decide if they agree.
/// Where there is none, or they do not, only the numbers hold that are the same in all candidates.
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
            return IdSet::of_version(major, minor).into();
        }
        log::warn!(
            "libcamera.version is {major}.{minor}, but libcamera does not speak as that: not used"
        );
    }
    if candidates.known().is_some() {
        return candidates;
    }
    let mut sets: Vec<IdSet> = Vec::new();
    for library in installed.iter().filter(|library| speaks(library, dialect)) {
        // One that tells neither may be any of them.
        let Some(set) = library.ids else { return candidates };
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    match sets.as_slice() {
        [set] => (*set).into(),
        _ => candidates,
    }
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
        assert_eq!(known(Dialect::V0_0, &[trixie]), Some(IdSet::UpTo0_1));
        let version = LibcameraVersion::parse("0.5.0");
        assert_eq!(control_ids(version, Dialect::V0_4, &both).known(), Some(IdSet::From0_5));
        // Of the libcamera before the upgrade.
        assert_eq!(control_ids(version, Dialect::V0_0, &both).known(), Some(IdSet::UpTo0_1));
        let stale = LibcameraVersion::parse("0.4.0");
        assert_eq!(control_ids(stale, Dialect::V0_6, &[]).known(), Some(IdSet::From0_5));
    }
}
