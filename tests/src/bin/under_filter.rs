//! `under_filter LIST PROGRAM [ARGUMENT...]`: executes a program under a list of `tests/filters`, as
//! minijail does it: everything that is not listed kills the process.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use seccompiler::TargetArch;
use serde_json::{Value, json};

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(reason) => {
            eprintln!("under_filter: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<std::convert::Infallible, String> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(list), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("usage: under_filter LIST PROGRAM [ARGUMENT...]".to_owned());
    };
    let list = std::fs::read_to_string(&list).map_err(|error| format!("the list: {error}"))?;
    let text = filter(&list)?.to_string();
    let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(|e| format!("{e:?}"))?;
    let programs: BTreeMap<_, _> = seccompiler::compile_from_json(text.as_bytes(), arch)
        .map_err(|error| format!("the list: {error}"))?
        .into_iter()
        .collect();
    let Some(filter) = programs.get("main") else { return Err("no filter".to_owned()) };
    // Sets no_new_privs too.
    seccompiler::apply_filter(filter).map_err(|error| error.to_string())?;
    Err(Command::new(program).args(arguments).exec().to_string())
}

/// The list in seccompiler's own language.
fn filter(list: &str) -> Result<Value, String> {
    let mut rules = Vec::new();
    for line in list.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        let words: Vec<&str> = words.collect();
        if words.is_empty() {
            rules.push(json!({ "syscall": name }));
        }
        // Each way in which the conditions can hold is a rule of its own.
        let mut ways: Vec<Vec<Value>> = vec![Vec::new()];
        for condition in conditions(&words).ok_or_else(|| format!("cannot read \"{line}\""))? {
            ways = ways
                .iter()
                .flat_map(|way| {
                    condition.iter().map(|one| [&way[..], std::slice::from_ref(one)].concat())
                })
                .collect();
        }
        if !words.is_empty() {
            rules.extend(ways.into_iter().map(|way| json!({ "syscall": name, "args": way })));
        }
    }
    Ok(json!({ "main": {
        "mismatch_action": "kill_process", "match_action": "allow", "filter": rules
    } }))
}

/// For each condition of a line the comparisons of which one must hold.
fn conditions(words: &[&str]) -> Option<Vec<Vec<Value>>> {
    let mut all = Vec::new();
    let mut rest = words;
    while let [index, kind, values @ ..] = rest {
        let index: u8 = index.parse().ok()?;
        // The next condition begins with two words of which the second is one of these.
        let kinds = ["is", "without", "not-both"];
        let end =
            values.iter().skip(1).position(|word| kinds.contains(word)).unwrap_or(values.len());
        let (values, next) = values.split_at_checked(end)?;
        let numbers: Vec<u64> = values.iter().map(|text| number(text)).collect::<Option<_>>()?;
        let compare = |op: Value, value: u64| json!({ "index": index, "type": "dword", "op": op, "val": value });
        let clear = |bits: u64| compare(json!({ "masked_eq": bits }), 0);
        all.push(match (*kind, numbers.as_slice()) {
            ("is", [_, ..]) => numbers.iter().map(|value| compare(json!("eq"), *value)).collect(),
            ("without", [bits]) => vec![clear(*bits)],
            ("not-both", [one, other]) => vec![clear(*one), clear(*other)],
            _ => return None,
        });
        rest = next;
    }
    rest.is_empty().then_some(all)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
