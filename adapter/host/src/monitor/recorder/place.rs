//! Where a recording stands: whose file it is, and where it goes on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cami_recording::{Ending, HEADER_BYTES, Recording, RecordingError};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Files beside the configured one that are tried where that is another's.
const MAX_BESIDE: u32 = 99;

/// An open place.
#[derive(Debug)]
pub enum Place {
    /// A file that is empty.
    New(File, PathBuf),
    /// A recording; the file's position is behind its last complete block.
    Old(File, PathBuf, Box<Recording<File>>),
    /// A pipe, or a device: there is no going back in it.
    Stream(File),
}

/// Why there is none.
#[derive(Debug)]
pub enum Refused {
    /// Another host writes there.
    Busy,
    /// What stands there is a recording whose end cannot be found.
    Damaged(Ending),
    /// It cannot be had; said in one line.
    Never(String),
}

/// The file of a client's sessions: the configured one, or one of the client's own in the configured
/// folder.
pub fn file_of(configured: &Path, library: &str, client: (i32, u64)) -> PathBuf {
    if fs::metadata(configured).is_ok_and(|found| found.is_dir()) {
        let (pid, start) = client;
        configured.join(format!("{library}-{pid}-{start}.camr"))
    } else {
        configured.to_owned()
    }
}

/// The next file to try beside `path`: `x.camr`, `x-2.camr`, `x-3.camr`; `None` after as many as
/// are enough.
pub fn beside(path: &Path, number: u32) -> Option<PathBuf> {
    if number > MAX_BESIDE {
        return None;
    }
    let mut name = path.file_stem()?.to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Some(path.with_file_name(name))
}

/// Opens a place and locks it against other hosts, without waiting for any.
///
/// # Errors
/// See [`Refused`]. What is no recording is left as it is.
pub fn open(path: &Path) -> Result<Place, Refused> {
    let never = |error: io::Error| Refused::Never(error.to_string());
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return open_stream(path, &found),
        _ => {}
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        // What a vendor's tuning holds is its owner's.
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(never)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Refused::Busy),
        Err(TryLockError::Error(error)) => return Err(never(error)),
    }
    // It may have been made smaller, and another file have its name, before it was ours.
    let (opened, named) = (file.metadata().map_err(never)?, fs::symlink_metadata(path));
    if !named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())) {
        return Err(Refused::Busy);
    }
    if !opened.is_file() {
        return Err(Refused::Never("is no file".to_owned()));
    }
    if is_blank(&file, opened.len()).map_err(never)? {
        make_ours(&file, &opened)?;
        file.set_len(0).map_err(never)?;
        return Ok(Place::New(file, path.to_owned()));
    }
    go_on(file, path)
}

/// A file that was there before may be anybody's, and open to all.
fn make_ours(file: &File, found: &fs::Metadata) -> Result<(), Refused> {
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return Err(Refused::Never("belongs to another user".to_owned()));
    }
    // The other name may be in a folder that others read.
    if found.nlink() != 1 {
        return Err(Refused::Never("has a second name (a hard link)".to_owned()));
    }
    if found.mode() & 0o777 == 0o600 {
        return Ok(());
    }
    let owner_only = fs::Permissions::from_mode(0o600);
    file.set_permissions(owner_only).map_err(|error| Refused::Never(error.to_string()))
}

/// Behind the last complete block.
fn go_on(mut file: File, path: &Path) -> Result<Place, Refused> {
    let never = |error: io::Error| Refused::Never(error.to_string());
    let recording = Recording::read(file.try_clone().map_err(never)?).map_err(|error| {
        Refused::Never(match error {
            RecordingError::Io(error) => error.to_string(),
            other => format!("{other}; it is left alone"),
        })
    })?;
    make_ours(&file, &file.metadata().map_err(never)?)?;
    match recording.ending() {
        Ending::Complete => {}
        // Whoever wrote it was killed.
        Ending::Torn { at } => file.set_len(at).map_err(never)?,
        damaged @ Ending::Damaged { .. } => return Err(Refused::Damaged(damaged)),
    }
    file.seek(SeekFrom::Start(recording.good_bytes())).map_err(never)?;
    Ok(Place::Old(file, path.to_owned(), Box::new(recording)))
}

