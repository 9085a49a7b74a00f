//! Figures and bounds, as a table and as JSON.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Stable, in snake_case, with the unit at the end.
    name: String,
    what: String,
    figure: f64,
    unit: &'static str,
    /// The most that it may be; absent where nothing is promised.
    bound: Option<f64>,
    met: Option<bool>,
}

impl Row {
    /// A figure without a bound.
    pub(crate) fn new(
        name: impl Into<String>,
        what: impl Into<String>,
        figure: f64,
        unit: &'static str,
    ) -> Self {
        Self { name: name.into(), what: what.into(), figure, unit, bound: None, met: None }
    }

    /// With a bound. A figure that is no number does not meet it.
    pub(crate) fn at_most(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self.met = Some(self.figure <= bound);
        self
    }
}

/// All figures. The JSON is this struct.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Of these fields.
    version: u32,
    quick: bool,
    met: bool,
    figures: Vec<Row>,
}

impl Report {
    /// No figures yet.
    pub(crate) fn new(quick: bool) -> Self {
        Self { version: 1, quick, met: true, figures: Vec::new() }
    }

    /// What is being measured now, for who waits.
    pub(crate) fn progress(&self, what: &str) {
        eprintln!("cami-bench: {what}");
    }

    /// One more figure.
    pub(crate) fn add(&mut self, row: Row) {
        self.met &= row.met != Some(false);
        self.figures.push(row);
    }

    /// Whether every bound is met.
    pub(crate) fn is_met(&self) -> bool {
        self.met
    }

    /// Prints the table, and writes the JSON where it is wanted; `-` is standard output, which then
    /// has nothing else.
    pub(crate) fn write(&self, json: Option<&Path>) -> Result<(), Failure> {
        let Some(path) = json else {
            print!("{}", self.table());
            return Ok(());
        };
        let text = serde_json::to_string_pretty(self).map_err(Failure::at("JSON"))?;
        if path == Path::new("-") {
            println!("{text}");
        } else {
            print!("{}", self.table());
            std::fs::write(path, text + "\n").map_err(Failure::at(path.display()))?;
        }
        Ok(())
    }

    fn table(&self) -> String {
        let mut table = String::new();
        for row in &self.figures {
            let figure = format!("{} {}", number(row.figure), row.unit);
            let (bound, met) = match (row.bound, row.met) {
                (Some(bound), Some(true)) => (format!("≤ {}", number(bound)), "met"),
                (Some(bound), _) => (format!("≤ {}", number(bound)), "NOT MET"),
                (None, _) => (String::new(), ""),
            };
            // Writing to a String does not fail.
            let _ = writeln!(
                table,
                "{}",
                format!("{:<75} {figure:>13} {bound:>10}  {met}", row.what).trim_end()
            );
        }
        table
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 || value >= 1000.0 {
        format!("{value:.0}")
    } else if value >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bound_that_is_not_met_counts() {
        let mut report = Report::new(true);
        report.add(Row::new("a_us", "a", 3.0, "µs"));
        report.add(Row::new("b_us", "b", 3.0, "µs").at_most(3.0));
        assert!(report.is_met());
        report.add(Row::new("c_us", "c", 3.1, "µs").at_most(3.0));
        report.add(Row::new("d_us", "d", 1.0, "µs").at_most(3.0));
        assert!(!report.is_met());
        let table = report.table();
        assert!(table.contains("NOT MET"), "{table}");
        assert_eq!(table.lines().count(), 4);
    }

    #[test]
    fn no_number_meets_no_bound() {
        assert_eq!(Row::new("a_us", "a", f64::NAN, "µs").at_most(3.0).met, Some(false));
    }
}
