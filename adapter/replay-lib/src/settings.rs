//! What the library is told, by its environment. In a host it sees the variables of the
//! configuration's `environment` and no others.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What to answer, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `CAMI_REPLAY_FILE`: the recording.
    pub file: PathBuf,
    /// `CAMI_REPLAY_MODE`.
    pub mode: Mode,
    /// `CAMI_REPLAY_END`.
    pub end: End,
    /// `CAMI_REPLAY_PACE`.
    pub pace: Pace,
    /// `CAMI_REPLAY_HOST`: which of the recorded hosts, by its number; without it the first.
    pub host: Option<u32>,
    /// `CAMI_REPLAY_DEATHS`: recorded deaths are made again, each once, and this file counts them;
    /// without it they are not.
    pub deaths: Option<PathBuf>,
}

/// What becomes of a request that is not the recorded one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `strict`: it gets the profile's error status.
    #[default]
    Strict,
    /// `lenient`: it gets the recorded results all the same.
    Lenient,
}

/// What becomes of requests behind the recording's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// `error`: they get the profile's error status.
    #[default]
    Error,
    /// `loop`: frames begin again, from the second on: the first is often without statistics.
    Loop,
}

/// When answers come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// `fast`: at once.
    #[default]
    Fast,
    /// `recorded`: after the time that the recorded answer took.
    Recorded,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// A line that names the variable.
    pub fn of_environment() -> Result<Self, String> {
        Self::of(|name| env::var_os(name))
    }

    /// Reads variables.
    ///
    /// # Errors
    /// A line that names the variable.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let file = variable("CAMI_REPLAY_FILE").filter(|file| !file.is_empty()).ok_or(
            "CAMI_REPLAY_FILE is not set: name a recording there; in a host, in the \
             configuration's `environment`, and let `sandbox.read` have the file",
        )?;
        let one_of = |name: &str, known: &[&str]| {
            let Some(value) = variable(name) else { return Ok(0) };
            known.iter().position(|known| value == OsStr::new(known)).ok_or_else(|| {
                let value = value.to_string_lossy();
                format!("{name} is \"{value}\", not {}", known.join(" or "))
            })
        };
        let second = |name: &str, known: [&str; 2]| Ok::<_, String>(one_of(name, &known)? == 1);
        let path = |value: OsString| match value.is_empty() {
            true => Err("CAMI_REPLAY_DEATHS is empty: name the file that counts deaths, or leave \
                         the variable out"
                .to_owned()),
            false => Ok(PathBuf::from(value)),
        };
        let host = variable("CAMI_REPLAY_HOST").map(|value| {
            value.to_str().and_then(|value| value.parse().ok()).ok_or_else(|| {
                format!("CAMI_REPLAY_HOST is \"{}\", no number", value.to_string_lossy())
            })
        });
        Ok(Self {
            file: PathBuf::from(file),
            mode: if second("CAMI_REPLAY_MODE", ["strict", "lenient"])? {
                Mode::Lenient
            } else {
                Mode::Strict
            },
            end: if second("CAMI_REPLAY_END", ["error", "loop"])? { End::Loop } else { End::Error },
            pace: if second("CAMI_REPLAY_PACE", ["fast", "recorded"])? {
                Pace::Recorded
            } else {
                Pace::Fast
            },
            host: host.transpose()?,
            deaths: variable("CAMI_REPLAY_DEATHS").map(path).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn every_variable_is_understood() {
        let settings = of(&[
            ("CAMI_REPLAY_FILE", "/a"),
            ("CAMI_REPLAY_MODE", "lenient"),
            ("CAMI_REPLAY_END", "loop"),
            ("CAMI_REPLAY_PACE", "recorded"),
            ("CAMI_REPLAY_HOST", "3"),
            ("CAMI_REPLAY_DEATHS", "/b"),
        ])
        .expect("good settings");
        assert_eq!((settings.mode, settings.end), (Mode::Lenient, End::Loop));
        assert_eq!((settings.pace, settings.host), (Pace::Recorded, Some(3)));
        assert_eq!(settings.deaths, Some(PathBuf::from("/b")));
        let settings = of(&[("CAMI_REPLAY_FILE", "/a")]).expect("good settings");
        assert_eq!(settings.deaths, None);
        assert_eq!((settings.mode, settings.end), (Mode::Strict, End::Error));
    }

    #[test]
    fn mistakes_name_their_variable() {
        for (name, value) in [
            ("CAMI_REPLAY_FILE", ""),
            ("CAMI_REPLAY_MODE", "x"),
            ("CAMI_REPLAY_END", ""),
            ("CAMI_REPLAY_PACE", "slow"),
            ("CAMI_REPLAY_HOST", "one"),
            ("CAMI_REPLAY_DEATHS", ""),
        ] {
            let error = of(&[(name, value), ("CAMI_REPLAY_FILE", "/a")]).expect_err("a mistake");
            assert!(error.contains(name), "{error}");
        }
    }
}
