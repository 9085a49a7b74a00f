//! Which tuning file (AIQB) belongs to a camera, where it is, and what else is known of the camera.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cami_ipu3_requests::Data;
use cami_wire::libcamera::IpaSettings;

use crate::errno::{EINVAL, ENOENT, error};
use crate::files::Files;
use crate::ipa::IpaError;

/// Bytes of tuning data that the protocol carries.
const MOST_TUNING_BYTES: usize = cami_ipu3::sequence::set_up::MAX_TUNING_BYTES;
/// An EEPROM of a camera module has some KiB.
const MOST_NVM_BYTES: usize = 64 << 10;
/// Bytes of learnt state that the protocol carries.
pub(crate) const MOST_AIQD_BYTES: usize = 500_000;
/// A tuning file's extension.
const AIQB: &str = "aiqb";

/// Where files are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// `tuning`: tuning files by sensor model.
    pub tuning: Vec<(String, PathBuf)>,
    /// `nvm`: files with a module's own memory, by sensor model.
    pub nvm: Vec<(String, PathBuf)>,
    /// `aiqd`: the folder where learnt state is kept.
    pub aiqd: Option<PathBuf>,
    /// Folders of the system with tuning files, in the order in which they are searched.
    pub system: Vec<PathBuf>,
}

impl Places {
    /// Where ChromeOS has its tuning files (platform2 `camera/hal/intel/ipu3`, `PlatformData`), and
    /// where libcamera has those of its own IPA.
    #[must_use]
    pub fn system_folders() -> Vec<PathBuf> {
        ["/etc/camera/ipu3", "/etc/libcamera/ipa/ipu3", "/usr/share/libcamera/ipa/ipu3"]
            .map(PathBuf::from)
            .to_vec()
    }

    /// Everything that is known of a camera, and where its tuning file was found.
    pub(crate) fn data(
        &self,
        files: &dyn Files,
        settings: &IpaSettings,
    ) -> Result<(Data, PathBuf), IpaError> {
        let model = settings.sensor_model.as_str();
        let path = self.tuning_file(files, settings)?;
        let cannot = |path: &Path, reason| {
            error(ENOENT, format!("{} cannot be read: {reason}", path.display()))
        };
        let aiqb = files.read(&path, MOST_TUNING_BYTES).map_err(|reason| cannot(&path, reason))?;
        let nvm = match configured(&self.nvm, model) {
            Some(path) => {
                files.read(path, MOST_NVM_BYTES).map_err(|reason| cannot(path, reason))?
            }
            None => Vec::new(),
        };
        let aiqd = self.learnt(files, model);
        Ok((Data { aiqb, nvm, aiqd }, path))
    }

    /// What was learnt of the camera before. That there is nothing is no error: so it is the first
    /// time. Neither is a file that cannot be read: the library does without.
    fn learnt(&self, files: &dyn Files, model: &str) -> Vec<u8> {
        let Some(path) = self.aiqd_file(model) else { return Vec::new() };
        match files.read(&path, MOST_AIQD_BYTES) {
            Ok(learnt) => learnt,
            Err(reason) => {
                if reason.kind() != ErrorKind::NotFound {
                    log::warn!("{} cannot be read: {reason}", path.display());
                }
                Vec::new()
            }
        }
    }

    /// The file of a camera's learnt state.
    pub(crate) fn aiqd_file(&self, model: &str) -> Option<PathBuf> {
        let named = !model.is_empty() && !model.contains('/') && !model.starts_with('.');
        self.aiqd.as_ref().filter(|_| named).map(|folder| folder.join(format!("{model}.aiqd")))
    }

