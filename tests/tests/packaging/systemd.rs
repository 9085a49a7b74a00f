//! Units, users and folders, read by systemd's own parsers.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::tool;

const INSTALL: &str = "apt-get install systemd";

/// Exposure levels of `systemd-analyze security`, times ten (0 is the best, 100 the worst). The
/// user's unit has what works without privileges.
const UNITS: &[(&str, u32)] = &[("system", 25), ("user", 75)];

/// The units, with a program that is there in place of the one that is not installed.
fn units(kind: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(tool::packaging("systemd").join(kind)).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let text = text.replace("/usr/bin/cami-ipa", "/bin/true");
        fs::write(folder.path().join(file.file_name()), text).unwrap();
    }
    folder
}

fn verify(kind: &str, folder: &Path) -> Option<(bool, String)> {
    let mut analyze = tool::find("systemd-analyze", INSTALL)?;
    // Neither this machine's units nor this user's session matter.
    analyze.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()));
    analyze.env("XDG_RUNTIME_DIR", folder).env("HOME", folder).env("SYSTEMD_LOG_LEVEL", "warning");
    analyze.args(["verify", "--man=no", &format!("--{kind}")]);
    analyze.args(["cami-ipa.service", "cami-ipa.socket"].map(|unit| folder.join(unit)));
    Some(tool::run(&mut analyze))
}

#[test]
fn verify_finds_nothing() {
    for (kind, _) in UNITS {
        let folder = units(kind);
        let Some((success, said)) = verify(kind, folder.path()) else { return };
        // It passes over unknown keys with a warning; other units of the machine may have theirs.
        assert!(success && !said.contains("cami-ipa"), "{kind}:\n{said}");
    }
}

/// That `verify_finds_nothing` can fail.
#[test]
fn verify_names_a_wrong_key() {
    for (kind, _) in UNITS {
        let folder = units(kind);
        let unit = folder.path().join("cami-ipa.service");
        let text = fs::read_to_string(&unit).unwrap();
        fs::write(&unit, text.replace("LockPersonality=", "LockPersonalities=")).unwrap();
        let Some((_, said)) = verify(kind, folder.path()) else { return };
        assert!(said.contains("cami-ipa.service") && said.contains("LockPersonalities"), "{said}");
    }
}

#[test]
fn exposure_stays_below_its_bound() {
    for (kind, bound) in UNITS {
        let folder = units(kind);
        let Some(mut analyze) = tool::find("systemd-analyze", INSTALL) else { return };
        analyze.args(["security", "--no-pager", "--offline=true"]);
        // An exit code other than 0 is an exposure above the threshold.
        analyze.arg(format!("--threshold={bound}")).arg(folder.path().join("cami-ipa.service"));
        let said = tool::succeed(&mut analyze);
        assert!(said.contains("Overall exposure level"), "{said}");
    }
}

/// What the host's sandbox needs, and what it must not be given: the comments in the unit say why.
#[test]
fn hardening_leaves_the_sandbox_its_means() {
    let text = tool::text("systemd/system/cami-ipa.service");
    let setting = |line: &str| text.lines().any(|setting| setting == line);
    assert!(setting("RestrictNamespaces=user net ipc uts pid mnt"));
    assert!(setting("SystemCallFilter=ptrace sethostname seccomp"));
    for forbidden in [
        "PrivateUsers=",
        "ProtectKernelTunables=",
        "ProtectKernelLogs=",
        "ProtectProc=",
        "ProcSubset=",
        "ProtectHostname=",
    ] {
        assert!(text.lines().all(|line| !line.starts_with(forbidden)), "{forbidden}");
    }
    for socket in ["system", "user"] {
        let text = tool::text(&format!("systemd/{socket}/cami-ipa.socket"));
        assert!(text.contains("\nListenSequentialPacket="), "the service refuses a stream");
    }
}

#[test]
fn users_and_folders_are_made() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let in_root = |command: &mut Command, file: &str| {
        let root = format!("--root={}", root.path().display());
        tool::run(command.arg(root).arg(tool::packaging(file)))
    };
    let Some(mut sysusers) = tool::find("systemd-sysusers", INSTALL) else { return };
    let (success, said) = in_root(&mut sysusers, "systemd/sysusers.d/cami-ipa.conf");
    assert!(success, "{said}");
    let users = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("cami-ipa:")).expect("the user");
    assert!(user.ends_with("/nologin"), "{user}");
    let groups = fs::read_to_string(root.path().join("etc/group")).unwrap();
    assert!(groups.lines().any(|line| line.starts_with("cami-ipa:")), "{groups}");

    let Some(mut tmpfiles) = tool::find("systemd-tmpfiles", INSTALL) else { return };
    let (success, said) = in_root(tmpfiles.arg("--create"), "systemd/tmpfiles.d/cami-ipa.conf");
    if is_root() {
        assert!(success, "{said}");
        let id = user.split(':').nth(2).and_then(|id| id.parse().ok()).expect("its number");
        expect_folder(root.path(), "run/cami-ipa", 0o3775, id);
        expect_folder(root.path(), "var/lib/cami-ipa", 0o750, id);
        expect_folder(root.path(), "var/lib/cami-ipa/crash", 0o750, id);
    } else {
        // Giving away folders is the administrator's; the lines were read all the same.
        tool::skipped("owners and modes of folders need root");
        assert!(!said.contains("cami-ipa.conf:"), "{said}");
    }
}

/// ChromeOS's users are made elsewhere.
#[test]
fn folders_of_chromeos_are_made() {
    if !is_root() {
        tool::skipped("owners and modes of folders need root");
        return;
    }
    let Some(mut tmpfiles) = tool::find("systemd-tmpfiles", INSTALL) else { return };
    let root = tempfile::tempdir().unwrap();
    let etc = root.path().join("etc");
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("passwd"), "arc-camera:x:603:603::/:/sbin/nologin\n").unwrap();
    fs::write(etc.join("group"), "arc-camera:x:603:\n").unwrap();
    tmpfiles.arg("--create").arg(format!("--root={}", root.path().display()));
    tool::succeed(tmpfiles.arg(tool::packaging("chromeos/tmpfiles.d/cami-ipa.conf")));
    expect_folder(root.path(), "run/cami-ipa", 0o755, 603);
    expect_folder(root.path(), "var/log/cami-ipa", 0o750, 603);
}

#[track_caller]
fn expect_folder(root: &Path, name: &str, mode: u32, owner: u32) {
    use std::os::unix::fs::MetadataExt;
    let metadata = root.join(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(metadata.is_dir(), "{name}");
    assert_eq!(metadata.mode() & 0o7777, mode, "{name}: {:o}", metadata.mode());
    assert_eq!((metadata.uid(), metadata.gid()), (owner, owner), "{name}");
}

fn is_root() -> bool {
    // SAFETY: geteuid cannot fail and touches nothing.
    unsafe { libc::geteuid() == 0 }
}
