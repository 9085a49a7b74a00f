//! minijail's configuration files. minijail0 itself can only be asked as root on a machine with
//! ChromeOS's folders, so a strict reader of our own takes the form of minijail0(5) and the options
//! that we use; packaging/README.md says how the real one was asked.

use crate::tool;

const JAILS: [&str; 2] =
    ["chromeos/minijail/cami-ipa.conf", "chromeos/minijail/cros-camera-algo.conf"];
/// Options that stand alone in minijail0(1).
const FLAGS: &[&str] =
    &["e", "l", "p", "n", "i", "t", "G", "N", "ns-mount", "no-default-runtime-environment"];

type Entries = Vec<(String, Option<String>)>;

fn parse(text: &str) -> Result<Entries, String> {
    let mut lines = text.lines();
    if lines.next() != Some("% minijail-config-file v0") {
        return Err("no first line".to_owned());
    }
    let lines = lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value.trim())),
                None => (line, None),
            };
            if entry_is_known(key, value) {
                Ok((key.to_owned(), value.map(str::to_owned)))
            } else {
                Err(format!("{line}: no option of ours"))
            }
        })
        .collect()
}

fn entry_is_known(key: &str, value: Option<&str>) -> bool {
    let Some(value) = value else { return FLAGS.contains(&key) };
    let parts: Vec<&str> = value.split(',').collect();
    let absolute = |path: &str| path.starts_with('/');
    match (key, parts.as_slice()) {
        ("u" | "g", [name]) => !name.is_empty(),
        ("f", [path]) => absolute(path),
        ("T", [kind]) => *kind == "static",
        ("profile", [name]) => *name == "minimalistic-mountns",
        ("bind-mount", [source]) => absolute(source),
        ("bind-mount", [source, "", "1"]) => absolute(source),
        ("mount", [_, target, _, flags]) => {
            absolute(target) && flags.split('|').all(|flag| flag.starts_with("MS_"))
        }
        ("R", [kind, soft, hard]) => {
            [kind, soft, hard].iter().all(|part| part.parse::<u32>().is_ok())
        }
        _ => false,
    }
}

fn read(file: &str) -> Entries {
    parse(&tool::text(file)).unwrap_or_else(|wrong| panic!("{file}: {wrong}"))
}

fn has(entries: &Entries, key: &str, value: Option<&str>) -> bool {
    entries.iter().any(|(entry, given)| entry == key && given.as_deref() == value)
}

#[test]
fn jails_have_the_form_of_minijail_files() {
    for file in JAILS {
        let entries = read(file);
        for key in ["u", "g"] {
            assert!(has(&entries, key, Some("arc-camera")), "{file}: {key}");
        }
        for flag in ["e", "l", "N"] {
            assert!(has(&entries, flag, None), "{file}: {flag}");
        }
        // A preloaded library cannot install the filter of a program that gains privileges.
        assert!(has(&entries, "T", Some("static")), "{file}");
    }
}

/// A folder that a later mount would cover, or that is not there, is a jail that does not start.
#[test]
fn mounts_come_in_their_order() {
    let entries = read(JAILS[1]);
    let position = |key: &str, start: &str| {
        let found = entries.iter().position(|(entry, value)| {
            entry == key && value.as_deref().is_some_and(|value| value.starts_with(start))
        });
        found.unwrap_or_else(|| panic!("no {key} = {start}"))
    };
    for (tmpfs, binds) in [
        ("tmpfs,/run", ["/run/camera,", "/run/cami-ipa", "/run/chromeos-config"].as_slice()),
        ("tmpfs,/var", ["/var/cache/camera,"].as_slice()),
    ] {
        for bind in binds {
            assert!(position("mount", tmpfs) < position("bind-mount", bind), "{bind}");
        }
    }
    assert!(tool::text("chromeos/tmpfiles.d/cami-ipa.conf").contains(" /run/cami-ipa "));
}

/// In the service's jail the hosts build the library's sandbox.
#[test]
fn jail_of_the_service_leaves_the_sandbox_its_means() {
    let entries = read(JAILS[0]);
    assert!(has(&entries, "no-default-runtime-environment", None));
    // `p` makes /proc read-only, and no fresh one could be mounted below it.
    for forbidden in ["p", "r", "I", "U", "S", "profile"] {
        assert!(entries.iter().all(|(key, _)| key != forbidden), "{forbidden}");
    }
}

#[test]
fn wrong_files_are_refused() {
    for wrong in [
        "u = arc-camera",
        "% minijail-config-file v1\nu = a",
        "% minijail-config-file v0\nu",
        "% minijail-config-file v0\ne = yes",
        "% minijail-config-file v0\nbind-mount = run",
        "% minijail-config-file v0\nmount = tmpfs,/run,tmpfs,NOSUID",
        "% minijail-config-file v0\nR = 13,40",
        "% minijail-config-file v0\nbind_mount = /run",
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?} passed");
    }
}
