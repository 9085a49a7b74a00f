//! `/etc/ld.so.cache`: where `ldconfig` found which library (glibc `sysdeps/generic/dl-cache.h`).

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The header's first bytes, of glibc 2.2 and later.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Bytes of the header and of an entry.
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// Caches are some hundred kilobytes.
const MAX_BYTES: u64 = 16 << 20;

/// The paths of a name, in the order of the cache.
#[derive(Debug, Default)]
pub(crate) struct Cache(HashMap<String, Vec<PathBuf>>);

impl Cache {
    /// Reads the cache; `None` where there is none that can be understood.
    pub fn read(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Self::parse(&bytes)
    }

    fn parse(file: &[u8]) -> Option<Self> {
        // An old cache may stand before the new one, whose offsets count from its own start.
        let start = file.windows(MAGIC.len()).step_by(4).position(|bytes| bytes == MAGIC)? * 4;
        let bytes = file.get(start..)?;
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
        };
        let text = |at: u32| -> Option<&str> {
            let text = bytes.get(usize::try_from(at).ok()?..)?;
            let end = text.iter().position(|byte| *byte == 0)?;
            std::str::from_utf8(text.get(..end)?).ok()
        };
        let count = usize::try_from(word(MAGIC.len())?).ok()?;
        let mut names: HashMap<String, Vec<PathBuf>> = HashMap::new();
        for entry in bytes.get(HEADER..)?.chunks_exact(ENTRY).take(count).enumerate() {
            let at = HEADER + entry.0 * ENTRY;
            let (Some(name), Some(path)) = (text(word(at + 4)?), text(word(at + 8)?)) else {
                continue;
            };
            names.entry(name.to_owned()).or_default().push(PathBuf::from(path));
        }
        Some(Self(names))
    }

    /// The paths of `name`.
    pub fn paths(&self, name: &str) -> &[PathBuf] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One entry.
    fn cache() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(1u32.to_ne_bytes());
        bytes.resize(HEADER + ENTRY, 0);
        let strings = u32::try_from(bytes.len()).unwrap();
        bytes[HEADER + 4..HEADER + 8].copy_from_slice(&strings.to_ne_bytes());
        bytes[HEADER + 8..HEADER + 12].copy_from_slice(&(strings + 8).to_ne_bytes());
        bytes.extend(b"liba.so\0/x/liba.so\0");
        bytes
    }

    #[test]
    fn names_lead_to_paths_also_behind_an_old_cache() {
        let mut file = b"ld.so-1.7.0\0\0\0\0\0".to_vec();
        for _ in 0..2 {
            file.extend(cache());
            let found = Cache::parse(&file).unwrap();
            assert_eq!(found.paths("liba.so"), [PathBuf::from("/x/liba.so")]);
            assert!(found.paths("libb.so").is_empty());
            file.clear();
        }
    }

    #[test]
    fn broken_caches_are_harmless() {
        let whole = cache();
        for end in 0..whole.len() {
            let _ = Cache::parse(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut file = whole.clone();
            file[at] ^= 0xff;
            let _ = Cache::parse(&file);
        }
    }
}
