//! IPA modules: what libcamera reads of their files before it starts anything.

use std::io;
use std::path::Path;

use object::{Object, ObjectSection, ObjectSymbol};

use crate::file::contents;

/// Our module's file, for libcamera 0.3.0 and later. It stands before `ipa_ipu3.so` in a folder, since
/// the first that matches is taken.
pub const MODULE_NAME: &str = "ipa_cami_ipu3.so";
/// The same for 0.0.3 to 0.2.x, which call the pipeline by another name.
pub const OLD_MODULE_NAME: &str = "ipa_cami_ipu3_0.so";

/// What an IPA module says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// `moduleAPIVersion`.
    pub api_version: i32,
    /// `pipelineVersion`.
    pub pipeline_version: u32,
    /// `pipelineName` up to 0.7.2; libcamera's master reads its `name` from this place.
    pub pipeline_name: String,
    /// `name`; absent in modules that were built for master.
    pub name: Option<String>,
    /// Size of the structure: 520, or 264 for master.
    pub size: u64,
    /// Whether it can be loaded: it exports `ipaCreate`.
    pub creates: bool,
}

/// `moduleAPIVersion`, `pipelineVersion` (libcamera `include/libcamera/ipa/ipa_module_info.h`).
const FIXED: usize = 8;
const NAME: usize = 256;

/// Reads a module as libcamera does: by its section headers and `.dynsym` (libcamera
/// `src/libcamera/ipa_module.cpp`, `elfLoadSymbol`).
///
/// # Errors
/// A file that cannot be read, is no ELF file, or exports no such structure.
pub fn read_module(path: &Path) -> io::Result<ModuleInfo> {
    let bytes = contents(path)?;
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let file = object::File::parse(bytes.as_slice()).map_err(|_| broken("it is no ELF file"))?;
    let symbol = |name: &str| {
        file.dynamic_symbols().find(|symbol| symbol.is_definition() && symbol.name() == Ok(name))
    };
    let info = symbol("ipaModuleInfo").ok_or_else(|| broken("it exports no ipaModuleInfo"))?;
    let size = info.size();
    let data = info
        .section_index()
        .and_then(|index| file.section_by_index(index).ok())
        .and_then(|section| section.data_range(info.address(), size).ok().flatten())
        .ok_or_else(|| broken("its ipaModuleInfo is not in the file"))?;
    let text = |at: usize| -> Option<String> {
        let bytes = data.get(at..at.checked_add(NAME)?)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
    };
    let word = |at: usize| -> Option<[u8; 4]> { data.get(at..at.checked_add(4)?)?.try_into().ok() };
    let fixed = word(0).zip(word(4)).zip(text(FIXED));
    let ((api, version), pipeline_name) =
        fixed.ok_or_else(|| broken("its ipaModuleInfo is too small"))?;
    Ok(ModuleInfo {
        api_version: i32::from_le_bytes(api),
        pipeline_version: u32::from_le_bytes(version),
        pipeline_name,
        name: text(FIXED + NAME),
        size,
        creates: symbol("ipaCreate").is_some(),
    })
}

/// Whether a module is ours: it says what it is, and has nothing that libcamera's worker could load.
#[must_use]
pub fn is_ours(path: &Path) -> bool {
    read_module(path).is_ok_and(|info| !info.creates)
}
