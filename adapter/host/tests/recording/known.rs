//! What a profile knows of who writes where saves reading, and is not believed blindly.

use std::fs;
use std::os::unix::fs::FileExt;

use crate::room::*;
use nix::errno::Errno;

/// What a buffer held, and what was recorded of it.
type Both = (Vec<u8>, Vec<u8>);

/// The requests and answers of a host whose profile says who writes where, and its log.
fn recorded(writes: &str, answers: u8) -> (Vec<Both>, String) {
    let room = Room::new();
    let profile = room.path("own.toml");
    fs::write(&profile, format!("name = \"own\"\n[commands.WRITE]\nid = 45\n{writes}\n")).unwrap();
    let setup = room.setup("x.camr").variable("CAMI_IPA_PROFILE", profile.to_str().unwrap());
    let mut host = setup.start();
    let memory = fs::File::from(host.ready());
    let mut held = Vec::new();
    let mut hold = || {
        let mut bytes = vec![0; 8192];
        memory.read_exact_at(&mut bytes, 0).unwrap();
        held.push(bytes);
    };
    for number in 0..answers {
        memory.write_all_at(&[number; 9], 5000).unwrap();
        hold();
        // Written at 100 by the library.
        send(&host, 45, &[number; 7]);
        assert_eq!(answer(&mut host), (45, 0));
        hold();
    }
    let log = leave(host);
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    let contents = pairs.iter().flat_map(|pair| [pair.0.content, pair.1.unwrap().content]);
    let contents = contents.map(|content| recording.content(content).unwrap());
    (held.into_iter().zip(contents).collect(), log)
}

#[test]
fn contents_are_whole_where_the_profile_says_who_writes_where() {
    let (both, log) = recorded("writes_in = [[5000, 9]]\nwrites_out = [[100, 7]]", 9);
    assert_eq!(both.len(), 18);
    assert!(both.iter().all(|(held, recorded)| held == recorded));
    assert!(!log.contains("where the profile says"), "{log}");
}

#[test]
fn who_writes_elsewhere_is_named_and_not_believed_again() {
    for (writes, named) in [
        (
            "writes_in = [[100, 7]]",
            "changed before its request where the profile says that the HAL",
        ),
        (
            "writes_out = [[5000, 9]]",
            "changed before its answer where the profile says that the lib",
        ),
    ] {
        let (both, log) = recorded(writes, 9);
        assert_eq!(log.matches(named).count(), 1, "{log}");
        // Each page of the two has had its turn by the third.
        assert!(both.iter().skip(6).all(|(held, recorded)| held == recorded), "{writes}");
        assert!(both.iter().take(6).any(|(held, recorded)| held != recorded), "it saves reading");
    }
}

#[test]
fn what_could_not_be_read_at_the_request_is_read_at_the_answer() {
    let room = Room::new();
    let profile = room.path("own.toml");
    let told = "name = \"own\"\n[commands.LATE]\nid = 53\nwrites_out = [[0, 9]]\n";
    fs::write(&profile, told).unwrap();
    let setup = room.setup("x.camr").variable("CAMI_IPA_PROFILE", profile.to_str().unwrap());
    let mut host = setup.start();
    let memory = fs::File::from(host.ready());
    // Seen once, so that it is known what it held.
    send(&host, 1, b"x");
    assert_eq!(answer(&mut host).0, 1);
    memory.set_len(0).unwrap();
    send(&host, 53, &[]);
    // That has passed when this is answered.
    host.status(1);
    memory.set_len(8192).unwrap();
    let mut seed = 1;
    let held = noise(&mut seed);
    memory.write_all_at(&held, 0).unwrap();
    host.request(54, &[0x56]);
    assert_eq!([answer(&mut host), answer(&mut host)], [(53, 9), (54, 0)]);
    leave(host);
    let (recording, session) = read(&room.path("x.camr"));
    let pairs = exchanges(&session);
    let (requested, returned) = pairs.iter().find(|pair| pair.0.req_id == 53).unwrap();
    assert_eq!(requested.content_errno, Errno::ENODATA as u32);
    assert!(recording.content(returned.unwrap().content).unwrap() == held);
}
