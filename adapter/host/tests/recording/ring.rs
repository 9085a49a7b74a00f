//! What stays in a file that is made smaller again and again.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::room::*;
use cami_recording::Ending;

/// The library writes a header of 45 at byte 100 of the buffer, as a library that gives an address does;
/// 22 leaves the buffer as it is.
const PROFILE: &str = "\
name = \"pairs\"
[commands.MAKE]
id = 45
role = \"set-up\"
gives = 100
[commands.END]
id = 22
role = \"tear-down\"
takes = [100]
";

#[test]
fn set_up_that_was_ended_again_does_not_fill_the_file() {
    let room = Room::new();
    let profile = room.path("pairs.toml");
    fs::write(&profile, PROFILE).unwrap();
    let setup = room.setup("x.camr").variable("CAMI_IPA_RECORD_LIMIT_MIB", "1");
    let mut host = setup.variable("CAMI_IPA_PROFILE", profile.to_str().unwrap()).start();
    let memory = File::from(host.ready());
    let mut seed = 7_u32;
    // Each set-up is 16 KiB of what does not pack.
    for round in 1..=200_u64 {
        memory.write_all_at(&noise(&mut seed), 0).unwrap();
        send(&host, 45, &(0x1000 * round).to_le_bytes());
        assert_eq!(answer(&mut host), (45, 0));
        if round > 1 {
            // The one of the very begin is never ended.
            send(&host, 22, &[]);
            assert_eq!(answer(&mut host), (22, 0));
        }
    }
    let log = leave(host);
    assert!(!log.contains("ends here"), "{log}");
    let (recording, session) = read(&room.path("x.camr"));
    assert_eq!(recording.ending(), Ending::Complete);
    // Who looks at it elsewhere does not have the profile's file.
    assert_eq!(only(&session).host.profile, "pairs");
    let said = session.annotations.iter().filter(|said| said.key == "profile_text");
    assert_eq!(said.map(|said| said.value.as_str()).collect::<Vec<_>>(), [PROFILE]);
    let address = |content| {
        let held = recording.content(content).unwrap();
        u64::from_le_bytes(held[100..108].try_into().unwrap())
    };
    let made: Vec<u64> = exchanges(&session)
        .iter()
        .filter(|pair| pair.0.req_id == 45)
        .map(|pair| address(pair.1.unwrap().content))
        .collect();
    // The one that was not ended, and then those of the newest part.
    assert_eq!(made[0], 0x1000);
    let newest: Vec<u64> =
        (201 - made.len() as u64 + 1..=200).map(|round| 0x1000 * round).collect();
    assert_eq!(made[1..], newest);
    assert!(made.len() < 120, "{}", made.len());
}
