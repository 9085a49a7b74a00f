//! One host's part of a recording.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use cami_recording::block::{
    Annotation, Answered, Bytes, Call, Called, Died, Host as Begun, Requested, Returned,
    UpdateReturned, Updated,
};
use cami_recording::{Block, Buffer, Recording, Session, Snapshot, Writer};
use cami_replay::{After, Death, Host, Place, Protocol, Step};

struct Tape(Writer<Vec<u8>>);

impl Tape {
    fn new() -> Self {
        Self(Writer::begin(Vec::new(), 0).expect("memory"))
    }

    fn put(&mut self, block: impl Into<Block>) {
        self.0.write(&block.into()).expect("memory");
    }

    fn request(&mut self, number: u64, command: u32, handle: i32, bytes: usize) {
        let content = self.0.content(Buffer(9), &Snapshot::of(&vec![1; bytes])).expect("memory");
        let (host, at_ns) = (1, number * 10);
        self.put(Requested {
            host,
            at_ns,
            number,
            req_id: command,
            handle,
            content,
            header: Bytes(vec![0x56, 3]),
            ..Requested::default()
        });
        self.put(Returned {
            host,
            at_ns: at_ns + 5,
            request: number,
            req_id: command,
            handle,
            ..Returned::default()
        });
    }

    fn call(&mut self, call: Call, buffer_bytes: u64, handles: Vec<i32>, value: i32) {
        let (host, at_ns, cookie, call) = (1, 1, 7, call.number());
        self.put(Called { host, at_ns, cookie, call, buffer_bytes, handles });
        self.put(Answered { host, at_ns, cookie, call, value });
    }

    /// An update at a time, which is returned at another.
    fn update(&mut self, at_ns: u64, upd_id: u32, returned_at_ns: Option<u64>) {
        let host = 1;
        self.put(Updated { host, at_ns, upd_id, ..Updated::default() });
        if let Some(at_ns) = returned_at_ns {
            self.put(UpdateReturned { host, at_ns, upd_id, status: 3 });
        }
    }

    /// A request that is not answered.
    fn asked(&mut self, number: u64, at_ns: u64) {
        self.put(Requested { host: 1, at_ns, number, req_id: 8, ..Requested::default() });
    }

    fn died(&mut self, at_ns: u64) {
        self.put(Died { host: 1, at_ns, signal: 6, ..Died::default() });
    }

    /// Its first host.
    fn host(self) -> Host {
        let recording = Recording::read(self.0.get_ref().clone()).expect("a recording");
        let session = Session::of(&recording).expect("a session");
        let protocol = Protocol::named("intel-ipu3").expect("built in");
        Host::of(&session, &session.hosts[0], &protocol, |_| None)
    }

    /// The steps of its first host, in words.
    fn steps(self, profile: &str) -> Vec<String> {
        let recording = Recording::read(self.0.get_ref().clone()).expect("a recording");
        let session = Session::of(&recording).expect("a session");
        let protocol = Protocol::named(profile).expect("built in");
        let bytes = |content| recording.outline(content).ok().map(|outline| outline.bytes);
        let host = Host::of(&session, &session.hosts[0], &protocol, bytes);
        let told = host.steps.iter().map(|step| match step {
            Step::Register { handle, bytes, .. } => format!("register {handle} of {bytes}"),
            Step::Deregister { handles, .. } => format!("deregister {handles:?}"),
            Step::Exchange(exchange) => exchange.title(&protocol),
        });
        told.collect()
    }
}

#[test]
fn calls_and_requests_are_steps_with_names_and_frames() {
    let mut tape = Tape::new();
    tape.put(Begun { host: 1, ..Begun::default() });
    tape.put(Begun { host: 2, ..Begun::default() });
    tape.call(Call::Initialize, 0, Vec::new(), 0);
    tape.call(Call::RegisterBuffer, 64, Vec::new(), 3);
    tape.call(Call::RegisterBuffer, 64, Vec::new(), -12);
    tape.request(1, 17, 3, 10);
    tape.request(2, 8, 3, 10);
    tape.call(Call::DeregisterBuffers, 0, vec![3], 0);
    // Its registration fell out of the ring.
    tape.request(3, 15, 3, 20);
    tape.request(4, 10, 3, 20);
    tape.put(Requested { host: 2, number: 5, ..Requested::default() });
    assert_eq!(
        tape.steps("intel-ipu3"),
        [
            "register 3 of 64",
            "CMC_INIT",
            "frame 0 AIQ_AE_RUN",
            "deregister [3]",
            "register 3 of 20",
            "frame 1 AIQ_STATISTICS_SET",
            "frame 1 AIQ_AWB_RUN",
        ]
    );
}

#[test]
fn commands_stand_where_the_recording_says() {
    let mut tape = Tape::new();
    tape.put(Begun { host: 1, command_at: 2, ..Begun::default() });
    tape.request(1, 77, 3, 4);
    assert_eq!(tape.steps("generic"), ["register 3 of 4", "command 3"]);
}

