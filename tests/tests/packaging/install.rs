//! `./x install`: what it puts where works from there, and goes away again.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_tests::artefact;

use crate::tool;

fn install(arguments: &[&str]) -> Command {
    let mut command = Command::new(tool::repository().join("x"));
    command.arg("install").args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CAMI_IPA_") {
            command.env_remove(name);
        }
    }
    command
}

/// The folder with what is built for the tests.
fn built() -> String {
    let _ = (artefact("cros_ipa_proxy"), artefact("libcam_algo.so"));
    let _ = (artefact("libcam_algo_reference.so"), artefact("ipu3_ipa_proxy"));
    let _ = artefact("libcam_algo_conform.so");
    let _ = artefact("libcam_algo_replay.so");
    let _ = (artefact("ipa_cami_ipu3.so"), artefact("ipa_cami_ipu3_0.so"));
    artefact("cami-ipa").parent().unwrap().display().to_string()
}

/// Everything below a folder, with the permissions.
fn tree(root: &Path) -> BTreeSet<(PathBuf, u32)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            let name = path.strip_prefix(root).unwrap().to_path_buf();
            found.insert((name, metadata.permissions().mode() & 0o7777));
        }
    }
    found
}

#[test]
fn installed_files_work_and_go_away_again() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let others = prefix.join("bin/something-else");
    fs::create_dir_all(prefix.join("bin")).unwrap();
    fs::write(&others, "").unwrap();
    let before = tree(folder.path());
    let (prefix_text, from) = (prefix.display().to_string(), built());
    let arguments = ["--prefix", &prefix_text, "--from", &from];

    tool::succeed(&mut install(&arguments));
    let once = tree(folder.path());
    tool::succeed(&mut install(&arguments));
    assert_eq!(tree(folder.path()), once, "a second install changed something");

    let mode = |name: &str| fs::metadata(prefix.join(name)).unwrap().permissions().mode() & 0o7777;
    for program in [
        "bin/cami-ipa",
        "libexec/cami-ipa/cros_ipa_proxy",
        "lib/cami-ipa/libcam_algo.so",
        "lib/cami-ipa/libcam_algo_replay.so",
    ] {
        assert_eq!(mode(program), 0o755, "{program}");
    }
    let unit = fs::read_to_string(prefix.join("lib/systemd/system/cami-ipa.service")).unwrap();
    assert!(unit.contains(&format!("\nExecStart={prefix_text}/bin/cami-ipa serve\n")), "{unit}");
    assert!(!unit.contains("/usr/bin/cami-ipa"));

    // Shim, host and reference library find each other where they now are.
    let mut run = Command::new(prefix.join("bin/cami-ipa"));
    run.args(["run", "--frames", "3", "--json", "-"]).env_clear();
    // An empty configuration in place of this machine's.
    fs::write(folder.path().join("cami-ipa.toml"), "").unwrap();
    run.env("CAMI_IPA_CONFIG", folder.path().join("cami-ipa.toml"));
    let said = tool::succeed(&mut run);
    assert!(said.contains("\"frames\": 3") || said.contains("\"frames\":3"), "{said}");
    fs::remove_file(folder.path().join("cami-ipa.toml")).unwrap();

    let remove = ["--remove", "--prefix", &prefix_text];
    tool::succeed(&mut install(&remove));
    assert_eq!(tree(folder.path()), before);
    // Nothing is there any more, which is what was asked for.
    tool::succeed(&mut install(&remove));
}

/// Both or none: who finds the modules finds the worker too.
#[test]
fn libcamera_is_led_to_modules_and_worker_alike() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let prefix_text = prefix.display().to_string();
    let arguments = ["--prefix", &prefix_text, "--from", &built()];
    tool::succeed(&mut install(&arguments));
    let read = |name: &str| fs::read_to_string(prefix.join(name)).unwrap();
    let environment = read("lib/environment.d/60-cami-ipa.conf");
    let variable = |name: &str| {
        let value = environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        // What was there before stays behind ours.
        let (ours, before) = value.unwrap().split_once('$').unwrap();
        assert_eq!(before, format!("{{{name}:+:${name}}}"));
        ours.to_owned()
    };
    let modules = variable("LIBCAMERA_IPA_MODULE_PATH");
    let workers = variable("LIBCAMERA_IPA_PROXY_PATH");
    assert!(modules.starts_with(&prefix_text) && workers.starts_with(&prefix_text));
    let found: BTreeSet<PathBuf> = tree(Path::new(&modules)).into_iter().map(|(p, _)| p).collect();
    let names = ["ipa_cami_ipu3.so", "ipa_cami_ipu3_0.so"].map(PathBuf::from);
    assert_eq!(found, names.into(), "a folder of their own");
    assert!(Path::new(&workers).join("ipu3_ipa_proxy").is_file());
    let yaml = read("share/libcamera/configuration.yaml");
    assert!(yaml.contains(&format!("module_paths:\n      - {modules}\n")), "{yaml}");
    assert!(yaml.contains(&format!("proxy_paths:\n      - {workers}\n")), "{yaml}");
    tool::succeed(&mut install(&["--remove", "--prefix", &prefix_text]));

    // Somebody else's configuration of libcamera stays as it is.
    let theirs = prefix.join("share/libcamera/configuration.yaml");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, "version: 1\n").unwrap();
    tool::succeed(&mut install(&arguments));
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "version: 1\n");
    assert!(prefix.join("share/cami-ipa/libcamera/configuration.yaml").is_file());
    tool::succeed(&mut install(&["--remove", "--prefix", &prefix_text]));
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "version: 1\n");
    assert!(!prefix.join("lib").exists() && !prefix.join("libexec").exists());
}

