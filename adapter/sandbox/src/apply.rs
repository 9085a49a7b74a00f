//! Building the sandbox around this process, layer by layer.

use std::fs::File;
use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::layer::{Layer, LayerError};
use crate::plan::Plan;
use crate::{capabilities, file_rules, namespaces, root};

/// What came of one layer.
pub type Outcome = Result<Option<String>, LayerError>;

/// What came of each layer so far: a detail, or why it failed.
#[derive(Debug, Default)]
pub struct Outcomes {
    all: Vec<(Layer, Outcome)>,
    /// Told of each step as it is taken: an outer filter may end this process at any of them.
    witness: Option<File>,
}

/// A step, as it crosses to the witness: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// What follows is this layer's.
    Trying(Layer),
    /// It stands, or does not.
    Done(Layer, Outcome),
    /// All of them were tried; the process waits to be looked at.
    Ready,
}

impl Outcomes {
    /// Nothing yet, and nobody told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn witnessed(witness: File) -> Self {
        Self { all: Vec::new(), witness: Some(witness) }
    }

    pub(crate) fn of(&self, layer: Layer) -> Option<&Outcome> {
        self.all.iter().find(|(found, _)| *found == layer).map(|(_, outcome)| outcome)
    }

    pub(crate) fn push(&mut self, layer: Layer, outcome: Outcome) {
        self.all.push((layer, outcome));
    }

    pub(crate) fn tell(&mut self, step: &Step) {
        let Some(witness) = &mut self.witness else { return };
        if let Ok(mut line) = serde_json::to_vec(step) {
            line.push(b'\n');
            let _ = witness.write_all(&line);
        }
    }

    /// A layer that failed after all.
    pub(crate) fn told(&mut self, layer: Layer, outcome: Outcome) {
        self.tell(&Step::Done(layer, outcome));
    }

    fn run(&mut self, layer: Layer, build: impl FnOnce() -> Outcome) {
        self.tell(&Step::Trying(layer));
        let outcome = build();
        self.tell(&Step::Done(layer, outcome.clone()));
        self.push(layer, outcome);
    }

    /// Whether `layer` was built.
    #[must_use]
    pub fn stands(&self, layer: Layer) -> bool {
        self.of(layer).is_some_and(Result::is_ok)
    }

    /// The first failure, as one line.
    ///
    /// # Errors
    /// That line.
    pub fn check(&self) -> Result<(), String> {
        match self.all.iter().find_map(|(layer, outcome)| Some((layer, outcome.as_ref().err()?))) {
            None => Ok(()),
            Some((layer, error)) => Err(format!("sandbox layer {layer}: {error}")),
        }
    }

    /// As JSON, for the monitor.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.all).unwrap_or_default()
    }

    /// What [`Outcomes::to_json`] made.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let all = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        Ok(Self { all, witness: None })
    }
}

impl Plan {
    /// Enters the namespaces and the new root. The process has one thread, and nothing of the
    /// vendor's in it.
    ///
    /// `pid` makes the PID namespace of the *children*: the caller calls [`crate::split`] next.
    pub fn enter(&self, outcomes: &mut Outcomes) {
        for layer in [Layer::User, Layer::Net, Layer::Ipc, Layer::Uts, Layer::Pid, Layer::Mount] {
            if self.layers.has(layer) {
                outcomes.run(layer, || self.enter_one(layer));
            }
        }
    }

    fn enter_one(&self, layer: Layer) -> Outcome {
        if layer == Layer::User {
            return namespaces::enter_user();
        }
        namespaces::enter(layer)?;
        if layer == Layer::Mount {
            root::enter(&self.files)?;
        }
        Ok(None)
    }

    /// Takes what the process itself can do: limits, Landlock, capabilities, and last the filter.
    /// Sets `no_new_privs` in any case.
    pub fn confine(&self, outcomes: &mut Outcomes) {
        let _ = nix::sys::prctl::set_no_new_privs();
        if self.layers.has(Layer::Rlimits) {
            let counted = outcomes.stands(Layer::User) && namespaces::processes_are_counted();
            outcomes.run(Layer::Rlimits, || self.limits.apply(counted).map(Some));
        }
        if self.layers.has(Layer::Landlock) {
            outcomes.run(Layer::Landlock, || file_rules::restrict(&self.files).map(Some));
        }
        if self.layers.has(Layer::Caps) {
            outcomes.run(Layer::Caps, capabilities::drop_all);
        }
        if self.layers.has(Layer::Seccomp) {
            let hidden = outcomes.stands(Layer::Mount);
            outcomes.run(Layer::Seccomp, || self.install_loading_filter(hidden));
        }
    }
}
