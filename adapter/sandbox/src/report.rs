//! What engaged, what did not, and why: for people, for `sandbox.require`, and as data.

use std::fmt;

use serde::Serialize;

use crate::layer::Layer;

/// One layer, as it really is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// Its name.
    pub name: Layer,
    /// Whether it stands.
    pub engaged: bool,
    /// What stands, where there is more to say than that it does.
    pub detail: Option<String>,
    /// Why it does not, and what to do.
    pub reason: Option<String>,
    /// It was there before: the vendor process is started inside of it.
    pub inherited: bool,
}

/// All layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order of [`Layer::ALL`].
    pub layers: Vec<LayerReport>,
}

impl Report {
    /// Whether `layer` stands.
    #[must_use]
    pub fn engaged(&self, layer: Layer) -> bool {
        self.of(layer).is_some_and(|report| report.engaged)
    }

    /// Whether all do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.layers.iter().all(|layer| layer.engaged)
    }

    /// What is known of `layer`.
    #[must_use]
    pub fn of(&self, layer: Layer) -> Option<&LayerReport> {
        self.layers.iter().find(|report| report.name == layer)
    }

    /// The first layer out of `required` that does not stand. A name that is no layer does not.
    ///
    /// # Errors
    /// One line with the layer, the reason, and what to do.
    pub fn require(&self, required: &[String]) -> Result<(), String> {
        for name in required {
            let found = Layer::by_name(name).and_then(|layer| self.of(layer));
            if found.is_some_and(|report| report.engaged) {
                continue;
            }
            let reason =
                found.and_then(|report| report.reason.as_deref()).unwrap_or("no such layer");
            return Err(format!(
                "sandbox.require asks for {name}, which cannot be had here: {reason}; or take \
                 {name} out of sandbox.require"
            ));
        }
        Ok(())
    }

    /// Marks a layer as missing after all.
    pub fn fail(&mut self, layer: Layer, why: impl Into<String>) {
        if let Some(report) = self.layers.iter_mut().find(|report| report.name == layer) {
            report.engaged = false;
            report.reason = Some(why.into());
        }
    }

    /// A layer that cannot be built is there already.
    pub(crate) fn inherit(&mut self, layer: Layer, detail: impl Into<String>) {
        if let Some(report) = self.layers.iter_mut().find(|report| report.name == layer) {
            report.engaged = true;
            report.inherited = true;
            report.detail = Some(detail.into());
            report.reason = None;
        }
    }

    /// The report as data: `{"layers": [{"name", "engaged", "detail", "reason",
    /// "inherited"}]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }
}

impl fmt::Display for Report {
    /// One line: what engaged, then what did not and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut engaged = self.layers.iter().filter(|layer| layer.engaged).peekable();
        if engaged.peek().is_none() {
            f.write_str("no layer engaged")?;
        }
        let mut separator = "";
        for layer in engaged {
            write!(f, "{separator}{}", layer.name)?;
            if let Some(detail) = &layer.detail {
                write!(f, " ({detail})")?;
            }
            separator = ", ";
        }
        // Namespaces mostly fail for one reason, which is said once.
        let mut last = None;
        for layer in self.layers.iter().filter(|layer| !layer.engaged) {
            let reason = layer.reason.as_deref().unwrap_or("unknown");
            // What was tried stands behind it in parentheses, and is each layer's own.
            let reason = reason.rsplit_once(" (").map_or(reason, |(reason, _)| reason);
            match last {
                Some(same) if same == reason => write!(f, ", {}", layer.name)?,
                Some(other) => write!(f, ": {other}; without {}", layer.name)?,
                None => write!(f, "; without {}", layer.name)?,
            }
            last = Some(reason);
        }
        last.map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{LayerReport, Report};
    use crate::layer::Layer;

    fn report() -> Report {
        let layer = |name, reason: Option<&str>, detail: Option<&str>| LayerReport {
            name,
            engaged: reason.is_none(),
            detail: detail.map(str::to_owned),
            reason: reason.map(str::to_owned),
            inherited: false,
        };
        Report {
            layers: vec![
                layer(Layer::User, Some("no user namespaces"), None),
                layer(Layer::Landlock, None, Some("ABI 7")),
                layer(Layer::Caps, None, None),
            ],
        }
    }

    #[test]
    fn text_says_what_engaged_and_why_the_rest_did_not() {
        let expected = "landlock (ABI 7), caps; without user: no user namespaces";
        assert_eq!(report().to_string(), expected);
        let mut none = report();
        none.fail(Layer::Landlock, "x");
        none.fail(Layer::Caps, "y");
        assert!(none.to_string().starts_with("no layer engaged; without user"), "{none}");
        none.fail(Layer::Caps, "x (capset: denied)");
        let expected =
            "no layer engaged; without user: no user namespaces; without landlock, caps: x";
        assert_eq!(none.to_string(), expected);
    }

    #[test]
    fn required_layer_that_is_missing_is_refused_with_its_reason() {
        let require = |names: &[&str]| {
            report().require(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(require(&["caps", "landlock"]), Ok(()));
        let refusal = require(&["caps", "user"]).unwrap_err();
        assert!(refusal.contains("user") && refusal.contains("no user namespaces"), "{refusal}");
        assert!(require(&["userns"]).is_err());
        assert!(require(&["mount"]).is_err(), "a layer that nobody reported");
    }

    #[test]
    fn json_has_the_documented_fields() {
        let json = report().to_json();
        assert_eq!(json["layers"][0]["name"], "user");
        assert_eq!(json["layers"][0]["engaged"], false);
        assert_eq!(json["layers"][0]["reason"], "no user namespaces");
        assert_eq!(json["layers"][1]["detail"], "ABI 7");
    }
}