/// Empty, or the begin of a header whose writer was killed.
fn is_blank(file: &File, bytes: u64) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    if bytes >= HEADER_BYTES {
        return Ok(false);
    }
    let mut start = vec![0; usize::try_from(bytes.min(4)).unwrap_or(0)];
    file.read_exact_at(&mut start, 0)?;
    Ok(b"CAMR".starts_with(&start))
}

fn open_stream(path: &Path, found: &fs::Metadata) -> Result<Place, Refused> {
    let never = |error: io::Error| Refused::Never(error.to_string());
    let kind = found.file_type();
    if !kind.is_fifo() && !kind.is_char_device() {
        return Err(Refused::Never("is neither a file nor a folder".to_owned()));
    }
    // Without it the opening of a pipe waits for its reader.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
    let file =
        OpenOptions::new().write(true).custom_flags(flags.bits()).open(path).map_err(never)?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty())).map_err(|errno| never(errno.into()))?;
    Ok(Place::Stream(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cami_recording::Writer;
    use cami_recording::block::Annotation;
    use std::io::Write;

    fn recording() -> Vec<u8> {
        let mut file = Vec::new();
        let mut writer = Writer::begin(&mut file, 0).unwrap();
        writer.write(&Annotation { key: "a".into(), value: "b".into() }.into()).unwrap();
        drop(writer);
        file
    }

    #[test]
    fn a_recording_goes_on_behind_its_last_complete_block() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        let whole = recording();
        for (rest, cut) in [(&b""[..], 0), (&[9, 0, 0, 0, 0][..], 0), (b"", 3)] {
            let bytes = [&whole[..whole.len() - cut], rest].concat();
            fs::write(&path, bytes).unwrap();
            let Ok(Place::Old(mut file, _, found)) = open(&path) else { panic!() };
            assert_eq!(found.events().count(), usize::from(cut == 0));
            file.write_all(b"!").unwrap();
            let good = if cut == 0 { whole.len() } else { 32 };
            assert_eq!(fs::read(&path).unwrap(), [&whole[..good], b"!"].concat());
        }
    }

    #[test]
    fn what_is_no_recording_or_of_another_version_is_left_as_it_is() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        let mut newer = recording();
        newer[4] = 9;
        let mut damaged = recording();
        damaged[40] ^= 1;
        for bytes in
            [b"a letter to my mother, longer than a header".to_vec(), b"hi".to_vec(), newer]
        {
            fs::write(&path, &bytes).unwrap();
            assert!(matches!(open(&path), Err(Refused::Never(_))));
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(open(&path), Err(Refused::Damaged(_))));
        assert_eq!(fs::read(&path).unwrap(), damaged);
        assert!(matches!(open(room.path()), Err(Refused::Never(_))));
        assert!(matches!(open(&room.path().join("no/x")), Err(Refused::Never(_))));
        std::os::unix::fs::symlink(&path, room.path().join("link")).unwrap();
        assert!(matches!(open(&room.path().join("link")), Err(Refused::Never(_))));
    }

    #[test]
    fn a_file_that_was_there_becomes_its_owners_alone() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        for bytes in [Vec::new(), recording()] {
            fs::write(&path, &bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let other = room.path().join("other");
            fs::hard_link(&path, &other).unwrap();
            assert!(matches!(open(&path), Err(Refused::Never(_))));
            assert_eq!(fs::read(&path).unwrap(), bytes);
            fs::remove_file(&other).unwrap();
            assert!(matches!(open(&path), Ok(Place::New(..) | Place::Old(..))));
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn two_hosts_never_write_to_one_file() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        let Ok(Place::New(first, _)) = open(&path) else { panic!() };
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(open(&path), Err(Refused::Busy)));
        drop(first);
        assert!(matches!(open(&path), Ok(Place::New(..))));
    }

    #[test]
    fn names() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.camr");
        assert_eq!(file_of(&path, "lib.so", (7, 9)), path);
        let own = file_of(room.path(), "lib.so", (7, 9));
        assert_eq!(own, room.path().join("lib.so-7-9.camr"));
        assert_eq!(beside(&path, 2), Some(room.path().join("x-2.camr")));
        assert_eq!(beside(Path::new("/a/x"), 3), Some("/a/x-3".into()));
        assert_eq!(beside(&path, 100), None);
    }
}
