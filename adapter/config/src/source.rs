//! Values by key, from the environment or the file.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::config::LIBCAMERA_SECTION;
use crate::keys::{KEYS, Kind, Value, variable};

/// Where the file is if `CAMI_IPA_CONFIG` does not say.
const DEFAULT_FILE: &str = "/etc/cami-ipa.toml";
/// A configuration has some hundred bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What libcamera's door has defaults of its own for. At the top level of the file it is said for the
/// HAL's doors: which protocol their library speaks, and what their HAL makes of a death.
const OF_EACH_DOOR: [&str; 2] = ["profile", "recovery"];

/// Variables of ours that are not keys: the file's name, and those of the tests.
const NO_KEYS: [&str; 4] =
    ["CAMI_IPA_CONFIG", "CAMI_IPA_VECTORS", "CAMI_IPA_INTEL_LIBRARY", "CAMI_IPA_INTEL_TUNING"];

/// The environment as far as it may be trusted.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// That of this process; empty if it gained privileges by `execve` (`AT_SECURE`).
    #[must_use]
    pub fn of_process() -> Self {
        // SAFETY: getauxval reads the process's auxiliary vector and has no preconditions.
        let gained_privileges = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
        if gained_privileges { Self::default() } else { Self(std::env::vars_os().collect()) }
    }

    /// A made-up one.
    #[cfg(test)]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(name, _)| name.to_str())
    }

    /// The value of a variable, if it is set to something.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsString> {
        self.0
            .iter()
            .find(|(found, _)| found.as_os_str() == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }
}

/// The configuration cannot be used; the text is one line that says why and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// File and environment, merged.
#[derive(Debug)]
pub struct Source {
    /// Key, value, and where it was set.
    values: Vec<(&'static str, Value, String)>,
    file: PathBuf,
}

impl Source {
    /// Reads both.
    ///
    /// # Errors
    /// An unreadable file, a file that is no TOML, an unknown key, a value of the wrong kind.
    pub fn open(environment: &Environment, section: Option<&str>) -> Result<Self, ConfigError> {
        let named = environment.get("CAMI_IPA_CONFIG").map(PathBuf::from);
        let file = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let mut source = Self { values: Vec::new(), file };
        match read(&source.file) {
            Ok(text) => source.read_file(&text, section)?,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(ConfigError(format!(
                    "cannot read the configuration {}: {error}",
                    source.file.display()
                )));
            }
        }
        for &(key, kind, _) in KEYS {
            let name = variable(key);
            let Some(text) = environment.get(&name) else { continue };
            let text = text.to_str().ok_or_else(|| ConfigError(format!("{name} is not UTF-8")))?;
            let value = from_text(kind, text)
                .ok_or_else(|| ConfigError(format!("{name}={text} is not {}", describe(kind))))?;
            source.set(key, value, name);
        }
        Ok(source)
    }

