//! A stream through the worker as it is installed, whose vendor library misbehaves in its own process.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cami_link::{Deadline, Event, Interest, ProcessFd, wait};
use cami_tests::{PATIENCE, ServiceSetup, artefact, vendor_library};

use crate::driver::{Worker, calls, memory};
use crate::session::Setup;

const CAPTURE: &str = "capture_ipu3_v0.7.2.txt";
/// What is promised.
const FRAME: Duration = Duration::from_millis(50);
const CALL: Duration = Duration::from_millis(1500);
/// What a machine may add that is busy with other tests: less than any wait for a library takes.
const BUSY: Duration = Duration::from_millis(250);

const PARAMS_COMPUTED: u32 = 2;
const METADATA_READY: u32 = 3;

struct Stream {
    worker: Worker,
    setup: Setup,
    params: File,
    statistics: File,
    cookie: u32,
    /// Of all answers to frames.
    times: Vec<Duration>,
}

/// The recorded call of that number.
fn recorded(command: u32) -> Vec<u8> {
    calls(CAPTURE).into_iter().find(|call| call.command == command).unwrap().bytes
}

impl Stream {
    fn start(library: &Path, more: &[(&str, &str)]) -> Self {
        let setup = Setup::new();
        let worker = setup.start(library, more);
        let params = memory(0x1_0000, 0xee);
        let statistics = memory(0x4_0000, 0);
        // Beyond those of the recording.
        Self { worker, setup, params, statistics, cookie: 1000, times: Vec::new() }
    }

    /// The return value of a recorded call that waits, within its bound.
    fn ask(&mut self, command: u32) -> i32 {
        let mut message = recorded(command);
        let cookie = if command == 1 { 0 } else { self.next_cookie() };
        message[4..8].copy_from_slice(&cookie.to_le_bytes());
        let files = match command {
            5 => vec![self.params.try_clone().unwrap(), self.statistics.try_clone().unwrap()],
            _ => Vec::new(),
        };
        let before = Instant::now();
        self.worker.send(&message, &files);
        loop {
            let (number, found, body) = self.worker.receive();
            if (number, found) == (command, cookie) {
                assert!(before.elapsed() <= CALL + BUSY, "call {command}: {:?}", before.elapsed());
                return body.first_chunk().map_or(0, |ret| i32::from_le_bytes(*ret));
            }
            assert_eq!(found, 0, "an answer that nobody waits for");
        }
    }

    fn next_cookie(&mut self) -> u32 {
        self.cookie += 1;
        self.cookie
    }

    fn begin(&mut self) {
        for command in [1, 4, 5, 2] {
            assert_eq!(self.ask(command), 0, "call {command}\n{}", self.setup.log());
        }
    }

    /// A frame: request, parameters, statistics. Both answers in time, once, and of this frame.
    fn frame(&mut self, frame: u32) {
        self.send_frame(7, 16, frame);
        self.send_frame(8, 16, frame);
        self.event(PARAMS_COMPUTED, frame);
        self.send_frame(9, 24, frame);
        self.event(METADATA_READY, frame);
    }

    fn send_frame(&mut self, command: u32, at: usize, frame: u32) {
        let mut message = recorded(command);
        let cookie = self.next_cookie();
        message[4..8].copy_from_slice(&cookie.to_le_bytes());
        message[at..at + 4].copy_from_slice(&frame.to_le_bytes());
        self.worker.send(&message, &[]);
    }

    fn event(&mut self, expected: u32, frame: u32) {
        let asked = Instant::now();
        loop {
            let (number, cookie, body) = self.worker.receive();
            assert_eq!(cookie, 0);
            if number == 1 {
                // Sensor controls, which come with the metadata.
                continue;
            }
            assert_eq!(number, expected, "frame {frame}");
            let at = if number == METADATA_READY { 8 } else { 0 };
            assert_eq!(body[at..at + 4], frame.to_le_bytes(), "another frame than {frame}");
            let took = asked.elapsed();
            assert!(took <= FRAME + BUSY, "frame {frame}: {took:?}");
            self.times.push(took);
            return;
        }
    }

