//! Tests of the profiles.

use cami_wire::control::Role;

use super::{BUILT_IN, Profile};

#[test]
fn every_built_in_profile_reads_and_has_the_name_it_is_asked_for_by() {
    for (name, _) in BUILT_IN {
        let profile = Profile::by_name(name).unwrap().unwrap();
        assert_eq!(profile.name, name);
        assert!(Profile::NAMES.contains(name), "{name}");
    }
    assert!(Profile::by_name("none").is_none());
}

#[test]
fn generic_file_says_what_generic_is() {
    assert_eq!(Profile::by_name("generic").unwrap().unwrap(), Profile::generic());
}

#[test]
fn ipu3_names_every_address_that_crosses() {
    let profile = Profile::by_name("intel-ipu3").unwrap().unwrap();
    let gives: Vec<_> = profile
        .commands
        .iter()
        .filter_map(|command| command.rule.gives.map(|offset| (command.name.as_str(), offset)))
        .collect();
    // spec/ipu3-protocol.md, 1.2.
    assert_eq!(gives, [("AIQ_INIT", 40), ("CMC_INIT", 823_288), ("MKN_INIT", 24)]);
    let face = profile.commands.iter().find(|command| command.name == "FACE_UNINIT").unwrap();
    assert_eq!((face.rule.role, face.rule.ends.as_slice()), (Role::TearDown, &[27][..]));
}

#[test]
fn long_polls_of_mediatek_have_no_limit() {
    let profile = Profile::by_name("mediatek").unwrap().unwrap();
    let limits: Vec<_> = profile.own_limits().collect();
    // GETSENSORPARAM, NOTIFYCB, TUNINGPIPE, STTPIPE, HWEVENT, STT2PIPE, AFLENSCONFIG.
    let mut ids: Vec<u32> = limits.iter().map(|&(id, _)| id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [12, 13, 14, 15, 16, 30, 59]);
    assert!(limits.iter().all(|&(_, ms)| ms == 0));
    assert_eq!(Profile::by_name("rockchip").unwrap().unwrap().own_limits().count(), 0);
}

#[test]
fn mistakes_name_the_command_and_the_key() {
    let cases = [
        ("", "`name` is missing"),
        ("name = 1", "`name` is not a text"),
        ("name = \"x\"\ncolour = 1", "unknown key `colour`"),
        ("name = \"x\"\n[commands.A]\nrole = \"set-up\"", "[commands.A]: `id` is missing"),
        ("name = \"x\"\n[commands.A]\nid = -1", "[commands.A]: `id` is not a whole number"),
        ("name = \"x\"\n[commands.A]\nid = 1\nrole = \"x\"", "plain, set-up, state or tear-down"),
        ("name = \"x\"\n[commands.A]\nid = 1\nends = [\"B\"]", "names a command that is not here"),
        ("name = \"x\"\n[commands.A]\nid = 1\nkeep = [1]", "a list of [offset, bytes]"),
        ("name = \"x\"\n[commands.A]\nid = 1\nsize = 1", "[commands.A]: unknown key `size`"),
    ];
    for (text, expected) in cases {
        let error = Profile::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
