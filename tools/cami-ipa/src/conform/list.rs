//! The rules, for people.

use std::fmt::Write;

use cami_conform::{Level, Rule, Seen, rules};

/// For a terminal.
pub fn text(rules: &[&Rule]) -> String {
    let mut text = String::new();
    for rule in rules {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} ({}, seen {})\n    rule    {}\n    field   {}\n    source  {}",
            rule.id,
            rule.level,
            seen(rule.seen),
            rule.rule,
            rule.field,
            rule.source
        );
    }
    let count = |level: Level| rules.iter().filter(|rule| rule.level == level).count();
    let _ = writeln!(
        text,
        "\n{} rules: {} must, {} should, {} habit",
        rules.len(),
        count(Level::Must),
        count(Level::Should),
        count(Level::Habit)
    );
    text
}

/// For docs/conformance.md: a table for each group, all profiles.
pub fn markdown() -> String {
    let mut groups: Vec<&str> = Vec::new();
    for rule in rules() {
        let group = group(rule);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut text = String::new();
    for name in groups {
        let _ = writeln!(
            text,
            "\n### {name}\n\n| rule | level | seen | what it says | source | in the field |\n\
             |---|---|---|---|---|---|"
        );
        for rule in rules().filter(|rule| group(rule) == name) {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} |",
                rule.id,
                rule.level,
                seen(rule.seen),
                rule.rule,
                rule.source,
                rule.field
            );
        }
    }
    text
}

fn group(rule: &Rule) -> &'static str {
    rule.id.split('.').next().unwrap_or_default()
}

fn seen(seen: Seen) -> &'static str {
    match seen {
        Seen::Beside => "beside",
        Seen::Outside => "outside",
        Seen::File => "file",
    }
}