#[test]
fn a_profile_is_found_by_name_by_file_or_in_the_recording() {
    let folder = std::env::temp_dir();
    let session = |copy: Option<&str>| Session {
        annotations: copy
            .map(|text| Annotation { key: "profile_text".into(), value: text.into() })
            .into_iter()
            .collect(),
        ..Session::default()
    };
    let name = |session: &Session, profile: &str| {
        Protocol::recorded(session, profile).map(|found| found.profile().name.clone())
    };
    assert_eq!(name(&session(None), "rockchip").as_deref(), Ok("rockchip"));
    let own = session(Some("name = \"mine\""));
    assert_eq!(name(&own, "/nowhere/mine.toml").as_deref(), Ok("mine"));
    assert_eq!(name(&own, "mine").as_deref(), Ok("mine"));
    for (session, profile, told) in [
        (session(None), "nobody's", "is not generic"),
        (session(None), "/nowhere/mine.toml", "No such file"),
        (session(None), folder.to_str().expect("text"), "no file of a profile's size"),
        (session(None), "/dev/zero", "no file of a profile's size"),
        (session(Some("name = ")), "mine", "own copy"),
    ] {
        let error = name(&session, profile).expect_err(profile).to_string();
        assert!(error.contains(told), "{profile}: {error}");
    }
}

#[test]
fn updates_stand_behind_what_came_last_before_them() {
    let mut tape = Tape::new();
    tape.put(Begun { host: 1, ..Begun::default() });
    tape.update(3, 1, None);
    // Requests are at 10 and 20, their answers at 15 and 25.
    tape.request(1, 8, 3, 10);
    tape.update(11, 2, Some(12));
    tape.update(13, 3, Some(40));
    tape.update(16, 4, Some(18));
    tape.update(19, 5, None);
    tape.request(2, 8, 3, 10);
    tape.update(26, 6, None);
    let host = tape.host();
    let told = host.updates.iter().map(|update| (update.upd_id, update.after, update.behind));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (1, After::Start, None),
            (2, After::Requested(0), None),
            (3, After::Requested(0), Some(1)),
            (4, After::Answered(0), None),
            (5, After::Answered(0), Some(3)),
            (6, After::Answered(1), None),
        ]
    );
    let behind = host.exchanges().map(|exchange| exchange.answer.expect("an answer").behind);
    assert_eq!(behind.collect::<Vec<_>>(), [Some(1), None], "the first may have waited for it");
    assert_eq!(host.updates[3].returned.map(|back| (back.at_ns, back.status)), Some((18, 3)));
    assert_eq!(host.updates[5].frame, Some(1), "AE began another frame");
}

#[test]
fn a_death_stands_where_the_library_said_nothing_more() {
    let place = |fill: &dyn Fn(&mut Tape)| {
        let mut tape = Tape::new();
        tape.put(Begun { host: 1, ..Begun::default() });
        fill(&mut tape);
        tape.died(100);
        let Death { place, signal, by_host, .. } = tape.host().death.expect("a death");
        assert_eq!((signal, by_host), (6, false));
        place
    };
    // Requests 1 and 2 are answered at 15 and 25.
    let two = |tape: &mut Tape| {
        tape.request(1, 8, 3, 10);
        tape.request(2, 8, 3, 10);
    };
    assert_eq!(place(&|tape| two(tape)), Place::Answered(1));
    let after = |number: u64, at_ns: u64| {
        place(&|tape| {
            two(tape);
            tape.asked(number, at_ns);
            tape.asked(number + 1, at_ns + 1);
        })
    };
    assert_eq!(after(3, 30), Place::Requested(2), "the first that it was asked for since");
    assert_eq!(after(3, 22), Place::Answered(1), "it worked on after these came");
    let with_update = |at_ns| {
        place(&|tape| {
            two(tape);
            tape.asked(3, 30);
            tape.update(at_ns, 1, None);
        })
    };
    assert_eq!(with_update(31), Place::Updated(0));
    assert_eq!(with_update(29), Place::Requested(2));
    let called = |call: Call, at_ns| {
        place(&|tape| {
            tape.call(Call::RegisterBuffer, 64, Vec::new(), 3);
            two(tape);
            let (call, handles) = (call.number(), Vec::new());
            tape.put(Called { host: 1, at_ns, cookie: 9, call, buffer_bytes: 0, handles });
        })
    };
    assert_eq!(called(Call::RegisterBuffer, 30), Place::Call(Call::RegisterBuffer, 1));
    assert_eq!(called(Call::Deinitialize, 30), Place::Call(Call::Deinitialize, 0));
    assert_eq!(place(&|_| {}), Place::End);
    assert_eq!(place(&|tape| tape.call(Call::Initialize, 0, Vec::new(), 0)), Place::End);
}
