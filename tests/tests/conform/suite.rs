//! Running the suite.

use std::path::Path;
use std::process::{Command, Output};

use cami_tests::{Room, artefact};
use serde_json::Value;

/// `cami-ipa conform` on a library, without settings of the caller's environment.
pub fn conform(library: &Path) -> Command {
    let mut command = Command::new(artefact("cami-ipa"));
    command.arg("conform").arg(library);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CAMI_IPA_")) {
            command.env_remove(name);
        }
    }
    command.env("CAMI_IPA_CONFIG", "/dev/null");
    // Both are there, or the suite could not run.
    let _ = artefact("cros_ipa_proxy");
    let _ = artefact("libcam_algo_conform.so");
    command
}

/// What came of it.
pub struct Report {
    /// The JSON.
    pub json: Value,
    /// How it ended.
    pub output: Output,
}

impl Report {
    /// Runs with these options.
    pub fn of(library: &Path, options: &[&str]) -> Self {
        Self::from(conform(library).args(options))
    }

    /// Runs a command that was prepared.
    pub fn from(command: &mut Command) -> Self {
        let room = Room::new();
        let file = room.path("results.json");
        let output = command.arg("--json").arg(&file).output().unwrap();
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("no results, {error}: {output:?}"));
        Self { json: serde_json::from_str(&text).unwrap(), output }
    }

    /// The rules of that state.
    pub fn rules(&self, state: &str) -> Vec<&str> {
        let rules = self.json["rules"].as_array().unwrap().iter();
        rules
            .filter(|rule| rule["state"] == state)
            .map(|rule| rule["id"].as_str().unwrap())
            .collect()
    }

    /// One rule's result.
    pub fn rule(&self, id: &str) -> &Value {
        let mut rules = self.json["rules"].as_array().unwrap().iter();
        rules.find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("{id} is not there"))
    }

    /// What was seen of it.
    pub fn detail(&self, id: &str) -> &str {
        self.rule(id)["detail"].as_str().unwrap()
    }

    /// The rules that could not be seen because that one is broken.
    pub fn hidden_by(&self, id: &str) -> Vec<&str> {
        let rules = self.json["rules"].as_array().unwrap().iter();
        rules
            .filter(|rule| rule["blocked_by"] == id)
            .map(|rule| rule["id"].as_str().unwrap())
            .collect()
    }

    /// The exit code.
    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }

    /// The rules of which there is no result, with the reason.
    pub fn without(&self) -> Vec<String> {
        let rules = self.json["rules"].as_array().unwrap().iter();
        rules
            .filter(|rule| rule["state"] == "skipped" || rule["state"] == "not_seen")
            .map(|rule| format!("{}: {}", rule["id"].as_str().unwrap(), rule["detail"]))
            .collect()
    }

    /// Asserts that these rules are broken and no others.
    pub fn assert_broken(&self, expected: &[&str]) {
        let details: Vec<String> =
            self.rules("fail").iter().map(|id| format!("{id}: {}", self.detail(id))).collect();
        assert_eq!(self.rules("fail"), expected, "{details:#?}");
    }
}