/// Without the worker nothing at all is installed.
#[test]
fn without_the_worker_nothing_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    let built = PathBuf::from(built());
    for name in [
        "cami-ipa",
        "cros_ipa_proxy",
        "libcam_algo.so",
        "libcam_algo_reference.so",
        "libcam_algo_conform.so",
        "libcam_algo_replay.so",
    ] {
        std::os::unix::fs::symlink(built.join(name), from.join(name)).unwrap();
    }
    for name in ["ipa_cami_ipu3.so", "ipa_cami_ipu3_0.so"] {
        fs::copy(built.join(name), from.join(name)).unwrap();
    }
    let prefix = folder.path().join("prefix").display().to_string();
    let from = from.display().to_string();
    let output = install(&["--prefix", &prefix, "--from", &from]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ipu3_ipa_proxy is missing"));
    assert!(!Path::new(&prefix).exists());
}

#[test]
fn units_of_a_prefix_are_units() {
    let folder = tempfile::tempdir().unwrap();
    let destdir = folder.path().display().to_string();
    let arguments = ["--prefix", "/opt/cami", "--destdir", &destdir, "--from", &built()];
    tool::succeed(&mut install(&arguments));
    let root = folder.path().join("opt/cami");
    assert!(root.join("share/doc/cami-ipa/deploying.md").is_file());
    assert!(root.join("share/cami-ipa/chromeos/seccomp/cros-camera-algo-arm64.policy").is_file());
    for kind in ["system", "user"] {
        let unit = root.join(format!("lib/systemd/{kind}/cami-ipa.service"));
        let text = fs::read_to_string(unit).unwrap();
        assert!(text.contains("\nExecStart=/opt/cami/bin/cami-ipa serve\n"), "{text}");
        assert!(text.contains("=file:/opt/cami/share/doc/"), "{text}");
    }
    tool::succeed(&mut install(&["--remove", "--prefix", "/opt/cami", "--destdir", &destdir]));
    // The prefix itself is nobody's to remove.
    let left: Vec<_> = tree(folder.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [Path::new("opt"), Path::new("opt/cami")]);
}

/// A later version without a file takes the file away; what a list may not name is refused.
#[test]
fn only_what_an_install_put_there_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let prefix_text = prefix.display().to_string();
    let arguments = ["--prefix", &prefix_text, "--from", &built()];
    tool::succeed(&mut install(&arguments));
    let list = prefix.join("share/cami-ipa/installed");
    let names = fs::read_to_string(&list).unwrap();

    fs::write(prefix.join("lib/cami-ipa/of-an-earlier-version.so"), "").unwrap();
    fs::write(&list, format!("{names}lib/cami-ipa/of-an-earlier-version.so\n")).unwrap();
    tool::succeed(&mut install(&arguments));
    assert!(!prefix.join("lib/cami-ipa/of-an-earlier-version.so").exists());
    assert_eq!(fs::read_to_string(&list).unwrap(), names);

    let outside = folder.path().join("outside");
    fs::write(&outside, "").unwrap();
    for name in ["../outside", "lib/../../outside", outside.to_str().unwrap()] {
        fs::write(&list, format!("{name}\n")).unwrap();
        let (success, said) = tool::run(&mut install(&["--remove", "--prefix", &prefix_text]));
        assert!(!success && said.contains("which no install put there"), "{said}");
        assert!(outside.exists());
    }
}

#[test]
fn wrong_usage_is_named() {
    for (arguments, named) in [
        (["--prefix", "relative"].as_slice(), "absolute"),
        (&["--prefix", "/has blank"], "plain characters"),
        (&["--prefix"], "needs a folder"),
        (&["--nowhere"], "unknown argument"),
        (&["--prefix", "/x", "--from", "/nonexistent"], "build first"),
    ] {
        let output = install(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
