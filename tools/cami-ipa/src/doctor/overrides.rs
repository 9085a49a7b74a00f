//! What else is said to libcamera that decides about its IPU3 camera: which pipelines it may match, and
//! where its configuration, and with it our tuning files, is.
//!
//! Source: libcamera `src/libcamera/camera_manager.cpp` (since 0.3.0) and `ipa_proxy.cpp` (since 0.5.0;
//! the variable's name is made of our module's, which is `ipu3`).

use std::path::Path;

use cami_libcamera::listed_pipelines;
use serde::Serialize;

/// The pipelines that are matched, in that order.
pub const MATCH_LIST: &str = "LIBCAMERA_PIPELINES_MATCH_LIST";
/// The file in the place of libcamera's own.
pub const TUNING_FILE: &str = "LIBCAMERA_IPU3_TUNING_FILE";
/// As libcamera calls the pipeline.
const PIPELINE: &str = "ipu3";

/// One of them, where it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Override {
    /// The variable, or the key and its file.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it changes.
    pub effect: String,
    /// It keeps the IPU3 camera away.
    pub harms: bool,
}

impl Override {
    /// Those in an environment.
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Vec<Self> {
        let pipelines = variable(MATCH_LIST).map(|value| {
            let listed: Vec<&str> = value.split(',').collect();
            Self::of_pipelines(MATCH_LIST.to_owned(), &listed)
        });
        // An empty one is as good as none, and no list is.
        let tuning = variable(TUNING_FILE).filter(|value| !value.is_empty());
        pipelines.into_iter().chain(tuning.map(Self::of_tuning_file)).collect()
    }

    /// The list in a `configuration.yaml`, which a variable would override.
    pub fn of_yaml(path: &Path, text: &str) -> Option<Self> {
        let listed = listed_pipelines(text)?;
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        Some(Self::of_pipelines(format!("pipelines_match_list in {}", path.display()), &listed))
    }

    fn of_pipelines(name: String, listed: &[&str]) -> Self {
        let harms = !listed.iter().any(|pipeline| pipeline.trim() == PIPELINE);
        let effect = if harms {
            "from 0.3.0 on there is no IPU3 camera: ipu3 is not in the list"
        } else {
            "from 0.3.0 on only these pipelines have cameras; ipu3 is one of them"
        };
        Self { name, value: listed.join(","), effect: effect.to_owned(), harms }
    }

    fn of_tuning_file(value: String) -> Self {
        let folder = Path::new(&value).parent().filter(|folder| folder.is_absolute());
        let effect = match folder {
            None => "it is no absolute path: no tuning file is looked for beside it".to_owned(),
            Some(folder) => format!(
                "from 0.5.0 on *.aiqb is looked for in {} before the system's folders; the file itself \
                 is not read, and `tuning` goes before it",
                folder.display()
            ),
        };
        Self { name: TUNING_FILE.to_owned(), value, effect, harms: false }
    }

    /// What to do about it.
    pub fn problem(&self, whose: &str) -> Option<String> {
        self.harms.then(|| {
            format!(
                "{whose}{} is \"{}\", which leaves out the IPU3 pipeline: add ipu3, or take the list \
                 away",
                self.name, self.value
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pipelines: Option<&str>, tuning: Option<&str>) -> Vec<Override> {
        Override::of_variables(|name| {
            let value = if name == MATCH_LIST { pipelines } else { tuning };
            value.map(str::to_owned)
        })
    }

    #[test]
    fn a_list_without_the_pipeline_harms() {
        assert_eq!(of(None, None), []);
        for (list, harms) in
            [("ipu3", false), ("uvcvideo, ipu3", false), ("simple,uvcvideo", true), ("", true)]
        {
            let found = of(Some(list), None);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].harms, harms, "{list}");
            assert_eq!(found[0].problem("").is_some(), harms);
        }
    }

    #[test]
    fn a_list_is_in_yaml_too() {
        let path = Path::new("/etc/libcamera/configuration.yaml");
        let yaml = |text| Override::of_yaml(path, text).map(|found| (found.value, found.harms));
        assert_eq!(yaml("version: 1\n"), None);
        let block = "configuration:\n  pipelines_match_list:\n    - rkisp1\n    - ipu3\n";
        assert_eq!(yaml(block), Some(("rkisp1,ipu3".to_owned(), false)));
        let inline = "configuration:\n  pipelines_match_list: [\"simple\"]\n";
        assert_eq!(yaml(inline), Some(("simple".to_owned(), true)));
    }

    #[test]
    fn a_tuning_file_s_folder_is_looked_into() {
        let found = of(None, Some("/opt/tuning/ov13858.yaml"));
        assert!(found[0].effect.contains("in /opt/tuning before"), "{}", found[0].effect);
        assert!(!found[0].harms);
        assert!(of(None, Some("x.yaml"))[0].effect.contains("no absolute path"));
        assert_eq!(of(None, Some("")), []);
    }
}
