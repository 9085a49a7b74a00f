//! One host's part of a recording.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use cami_recording::block::{
    Annotation, Answered, Bytes, Call, Called, Host as Begun, Requested, Returned,
};
use cami_recording::{Block, Buffer, Recording, Session, Snapshot, Writer};
use cami_replay::{Host, Protocol, Step};

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
