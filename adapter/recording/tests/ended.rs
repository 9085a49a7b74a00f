//! Set-up that was ended again does not stay in a recording that is made smaller.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use cami_recording::block::{Host, Requested, Returned};
use cami_recording::session::Event;
use cami_recording::{Buffer, Keep, Recording, Rules, Session, Snapshot, Writer, compact};
use cami_wire::control::{CommandRule, Role};

const MAKE: u32 = 1;
const END: u32 = 2;
const STATE: u32 = 3;
const END_ALL: u32 = 4;
const MAKE_ONE: u32 = 5;
const FRAME: u32 = 6;

/// The first word of a buffer is the address that is given or named, the second tells instances apart.
fn rules() -> Vec<CommandRule> {
    let rule = |id, role| CommandRule { id, role, ..CommandRule::default() };
    vec![
        CommandRule { gives: Some(0), ..rule(MAKE, Role::SetUp) },
        CommandRule { takes: vec![0], ..rule(END, Role::TearDown) },
        CommandRule { takes: vec![0], ..rule(STATE, Role::State) },
        CommandRule { ends: vec![MAKE_ONE], ..rule(END_ALL, Role::TearDown) },
        CommandRule { instance: Some(8), ..rule(MAKE_ONE, Role::SetUp) },
    ]
}

struct Film {
    file: Vec<u8>,
    requests: Vec<Asked>,
}

#[derive(Clone, Copy)]
struct Asked {
    host: u32,
    command: u32,
    handle: i32,
    before: [u64; 2],
    after: [u64; 2],
    status: u32,
}

impl Film {
    fn new() -> Self {
        Self { file: Vec::new(), requests: Vec::new() }
    }

    /// What a request's buffer holds before and after.
    fn ask(&mut self, command: u32, before: [u64; 2], after: [u64; 2]) -> &mut Asked {
        let handle = 0;
        self.requests.push(Asked { host: 1, command, handle, before, after, status: 0 });
        self.requests.last_mut().unwrap()
    }

    fn make(&mut self, address: u64) -> &mut Asked {
        self.ask(MAKE, [0, 0], [address, 0])
    }

    fn named(&mut self, command: u32, address: u64) -> &mut Asked {
        self.ask(command, [address, 0], [address, 0])
    }

    /// Commands and what their buffers held first, of what is left with the least room.
    fn left(&mut self, profile: &str) -> Vec<(u32, u64)> {
        let mut writer = Writer::begin(&mut self.file, 0).unwrap();
        let mut begun = 0;
        for (asked, number) in self.requests.iter().zip(1..) {
            let Asked { host, command, handle, before, after, status } = *asked;
            if host != begun {
                let profile = "known".to_owned();
                writer.write(&Host { host, profile, ..Host::default() }.into()).unwrap();
                begun = host;
            }
            let mut hold = |words: [u64; 2]| {
                let bytes = words.map(u64::to_le_bytes).concat();
                writer.content(Buffer(1), &Snapshot::of(&bytes)).unwrap()
            };
            let (content, returned) = (hold(before), hold(after));
            let known = rules();
            let known = known.iter().find(|rule| rule.id == command);
            let role = known.map_or(0, |rule| rule.role as u32);
            let requested = Requested {
                host,
                number,
                req_id: command,
                handle,
                role,
                content,
                ..Requested::default()
            };
            writer.write(&requested.into()).unwrap();
            let content = returned;
            let returned =
                Returned { host, request: number, status, content, ..Returned::default() };
            writer.write(&returned.into()).unwrap();
        }
        drop(writer);
        let recording = Recording::read(std::mem::take(&mut self.file)).unwrap();
        let (mut out, commands) = (Vec::new(), rules());
        let rules = Rules { profile, commands: &commands };
        let keep = Keep { bytes: 1, events: u64::MAX, contents: &[], rules };
        compact(&recording, &mut out, keep, || true).unwrap();
        let small = Recording::read(out).unwrap();
        let session = Session::of(&small).unwrap();
        let requests = session.events.iter().map(|event| {
            let Event::Exchange { requested, returned: Some(returned) } = event else { panic!() };
            let held = small.content(returned.content).unwrap();
            (requested.req_id, u64::from_le_bytes(held[..8].try_into().unwrap()))
        });
        requests.collect()
    }
}

#[test]
fn pairs_do_not_pile_up() {
    let mut film = Film::new();
    for round in 0..200 {
        film.make(0x1000 + round);
        film.named(STATE, 0x1000 + round).handle = i32::try_from(round).unwrap();
        film.named(FRAME, 7);
        film.named(END, 0x1000 + round);
    }
    film.make(0x10);
    film.named(STATE, 0x10);
    film.named(FRAME, 8);
    assert_eq!(film.left("known"), [(MAKE, 0x10), (STATE, 0x10), (FRAME, 8)]);
}

#[test]
fn a_pair_of_which_the_end_is_in_the_newest_part_stays() {
    let mut film = Film::new();
    film.make(0x10);
    film.make(0x20);
    film.named(FRAME, 7);
    film.named(END, 0x10);
    // Of the tear-down only the answer has room.
    assert_eq!(film.left("known"), [(MAKE, 0x10), (MAKE, 0x20), (END, 0x10)]);
}

#[test]
fn an_address_that_comes_again_is_another() {
    let mut film = Film::new();
    film.make(0x10);
    film.named(END, 0x10);
    film.make(0x10);
    film.named(STATE, 0x10);
    film.named(FRAME, 7);
    assert_eq!(film.left("known"), [(MAKE, 0x10), (STATE, 0x10), (FRAME, 7)]);
}

#[test]
fn one_of_an_instance_takes_the_place_of_the_one_before_and_commands_are_ended_by_name() {
    let mut film = Film::new();
    for round in 0..5 {
        film.ask(MAKE_ONE, [round, 0], [round, 0]);
        film.ask(MAKE_ONE, [round, 1], [round, 1]);
    }
    film.named(FRAME, 7);
    assert_eq!(film.left("known"), [(MAKE_ONE, 4), (MAKE_ONE, 4), (FRAME, 7)]);
    film.requests.insert(9, film.requests[0]);
    film.requests[9].command = END_ALL;
    assert_eq!(film.left("known"), [(MAKE_ONE, 4), (FRAME, 7)]);
}

#[test]
fn what_failed_leaves_nothing_and_ends_nothing() {
    let mut film = Film::new();
    film.make(0x10);
    film.make(0x20).status = 5;
    film.named(END, 0x10).status = 5;
    film.named(FRAME, 7);
    assert_eq!(film.left("known"), [(MAKE, 0x10), (FRAME, 7)]);
}

#[test]
fn of_another_profile_or_of_another_host_nothing_is_known_to_be_ended() {
    let mut film = Film::new();
    film.make(0x10);
    film.named(END, 0x10);
    film.named(FRAME, 7);
    assert_eq!(film.left("other"), [(MAKE, 0x10), (END, 0x10), (FRAME, 7)]);
    let mut film = Film::new();
    film.make(0x10).host = 2;
    film.named(FRAME, 6).host = 2;
    film.named(END, 0x10).host = 3;
    film.make(0x30).host = 3;
    film.named(FRAME, 7).host = 3;
    film.named(FRAME, 8).host = 2;
    // The last answer is of host 2.
    assert_eq!(film.left("known"), [(MAKE, 0x10), (FRAME, 8)]);
}
