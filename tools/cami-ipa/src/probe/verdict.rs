//! Whether a library will run here under the adapter, in words, with what to do.

use cami_elf::{Closure, Object};
use cami_sandbox::Files;
use cami_seccomp::{Arch, Options, Phase, Verdict, decide, system_call_number};

use super::forbidden::{Effect, Forbidden};
use super::hardening::{executable_stack, thread_local, writable_executable};
use crate::doctor::needed::Needed;

/// Bytes of static thread-local variables that the C library has left for libraries that are loaded
/// later: measured with glibc 2.36, a little more passes (glibc `elf/dl-tls.c`,
/// `tls_static_surplus_init`; `glibc.rtld.optional_static_tls` makes it larger).
const STATIC_TLS_ROOM: u64 = 1664;
/// Names in one sentence.
const MAX_NAMES: usize = 5;
/// `PROT_READ`, `PROT_WRITE`, `PROT_EXEC`.
const ALL_ACCESS: u64 = 7;

/// Why it cannot be loaded, one sentence each.
pub fn obstacles(closure: &Closure, files: &Files) -> Vec<String> {
    let mut problems: Vec<String> = closure
        .members
        .iter()
        .skip(1)
        .filter_map(|member| Needed::new(member, files).problem())
        .collect();
    let incomplete = closure.members.iter().any(|member| member.found.is_none());
    problems.extend(versions(closure));
    // What a library defines that is not there, nobody can say.
    if !incomplete {
        problems.extend(symbols(closure));
    }
    problems.extend(memory(closure));
    problems.extend(static_tls(closure));
    problems
}

fn versions(closure: &Closure) -> Vec<String> {
    let missing = closure.missing_versions();
    let mut problems: Vec<String> = Vec::new();
    for one in &missing {
        let all: Vec<&str> = missing
            .iter()
            .filter(|other| other.library == one.library && other.needed_by == one.needed_by)
            .map(|other| other.version.as_str())
            .collect();
        let text = format!(
            "{} needs {} of {}, which here is without: install a newer {}, or use a library that was \
             built for this system",
            one.needed_by,
            listed(&all),
            one.library,
            one.library,
        );
        if !problems.contains(&text) {
            problems.push(text);
        }
    }
    problems
}

fn symbols(closure: &Closure) -> Vec<String> {
    let missing = closure.missing_symbols();
    let mut users: Vec<&str> = missing.iter().map(|symbol| symbol.needed_by.as_str()).collect();
    users.dedup();
    let sentence = |user: &str| {
        let own = missing.iter().filter(|symbol| symbol.needed_by == user);
        let names: Vec<&str> = own.map(|symbol| symbol.name.as_str()).collect();
        format!(
            "{user} wants {}, which no library that it brings in defines: put the library that does \
             among those that it needs (patchelf --add-needed), or ask the vendor for the version that \
             fits",
            listed(&names)
        )
    };
    users.into_iter().map(sentence).collect()
}

/// Up to five names, and how many more.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> =
        names.iter().take(MAX_NAMES).map(|name| name.chars().take(200).collect()).collect();
    match names.len().checked_sub(MAX_NAMES).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

/// What needs memory that is writable and executable, where the filter refuses that.
fn memory(closure: &Closure) -> Vec<String> {
    let arch = Arch::current();
    let arguments = [0, 0, ALL_ACCESS, 0, 0, 0];
    let number = system_call_number(arch, "mprotect").unwrap_or(-1);
    if decide(arch, Phase::Loading, &Options::default(), number, arguments) == Verdict::Allow {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for member in closure.users() {
        let Some(object) = member.object() else { continue };
        let name = member.file_name();
        if executable_stack(object) {
            problems.push(format!(
                "{name} wants executable stacks, which its sandbox refuses: mostly an assembler file \
                 without a note; clear the mark (patchelf --clear-execstack), or ask the vendor to link \
                 with -z noexecstack"
            ));
        }
        if object.dynamic().is_some_and(cami_elf::Dynamic::relocates_text) {
            problems.push(format!(
                "{name} has relocations in its code, which must not be written to in its sandbox: ask \
                 the vendor to build it with -fPIC and to link with -z text"
            ));
        }
        if writable_executable(object) > 0 {
            problems.push(format!(
                "{name} has a segment that is writable and executable, which its sandbox refuses: ask \
                 the vendor to link it without -N and with -z separate-code"
            ));
        }
    }
    problems
}

fn static_tls(closure: &Closure) -> Option<String> {
    let users = closure.users().filter_map(|member| {
        let tls = member.object().and_then(thread_local)?;
        tls.is_static.then(|| (member.file_name(), tls.bytes))
    });
    let users: Vec<(String, u64)> = users.collect();
    let bytes = users.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let names: Vec<&str> = users.iter().map(|(name, _)| name.as_str()).collect();
    (bytes > STATIC_TLS_ROOM).then(|| {
        format!(
            "{} wants {bytes} bytes of static thread-local variables, and the C library has room for \
             {STATIC_TLS_ROOM}: set GLIBC_TUNABLES=glibc.rtld.optional_static_tls={bytes} in the key \
             `environment`, or ask the vendor to build without -ftls-model=initial-exec",
            listed(&names)
        )
    })
}

/// What does not keep it from running and is worth knowing, one sentence each.
pub fn remarks(object: &Object, forbidden: &[Forbidden]) -> Vec<String> {
    let mut remarks = Vec::new();
    let calls = |effect: Effect| -> Vec<&str> {
        let mut calls: Vec<&str> =
            forbidden.iter().filter(|row| row.effect == effect).map(|row| row.call).collect();
        calls.sort_unstable();
        calls.dedup();
        calls
    };
    let kills = calls(Effect::Kill);
    if !kills.is_empty() {
        remarks.push(format!(
            "if it calls {} its process, or the child that does, ends",
            listed(&kills)
        ));
    }
    let refused = calls(Effect::Refuse);
    if !refused.is_empty() {
        remarks.push(format!("{} will fail in its sandbox", listed(&refused)));
    }
    if !matches!(object.build_id(), Ok(Some(_))) {
        remarks
            .push("it has no build-id: a cause of death will name it by its path only".to_owned());
    }
    remarks
}
