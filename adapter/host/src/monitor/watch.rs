//! The monitor's loop.

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout, ExitCode};
use std::time::Duration;

use cami_link::{Deadline, Event, Inbox, Interest, Link, ProcessFd, ReceiveError, wait};
use cami_wire::control::{Died, FromMonitor, Kill, Restarts, Resumed, Standby, from_client};
use nix::sys::signalfd::SignalFd;

use super::cause::{Circumstances, describe};
use super::descendants;
use super::facts::Facts;
use super::obituary::Obituary;
use super::output::Output;
use super::recorder::{Recorder, Stream};
use super::spawn::VendorProcess;
use super::status::{Changing, StatusFile};
use super::tell;
use super::trace::{Death, Tracer};
use super::watchdog::Watchdog;
use cami_vendor::activity::{ActivityFile, ExitReason, Stage};
use cami_vendor::own_log;

/// How far apart a client's two hang-ups may be.
const HANG_UP_PATIENCE: Duration = Duration::from_millis(50);

/// Descriptors of a standby: link, control socket, pidfd.
const STANDBY_FDS: usize = 3;

/// A kill's reason, with its header, fits.
const MAX_CONTROL_BYTES: usize = 4096;

/// A running host.
pub struct Host {
    facts: Facts,
    pid: i32,
    tracer: Tracer,
    children: SignalFd,
    activity: ActivityFile,
    watchdog: Watchdog,
    status: StatusFile,
    restarts: u32,
    stdout: Output<ChildStdout>,
    stderr: Output<ChildStderr>,
    own: Output<File>,
    killed_for: Option<String>,
    client_gone: bool,
    /// What the client gave us to keep: the sockets of its second host.
    standby: Option<(Standby, Vec<OwnedFd>)>,
    recorder: Option<Recorder>,
}

impl Host {
    /// The host of a vendor process that was just started.
    pub fn new(
        facts: Facts,
        vendor: VendorProcess,
        activity: ActivityFile,
        watchdog: Watchdog,
        recorder: Option<Recorder>,
    ) -> Self {
        Self {
            status: StatusFile::new(&facts),
            facts,
            restarts: 0,
            pid: vendor.pid,
            tracer: vendor.tracer,
            children: vendor.children,
            activity,
            watchdog,
            stdout: Output::new(vendor.stdout),
            stderr: Output::new(vendor.stderr),
            own: Output::new(vendor.log),
            killed_for: None,
            client_gone: false,
            standby: None,
            recorder,
        }
    }

    /// Watches until the vendor process has ended, which the end of the client makes sure of.
    pub fn watch(mut self, mut control: Option<Link>) -> ExitCode {
        let client = client_process();
        let mut inbox = Inbox::new(MAX_CONTROL_BYTES, STANDBY_FDS);
        loop {
            if let Some(death) = self.tracer.poll() {
                return self.ended(&death, control);
            }
            let events = self.wait(control.as_ref(), client.as_ref());
            let Ok([child, stdout, stderr, own, from_control, from_client]) = events else {
                self.kill();
                continue;
            };
            if child.readable {
                let _ = self.children.read_signal();
            }
            self.look();
            self.take_output([stdout, stderr, own]);
            if from_client.readable {
                self.client_left();
            }
            if from_control.readable || from_control.hung_up {
                match control
                    .as_ref()
                    .map(|control| control.receive(&mut inbox, Some(Deadline::now())))
                {
                    Some(Ok(message)) if message.command == from_client::KEEP => {
                        let standby = Standby::decode(message.body).ok();
                        self.standby = standby.map(|standby| (standby, message.fds.into_vec()));
                    }
                    Some(Ok(message)) => self.obey(message.command, message.body),
                    Some(Err(ReceiveError::TimedOut)) | None => {}
                    Some(Err(_)) => {
                        control = None;
                        self.client_left();
                    }
                }
            }
        }
    }

