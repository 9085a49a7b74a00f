//! A library for people: the verdict first. Names come from the file, so they are cleaned.

use std::fmt::Write;

use super::examine::Probe;
use super::forbidden::Effect;
use super::needs::NeededLibrary;
use crate::status::human::name as clean;

/// Names are cut there.
const LONGEST: usize = 200;
const LONGEST_SENTENCE: usize = 2048;
/// Missing symbols that are listed; the data has all.
const MAX_SYMBOLS: usize = 20;

/// The whole text.
pub fn render(probe: &Probe) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(probe, &mut text);
    text
}

fn write(probe: &Probe, text: &mut String) -> std::fmt::Result {
    let name = clean(&probe.path.display().to_string(), LONGEST_SENTENCE);
    if probe.runs() {
        writeln!(text, "{name}: will run here under the adapter")?;
    } else {
        writeln!(text, "{name}: will not run here:")?;
    }
    for sentence in &probe.problems {
        writeln!(text, "  - {}", clean(sentence, LONGEST_SENTENCE))?;
    }
    if !probe.remarks.is_empty() {
        writeln!(text, "worth knowing:")?;
    }
    for sentence in &probe.remarks {
        writeln!(text, "  - {}", clean(sentence, LONGEST_SENTENCE))?;
    }
    let Some(platform) = &probe.platform else { return Ok(()) };
    writeln!(text, "\nlibrary")?;
    match &probe.table {
        Some(table) => writeln!(
            text,
            "  table             revision {}, {} functions, {} bytes",
            table.revision, table.slots, table.bytes
        )?,
        None => writeln!(text, "  table             none that can be called")?,
    }
    let here = if platform.native { "as this machine" } else { "not this machine" };
    writeln!(text, "  built for         {}: {here}", platform.name)?;
    writeln!(text, "  build-id          {}", probe.build_id.as_deref().unwrap_or("none"))?;
    let soname = probe.soname.as_deref().unwrap_or("none");
    writeln!(text, "  soname            {}", clean(soname, LONGEST))?;
    match &probe.fingerprint {
        Some(found) => writeln!(
            text,
            "  seems to be       {} (by {})",
            found.profile,
            clean(&found.evidence.join(", "), LONGEST)
        )?,
        None => writeln!(text, "  seems to be       of no vendor that is known")?,
    }
    match &probe.thread_local {
        Some(tls) => {
            let model = if tls.is_static { "static" } else { "dynamic" };
            writeln!(text, "  thread-local      {} bytes, {model}", tls.bytes)?;
        }
        None => writeln!(text, "  thread-local      none")?,
    }
    if let Some(constructors) = &probe.constructors {
        let init = if constructors.init { " and DT_INIT" } else { "" };
        writeln!(text, "  constructors      {}{init}", constructors.init_array)?;
    }
    hardening(probe, text)?;
    needs(probe, text)?;
    symbols(probe, text)?;
    system_calls(probe, text)
}

fn hardening(probe: &Probe, text: &mut String) -> std::fmt::Result {
    let Some(hardening) = &probe.hardening else { return Ok(()) };
    let yes_or_no = |value: bool| if value { "yes" } else { "no" };
    writeln!(text, "\nhardening")?;
    writeln!(text, "  RELRO             {}", hardening.relro)?;
    writeln!(text, "  executable stack  {}", yes_or_no(hardening.executable_stack))?;
    writeln!(text, "  text relocations  {}", yes_or_no(hardening.text_relocations))?;
    writeln!(text, "  W+X segments      {}", hardening.writable_executable_segments)?;
    writeln!(text, "  stack protector   {}", yes_or_no(hardening.stack_protector))?;
    match hardening.fortified.len() {
        0 => writeln!(text, "  FORTIFY           not seen"),
        1 => writeln!(text, "  FORTIFY           1 function"),
        count => writeln!(text, "  FORTIFY           {count} functions"),
    }
}

fn needs(probe: &Probe, text: &mut String) -> std::fmt::Result {
    if probe.needed.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nneeds")?;
    probe.needed.iter().try_for_each(|needed| need(needed, text))
}

fn need(needed: &NeededLibrary, text: &mut String) -> std::fmt::Result {
    let name = clean(&needed.name, LONGEST);
    match (&needed.path, needed.found_by) {
        (Some(path), Some(by)) => {
            let path = clean(&path.display().to_string(), LONGEST_SENTENCE);
            let hidden = if needed.in_sandbox { "" } else { ", NOT IN THE SANDBOX" };
            writeln!(text, "  {name} => {path} ({by}{hidden})")?;
        }
        _ => {
            let by = clean(&needed.needed_by, LONGEST);
            writeln!(text, "  {name} => NOT FOUND (needed by {by})")?;
        }
    }
    if needed.versions.is_empty() {
        return Ok(());
    }
    let versions = needed.versions.iter().map(|version| {
        let absent = if version.found || needed.path.is_none() { "" } else { " (MISSING)" };
        format!("{}{absent}", version.name)
    });
    let versions = versions.collect::<Vec<_>>().join(", ");
    writeln!(text, "      {}", clean(&versions, LONGEST_SENTENCE))
}

fn symbols(probe: &Probe, text: &mut String) -> std::fmt::Result {
    let symbols = &probe.symbols;
    if symbols.is_empty() {
        return Ok(());
    }
    let versioned = symbols.iter().filter(|symbol| symbol.version.is_some()).count();
    let resolved = symbols.iter().filter(|symbol| symbol.defined_by.is_some()).count();
    let absent: Vec<_> = symbols.iter().filter(|symbol| symbol.defined_by.is_none()).collect();
    let missing = absent.iter().filter(|symbol| !symbol.weak);
    writeln!(text, "\nimports")?;
    writeln!(
        text,
        "  {} symbols, {versioned} with a version: {resolved} resolve, {} are weak and absent, {} are \
         missing",
        symbols.len(),
        absent.iter().filter(|symbol| symbol.weak).count(),
        missing.clone().count()
    )?;
    for symbol in missing.clone().take(MAX_SYMBOLS) {
        let version = symbol.version.as_ref().map(|version| format!("@{version}"));
        let name = format!("{}{}", symbol.name, version.unwrap_or_default());
        writeln!(text, "  missing: {}", clean(&name, LONGEST))?;
    }
    match missing.count().checked_sub(MAX_SYMBOLS).filter(|more| *more > 0) {
        Some(more) => writeln!(text, "  and {more} more (--json shows them)"),
        None => Ok(()),
    }
}

fn system_calls(probe: &Probe, text: &mut String) -> std::fmt::Result {
    if probe.system_calls.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nsystem calls that its sandbox refuses or limits")?;
    for row in &probe.system_calls {
        let imports = clean(&row.imports.join(", "), LONGEST);
        let who = clean(&row.imported_by, LONGEST);
        let what = match row.effect {
            Effect::Kill => "ends the process".to_owned(),
            Effect::Refuse => format!("fails with {}", row.answer),
            Effect::Limited => format!("if {}; else {}", row.condition, row.answer),
        };
        writeln!(text, "  {:<16}{what} ({who} imports {imports})", row.call)?;
        writeln!(text, "  {:16}{}", "", row.reason)?;
    }
    Ok(())
}
