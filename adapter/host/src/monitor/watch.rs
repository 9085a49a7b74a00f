//! The monitor's loop.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdout, ExitCode};
use std::time::Duration;

use cami_link::{Deadline, Event, Inbox, Interest, Link, ProcessFd, ReceiveError, wait};
use cami_wire::control::{Died, FromMonitor, Kill, from_client};
use nix::sys::signalfd::SignalFd;

use super::cause::{Circumstances, describe};
use super::descendants;
use super::output::Output;
use super::spawn::VendorProcess;
use super::tell;
use super::trace::{Death, Tracer};
use cami_config::Config;
use cami_vendor::activity::{ActivityFile, ExitReason, InFlight, Stage};
use cami_vendor::own_log;

/// How far apart a client's two hang-ups may be.
const HANG_UP_PATIENCE: Duration = Duration::from_millis(50);

/// A kill's reason, with its header, fits.
const MAX_CONTROL_BYTES: usize = 4096;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimit {
    limit: Duration,
    /// See `Profile::answers_every_request`.
    unanswered: bool,
}

impl RequestLimit {
    /// The configured one; `None` where there is no limit.
    pub fn of(config: &Config) -> Option<Self> {
        let limit = config.timeouts.request;
        let unanswered = config.profile.answers_every_request;
        (!limit.is_zero()).then_some(Self { limit, unanswered })
    }

    /// When to look next: often enough that a hang is seen within an eighth of the limit, and not
    /// more often than the machine's sleep can bear.
    fn next_look(self) -> Deadline {
        let shortest = Duration::from_millis(5);
        Deadline::after((self.limit / 8).clamp(shortest, Duration::from_millis(500)))
    }
}

/// A running host.
pub struct Host {
    library: String,
    pid: i32,
    tracer: Tracer,
    children: SignalFd,
    activity: ActivityFile,
    limit: Option<RequestLimit>,
    stdout: Output<ChildStdout>,
    stderr: Output<ChildStderr>,
    own: Output<File>,
    killed_for: Option<String>,
    client_gone: bool,
}

impl Host {
    /// The host of a vendor process that was just started.
    pub fn new(
        library: String,
        vendor: VendorProcess,
        activity: ActivityFile,
        limit: Option<RequestLimit>,
    ) -> Self {
        Self {
            library,
            pid: vendor.pid,
            tracer: vendor.tracer,
            children: vendor.children,
            activity,
            limit,
            stdout: Output::new(vendor.stdout),
            stderr: Output::new(vendor.stderr),
            own: Output::new(vendor.log),
            killed_for: None,
            client_gone: false,
        }
    }

    /// Watches until the vendor process has ended, which the end of the client makes sure of.
    pub fn watch(mut self, mut control: Option<Link>) -> ExitCode {
        let client = client_process();
        let mut inbox = Inbox::new(MAX_CONTROL_BYTES, 0);
        loop {
            if let Some(death) = self.tracer.poll() {
                return self.ended(&death, control.as_ref());
            }
            let events = self.wait(control.as_ref(), client.as_ref());
            let Ok([child, stdout, stderr, own, from_control, from_client]) = events else {
                self.kill();
                continue;
            };
            if child.readable {
                let _ = self.children.read_signal();
            }
            self.check_limit();
            self.take_output([stdout, stderr, own]);
            if from_client.readable {
                self.client_left();
            }
            if from_control.readable || from_control.hung_up {
                match control
                    .as_ref()
                    .map(|control| control.receive(&mut inbox, Some(Deadline::now())))
                {
                    Some(Ok(message)) if message.command == from_client::KILL => {
                        self.killed_for = Some(Kill::decode(message.body).reason);
                        self.kill();
                    }
                    Some(Ok(message)) => {
                        log::warn!("unknown control message {} of the client", message.command);
                    }
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
        wait(&mut fds, self.limit.map(RequestLimit::next_look))?;
        Ok(fds.map(|(_, _, event): (BorrowedFd<'_>, _, _)| event))
    }

    fn take_output(&mut self, [stdout, stderr, own]: [Event; 3]) {
        let library = &self.library;
        if stdout.readable || stdout.hung_up {
            self.stdout.take(|line| log::info!("{library}: {line}"));
        }
        if stderr.readable || stderr.hung_up {
            self.stderr.take(|line| log::info!("{library}: {line}"));
        }
        if own.readable || own.hung_up {
            self.own.take(log_own);
        }
    }

    /// Kills a library that takes too long for a request.
    fn check_limit(&mut self) {
        let Some(RequestLimit { limit, unanswered }) = self.limit else { return };
        if self.killed_for.is_some() {
            return;
        }
        if let Some(request) = self.activity.read().overdue(limit, unanswered) {
            let InFlight { req_id, handle, .. } = request;
            let limit = limit.as_millis();
            self.killed_for =
                Some(format!("request {req_id} (buffer {handle}) took more than {limit} ms"));
            self.kill();
        }
    }

    /// The client closed the control socket, or its process ended.
    fn client_left(&mut self) {
        self.client_gone = true;
        self.kill();
    }

    /// The vendor process is our child and not reaped yet: the number is its own.
    fn kill(&self) {
        // SAFETY: kill touches no memory.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    fn ended(mut self, death: &Death, control: Option<&Link>) -> ExitCode {
        let snapshot = self.activity.read();
        // A client that leaves makes us kill the vendor process, or the vendor process leave by
        // itself. One that died of something else at that moment is named all the same: the client
        // may have left because of it.
        let ended_for_client = self.client_gone && death.signal == libc::SIGKILL;
        let left_by_itself = snapshot.exit_reason == ExitReason::HangUp
            && death.signal == 0
            && (self.client_gone || has_hung_up(control));
        let left = self.killed_for.is_none() && (ended_for_client || left_by_itself);
        let library = &self.library;
        let mut last_line = None;
        if snapshot.stage == Some(Stage::Starting) {
            self.stderr.finish(|line| last_line = Some(line.to_owned()));
        }
        let cause = describe(
            death,
            &Circumstances {
                library: &self.library,
                pid: self.pid,
                killed_for: self.killed_for.as_deref(),
                snapshot: &snapshot,
                last_line: last_line.as_deref(),
            },
        );
        let Death { signal, exit_code, .. } = *death;
        // First of all: the client waits for it to name the cause beside its notice.
        let died = FromMonitor::Died(Died { signal, exit_code, cause: cause.clone() });
        let told = !left && tell(control, &died);
        self.stdout.finish(|line| log::info!("{library}: {line}"));
        self.stderr.finish(|line| log::info!("{library}: {line}"));
        self.own.finish(log_own);
        descendants::end(&self.children);
        // A client that was told writes it into its own log, which is mostly the same as ours.
        let level = if left || told { log::Level::Debug } else { log::Level::Error };
        log::log!(level, "{cause}");
        if left { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn log_own(line: &str) {
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