    fn wait(
        &self,
        control: Option<&Link>,
        client: Option<&ProcessFd>,
    ) -> Result<[Event; 6], nix::errno::Errno> {
        let idle = (self.children.as_fd(), Interest::None, Event::default());
        let listen = |fd, open| {
            let interest = if open { Interest::Message } else { Interest::None };
            (fd, interest, Event::default())
        };
        let mut fds = [
            listen(self.children.as_fd(), true),
            listen(self.stdout.pipe().as_fd(), self.stdout.is_open()),
            listen(self.stderr.pipe().as_fd(), self.stderr.is_open()),
            listen(self.own.pipe().as_fd(), self.own.is_open()),
            control.map_or(idle, |control| listen(control.as_fd(), true)),
            client
                .filter(|_| !self.client_gone)
                .map_or(idle, |client| listen(client.as_fd(), true)),
        ];
        let next = [self.watchdog.next_look(), self.status.interval()].into_iter().flatten().min();
        wait(&mut fds, next.map(Deadline::after))?;
        Ok(fds.map(|(_, _, event): (BorrowedFd<'_>, _, _)| event))
    }

    fn take_output(&mut self, [stdout, stderr, own]: [Event; 3]) {
        let (library, recorder) = (&self.facts.name, self.recorder.as_ref());
        if stdout.readable || stdout.hung_up {
            self.stdout.take(|line| log_library(library, recorder, Stream::Stdout, line));
        }
        if stderr.readable || stderr.hung_up {
            self.stderr.take(|line| log_library(library, recorder, Stream::Stderr, line));
        }
        if own.readable || own.hung_up {
            self.own.take(|line| log_own(recorder, line));
        }
    }

    /// Kills a library that takes too long, and tells what it is doing.
    fn look(&mut self) {
        let snapshot = self.activity.read();
        if self.killed_for.is_none() {
            let untraced = (!self.tracer.is_traced()).then_some(self.pid);
            self.killed_for = self.watchdog.verdict(&snapshot, self.tracer.stopped(), untraced);
            if self.killed_for.is_some() {
                self.kill();
            }
        }
        let changing = Changing {
            snapshot: &snapshot,
            vendor_pid: self.pid,
            traced: self.tracer.is_traced(),
            stopped: self.tracer.stopped().is_some() || self.watchdog.has_seen_a_stop(),
            restarts: self.restarts,
            deadlines: self.watchdog.deadlines(),
        };
        self.status.refresh(&self.facts, changing);
    }

    /// Does what the client says.
    fn obey(&mut self, command: u32, body: &[u8]) {
        match command {
            from_client::KILL => {
                self.killed_for = Some(Kill::decode(body).reason);
                self.kill();
            }
            from_client::LEAVE => self.client_left(),
            from_client::RESTARTS => match Restarts::decode(body) {
                Ok(restarts) => {
                    self.restarts = restarts.count;
                    if let Some(recorder) = &self.recorder {
                        recorder.restarts(restarts.count);
                    }
                }
                Err(error) => log::warn!("the client's number of restarts: {error}"),
            },
            from_client::RESUMED => {
                if let (Some(recorder), Ok(resumed)) = (&self.recorder, Resumed::decode(body)) {
                    recorder.resumed(resumed.at_ns);
                }
            }
            other => log::warn!("unknown control message {other} of the client"),
        }
    }

    /// Takes what the client said before the death and nobody has read yet.
    fn hear_restarts(&mut self, control: Option<&Link>) {
        let mut inbox = Inbox::new(MAX_CONTROL_BYTES, 0);
        while let Some(Ok(message)) =
            control.map(|control| control.receive(&mut inbox, Some(Deadline::now())))
        {
            if matches!(message.command, from_client::RESTARTS | from_client::RESUMED) {
                self.obey(message.command, message.body);
            }
        }
    }

    /// The client closed the control socket, or its process ended.
    fn client_left(&mut self) {
        // Who serves it may end us before we have told anything.
        if let (Some(recorder), None, false) = (&self.recorder, &self.killed_for, self.client_gone)
        {
            recorder.unless_told(None);
        }
        self.client_gone = true;
        self.kill();
    }

    /// The vendor process is our child and not reaped yet: the number is its own.
    fn kill(&self) {
        // SAFETY: kill touches no memory.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    fn ended(mut self, death: &Death, control: Option<Link>) -> ExitCode {
        self.hear_restarts(control.as_ref());
        let snapshot = self.activity.read();
        // A client that leaves makes us kill the vendor process, or the vendor process leave by
        // itself. One that died of something else at that moment is named all the same: the client
        // may have left because of it.
        let ended_for_client = self.client_gone && death.signal == libc::SIGKILL;
        let left_by_itself = snapshot.exit_reason == ExitReason::HangUp
            && death.signal == 0
            && (self.client_gone || has_hung_up(control.as_ref()));
        let left = self.killed_for.is_none() && (ended_for_client || left_by_itself);
        let library = &self.facts.name;
        let mut last_line = None;
        if snapshot.stage == Some(Stage::Starting) {
            self.stderr.finish(|line| last_line = Some(line.to_owned()));
        }
        let cause = describe(
            death,
            &Circumstances {
                library,
                build_id: self.facts.build_id.as_deref(),
                pid: self.pid,
                killed_for: self.killed_for.as_deref(),
                snapshot: &snapshot,
                last_line: last_line.as_deref(),
                restarts: self.restarts,
            },
        );
        let Death { signal, exit_code, .. } = *death;
        // First of all: the client waits for it to name the cause beside its notice.
        if let (Some((standby, fds)), Some(control), false) =
            (self.standby.take(), control.as_ref(), left)
        {
            let bytes = FromMonitor::Standby(standby).encode();
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            // Where it does not arrive, the client starts one from scratch.
            let _ = control.send(&[IoSlice::new(&bytes)], &fds, Duration::ZERO);
        }
        let died = FromMonitor::Died(Died { signal, exit_code, cause: cause.clone() });
        let told = !left && tell(control.as_ref(), &died);
        let recorder = self.recorder.as_ref();
        self.stdout.finish(|line| log_library(library, recorder, Stream::Stdout, line));
        self.stderr.finish(|line| log_library(library, recorder, Stream::Stderr, line));
        self.own.finish(|line| log_own(recorder, line));
        descendants::end(&self.children, recorder.and_then(Recorder::writer_pid));
        // A client that was told writes it into its own log, which is mostly the same as ours.
        let level = if left || told { log::Level::Debug } else { log::Level::Error };
        log::log!(level, "{cause}");
        // The child that writes the record is not to hold it open.
        drop(control);
        self.status.remove(&self.facts);
        let died = (!left).then(|| cami_recording::block::Died {
            signal,
            exit_code,
            cause: cause.clone(),
            by_host: u32::from(self.killed_for.is_some() || death.executed),
            ..Default::default()
        });
        if let Some(recorder) = recorder {
            recorder.unless_told(died.clone());
        }
        if !left {
            Obituary {
                facts: &self.facts,
                vendor_pid: self.pid,
                death,
                cause: &cause,
                killed_for: self.killed_for.as_deref(),
                snapshot: &snapshot,
                restarts: self.restarts,
                stderr_tail: self.stderr.tail(),
                link: recorder.map_or(&[][..], Recorder::link),
            }
            .publish();
        }
        // Nobody holds the vendor process's end of the link any more. Last, because a client that does
        // not read makes it wait.
        if let Some(recorder) = recorder {
            recorder.end(died);
            recorder.wait();
        }
        if left { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn log_library(library: &str, recorder: Option<&Recorder>, stream: Stream, line: &str) {
    log::info!("{library}: {line}");
    if let Some(recorder) = recorder {
        recorder.line(stream, line);
    }
}

fn log_own(recorder: Option<&Recorder>, line: &str) {
    if let Some(recorder) = recorder {
        recorder.line(Stream::Own, own_log::parse(line).1);
    }
    let (level, text) = own_log::parse(line);
    log::log!(level, "{text}");
}

/// Whether the client has hung up, or does so at once: it closes the link and then the control
/// socket. A library that shuts the link down leaves the control socket as it is.
fn has_hung_up(control: Option<&Link>) -> bool {
    let Some(control) = control else { return true };
    let mut fds = [(control.as_fd(), Interest::HangUp, Event::default())];
    let waited = wait(&mut fds, Some(Deadline::after(HANG_UP_PATIENCE)));
    waited.is_ok() && fds.iter().any(|(.., event)| event.hung_up)
}

/// The client's process, by pidfd: a HAL that forked leaves copies of its sockets open in its
/// children, which then hide its own end. `None` where it cannot be had: a parent in another PID
/// namespace, or an old kernel; the control socket's end of file then is all there is.
fn client_process() -> Option<ProcessFd> {
    let parent = nix::unistd::getppid();
    let client = ProcessFd::open(parent.as_raw()).ok()?;
    // The same parent as before: it had not ended when the descriptor was opened.
    (nix::unistd::getppid() == parent).then_some(client)
}
