//! The upstart job. Debian has no upstart any more, so no `init-checkconf`: a strict parser of our
//! own takes the stanzas that ChromeOS's jobs use, in the form of init(5), and nothing else.

use crate::tool;

/// The jobs.
pub const JOBS: &[&str] = &["chromeos/init/cami-ipa.conf"];

/// The text of each `… script` block, after the variables that `env` sets.
pub fn scripts(job: &str) -> Vec<String> {
    let stanzas = parse(job).unwrap();
    let variables = stanzas.iter().filter(|stanza| stanza.name == "env");
    let variables: String =
        variables.map(|stanza| format!("export {}\n", stanza.argument)).collect();
    let blocks = stanzas.iter().filter(|stanza| stanza.name.ends_with("script"));
    blocks.map(|stanza| format!("{variables}{}", stanza.argument)).collect()
}

/// A stanza: `respawn limit` with `10 5`, or `pre-start script` with its lines.
#[derive(Debug, PartialEq, Eq)]
struct Stanza {
    name: String,
    argument: String,
}

/// Stanzas of one line, longest names first.
const LINES: &[&str] = &[
    "respawn limit",
    "kill timeout",
    "oom score",
    "start on",
    "stop on",
    "description",
    "author",
    "respawn",
    "expect",
    "exec",
    "env",
];
/// Stanzas that go on until `end script`.
const BLOCKS: &[&str] = &["pre-start script", "post-stop script", "script"];

fn parse(job: &str) -> Result<Vec<Stanza>, String> {
    let mut stanzas: Vec<Stanza> = Vec::new();
    let mut lines = job.lines().map(str::trim).enumerate();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, argument) = if BLOCKS.contains(&line) {
            let block: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "end script")
                .collect();
            (line, block.join("\n") + "\n")
        } else {
            let known = LINES.iter().find(|name| {
                line.strip_prefix(**name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            });
            let name = known.ok_or_else(|| format!("line {}: {line}", number + 1))?;
            (*name, line[name.len()..].trim().to_owned())
        };
        check(name, &argument).map_err(|wrong| format!("line {}: {wrong}", number + 1))?;
        // What upstart would take the last of, silently.
        if name != "env" && stanzas.iter().any(|stanza| stanza.name == name) {
            return Err(format!("line {}: a second `{name}`", number + 1));
        }
        stanzas.push(Stanza { name: name.to_owned(), argument });
    }
    Ok(stanzas)
}

fn check(name: &str, argument: &str) -> Result<(), String> {
    let numbers = || argument.split(' ').map(str::parse::<i32>).collect::<Result<Vec<_>, _>>();
    let fits = match name {
        "respawn" => argument.is_empty(),
        "respawn limit" => {
            matches!(numbers().as_deref(), Ok([limit, interval]) if *limit > 0 && *interval > 0)
        }
        "kill timeout" => matches!(numbers().as_deref(), Ok([seconds]) if *seconds > 0),
        "oom score" => matches!(numbers().as_deref(), Ok([score]) if (-999..=1000).contains(score)),
        "expect" => ["fork", "daemon", "stop"].contains(&argument),
        "description" | "author" => {
            argument.len() > 2 && argument.starts_with('"') && argument.ends_with('"')
        }
        "env" => argument.split_once('=').is_some_and(|(variable, _)| {
            !variable.is_empty()
                && variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        }),
        _ => !argument.trim().is_empty(),
    };
    if fits { Ok(()) } else { Err(format!("`{name}` does not take \"{argument}\"")) }
}

#[test]
fn job_has_the_stanzas_of_a_service() {
    for job in JOBS {
        let stanzas = parse(&tool::text(job)).unwrap_or_else(|wrong| panic!("{job}: {wrong}"));
        let argument = |name: &str| {
            let stanza = stanzas.iter().find(|stanza| stanza.name == name);
            stanza.unwrap_or_else(|| panic!("{job}: no `{name}`")).argument.as_str()
        };
        assert_eq!(argument("start on"), "started system-services");
        assert_eq!(argument("stop on"), "stopping system-services");
        assert_eq!(argument("respawn limit"), "10 5");
        assert!(argument("exec").starts_with("minijail0 --config \"${JAIL}\" -- "));
        assert!(argument("exec").contains("/usr/bin/cami-ipa serve --socket \"${SOCKET}\""));
        // minijail0 stays in front: with `expect` upstart would follow a process that ends.
        assert!(stanzas.iter().all(|stanza| stanza.name != "expect"));
        let socket = "SOCKET=/run/cami-ipa/camera-algo.sock";
        assert!(stanzas.iter().any(|stanza| stanza.name == "env" && stanza.argument == socket));
    }
}

/// The parser of this test refuses what upstart would refuse.
#[test]
fn wrong_stanzas_are_refused() {
    for wrong in [
        "respawn limits 10 5",
        "respawn limit 10",
        "respawn limit ten 5",
        "respawn always",
        "kill timeout",
        "oom score 2000",
        "env socket=x",
        "env SOCKET",
        "start on",
        "exec",
        "User=arc-camera",
        "description unquoted",
        "exec a\nexec b",
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?} passed");
    }
}

#[test]
fn init_checkconf_takes_the_job() {
    let missing = "Debian has none since 9; ChromeOS's upstart brings it";
    if let Some(mut check) = tool::find("init-checkconf", missing) {
        for job in JOBS {
            tool::succeed(check.arg(tool::packaging(job)));
        }
    }
}
