//! Which module and which worker a libcamera takes: its own rules, without running it.
//!
//! Source: libcamera `src/libcamera/ipa_manager.cpp`, `ipa_module.cpp` and `ipa_proxy.cpp`;
//! spec/libcamera-ipa.md, 1.1 to 1.4.

use std::fs;
use std::path::{Path, PathBuf};

use cami_config::LibcameraVersion;

use crate::module::{ModuleInfo, read_module};
use crate::worker::{WORKER, is_executable};

/// Where libcamera is told to look, before its own folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPaths {
    /// Folders with modules.
    pub modules: Vec<PathBuf>,
    /// Folders with workers.
    pub workers: Vec<PathBuf>,
}

impl SearchPaths {
    /// From the values of `LIBCAMERA_IPA_MODULE_PATH` and `LIBCAMERA_IPA_PROXY_PATH`.
    #[must_use]
    pub fn of_variables(modules: Option<&str>, workers: Option<&str>) -> Self {
        let split = |value: Option<&str>| {
            let folders = value.unwrap_or_default().split(':');
            folders.filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
        };
        Self { modules: split(modules), workers: split(workers) }
    }

    /// From `configuration.yaml`, which libcamera reads since 0.6.0: the two lists, as block or in
    /// brackets. Whatever else stands there is not looked at.
    #[must_use]
    pub fn of_yaml(text: &str) -> Self {
        Self { modules: list(text, "module_paths"), workers: list(text, "proxy_paths") }
    }
}

/// The pipelines that `configuration.yaml` lists to be matched, if it does (libcamera
/// `src/libcamera/global_configuration.cpp`).
#[must_use]
pub fn listed_pipelines(yaml: &str) -> Option<Vec<String>> {
    items(yaml, "pipelines_match_list")
}

fn list(text: &str, key: &str) -> Vec<PathBuf> {
    items(text, key).unwrap_or_default().into_iter().map(PathBuf::from).collect()
}

fn items(text: &str, key: &str) -> Option<Vec<String>> {
    let plain = |item: &str| item.trim().trim_matches(['"', '\'']).to_owned();
    let mut lines = text.lines().skip_while(|line| {
        !line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
    });
    let first = lines.next()?;
    let inline = first.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    if let Some((items, _)) = inline {
        let items = items.split(',').filter(|item| !item.trim().is_empty());
        return Some(items.map(plain).collect());
    }
    let items = lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map_while(|line| line.strip_prefix('-'))
        .map(plain);
    Some(items.collect())
}

/// The module that a libcamera of that version takes for its IPU3 pipeline.
#[must_use]
pub fn choose_module(
    version: LibcameraVersion,
    told: &SearchPaths,
    library: &Path,
) -> Option<(PathBuf, ModuleInfo)> {
    let own = library.parent()?.join("libcamera");
    // Since 0.5.1 in a folder of their own (37dccb45).
    let is = |major, minor, patch| version >= LibcameraVersion { major, minor, patch };
    let own = if is(0, 5, 1) { own.join("ipa") } else { own };
    told.modules.iter().chain([&own]).find_map(|folder| {
        let entries = fs::read_dir(folder).ok()?.flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
            .collect();
        files.sort();
        files.into_iter().find_map(|path| {
            let info = read_module(&path).ok()?;
            matches(version, &info).then_some((path, info))
        })
    })
}

fn matches(version: LibcameraVersion, info: &ModuleInfo) -> bool {
    let is = |major, minor, patch| version >= LibcameraVersion { major, minor, patch };
    let size = if version == LibcameraVersion::MASTER {
        info.size >= 264
    } else if is(0, 0, 4) {
        info.size >= 520
    } else {
        info.size == 520
    };
    let pipeline = if is(0, 3, 0) { "ipu3" } else { "PipelineHandlerIPU3" };
    size && (info.api_version, info.pipeline_version) == (1, 1) && info.pipeline_name == pipeline
}

/// The worker that libcamera starts for it, out of the folders that it is told and its own.
#[must_use]
pub fn choose_worker(told: &SearchPaths, own: &[PathBuf]) -> Option<PathBuf> {
    let folders = told.workers.iter().chain(own);
    folders.map(|folder| folder.join(WORKER)).find(|path| is_executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(pipeline: &str, size: u64) -> ModuleInfo {
        ModuleInfo {
            api_version: 1,
            pipeline_version: 1,
            pipeline_name: pipeline.to_owned(),
            name: None,
            size,
            creates: false,
        }
    }

    #[test]
    fn each_version_has_its_own_idea_of_a_module() {
        let fits = |version: &str, pipeline, size| {
            matches(LibcameraVersion::parse(version).unwrap(), &info(pipeline, size))
        };
        let (old, new) = ("PipelineHandlerIPU3", "ipu3");
        for version in ["0.0.3", "0.0.5", "0.1.0", "0.2.0"] {
            assert!(fits(version, old, 520) && !fits(version, new, 520), "{version}");
        }
        for version in ["0.3.0", "0.4.0", "0.5.2", "0.6.0", "0.7.2", "master"] {
            assert!(!fits(version, old, 520) && fits(version, new, 520), "{version}");
        }
        assert!(!fits("0.0.3", old, 600) && fits("0.0.4", old, 600));
        assert!(!fits("0.7.2", new, 264) && fits("master", new, 264));
    }

    #[test]
    fn paths_come_from_variables_or_yaml() {
        let expected =
            SearchPaths { modules: vec!["/a".into(), "/b".into()], workers: vec!["/c".into()] };
        assert_eq!(SearchPaths::of_variables(Some("/a::/b"), Some("/c")), expected);
        let block = "version: 1\nconfiguration:\n  ipa:\n    module_paths:\n      - /a\n      # x\n\
                     \x20     - \"/b\"\n    proxy_paths:\n      - /c\n    force_isolation: true\n";
        assert_eq!(SearchPaths::of_yaml(block), expected);
        let inline = "ipa: \n module_paths: [/a, '/b']\n proxy_paths: [ /c ]\n";
        assert_eq!(SearchPaths::of_yaml(inline), expected);
        assert_eq!(SearchPaths::of_yaml("version: 1\n"), SearchPaths::default());
    }
}