    /// Nine of ten answers were in time to the millisecond; the rest is the machine's.
    fn was_in_time(&mut self) {
        self.times.sort_unstable();
        let ninth = self.times[self.times.len() * 9 / 10];
        assert!(ninth <= FRAME, "{:?}", self.times);
    }

    /// The processes of the host: monitor first.
    fn processes(&self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut left = vec![self.worker.child.id()];
        while let Some(process) = left.pop() {
            let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let children = std::fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                for child in children.split_whitespace() {
                    found.push(child.parse().unwrap());
                    left.push(child.parse().unwrap());
                }
            }
        }
        found
    }
}

fn ended(processes: &[ProcessFd]) {
    for process in processes {
        let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
        let until = Some(Deadline::after(PATIENCE));
        assert_eq!(wait(&mut polled, until), Ok(1), "process {} is left", process.pid());
    }
}

fn open(processes: &[u32]) -> Vec<ProcessFd> {
    processes.iter().map(|pid| ProcessFd::open(i32::try_from(*pid).unwrap()).unwrap()).collect()
}

#[test]
fn frames_get_parameters_from_the_library() {
    let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &[]);
    stream.begin();
    for frame in 0..10 {
        stream.frame(frame);
    }
    let mut use_word = [0; 4];
    stream.params.read_exact_at(&mut use_word, 0).unwrap();
    assert_ne!(u32::from_le_bytes(use_word), 0, "no block is in use\n{}", stream.setup.log());
    assert_eq!(stream.ask(3), 0);
    // Again, without `configure`.
    assert_eq!(stream.ask(2), 0);
    stream.frame(0);
    assert_eq!(stream.ask(3), 0);
    assert_eq!(stream.ask(6), 0);
    stream.worker.exit();
}

/// Numbers 1 to 3: deaths of the vendor process, and of its monitor, in the middle of a stream.
#[test]
fn frames_go_on_over_deaths_and_the_library_comes_back() {
    let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &[]);
    stream.begin();
    let mut frame = 0;
    for round in 0..6 {
        for _ in 0..5 {
            stream.frame(frame);
            frame += 1;
        }
        let processes = stream.processes();
        assert!(processes.len() >= 2, "{processes:?}");
        let victim = if round % 2 == 0 { processes[0] } else { *processes.last().unwrap() };
        for process in open(&[victim]) {
            process.kill();
        }
        for _ in 0..5 {
            stream.frame(frame);
            frame += 1;
        }
        let until = Instant::now() + PATIENCE;
        while stream.processes().len() < 2 || stream.processes().contains(&victim) {
            assert!(Instant::now() < until, "it does not come back\n{}", stream.setup.log());
            stream.frame(frame);
            frame += 1;
        }
    }
    stream.was_in_time();
    assert_eq!(stream.ask(3), 0);
    stream.worker.exit();
}

/// A library that hangs is gone when `stop` is answered, request and all, and another one comes up for the
/// next stream.
#[test]
fn no_request_is_in_flight_when_stop_is_answered() {
    // Nothing else ends it.
    let patient =
        [("CAMI_IPA_TIMEOUTS__REQUEST_MS", "0"), ("CAMI_IPA_TIMEOUTS__REGISTER_MS", "60000")];
    let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &patient);
    stream.begin();
    stream.frame(0);
    let processes = open(&stream.processes());
    let vendor = processes.last().unwrap();
    // SAFETY: two numbers; the process is a child of ours that nobody has reaped.
    assert_eq!(unsafe { libc::kill(vendor.pid(), libc::SIGSTOP) }, 0);
    stream.frame(1);
    assert_eq!(stream.ask(3), 0);
    for process in &processes {
        let mut polled = [(process.as_fd(), Interest::Message, Event::default())];
        let until = Some(Deadline::after(Duration::from_millis(20)));
        assert_eq!(wait(&mut polled, until), Ok(1), "it lives\n{}", stream.setup.log());
    }
    assert_eq!(stream.ask(2), 0);
    let until = Instant::now() + PATIENCE;
    let mut frame = 0;
    while stream.processes().len() < 2 {
        assert!(Instant::now() < until, "it does not come back\n{}", stream.setup.log());
        stream.frame(frame);
        frame += 1;
    }
    assert_eq!(stream.ask(3), 0);
    stream.worker.exit();
}

