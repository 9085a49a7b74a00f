//! Recorded deaths, made again by `libcam_algo_replay.so`.

use cami_recording::block::Died;
use cami_tests::artefact;

use crate::session::{Session, run};

/// A replay with `libcam_algo_replay.so`, which makes recorded deaths again, and counts them in `deaths`.
fn replay_of_deaths(session: &Session, arguments: &[&str]) -> (i32, String, String) {
    let (file, deaths) = (session.path(), session.folder.path().join("deaths"));
    let config = session.folder.path().join("cami-ipa.toml");
    std::fs::write(&config, "[timeouts]\nrequest_ms = 300\n").expect("a file");
    let environment =
        format!("CAMI_REPLAY_FILE={}:CAMI_REPLAY_DEATHS={}", file.display(), deaths.display());
    let mut command = session.command(&artefact("libcam_algo_replay.so"), arguments);
    command
        .env("CAMI_IPA_CONFIG", config)
        .env("CAMI_IPA_ENVIRONMENT", environment)
        .env("CAMI_IPA_SANDBOX__READ", &file)
        .env("CAMI_IPA_SANDBOX__WRITE", &deaths);
    run(&mut command)
}

#[test]
fn the_replay_library_dies_as_the_recorded_one_did_and_the_next_process_goes_on() {
    let mut session = Session::new();
    // Of a signal at a request, of another after an answer, and by exit.
    session.request(b"a", 0, true);
    session.request(b"X", 1, false);
    let died = |host, signal, exit_code| Died { host, signal, exit_code, ..Died::default() };
    session.writer.write(&died(1, libc::SIGSEGV, 0).into()).expect("a block");
    session.host();
    session.request(b"b", 3, true);
    session.writer.write(&died(2, libc::SIGABRT, 0).into()).expect("a block");
    session.host();
    session.request(b"c", 5, true);
    session.request(b"Y", 6, false);
    session.writer.write(&died(3, 0, 7).into()).expect("a block");
    session.host();
    session.request(b"d", 7, true);
    std::fs::write(session.folder.path().join("deaths"), "").expect("a file");
    let (code, told, log) = replay_of_deaths(&session, &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 4 answers"), "{told}");
    for line in [
        "host 1: died with command 5 (request 2 of the recording), as recorded",
        "host 2: died with nothing asked of it, as recorded",
        "host 3: died with command 5 (request 5 of the recording), as recorded",
    ] {
        assert!(told.contains(line), "{told}{log}");
    }
    for cause in ["killed by SIGSEGV", "killed by SIGABRT", "called exit(7)"] {
        assert!(log.contains(cause), "{cause}: {log}");
    }
    // All were made: the last host is left, and dies no more.
    let (code, told, log) = replay_of_deaths(&session, &["--host", "4"]);
    assert_eq!((code, told.starts_with("no difference in 1 answers")), (0, true), "{told}{log}");
    let deaths = std::fs::read_to_string(session.folder.path().join("deaths")).expect("a file");
    assert_eq!(deaths, "3\n");
}

#[test]
fn a_death_by_the_host_is_a_silence_that_ends_in_one() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"X", 1, false);
    let died = Died { host: 1, signal: libc::SIGKILL, by_host: 1, ..Died::default() };
    session.writer.write(&died.into()).expect("a block");
    session.host();
    session.request(b"b", 3, true);
    std::fs::write(session.folder.path().join("deaths"), "").expect("a file");
    let (code, told, log) = replay_of_deaths(&session, &[]);
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.starts_with("no difference in 2 answers"), "{told}{log}");
    assert!(told.contains("host 1: died with command 5 (request 2 of the recording), as recorded"));
    assert!(log.contains("killed: "), "{log}");
    let deaths = std::fs::read_to_string(session.folder.path().join("deaths")).expect("a file");
    assert_eq!(deaths, "1\n");
}

#[test]
fn deaths_are_not_made_again_without_their_file_or_where_it_cannot_be_written() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    session.request(b"b", 1, true);
    let died = Died { host: 1, signal: libc::SIGSEGV, ..Died::default() };
    session.writer.write(&died.into()).expect("a block");
    let (code, told, log) = session.replay_of_itself();
    assert_eq!(code, 0, "{told}{log}");
    assert!(told.contains("the recorded library died at its end; this one did not"), "{told}{log}");
    // Nothing is at its place, and a sandbox has nothing that is not.
    let (code, told, log) = replay_of_deaths(&session, &[]);
    assert_eq!(code, 2, "{told}{log}");
    assert!(log.contains("deaths: "), "{log}");
}

#[test]
fn a_death_is_made_once_also_where_the_recording_ends_with_it() {
    let mut session = Session::new();
    session.request(b"a", 0, true);
    let died = Died { host: 1, signal: 6, ..Died::default() };
    session.writer.write(&died.into()).expect("a block");
    std::fs::write(session.folder.path().join("deaths"), "").expect("a file");
    for ending in ["died with nothing asked of it, as recorded", "this one did not"] {
        let (code, told, log) = replay_of_deaths(&session, &[]);
        assert_eq!(code, 0, "{told}{log}");
        assert!(told.contains(ending), "{ending}: {told}{log}");
    }
}