    fn read_file(&mut self, text: &str, section: Option<&str>) -> Result<(), ConfigError> {
        let file = self.file.clone();
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            ConfigError(format!("{}: {}", file.display(), error.message()))
        })?;
        // Common keys first, so that the section of this library overrides them.
        let mut own = None;
        for (name, value) in &table {
            match value {
                toml::Value::Table(inner) if name.ends_with(".so") => {
                    if Some(name.as_str()) == section {
                        own = Some((name, inner));
                    }
                }
                value => self.read_key(&file, name, value)?,
            }
        }
        if section == Some(LIBCAMERA_SECTION) {
            self.values.retain(|(key, ..)| !OF_EACH_DOOR.contains(key));
        }
        if let Some((name, inner)) = own {
            for (key, value) in inner {
                self.read_key(&file, key, value).map_err(|ConfigError(reason)| {
                    ConfigError(format!("{reason} (in section [\"{name}\"])"))
                })?;
            }
        }
        Ok(())
    }

    /// One key of the file; `[timeouts]` is a table of keys, `[environment]` a value.
    fn read_key(
        &mut self,
        file: &Path,
        name: &str,
        value: &toml::Value,
    ) -> Result<(), ConfigError> {
        let is_key = KEYS.iter().any(|(key, ..)| *key == name);
        if let (toml::Value::Table(inner), false) = (value, is_key) {
            for (key, value) in inner {
                self.read_key(file, &format!("{name}.{key}"), value)?;
            }
            return Ok(());
        }
        let Some(&(key, kind, _)) = KEYS.iter().find(|(key, ..)| *key == name) else {
            let known: Vec<&str> = KEYS.iter().map(|(key, ..)| *key).collect();
            let hint = match name.split_once(".so.") {
                Some((start, _)) => format!("; write a library's section as [\"{start}.so\"]"),
                None => String::new(),
            };
            return Err(ConfigError(format!(
                "{}: unknown key `{name}`{hint}; known are {}",
                file.display(),
                known.join(", ")
            )));
        };
        let value = from_toml(kind, value).ok_or_else(|| {
            ConfigError(format!("{}: `{name}` is not {}", file.display(), describe(kind)))
        })?;
        self.set(key, value, file.display().to_string());
        Ok(())
    }

    /// Variables that look like keys and are none.
    pub fn unknown_variables(&self, environment: &Environment) -> Vec<String> {
        environment
            .names()
            .filter(|name| name.starts_with("CAMI_IPA_") && !NO_KEYS.contains(name))
            .filter(|name| !KEYS.iter().any(|(key, ..)| variable(key) == *name))
            .map(|name| format!("{name} is no key of the configuration; see cros_ipa_proxy --help"))
            .collect()
    }

    fn set(&mut self, key: &'static str, value: Value, origin: String) {
        self.values.retain(|(found, ..)| *found != key);
        self.values.push((key, value, origin));
    }

    /// Every key that is set: its name, its value, and the file or the variable that sets it.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &Value, &str)> {
        self.values.iter().map(|(key, value, origin)| (*key, value, origin.as_str()))
    }

    /// The configuration's file, there or not.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn find(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(found, ..)| *found == key).map(|(_, value, _)| value)
    }

    /// The error for a value that has the right kind and yet cannot be used.
    pub fn bad(&self, key: &str, expected: impl fmt::Display) -> ConfigError {
        let found = self.values.iter().find(|(found, ..)| *found == key);
        let (value, origin) = match found {
            Some((_, value, origin)) => (value.to_string(), origin.clone()),
            None => (String::new(), self.file.display().to_string()),
        };
        ConfigError(format!("{origin}: `{key}` is \"{value}\", expected {expected}"))
    }

    /// A text, if the key is set.
    ///
    /// # Errors
    /// None in fact: kinds are checked when values are read.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.bad(key, describe(Kind::Text))),
        }
    }

    /// One of a few texts, if the key is set.
    ///
    /// # Errors
    /// Any other text.
    pub fn choice<'a>(&self, key: &str, known: &[&'a str]) -> Result<Option<&'a str>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match known.iter().find(|known| **known == text) {
            Some(known) => Ok(Some(known)),
            None => Err(self.bad(key, known.join(" or "))),
        }
    }

    /// True or false, if the key is set.
    ///
    /// # Errors
    /// None in fact: kinds are checked when values are read.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.bad(key, describe(Kind::Flag))),
        }
    }

    /// A list of numbers, empty if the key is not set.
    ///
    /// # Errors
    /// None in fact: kinds are checked when values are read.
    pub fn numbers(&self, key: &str) -> Result<Vec<u32>, ConfigError> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some(Value::Numbers(numbers)) => Ok(numbers.clone()),
            Some(_) => Err(self.bad(key, describe(Kind::Numbers))),
        }
    }

    /// An absolute path, if the key is set: the monitor runs in whatever folder the HAL has.
    ///
    /// # Errors
    /// A path that is not absolute.
    pub fn absolute(&self, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) if text.starts_with('/') => Ok(Some(PathBuf::from(text))),
            Some(_) => Err(self.bad(key, "an absolute path")),
        }
    }

    /// A list of absolute paths.
    ///
    /// # Errors
    /// A path that is not absolute.
    pub fn absolutes(&self, key: &str) -> Result<Vec<PathBuf>, ConfigError> {
        let paths = self.list(key)?;
        if paths.iter().all(|path| path.starts_with('/')) {
            Ok(paths.into_iter().map(PathBuf::from).collect())
        } else {
            Err(self.bad(key, "absolute paths"))
        }
    }

    /// A list, empty if the key is not set.
    ///
    /// # Errors
    /// As [`Source::text`].
    pub fn list(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some(Value::List(list)) => Ok(list.clone()),
            Some(_) => Err(self.bad(key, describe(Kind::List))),
        }
    }

    /// Names with texts, empty if the key is not set.
    ///
    /// # Errors
    /// As [`Source::text`].
    pub fn table(&self, key: &str) -> Result<Vec<(String, String)>, ConfigError> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some(Value::Table(table)) => Ok(table.clone()),
            Some(_) => Err(self.bad(key, describe(Kind::Table))),
        }
    }

    /// A number, if the key is set.
    ///
    /// # Errors
    /// As [`Source::text`].
    pub fn number(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(_) => Err(self.bad(key, describe(Kind::Number))),
        }
    }
}

/// Reads a file of text. Not `std::fs::read`, which asks for its size by `statx`: the service's door
/// runs where that is forbidden (spec/cami-abi.md, 3.2).
fn read(path: &Path) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    let mut text = String::with_capacity(16 << 10);
    let read = file.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read == MAX_FILE_BYTES) {
        return Err(std::io::Error::other("it is larger than a configuration can be"));
    }
    Ok(text)
}

fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::List => "a list of texts",
        Kind::Table => "a table of texts",
        Kind::Number => "a whole number from 0 to 4294967295",
        Kind::Flag => "true or false",
        Kind::Numbers => "a list of whole numbers from 0 to 4294967295",
    }
}

fn from_text(kind: Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::Text(text.to_owned()),
        Kind::List => Value::List(text.split(':').map(str::to_owned).collect()),
        Kind::Table => {
            let pairs = text.split(':').map(|pair| {
                pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            });
            Value::Table(pairs.collect::<Option<_>>()?)
        }
        Kind::Number => Value::Number(text.parse().ok()?),
        Kind::Flag => Value::Flag(text.parse().ok()?),
        Kind::Numbers => Value::Numbers(text.split(':').map(number).collect::<Option<_>>()?),
    })
}

fn from_toml(kind: Kind, value: &toml::Value) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::Text(value.as_str()?.to_owned()),
        Kind::List => {
            let texts = value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned));
            Value::List(texts.collect::<Option<_>>()?)
        }
        Kind::Table => {
            let pairs = value
                .as_table()?
                .iter()
                .map(|(name, value)| value.as_str().map(|value| (name.clone(), value.to_owned())));
            Value::Table(pairs.collect::<Option<_>>()?)
        }
        Kind::Number => Value::Number(u32::try_from(value.as_integer()?).ok()?),
        Kind::Flag => Value::Flag(value.as_bool()?),
        Kind::Numbers => {
            let numbers = value.as_array()?.iter().map(|item| match item {
                toml::Value::String(text) => number(text),
                item => u32::try_from(item.as_integer()?).ok(),
            });
            Value::Numbers(numbers.collect::<Option<_>>()?)
        }
    })
}

/// A number as people write those of `ioctl`s.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