/// The shading table that a frame's parameters hold.
fn shading(stream: &Stream) -> Vec<u8> {
    let at = std::mem::offset_of!(cami_ipu3::uapi::Params, acc_param.shd);
    let mut table = vec![0; size_of::<cami_ipu3::uapi::ShdConfig>()];
    stream.params.read_exact_at(&mut table, at as u64).unwrap();
    table
}

/// A dark scene under one of two lights.
fn statistics(source: virtual_camera::Source, frame: u32) -> Box<cami_ipu3::uapi::Stats3a> {
    let light = virtual_camera::Light { source, lux: 0.01 };
    let light = virtual_camera::ScheduledLight { first_frame: 0, light };
    let chart = virtual_camera::ChartCamera::new(&[light], 1).unwrap();
    let exposure =
        virtual_camera::Exposure { time_us: 33_000, analogue_gain: 10.0, digital_gain: 1.0 };
    let grids = virtual_camera::Camera::grids(&chart, frame.into(), &exposure, 0);
    virtual_camera::raw_statistics(&grids, virtual_camera::Stripes::One)
}

/// A vendor process that dies in AIC_RUN, whose shading tables its client sends only where they change: the
/// one that takes its place has them again, and comes to the same shading.
#[test]
fn shading_survives_a_death_in_the_midst_of_a_configuration() {
    use virtual_camera::Source;
    let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &[]);
    stream.begin();
    let mut number = 0;
    let mut frame = |stream: &mut Stream, source: Source| {
        let raw = statistics(source, number);
        stream.statistics.write_all_at(cami_ipu3::bytes_of(&*raw), 0).unwrap();
        stream.frame(number);
        number += 1;
        let mut params = vec![0; 39_328];
        stream.params.read_exact_at(&mut params, 0).unwrap();
        params
    };
    let lights = [Source::Daylight(6504.0), Source::Planckian(2856.0)];
    // In the dark the digital gain goes into the table, until it is at its end.
    let mut table = Vec::new();
    let mut same = 0;
    let until = Instant::now() + PATIENCE;
    while same < 30 {
        frame(&mut stream, lights[0]);
        let now = shading(&stream);
        let is_something = now[32..].iter().any(|byte| *byte != 0);
        same = if now == table && is_something { same + 1 } else { 0 };
        table = now;
        assert!(Instant::now() < until, "no shading\n{}", stream.setup.log());
    }
    for round in 1..4 {
        let victim = open(&stream.processes()).pop().unwrap();
        // SAFETY: two numbers; the process is one of ours that lives.
        assert_eq!(unsafe { libc::kill(victim.pid(), libc::SIGSTOP) }, 0);
        // AIC_RUN waits for a process that is stopped, and is answered by another one.
        let before = frame(&mut stream, lights[0]);
        victim.kill();
        let until = Instant::now() + PATIENCE;
        // Another light, so that parameters show who made them.
        while frame(&mut stream, lights[round % 2]) == before {
            assert!(Instant::now() < until, "it does not come back\n{}", stream.setup.log());
        }
        // AE finds its way, and the table with it.
        while shading(&stream) != table {
            frame(&mut stream, lights[0]);
            assert!(Instant::now() < until, "other shading\n{}", stream.setup.log());
        }
    }
    assert_eq!(stream.ask(3), 0);
    stream.worker.exit();
}

