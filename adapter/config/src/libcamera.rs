//! What libcamera's door is told.

use std::path::{Path, PathBuf};

use crate::source::{ConfigError, Source};

/// `libcamera.*`: what is not detected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Libcamera {
    /// `libcamera.version`.
    pub version: Option<LibcameraVersion>,
    /// `libcamera.proxy_dir`: where libcamera's own workers are.
    pub proxy_dir: Option<PathBuf>,
}

/// A version of libcamera, which orders as its releases do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LibcameraVersion {
    /// The first number; 0 so far.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

impl LibcameraVersion {
    /// Later than every release.
    pub const MASTER: Self = Self { major: u32::MAX, minor: u32::MAX, patch: u32::MAX };

    /// Reads `0.7.2`, `0.7` or `master`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "master" {
            return Some(Self::MASTER);
        }
        let numbers: Vec<u32> =
            text.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        match *numbers.as_slice() {
            [major, minor] => Some(Self { major, minor, patch: 0 }),
            [major, minor, patch] => Some(Self { major, minor, patch }),
            _ => None,
        }
    }

    pub(crate) fn checked(source: &Source) -> Result<Option<Self>, ConfigError> {
        const KEY: &str = "libcamera.version";
        let Some(text) = source.text(KEY)? else { return Ok(None) };
        match Self::parse(&text) {
            Some(version) => Ok(Some(version)),
            None => Err(source.bad(KEY, "a version such as 0.7.2, or master")),
        }
    }
}

/// A file for each sensor model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerSensor(pub Vec<(String, PathBuf)>);

impl PerSensor {
    /// The file of a sensor model, as libcamera names it.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Path> {
        self.0.iter().find(|(known, _)| known == model).map(|(_, file)| file.as_path())
    }

    pub(crate) fn checked(key: &str, source: &Source) -> Result<Self, ConfigError> {
        let table = source.table(key)?;
        if table.iter().any(|(model, file)| model.is_empty() || !file.starts_with('/')) {
            return Err(source.bad(key, "sensor models with absolute paths"));
        }
        Ok(Self(table.into_iter().map(|(model, file)| (model, file.into())).collect()))
    }
}
