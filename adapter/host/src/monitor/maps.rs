//! What is mapped into the vendor process, and which file an address lies in.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;

use cami_abi::image_build_id;

/// More of `/proc/PID/maps` than this is not read: a process with that many mappings (about ten
/// thousand) has been at it on purpose, and its end must not wait for it.
const MAX_MAPS_BYTES: u64 = 1 << 20;
/// Mapped files whose build-id is looked up; a GPU library brings about a hundred.
const MAX_MODULES: usize = 256;

/// A place in a mapped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name without its folder.
    pub file: String,
    /// The offset from the start of the file's first mapping, as `addr2line` wants it.
    pub offset: u64,
    /// The file's build-id, as it stands in memory.
    pub build_id: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:#x}", self.file, self.offset)?;
        match &self.build_id {
            Some(id) => write!(f, " (build-id {id})"),
            None => Ok(()),
        }
    }
}

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// As `r-xp`.
    pub permissions: String,
    /// Its path, or what the kernel calls it; empty for anonymous memory.
    pub file: String,
}

/// A mapped ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedFile {
    /// Its path.
    pub file: String,
    /// Where its first mapping starts.
    pub start: u64,
    /// Its build-id, as it stands in memory.
    pub build_id: Option<String>,
}

/// All mappings of a process, in the order of their addresses, and its memory.
#[derive(Debug)]
pub struct Maps {
    mappings: Vec<Mapping>,
    memory: Option<File>,
}

impl Maps {
    /// Reads them by one of the process's threads: the first may have ended.
    pub fn read(process: i32, thread: i32) -> Self {
        let folder = format!("/proc/{process}/task/{thread}");
        let mut text = Vec::new();
        if let Ok(file) = File::open(format!("{folder}/maps")) {
            let _ = file.take(MAX_MAPS_BYTES).read_to_end(&mut text);
        }
        let text = String::from_utf8_lossy(&text);
        Self {
            mappings: text.lines().filter_map(Mapping::parse).collect(),
            memory: File::open(format!("{folder}/mem")).ok(),
        }
    }

    /// The process's memory, where it may be read.
    pub fn memory(&self) -> Option<&File> {
        self.memory.as_ref()
    }

    /// The mappings.
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    /// The file that holds an instruction, and its offset there; `None` outside all files.
    pub fn code(&self, address: u64) -> Option<(&str, u64)> {
        let behind = self.mappings.partition_point(|mapping| mapping.start <= address);
        let found = self.mappings.get(behind.checked_sub(1)?)?;
        let named = !found.file.is_empty() && address < found.end;
        if !named || !found.permissions.contains('x') {
            return None;
        }
        Some((&found.file, address.saturating_sub(self.start_of(&found.file)?)))
    }

    /// The place of an instruction.
    pub fn place(&self, address: u64) -> Option<Place> {
        let (file, offset) = self.code(address)?;
        Some(Place {
            file: base_name(file).to_owned(),
            offset,
            build_id: self.build_id(self.start_of(file)?),
        })
    }

    /// The mapped ELF files, as far as there is room.
    pub fn modules(&self) -> Vec<MappedFile> {
        let mut files: Vec<MappedFile> = Vec::new();
        for mapping in self.mappings.iter().filter(|m| m.permissions.contains('x')) {
            let known = files.iter().any(|known| known.file == mapping.file);
            if mapping.file.is_empty() || known || files.len() >= MAX_MODULES {
                continue;
            }
            let start = self.start_of(&mapping.file).unwrap_or(mapping.start);
            let build_id = self.build_id(start);
            files.push(MappedFile { file: mapping.file.clone(), start, build_id });
        }
        files
    }

    /// A file's first mapping is where it was loaded.
    fn start_of(&self, file: &str) -> Option<u64> {
        self.mappings.iter().find(|mapping| mapping.file == file).map(|mapping| mapping.start)
    }

    fn build_id(&self, start: u64) -> Option<String> {
        image_build_id(self.memory.as_ref()?, start)
    }
}

/// A path's last part.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        // start-end perms offset dev inode path; the path may hold spaces.
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let permissions = fields.next()?;
        let file = fields.nth(3).unwrap_or_default().trim_start();
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            permissions: permissions.to_owned(),
            file: file.to_owned(),
        })
    }
}

/// Files whose frames say nothing of who is at fault: the runtime libraries, and this program, whose
/// frames are below every call of the library.
pub fn says_nothing(file: &str) -> bool {
    let own = fs::read_link("/proc/self/exe").ok();
    if own.as_deref().and_then(|path| path.file_name()).is_some_and(|name| name == file) {
        return true;
    }
    ["libc.so", "libc-", "ld-linux", "libpthread", "[vdso]", "libstdc++", "libgcc_s", "libc++"]
        .iter()
        .any(|name| file.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::{Mapping, Maps};

    const MAPS: &str = "\
55f0c0000000-55f0c0001000 r--p 00000000 fe:01 12 /opt/vendor lib/libfoo.so
55f0c0001000-55f0c0002000 r-xp 00001000 fe:01 12 /opt/vendor lib/libfoo.so
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
";

    fn maps() -> Maps {
        Maps { mappings: MAPS.lines().filter_map(Mapping::parse).collect(), memory: None }
    }

    #[test]
    fn place_is_relative_to_the_first_mapping_of_the_file() {
        let place = maps().place(0x55f0_c000_1139).unwrap();
        assert_eq!(place.to_string(), "libfoo.so+0x1139");
    }

    #[test]
    fn place_outside_code_is_none() {
        for address in [0, 0x55f0_c000_0139, 0x55f0_c000_2000, 0x7f00_0000_0010, u64::MAX] {
            assert_eq!(maps().place(address), None, "{address:#x}");
        }
    }

    #[test]
    fn mapping_of_rubbish_is_skipped() {
        for line in ["", "x", "1-", "zz-yy r-xp", "1-2"] {
            assert_eq!(Mapping::parse(line), None, "{line}");
        }
    }

    #[test]
    fn own_maps_name_this_program_with_its_build_id() {
        let own = std::process::id().cast_signed();
        let maps = Maps::read(own, own);
        let here: fn() = own_maps_name_this_program_with_its_build_id;
        let place = maps.place(here as usize as u64).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(Some(place.file.as_str()), exe.file_name().unwrap().to_str());
        assert!(super::says_nothing(&place.file));
        assert!(maps.modules().iter().any(|m| m.file.contains("libc.so") && m.build_id.is_some()));
    }
}