/// With `socket` the library is the service's, with the sandbox that it can have; a path reaches it out
/// of libcamera's network namespace too.
#[test]
fn a_service_runs_the_library_where_one_is_named() {
    let library = artefact("libcam_algo_reference.so").display().to_string();
    let service = ServiceSetup::new("plain").with("CAMI_IPA_VENDOR_LIBRARY", &library).start();
    let socket = [("CAMI_IPA_SOCKET", service.socket.to_str().unwrap())];
    let mut stream = Stream::start(Path::new("/nonexistent/not-used.so"), &socket);
    stream.begin();
    for frame in 0..5 {
        stream.frame(frame);
    }
    assert_eq!(stream.processes(), [0; 0], "nothing runs below the worker");
    let monitors = service.monitors();
    assert_eq!(monitors.len(), 1);
    let mut use_word = [0; 4];
    stream.params.read_exact_at(&mut use_word, 0).unwrap();
    assert_ne!(u32::from_le_bytes(use_word), 0, "no block is in use\n{}", stream.setup.log());
    let monitors = open(&monitors);
    stream.worker.process.kill();
    ended(&monitors);
}

/// Number 15: whoever ends, nothing is left running.
#[test]
fn nothing_is_left_when_the_worker_is_killed_or_leaves() {
    for kill in [true, false] {
        let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &[]);
        stream.begin();
        stream.frame(0);
        let processes = open(&stream.processes());
        assert!(processes.len() >= 2);
        if kill {
            stream.worker.process.kill();
        } else {
            stream.worker.send(&[0; 8], &[]);
        }
        stream.worker.end();
        ended(&processes);
    }
}

#[test]
fn nothing_is_left_when_libcamera_dies() {
    let room = tempfile::tempdir().unwrap();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stream::libcamera_that_dies", "--nocapture", "--test-threads=1"])
        .env("CAMI_TESTS_DIES", "1")
        // It removes nothing.
        .env("TMPDIR", room.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut lines = std::io::BufReader::new(host.stdout.take().unwrap());
    while !text.contains("processes ") {
        text.clear();
        assert_ne!(std::io::BufRead::read_line(&mut lines, &mut text).unwrap(), 0, "it ended");
    }
    let (_, list) = text.split_once("processes ").unwrap();
    let list: Vec<u32> = list.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert!(list.len() >= 3, "{list:?}");
    let processes = open(&list);
    host.kill().unwrap();
    host.wait().unwrap();
    ended(&processes);
}

/// Not a test of its own: has a stream, says of which processes, and waits to be killed.
#[test]
fn libcamera_that_dies() {
    if std::env::var_os("CAMI_TESTS_DIES").is_none() {
        return;
    }
    let mut stream = Stream::start(&artefact("libcam_algo_reference.so"), &[]);
    stream.begin();
    stream.frame(0);
    let mut list = stream.processes();
    list.push(stream.worker.child.id());
    let list: Vec<String> = list.iter().map(u32::to_string).collect();
    println!("processes {}", list.join(" "));
    std::io::stdout().flush().unwrap();
    let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
    loop {
        std::thread::park();
    }
}

/// Vendor libraries that hang, crash or refuse while they are brought up: `init` says so in time, and
/// nothing else hangs.
#[test]
fn libraries_that_do_not_come_up_are_an_error_of_init_in_time() {
    for library in [
        "hang_constructor",
        "hang_initialize",
        "hang_register",
        "crash_constructor",
        "crash_initialize",
        "crash_register",
        "abort_constructor",
        "exit_initialize",
        "refuses_initialize",
        "refuses_register",
        // They come up, and then know no command of the protocol, or answer none.
        "plain",
        "hang_request",
        "crash_request",
        "floods",
        "late",
        "closes_fds",
        "callbacks",
    ] {
        let mut stream = Stream::start(&vendor_library(library), &[]);
        let ret = stream.ask(1);
        assert!(ret < 0, "{library}: {ret}\n{}", stream.setup.log());
        // A libcamera that goes on all the same is answered, in time too.
        stream.ask(4);
        stream.ask(3);
        let processes = open(&stream.processes());
        stream.worker.exit();
        ended(&processes);
    }
}
