//! `cami-ipa policy`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use support::{cami_ipa, code, output, stderr};

fn printed(arguments: &[&str]) -> String {
    let output = output(cami_ipa(&["policy"]).args(arguments));
    assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn table_names_every_tier_and_the_reason() {
    let text = printed(&["--arch", "x86_64"]);
    for expected in [
        "System calls of a vendor library's process on x86_64, loading.",
        "\nmemory\n",
        "  execve                 kill SIGSYS         another program in the library's place",
        "  clone3                 refuse ENOSYS       its flags lie in memory",
        "if prot without PROT_WRITE and PROT_EXEC together; else EACCES",
        "Every other call fails with ENOSYS",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("prot without PROT_EXEC;"), "that is for the running phase");
    let running = printed(&["--arch", "x86_64", "--phase", "running"]);
    assert!(running.contains("prot without PROT_EXEC; else EACCES"), "{running}");
    assert!(!printed(&["--arch", "aarch64"]).contains("  open  "), "aarch64 has no open");
}

#[test]
fn minijail_policy_has_the_configured_ioctls() {
    let text = printed(&["--format", "minijail", "--arch", "aarch64", "--ioctl", "0x40086200"]);
    assert!(text.starts_with("# System calls of a vendor library's process on aarch64.\n"));
    assert!(text.contains(" || arg1 == 0x40086200; return 25\n"), "{text}");
    assert!(text.contains("\nsocket: arg0 == 0x1; return 97\n"), "{text}");
    assert!(!text.contains("\nexecve"), "{text}");
}

#[test]
fn json_has_every_rule_with_its_source() {
    let text = printed(&["--format", "json", "--arch", "x86_64", "--ioctl", "1074291200"]);
    let data: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&data["arch"], &data["phase"]), (&"x86_64".into(), &"loading".into()));
    assert_eq!(data["other_calls"], "ENOSYS");
    let rules = data["rules"].as_array().unwrap();
    assert!(rules.len() > 200, "{}", rules.len());
    for rule in rules {
        for key in ["name", "intent", "tier", "reason", "source"] {
            assert!(!rule[key].as_str().unwrap().is_empty(), "{key} of {rule}");
        }
    }
    let ioctl = rules.iter().find(|rule| rule["name"] == "ioctl").unwrap();
    assert_eq!((&ioctl["number"], &ioctl["tier"]), (&16.into(), &"allow".into()));
    assert!(ioctl["condition"].as_str().unwrap().contains("0x40086200"), "{ioctl}");
    assert_eq!(printed(&["--arch", "x86_64", "--ioctl", "1074291200", "--json", "-"]), text);
}

#[test]
fn mistakes_are_2_and_named() {
    for (arguments, expected) in [
        (&["--format", "xml"][..], "table, json or minijail"),
        (&["--arch", "riscv64"], "x86_64 or aarch64"),
        (&["--phase", "late"], "loading or running"),
        (&["--ioctl", "dma"], "--ioctl"),
        (&["--ioctl", "0x5412"], "TIOCSTI"),
        (&["--format", "minijail", "--phase", "running"], "--phase running"),
        (&["--bogus"], "cami-ipa help policy"),
    ] {
        let output = output(cami_ipa(&["policy"]).args(arguments));
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}