    /// The tuning file: the configured one, else the one beside libcamera's own configuration, else
    /// one in the system's folders.
    fn tuning_file(&self, files: &dyn Files, settings: &IpaSettings) -> Result<PathBuf, IpaError> {
        let model = settings.sensor_model.as_str();
        if model.is_empty() {
            return Err(error(EINVAL, "the sensor has no model name"));
        }
        if let Some(path) = configured(&self.tuning, model) {
            return Ok(path.to_path_buf());
        }
        let beside = Path::new(&settings.configuration_file).parent();
        let beside = beside.filter(|folder| folder.is_absolute()).map(Path::to_path_buf);
        let mut looked = Vec::new();
        for folder in beside.into_iter().chain(self.system.iter().cloned()) {
            let mut found = match files.list(&folder) {
                Ok(names) => matching(names, model),
                Err(reason) => {
                    looked.push(format!("{} ({reason})", folder.display()));
                    continue;
                }
            };
            if found.len() > 1 {
                // One for each module that the sensor comes in; libcamera does not tell the module.
                return Err(error(
                    ENOENT,
                    format!(
                        "{} has several tuning files for {model} ({}): say which module the camera \
                         has with tuning = {{ {model} = \"FILE\" }}",
                        folder.display(),
                        found.join(", ")
                    ),
                ));
            }
            if let Some(name) = found.pop() {
                return Ok(folder.join(name));
            }
            looked.push(format!("{} (none for it)", folder.display()));
        }
        Err(error(
            ENOENT,
            format!(
                "no tuning file (*.{AIQB}) for the sensor {model}: the configuration's `tuning` does \
                 not name it, and it is not in {}",
                if looked.is_empty() { "any folder".to_owned() } else { looked.join(", ") }
            ),
        ))
    }
}

fn configured<'a>(table: &'a [(String, PathBuf)], model: &str) -> Option<&'a Path> {
    table.iter().find(|(known, _)| known == model).map(|(_, path)| path.as_path())
}

/// The tuning files of a sensor model: the one that has its name, else all that begin with it, as
/// those of its modules do (`ov13858_TFC13MYHCE.aiqb`); ChromeOS puts a number before the name.
fn matching(names: Vec<String>, model: &str) -> Vec<String> {
    let mut found: Vec<String> = names
        .into_iter()
        .filter(|name| rest(name, model).is_some_and(|rest| !rest.starts_with(alphanumeric)))
        .collect();
    found.sort();
    let exact: Vec<String> =
        found.iter().filter(|name| rest(name, model) == Some("")).cloned().collect();
    if exact.is_empty() { found } else { exact }
}

fn alphanumeric(character: char) -> bool {
    character.is_ascii_alphanumeric()
}

