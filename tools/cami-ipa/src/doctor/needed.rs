//! What a library needs to be loaded, found as the loader would find it.
//!
//! The file is hostile: it is parsed by `object`, which checks every offset, and what it names is
//! bounded.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cami_sandbox::Files;
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use serde::Serialize;

/// Libraries that are looked at; Intel's need about thirty.
const MAX_LIBRARIES: usize = 256;
/// Names that one library may need.
const MAX_NAMES: usize = 128;
/// Larger files are not read.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// A library that is needed.
#[derive(Debug, Serialize)]
pub struct Needed {
    /// Its name, as in `DT_NEEDED`.
    pub name: String,
    /// Which library needs it.
    pub needed_by: String,
    /// Where it is; null if it is not found.
    pub path: Option<PathBuf>,
    /// Whether the vendor process will see that.
    pub in_sandbox: bool,
}

impl Needed {
    /// What is wrong with it, if something is.
    pub fn problem(&self) -> Option<String> {
        let Self { name, needed_by, path, in_sandbox } = self;
        match path {
            None => Some(format!(
                "{name}, which {needed_by} needs, is not found: install it, or add its folder to \
                 `library_path`"
            )),
            Some(path) if !in_sandbox => Some(format!(
                "{}, which {needed_by} needs, is outside of the sandbox: add its folder to \
                 `library_path`",
                path.display()
            )),
            Some(_) => None,
        }
    }
}

/// Everything that `library` needs, and what that needs in turn.
pub fn resolve(library: &Path, library_path: &[PathBuf], files: &Files) -> Vec<Needed> {
    let system = cami_sandbox::loader_path();
    let mut found: Vec<Needed> = Vec::new();
    let mut left = VecDeque::from([library.to_path_buf()]);
    while let Some(user) = left.pop_front() {
        let Some(dynamic) = Dynamic::read(&user) else { continue };
        let own = dynamic.folders(&user);
        for name in dynamic.needed {
            if found.len() >= MAX_LIBRARIES || found.iter().any(|needed| needed.name == name) {
                continue;
            }
            let folders = library_path.iter().chain(&own).chain(&system);
            let path = folders.map(|folder| folder.join(&name)).find(|path| path.is_file());
            left.extend(path.clone());
            found.push(Needed {
                in_sandbox: path.as_ref().is_some_and(|path| files.show(path)),
                path,
                name,
                needed_by: user.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            });
        }
    }
    found
}

/// What the dynamic segment says.
#[derive(Debug, Default)]
struct Dynamic {
    needed: Vec<String>,
    /// `DT_RUNPATH` or `DT_RPATH`.
    search: Vec<String>,
}

impl Dynamic {
    fn read(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, bytes).ok()?;
        let entries =
            segments.iter().find_map(|segment| segment.dynamic(endian, bytes).ok().flatten())?;
        let value = |tag| {
            let entry = entries.iter().find(|entry| entry.d_tag(endian) == tag)?;
            Some(entry.d_val(endian))
        };
        // The table's address, to be found in the segment that loads it.
        let (address, size) = (value(elf::DT_STRTAB)?, value(elf::DT_STRSZ)?);
        let table = segments
            .iter()
            .find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten())?;
        let strings = StringTable::new(table, 0, table.len() as u64);
        let texts = |tag| {
            entries
                .iter()
                .filter(move |entry| entry.d_tag(endian) == tag)
                .filter_map(|entry| strings.get(u32::try_from(entry.d_val(endian)).ok()?).ok())
                .map(|text| String::from_utf8_lossy(text).into_owned())
                .take(MAX_NAMES)
        };
        let search = texts(elf::DT_RUNPATH).chain(texts(elf::DT_RPATH));
        Some(Self {
            needed: texts(elf::DT_NEEDED).collect(),
            search: search.flat_map(|text| split(&text)).collect(),
        })
    }

    /// Where this library asks for its needs to be searched.
    fn folders(&self, own: &Path) -> Vec<PathBuf> {
        let origin = own.parent().unwrap_or(Path::new("/")).display().to_string();
        self.search
            .iter()
            .map(|folder| folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
            .map(PathBuf::from)
            .collect()
    }
}

fn split(path: &str) -> Vec<String> {
    path.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::Dynamic;

    #[test]
    fn own_program_needs_the_c_library() {
        let dynamic = Dynamic::read(&std::env::current_exe().unwrap()).unwrap();
        assert!(dynamic.needed.iter().any(|name| name.starts_with("libc.so")), "{dynamic:?}");
    }

    #[test]
    fn broken_files_need_nothing() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for end in (0..bytes.len().min(4096)).step_by(7) {
            let _ = Dynamic::parse(&bytes[..end]);
        }
        assert!(Dynamic::parse(b"not ELF").is_none());
    }
}
