//! What really engaged, as the kernel shows it from outside.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::apply::Outcomes;
use crate::layer::{Layer, LayerError, Layers};
use crate::namespaces;
use crate::report::{LayerReport, Report};
use crate::system::status_field;

/// A process whose PID namespace is that of its children: a trial that does not split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The vendor process.
    Vendor,
    /// A trial's process.
    Trial,
}

/// Looks at `pid`, whose own account is `outcomes`, and corrects `report`: what it says to stand
/// and does not is marked as missing. Layers that `report` knows as missing stay so.
pub fn verify(pid: i32, outcomes: &Outcomes, report: &mut Report) {
    check(pid, Subject::Vendor, outcomes, report);
}

pub fn check(pid: i32, subject: Subject, outcomes: &Outcomes, report: &mut Report) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    for layer in Layer::ALL {
        if !report.of(layer).is_some_and(|layer| layer.engaged && !layer.inherited) {
            continue;
        }
        let told = match outcomes.of(layer) {
            Some(Ok(detail)) => Ok(detail.clone()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(LayerError::text("it was not built")),
        };
        let found = told.and_then(|detail| look(pid, subject, layer, &status).map(|()| detail));
        match found {
            Ok(detail) => report.detail(layer, detail),
            Err(error) if subject == Subject::Vendor => {
                report.fail(layer, format!("{error}, though it was built"));
            }
            Err(error) => report.fail(layer, error.to_string()),
        }
    }
}

fn look(pid: i32, subject: Subject, layer: Layer, status: &str) -> Result<(), LayerError> {
    let field = |name| status_field(status, name).unwrap_or_default();
    let stands = match layer {
        Layer::User | Layer::Net | Layer::Ipc | Layer::Uts | Layer::Mount | Layer::Pid => {
            let own = namespaces::file_name(layer).unwrap_or_default();
            let theirs = match (layer, subject) {
                (Layer::Pid, Subject::Trial) => "pid_for_children",
                _ => own,
            };
            let found = namespaces::inode(&pid.to_string(), theirs);
            found.is_some() && found != namespaces::inode("self", own) && has_other_root(pid, layer)
        }
        Layer::Seccomp => field("Seccomp") == "2" && field("NoNewPrivs") == "1",
        Layer::Caps => ["CapInh", "CapPrm", "CapEff", "CapAmb"]
            .into_iter()
            .all(|set| field(set).bytes().all(|digit| digit == b'0')),
        // Limits were read back where they were set, and a Landlock domain cannot be seen.
        Layer::Rlimits | Layer::Landlock => true,
    };
    if stands {
        Ok(())
    } else {
        Err(LayerError::text(format!("/proc/{pid} shows that it does not stand")))
    }
}

fn has_other_root(pid: i32, layer: Layer) -> bool {
    if layer != Layer::Mount {
        return true;
    }
    let root = |path: String| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let theirs = root(format!("/proc/{pid}/root/"));
    theirs.is_some() && theirs != root("/".to_owned())
}

impl Report {
    /// What is to be shown yet: `layers` stand; the others were not asked for.
    #[must_use]
    pub fn expected(layers: Layers) -> Self {
        let layers = Layer::ALL.into_iter().map(|name| LayerReport {
            name,
            engaged: layers.has(name),
            detail: None,
            reason: (!layers.has(name)).then(|| "not asked for".to_owned()),
            inherited: false,
        });
        Self { layers: layers.collect() }
    }

    fn detail(&mut self, layer: Layer, detail: Option<String>) {
        if let Some(report) = self.layers.iter_mut().find(|report| report.name == layer) {
            report.detail = detail;
        }
    }

    /// The layers that are to be built.
    #[must_use]
    pub fn layers(&self) -> Layers {
        self.layers
            .iter()
            .filter(|layer| layer.engaged && !layer.inherited)
            .fold(Layers::NONE, |set, layer| set.with(layer.name))
    }
}
