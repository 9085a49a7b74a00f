//! Whether hosts record, where to, and whether they can: what they find out is in their log alone, and
//! the camera goes on.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use cami_config::Config;
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use serde::Serialize;

/// Where hosts record to.
#[derive(Debug, Serialize)]
pub struct Recording {
    /// The key `record`.
    pub path: PathBuf,
    /// "file", "folder" or "stream" (a pipe or a device).
    pub kind: &'static str,
    /// The key `record_limit_mib`; 0: no limit.
    pub limit_mib: u64,
    /// Whether this user may write there; the service's user may be another.
    pub can_write: bool,
    /// Space that this user may fill; `null` for a stream, and where it cannot be known.
    pub free_mib: Option<u64>,
}

impl Recording {
    /// Looks; `None` where nothing is recorded.
    pub fn look(config: &Config, problems: &mut Vec<String>) -> Option<Self> {
        let path = config.record.clone()?;
        Some(Self::look_at(path, config.record_limit_bytes >> 20, problems))
    }

    fn look_at(path: PathBuf, limit_mib: u64, problems: &mut Vec<String>) -> Self {
        let shown = path.display();
        let (kind, place) = kind_and_place(&path);
        let can_write = match &place {
            Ok(place) => match access(place.as_path(), AccessFlags::W_OK) {
                Ok(()) => true,
                Err(errno) => {
                    problems.push(format!(
                        "record: {} cannot be written ({}): nothing is recorded; name another place \
                         or give this user the right",
                        place.display(),
                        errno.desc()
                    ));
                    false
                }
            },
            Err(why) => {
                problems.push(format!("record: {shown}: {why}: nothing is recorded"));
                false
            }
        };
        let place = place.ok().filter(|_| kind != "stream");
        let free_mib = place.and_then(|place| statvfs(place.as_path()).ok()).map(|found| {
            let bytes = found.blocks_available().saturating_mul(found.fragment_size());
            bytes >> 20
        });
        // While a file is made smaller, its new half stands beside it.
        let needed = limit_mib.saturating_add(limit_mib / 2);
        if let Some(free) = free_mib.filter(|free| can_write && (*free < needed || *free == 0)) {
            problems.push(format!(
                "record: {free} MiB are free where {shown} is, and record_limit_mib = {limit_mib} may \
                 take {needed}: make room, or set a smaller limit"
            ));
        }
        Self { path, kind, limit_mib, can_write, free_mib }
    }
}

/// What stands there, and what has to be writable for it.
fn kind_and_place(path: &Path) -> (&'static str, Result<PathBuf, String>) {
    let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
    if path.is_dir() {
        return ("folder", Ok(path.to_owned()));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => ("file", Ok(path.to_owned())),
        Ok(found) if found.file_type().is_fifo() || found.file_type().is_char_device() => {
            ("stream", Ok(path.to_owned()))
        }
        Ok(_) => ("file", Err("is no file, no folder and no pipe".to_owned())),
        Err(_) if folder.is_dir() => ("file", Ok(folder)),
        Err(_) => ("file", Err(format!("the folder {} is not there: make it", folder.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(path: &Path, limit_mib: u64) -> (Recording, Vec<String>) {
        let mut problems = Vec::new();
        (Recording::look_at(path.to_owned(), limit_mib, &mut problems), problems)
    }

    #[test]
    fn a_place_that_can_be_written_is_good() {
        let room = tempfile::tempdir().expect("a folder");
        let file = room.path().join("x.camr");
        for (path, kind) in [(room.path(), "folder"), (&file, "file")] {
            let (found, problems) = look(path, 0);
            assert_eq!((found.kind, found.can_write, problems), (kind, true, vec![]));
            assert!(found.free_mib.is_some());
        }
        let (found, problems) = look(Path::new("/dev/null"), 256);
        assert_eq!((found.kind, found.free_mib, problems), ("stream", None, vec![]));
    }

    #[test]
    fn what_cannot_be_recorded_to_is_told() {
        let room = tempfile::tempdir().expect("a folder");
        let (found, problems) = look(&room.path().join("no/x.camr"), 256);
        assert!(!found.can_write && problems.iter().any(|problem| problem.contains("make it")));
        let link = room.path().join("link");
        std::os::unix::fs::symlink(room.path().join("x"), &link).expect("a link");
        assert!(!look(&link, 256).0.can_write);
        // More than any disk has.
        let (found, problems) = look(room.path(), u64::from(u32::MAX));
        assert!(
            found.can_write && problems.iter().any(|problem| problem.contains("smaller limit"))
        );
    }
}
