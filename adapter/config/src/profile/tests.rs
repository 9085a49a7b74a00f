//! Tests of the profiles.

use cami_wire::control::Role;

use super::{BUILT_IN, Frames, Profile};

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
fn frames_of_ipu3_begin_with_statistics_once_there_are_any() {
    let mut frames = Frames::of(&Profile::by_name("intel-ipu3").unwrap().unwrap());
    let mut of = |command| frames.take(command);
    // CMC_INIT, AIQ_INIT, AIC_INIT; a first frame has no statistics.
    assert_eq!([17, 6, 1].map(&mut of), [None; 3]);
    assert_eq!([8, 11, 10, 9, 9, 2, 5].map(&mut of), [Some(0); 7]);
    assert_eq!([8, 10].map(&mut of), [Some(1); 2], "a second frame without statistics");
    assert_eq!([15, 8, 11, 2, 5, 2, 5].map(&mut of), [Some(2); 7], "two pipes");
    assert_eq!([15, 10].map(&mut of), [Some(3); 2], "AE is locked");
    assert_eq!([15, 8].map(&mut of), [Some(4); 2]);
    // Makernote and coordinates belong to the frame; what ends something does not.
    assert_eq!([23, 7, 22, 18].map(&mut of), [Some(4), None, None, None]);
    // Another camera: what is set up is in no frame, though there were frames before.
    assert_eq!([17, 8].map(&mut of), [None, Some(5)]);
}

#[test]
fn without_a_begin_there_are_no_frames() {
    let mut frames = Frames::of(&Profile::generic());
    assert_eq!([1, 2, 3].map(|command| frames.take(command)), [None; 3]);
}

#[test]
fn ipu3_says_what_differs_from_run_to_run() {
    let profile = Profile::by_name("intel-ipu3").unwrap().unwrap();
    assert_eq!(profile.fields.as_deref(), Some("ipu3"));
    assert_eq!(profile.command(14).unwrap().varies_out, [(8, 500_000)]);
    assert_eq!(profile.command(15).unwrap().varies_in, [(8, 16)]);
    assert_eq!(profile.command(2).unwrap().writes_out, [(800_016, 512), (905_960, 128)]);
    assert!(profile.command(99).is_none());
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
        ("name = \"x\"\nfields = \"x\"", "`fields` is not a protocol whose fields are known"),
        ("name = \"x\"\nframe_begins = [\"B\"]", "`frame_begins` is not a list of names"),
        ("name = \"x\"\n[commands.A]\nid = 1\nvaries_in = [1]", "a list of [offset, bytes]"),
        ("name = \"x\"\n[commands.A]\nid = 1\nwrites_in = [1]", "a list of [offset, bytes]"),
        ("name = \"x\"\n[commands.A]\nid = 1\nsize = 1", "[commands.A]: unknown key `size`"),
    ];
    for (text, expected) in cases {
        let error = Profile::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
