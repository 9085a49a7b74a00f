//! A camera HAL process that does what it is told (`hosts/hal.c`).

#![allow(clippy::panic, clippy::expect_used, reason = "a test whose host fails has failed")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use crate::processes::{self, Resources, SignalState};
use crate::{Log, PATIENCE, Room, artefact, host_program};

/// How a HAL is started.
#[derive(Debug, Default)]
pub struct Setup {
    vendor: Option<String>,
    variables: Vec<(String, String)>,
    in_process: bool,
    filtered: bool,
}

impl Setup {
    /// Our shim, with this vendor library behind it.
    #[must_use]
    pub fn new(vendor: &str) -> Self {
        Self { vendor: Some(vendor.to_owned()), ..Self::default() }
    }

    /// Our shim, with nothing configured.
    #[must_use]
    pub fn unconfigured() -> Self {
        Self::default()
    }

    /// The vendor library loaded by the HAL itself, to see whether a test is true of it.
    #[must_use]
    pub fn in_process(mut self) -> Self {
        self.in_process = true;
        self
    }

    /// Under the system calls that ChromeOS's camera services may make, and no others.
    #[must_use]
    pub fn filtered(mut self) -> Self {
        self.filtered = true;
        self
    }

    /// A variable in the HAL's environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and loads the library.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Hal {
        let mut hal = self.start_unloaded();
        let path = hal.library.display().to_string();
        assert_eq!(hal.call(&format!("load {path}")), "load ok");
        hal
    }

    /// Starts it; `load PATH` is up to the test.
    #[must_use]
    #[track_caller]
    pub fn start_unloaded(self) -> Hal {
        let room = Room::new();
        let mut command = if self.filtered {
            crate::under_filter(&host_program("hal"))
        } else {
            Command::new(host_program("hal"))
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAMI_IPA_") {
                command.env_remove(name);
            }
        }
        command.env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"));
        // Nothing outside of the test's own folders.
        command.env("CAMI_IPA_STATUS_DIR", room.path("status"));
        let mut library = artefact("libcam_algo.so");
        let _ = artefact("cros_ipa_proxy");
        if let Some(vendor) = &self.vendor {
            let copy = room.install(vendor, "libvendor.so");
            command.env("CAMI_IPA_VENDOR_LIBRARY", &copy);
            if self.in_process {
                library = copy;
            }
        }
        command.envs(self.variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the HAL");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a pipe");
        let log = Log::collect(child.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Hal { child, stdin, lines, events: VecDeque::new(), all: Vec::new(), log, room, library }
    }
}

/// A running HAL.
#[derive(Debug)]
pub struct Hal {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Events that nobody has asked for yet.
    events: VecDeque<String>,
    /// Every event, in order.
    all: Vec<String>,
    /// What the HAL, the monitor and the vendor write to standard error.
    pub log: Log,
    /// The test's folder; the vendor library is its `libvendor.so`.
    pub room: Room,
    /// What `load` is given.
    pub library: PathBuf,
}

impl Hal {
    /// Runs a command and returns its reply.
    ///
    /// # Panics
    /// With the log, if the HAL dies or does not answer.
    #[track_caller]
    pub fn call(&mut self, command: &str) -> String {
        self.send(command);
        self.reply(command)
    }

    /// Sends a command; [`Hal::reply`] collects its reply.
    #[track_caller]
    pub fn send(&mut self, command: &str) {
        let sent = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{command}"));
        if let Some(Err(error)) = sent {
            panic!("the HAL is gone before {command:?}: {error}\n{}", self.log.text());
        }
    }

    /// The next reply.
    #[track_caller]
    pub fn reply(&mut self, command: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.line(deadline, command);
            match line.strip_prefix("= ") {
                Some(reply) => return reply.to_owned(),
                None => self.note(&line),
            }
        }
    }

    /// Waits for the first event that starts with `prefix`, and takes it.
    ///
    /// # Panics
    /// With the log, if there is none in time.
    #[track_caller]
    pub fn event(&mut self, prefix: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.events.iter().position(|event| event.starts_with(prefix)) {
                return self.events.remove(found).expect("the event just found");
            }
            let line = self.line(deadline, prefix);
            assert!(!line.starts_with("= "), "a reply that nobody asked for: {line}");
            self.note(&line);
        }
    }

    /// How many events so far start with `prefix`, taken or not. A call before this makes sure
    /// that all that was printed has been read.
    #[track_caller]
    pub fn count(&mut self, prefix: &str) -> usize {
        self.call("echo");
        self.all.iter().filter(|event| event.starts_with(prefix)).count()
    }

    fn note(&mut self, line: &str) {
        let event = line.strip_prefix("! ").unwrap_or(line).to_owned();
        self.all.push(event.clone());
        self.events.push_back(event);
    }

    #[track_caller]
    fn line(&mut self, deadline: Instant, awaited: &str) -> String {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!(
                "{awaited:?} did not come; the HAL has said {:?}, and the log is\n{}",
                self.all,
                self.log.text()
            ),
            Err(RecvTimeoutError::Disconnected) => panic!(
                "the HAL ended ({:?}) before {awaited:?}; the log is\n{}",
                self.child.wait(),
                self.log.text()
            ),
        }
    }

    /// The HAL's process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the HAL holds right now.
    #[must_use]
    pub fn resources(&self) -> Resources {
        processes::resources(self.pid(), self.room.mark())
    }

    /// The process that has loaded the vendor library.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    #[track_caller]
    pub fn vendor(&self) -> u32 {
        let users = processes::users_of(self.pid(), &self.room.path("libvendor.so"));
        assert_eq!(users.len(), 1, "processes with the vendor library: {users:?}");
        users.first().copied().expect("the one just counted")
    }

    /// All processes that the HAL has caused: the monitor and the vendor process.
    #[must_use]
    pub fn family(&self) -> Vec<u32> {
        processes::family(self.pid(), self.room.mark())
    }

    /// Waits until all of these processes have ended.
    #[track_caller]
    pub fn wait_for_end(&self, processes: &[u32]) {
        for process in processes {
            processes::wait_for_end(*process);
        }
    }

    /// Sends a signal to a process of this test.
    #[track_caller]
    pub fn signal(&self, pid: u32, signal: i32) {
        assert!(self.family().contains(&pid) || pid == self.pid(), "{pid} is none of ours");
        processes::signal(pid, signal);
    }

    /// The HAL's threads: numbers and names.
    #[must_use]
    pub fn threads(&self) -> Vec<(u32, String)> {
        processes::threads(self.pid())
    }

    /// The signal state of one of the HAL's threads.
    #[must_use]
    pub fn signals(&self, thread: u32) -> SignalState {
        processes::signals(self.pid(), thread)
    }

    /// Ends the HAL as a program ends: its standard input closes and it returns from main.
    /// Everything that it caused must end too.
    ///
    /// # Panics
    /// If the HAL did not exit with 0.
    #[track_caller]
    pub fn finish(mut self) {
        let family = self.family();
        drop(self.stdin.take());
        let status = self.child.wait().expect("the HAL's status");
        assert!(status.success(), "the HAL ended with {status}; the log is\n{}", self.log.text());
        self.wait_for_end(&family);
    }
}

impl Drop for Hal {
    fn drop(&mut self) {
        // A test that failed half way: nothing of it may stay.
        let family = self.family();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for process in family {
            processes::kill_marked(process, self.room.mark());
        }
    }
}