/// What follows the model in the name of a tuning file, without its extension.
fn rest<'a>(name: &'a str, model: &str) -> Option<&'a str> {
    let (stem, extension) = name.rsplit_once('.')?;
    if !extension.eq_ignore_ascii_case(AIQB) {
        return None;
    }
    let stem = stem.trim_start_matches(|character: char| character.is_ascii_digit());
    let (start, rest) = stem.split_at_checked(model.len())?;
    start.eq_ignore_ascii_case(model).then_some(rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io;

    /// Paths and contents.
    #[derive(Default)]
    struct Made(BTreeMap<PathBuf, Vec<u8>>);

    impl Made {
        fn of(paths: &[&str]) -> Self {
            Self(paths.iter().map(|path| (path.into(), path.as_bytes().to_vec())).collect())
        }
    }

    impl Files for Made {
        fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
            let contents = self.0.get(path).ok_or(io::Error::from(ErrorKind::NotFound))?;
            if contents.len() > most {
                Err(io::Error::other("large"))
            } else {
                Ok(contents.clone())
            }
        }
        fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
            let here = |path: &&PathBuf| path.parent() == Some(folder);
            let names: Vec<String> = self
                .0
                .keys()
                .filter(here)
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect();
            if names.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(names) }
        }
        fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
    }

    fn settings(configuration_file: &str) -> IpaSettings {
        IpaSettings {
            configuration_file: configuration_file.to_owned(),
            sensor_model: "ov13858".to_owned(),
        }
    }

    fn places() -> Places {
        Places { system: vec!["/etc/camera/ipu3".into()], ..Places::default() }
    }

    fn found(places: &Places, files: &Made, configuration_file: &str) -> Result<String, String> {
        let found = places.data(files, &settings(configuration_file));
        found.map(|(data, _)| String::from_utf8(data.aiqb).unwrap()).map_err(|error| error.text)
    }

    #[test]
    fn configured_comes_before_beside_libcamera_s_comes_before_the_system_s() {
        let files = Made::of(&[
            "/mine/own.aiqb",
            "/ipa/ipu3/ov13858.aiqb",
            "/ipa/ipu3/ov13858.yaml",
            "/etc/camera/ipu3/00ov13858.aiqb",
        ]);
        let yaml = "/ipa/ipu3/ov13858.yaml";
        let mut places = places();
        assert_eq!(found(&places, &files, yaml).unwrap(), "/ipa/ipu3/ov13858.aiqb");
        assert_eq!(found(&places, &files, "").unwrap(), "/etc/camera/ipu3/00ov13858.aiqb");
        places.tuning = vec![("ov13858".to_owned(), "/mine/own.aiqb".into())];
        assert_eq!(found(&places, &files, yaml).unwrap(), "/mine/own.aiqb");
        places.tuning = vec![("ov13858".to_owned(), "/mine/gone.aiqb".into())];
        assert!(found(&places, &files, yaml).unwrap_err().contains("/mine/gone.aiqb"));
    }

    #[test]
    fn the_error_lists_where_it_looked() {
        let files = Made::of(&["/etc/camera/ipu3/01ov5670.aiqb"]);
        let text = found(&places(), &files, "/ipa/ipu3/uncalibrated.yaml").unwrap_err();
        for part in ["ov13858", "/ipa/ipu3 (", "/etc/camera/ipu3 (none for it)", "`tuning`"] {
            assert!(text.contains(part), "{text}");
        }
        let error = places().data(&files, &IpaSettings::default()).unwrap_err();
        assert_eq!(error.errno, -EINVAL);
    }

    #[test]
    fn modules_are_told_apart_and_never_guessed() {
        let one = Made::of(&["/etc/camera/ipu3/00ov13858_TFC13MYHCE.aiqb"]);
        assert!(found(&places(), &one, "").is_ok());
        let two = Made::of(&[
            "/etc/camera/ipu3/00ov13858_TFC13MYHCE.aiqb",
            "/etc/camera/ipu3/01ov13858-7BAD03T2.AIQB",
        ]);
        let text = found(&places(), &two, "").unwrap_err();
        assert!(text.contains("7BAD03T2") && text.contains("TFC13MYHCE"), "{text}");
        let other = Made::of(&["/etc/camera/ipu3/ov138581.aiqb", "/etc/camera/ipu3/ov13858.txt"]);
        assert!(found(&places(), &other, "").is_err());
    }

    #[test]
    fn nvm_is_required_where_it_is_configured_and_learnt_state_never() {
        let files = Made::of(&["/t.aiqb", "/eeprom", "/learnt/ov13858.aiqd"]);
        let mut places =
            Places { tuning: vec![("ov13858".to_owned(), "/t.aiqb".into())], ..Places::default() };
        let (data, _) = places.data(&files, &settings("")).unwrap();
        assert!(data.nvm.is_empty() && data.aiqd.is_empty());
        places.nvm = vec![("ov13858".to_owned(), "/eeprom".into())];
        places.aiqd = Some("/learnt".into());
        let (data, _) = places.data(&files, &settings("")).unwrap();
        assert_eq!((&*data.nvm, &*data.aiqd), (&b"/eeprom"[..], &b"/learnt/ov13858.aiqd"[..]));
        places.aiqd = Some("/nowhere".into());
        assert!(places.data(&files, &settings("")).unwrap().0.aiqd.is_empty());
        places.nvm = vec![("ov13858".to_owned(), "/gone".into())];
        assert!(places.data(&files, &settings("")).is_err());
        assert_eq!(places.aiqd_file("../etc/passwd"), None);
    }
}
