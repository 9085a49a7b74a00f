//! `cami-ipa show` on recordings that are good, torn and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

#[path = "support/session.rs"]
mod session;
mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use session::{OWN_PROFILE, Plan, exposure_us, write};
use support::{cami_ipa, code, output, stderr};

/// A folder with a recording.
struct Room(tempfile::TempDir);

impl Room {
    fn with(plan: &Plan) -> Self {
        let room = tempfile::tempdir().unwrap();
        write(&room.path().join("session.camr"), plan);
        Self(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        output(cami_ipa(&["show", "session.camr"]).args(arguments).current_dir(self.0.path()))
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The lines of `--json -` but the first.
    fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let text = self.text(&[&["--json", "-"], arguments].concat());
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.skip(1).collect()
    }
}

fn eventful() -> Plan {
    Plan {
        death: Some(4),
        failure: Some(7),
        line: "a \x1b[31mred\nline".to_owned(),
        ..Plan::default()
    }
}

#[test]
fn what_it_is_stands_in_front() {
    let room = Room::with(&eventful());
    let text = room.text(&[]);
    for expected in [
        "recording     session.camr\n",
        "begun         2026-09-21T",
        "tool version  0.1.0\n",
        "file          complete, ",
        " in 12 frames; 1 failed, 1 unanswered\n",
        "deaths        1\n",
        "missing       3 events were lost (the queue was full)\n",
        "host 1        /opt/vendor/libvendor.so, build-id 0123abcd; profile intel-ipu3, revision G; \
         processes 101 and 201; restarts 0\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
}

#[test]
fn each_event_is_a_line_and_texts_cannot_paint() {
    let room = Room::with(&eventful());
    let text = room.text(&[]);
    for expected in [
        "       -  register_buffer of 4096 B: 1 after 100 us\n",
        "       0  AIQ_AE_RUN                 AIQ    req 8    buffer 2    status 0      660 us  contents",
        "       4  AIQ_AWB_RUN                AIQ    req 10   buffer 3    UNANSWERED",
        "DIED: vendor process 201 killed by SIGSEGV in libvendor.so+0x1234\n",
        "(said again)",
        "       7  AIQ_PA_RUN                 AIQ    req 12   buffer 4    status 1      740 us  FAILED",
        "       1  stderr: a \u{fffd}[31mred\u{fffd}line\n",
        "LOST: 3 events: the queue was full\n",
        "the client left; the host ended\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    assert!(!text.contains('\x1b'));
}

#[test]
fn filters_are_all_kept() {
    let room = Room::with(&eventful());
    let ae = room.json(&["--frame", "3..6", "--command", "ae_run"]);
    assert_eq!(
        ae.iter().map(|line| line["frame"].as_u64()).collect::<Vec<_>>(),
        [Some(3), Some(4), Some(5)]
    );
    assert!(ae.iter().all(|line| line["command"] == 8 && line["group"] == "AIQ"));
    let failed = room.json(&["--failed", "--kind", "request"]);
    let names: Vec<_> = failed.iter().map(|line| line["command_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AIQ_AWB_RUN", "AIQ_PA_RUN"]);
    assert_eq!((&failed[0]["status"], &failed[1]["status"]), (&serde_json::Value::Null, &1.into()));
    assert!(room.json(&["--host", "2"]).iter().all(|line| line["host"] == 2));
    assert_eq!(room.json(&["--kind", "died"])[0]["signal"], 11);
    let slow = room.json(&["--slow", "800"]);
    assert!(!slow.is_empty());
    assert!(slow.iter().all(|line| line["latency_us"].as_u64().is_none_or(|us| us >= 800)));
    assert_eq!(room.json(&["--frame", "99..", "--failed"]), Vec::<serde_json::Value>::new());
    assert!(room.text(&["--frame", "99.."]).ends_with("Nothing in it is what was asked for.\n"));
}

#[test]
fn fields_are_those_of_the_payload() {
    let room = Room::with(&Plan::default());
    let lines = room.json(&["--fields", "--command", "AE_RUN"]);
    for (frame, line) in (0..).zip(&lines) {
        let answer = &line["fields"]["answer"];
        assert_eq!(answer["res.exposure.exposure_time_us"], exposure_us(frame));
        assert_eq!(answer["res.weights[]"]["values"], 16384);
        assert_eq!(line["fields"]["request"]["aiq_handle"], "0x0");
    }
    assert_eq!(lines.len(), 12);
    let text = room.text(&["--fields", "--command", "AE_RUN", "--frame", "2"]);
    assert!(text.contains("exposure_time_us 1020"), "{text}");
    let text = room.text(&["--fields", "--command", "STATISTICS_SET", "--frame", "2"]);
    assert!(text.contains("frame_id 2,"), "{text}");
}

#[test]
fn contents_go_into_files() {
    let room = Room::with(&Plan::default());
    let text = room.text(&["--extract", "out", "--frame", "2", "--command", "AIC_GETAICCONFIG"]);
    assert!(text.contains("3 files, 562 KiB, in out"), "{text}");
    let mut names: Vec<_> = std::fs::read_dir(room.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names.len(), 3, "{names:?}");
    let config = names.iter().find(|name| name.ends_with("_AIC_GETAICCONFIG_aic_config.bin"));
    let config = room.path("out").join(config.unwrap());
    let encoded =
        output(cami_ipa(&["ipu3", "encode-params"]).arg(&config).arg(room.path("params.bin")));
    // All of it is zeros but one gain: the size is what it takes.
    assert!(!stderr(&encoded).contains("has 288068 bytes"), "{}", stderr(&encoded));
    let one = room.json(&["--command", "AE_RUN", "--frame", "2"]);
    let content = one[0]["answer_content"].to_string();
    assert_eq!(room.text(&["--content", &content, "--to", "ae.bin"]), "");
    let bytes = std::fs::read(room.path("ae.bin")).unwrap();
    assert_eq!(bytes.len(), 16800);
    assert_eq!(bytes[232 + 140..][..4], 1020_i32.to_le_bytes());
    assert_eq!(room.run(&["--content", &content]).stdout, bytes);
    let missing = room.run(&["--content", "99999"]);
    assert_eq!(code(&missing), 1);
    assert!(stderr(&missing).contains("99999"));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let room = Room::with(&Plan { frames: 40, ..Plan::default() });
    for arguments in [&[][..], &["--json", "-"]] {
        let mut child = cami_ipa(&["show", "session.camr"])
            .args(arguments)
            .current_dir(room.0.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_torn_file_is_shown_to_its_last_block() {
    let room = Room::with(&Plan::default());
    let path = room.path("session.camr");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() * 3 / 4]).unwrap();
    let text = room.text(&[]);
    assert!(text.contains("ends inside a block at byte "), "{text}");
    assert!(text.contains("AIQ_AE_RUN"), "{text}");
    let first = room.text(&["--json", "-"]);
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!((&first["kind"], &first["ending"]), (&"recording".into(), &"torn".into()));
}

#[test]
fn other_profiles_have_no_frames_and_no_fields() {
    let room = Room::with(&Plan { profile: "rockchip".to_owned(), ..Plan::default() });
    let lines = room.json(&["--fields", "--kind", "request"]);
    assert!(lines.iter().all(|line| line.get("frame").is_none()));
    assert_eq!(lines[1]["fields"]["answer"], serde_json::json!({}));
    let refused = room.run(&["--frame", "1..2"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--profile"), "{}", stderr(&refused));
}

#[test]
fn a_profile_of_ones_own_gives_names_and_frames() {
    // The file is not here any more; the recording has a copy.
    let own = || Plan { profile: "/nowhere/own.toml".to_owned(), ..Plan::default() };
    let room = Room::with(&Plan { profile_text: Some(OWN_PROFILE.to_owned()), ..own() });
    let names = |lines: Vec<serde_json::Value>| -> Vec<String> {
        let names = lines.iter().map(|line| line["command_name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let frame = ["--frame", "3", "--kind", "request"];
    let copied = names(room.json(&frame));
    // What the profile does not name has its number: a frame ends with the statistics of the next.
    assert_eq!(copied[..3], ["measure", "balance", "12"]);
    assert!(room.text(&[]).contains("\nprofile text  a copy of "), "{}", room.text(&[]));
    // Another can be asked for, and has fields.
    let lines = room.json(&["--profile", "intel-ipu3", "--command", "AE_RUN", "--fields"]);
    assert_eq!(lines[2]["fields"]["answer"]["res.exposure.exposure_time_us"], exposure_us(2));
    assert!(room.text(&["--profile", "rockchip"]).contains("read as       rockchip\n"));

    // No copy: nothing is known, which is told, until the file is named.
    let room = Room::with(&own());
    let text = room.text(&[]);
    assert!(text.contains("unknown       profile /nowhere/own.toml: No such file"), "{text}");
    assert_eq!(names(room.json(&["--kind", "request", "--command", "8"]))[0], "8");
    assert_eq!(code(&room.run(&frame)), 2);
    let file = room.path("own.toml");
    std::fs::write(&file, OWN_PROFILE).unwrap();
    let profile = ["--profile", file.to_str().unwrap()];
    assert_eq!(names(room.json(&[&profile[..], &frame].concat())), copied);
    assert!(!room.text(&profile).contains("unknown"));
}

#[test]
fn mistakes_are_named() {
    let room = Room::with(&Plan::default());
    for (arguments, exit, named) in [
        (&["--command", "BOGUS"][..], 2, "AIQ_AE_RUN"),
        (&["--frame", "b"], 2, "--frame"),
        (&["--kind", "b"], 2, "--kind"),
        (&["--host", "9"], 2, "--host"),
        (&["--to", "b"], 2, "--to"),
        (&["--content", "1", "--failed"], 2, "--content"),
        (&["--json", "/nowhere/at/all"], 2, "/nowhere/at/all"),
        (&["--profile", "nobody's"], 2, "--profile"),
        (&["--profile", "/nowhere/own.toml"], 2, "/nowhere/own.toml"),
        (&["--profile", "/dev/zero"], 2, "/dev/zero"),
        (&["more"], 2, "more"),
    ] {
        let output = room.run(arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{arguments:?}: {}", stderr(&output));
    }
    for (file, exit) in [("/nowhere/at/all", 2), ("/dev/null", 1), ("/proc/self/exe", 1)] {
        let output = output(&mut cami_ipa(&["show", file]));
        assert_eq!(code(&output), exit, "{file}: {}", stderr(&output));
        assert!(stderr(&output).contains(file) && Path::new(file).is_absolute());
    }
}
