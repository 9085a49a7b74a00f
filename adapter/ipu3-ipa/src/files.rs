//! The few files that an IPA reads and writes, behind a trait: nothing else here touches a disk.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Files of the system, or those that a test makes up.
pub trait Files: Send + Sync {
    /// The contents of a file of at most `most` bytes.
    ///
    /// # Errors
    /// It is not there, not readable, or larger.
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;

    /// The names of the files in a folder.
    ///
    /// # Errors
    /// It is not there, or not readable.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Replaces the contents of a file, as a whole or not at all. May take as long as the disk does.
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()>;
}

/// Those of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFiles;

/// Names in a folder that are looked at: one with more is none of ours.
const MOST_NAMES: usize = 4096;

impl Files for SystemFiles {
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let room = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let mut contents = Vec::new();
        File::open(path)?.take(room).read_to_end(&mut contents)?;
        if contents.len() > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        Ok(contents)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.take(MOST_NAMES).filter_map(Result::ok);
        Ok(names.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let beside = path.with_extension(format!("new.{}", std::process::id()));
        let written = File::create(&beside)
            .and_then(|mut file| {
                file.write_all(contents)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ov13858.aiqd");
        SystemFiles.write(&path, b"first").unwrap();
        SystemFiles.write(&path, b"second").unwrap();
        assert_eq!(SystemFiles.read(&path, 6).unwrap(), b"second");
        assert!(SystemFiles.read(&path, 5).unwrap_err().to_string().contains("more than 5"));
        assert_eq!(SystemFiles.list(folder.path()).unwrap(), ["ov13858.aiqd"]);
        assert!(SystemFiles.write(&folder.path().join("no/such"), b"").is_err());
    }
}
