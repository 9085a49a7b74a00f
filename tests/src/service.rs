//! A running `cami-ipa serve`.

#![allow(clippy::panic, clippy::expect_used, reason = "a test whose service fails has failed")]

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::processes;
use crate::{Log, Room, Setup, artefact};

/// How a service is started.
#[derive(Debug, Default)]
pub struct ServiceSetup {
    vendor: String,
    variables: Vec<(String, String)>,
    options: Vec<String>,
    listening: Option<i32>,
}

impl ServiceSetup {
    /// With this vendor library behind it.
    #[must_use]
    pub fn new(vendor: &str) -> Self {
        Self { vendor: vendor.to_owned(), ..Self::default() }
    }

    /// A variable in the service's environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// More arguments.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Hands over a listening socket as an init system does, in place of a path.
    #[must_use]
    pub fn listening(mut self, socket: i32) -> Self {
        self.listening = Some(socket);
        self
    }

    /// Starts it in folders of its own and waits until it serves.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Service {
        self.start_in(Room::new(), Room::new())
    }

    /// Starts it where another has been, and waits until it serves.
    #[must_use]
    #[track_caller]
    pub fn start_in(self, room: Room, folder: Room) -> Service {
        let service = self.start_at_once(room, folder);
        service.log.wait(&["serving on"]);
        service
    }

    /// Starts it and does not wait.
    #[must_use]
    #[track_caller]
    pub fn start_at_once(self, room: Room, folder: Room) -> Service {
        let socket = folder.path("service.sock");
        let program = artefact("cami-ipa");
        let _ = artefact("cros_ipa_proxy");
        let vendor = room.install(&self.vendor, "libvendor.so");
        let mut command = match self.listening {
            None => {
                let mut command = Command::new(program);
                command.arg("serve").arg("--socket").arg(&socket);
                command
            }
            // The number of the process is known only once it runs.
            Some(_) => {
                let mut command = Command::new("sh");
                let script = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve";
                command.args(["-c", script]).arg(program);
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAMI_IPA_") {
                command.env_remove(name);
            }
        }
        command
            .args(&self.options)
            .env("CAMI_IPA_CONFIG", room.path("cami-ipa.toml"))
            .env("CAMI_IPA_STATUS_DIR", room.path("status"))
            .env("CAMI_IPA_VENDOR_LIBRARY", vendor)
            .env("CAMI_IPA_LOG", "debug,stderr")
            .envs(self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(listening) = self.listening {
            let hand_over = move || {
                // SAFETY: dup2 is async-signal-safe; what was open under number 3 is not needed by the
                // child that is about to execute.
                let done = unsafe { libc::dup2(listening, 3) };
                // Where it has that number already it is still close-on-exec.
                // SAFETY: fcntl is async-signal-safe.
                let kept = unsafe { libc::fcntl(3, libc::F_SETFD, 0) };
                if done == 3 && kept == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            };
            // SAFETY: the closure does nothing but dup2 and fcntl.
            unsafe { command.pre_exec(hand_over) };
        }
        let mut child = command.spawn().expect("the service");
        let log = Log::collect(child.stderr.take().expect("a pipe"));
        Service { child, log, room, folder, socket }
    }
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// What the service, its monitors and their libraries write.
    pub log: Log,
    /// Configuration and vendor library; marks the service and its hosts.
    pub room: Room,
    /// Where the socket is: another folder, because clients name it.
    pub folder: Room,
    /// The socket's path.
    pub socket: PathBuf,
}

impl Service {
    /// A HAL that connects to it.
    #[must_use]
    pub fn hal(&self) -> Setup {
        Setup::unconfigured().with("CAMI_IPA_SOCKET", &self.socket.display().to_string())
    }

    /// The service's process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All monitors and vendor processes.
    #[must_use]
    pub fn hosts(&self) -> Vec<u32> {
        let all = processes::family(self.pid(), self.room.mark());
        // Where there is a PID namespace, its first process ends with the vendor process.
        all.into_iter().filter(|pid| processes::name(*pid) != "cami-init").collect()
    }

    /// The vendor processes.
    #[must_use]
    pub fn vendors(&self) -> Vec<u32> {
        processes::users_of(self.pid(), &self.room.path("libvendor.so"))
    }

    /// The monitors.
    #[must_use]
    pub fn monitors(&self) -> Vec<u32> {
        processes::children(self.pid())
    }

    /// Sends a signal to the service or one of its hosts.
    #[track_caller]
    pub fn signal(&self, pid: u32, signal: i32) {
        assert!(pid == self.pid() || self.hosts().contains(&pid), "{pid} is none of ours");
        processes::signal(pid, signal);
    }

    /// Waits until all of these processes have ended.
    #[track_caller]
    pub fn wait_for_end(&self, processes: &[u32]) {
        for process in processes {
            processes::wait_for_end(*process);
        }
    }

    /// Waits for its end; its folders, for the next one.
    #[track_caller]
    pub fn ended(mut self) -> (ExitStatus, Room, Room) {
        let hosts = self.hosts();
        processes::wait_for_end(self.pid());
        let status = self.child.wait().expect("the service's status");
        self.wait_for_end(&hosts);
        let folders = (std::mem::take(&mut self.room), std::mem::take(&mut self.folder));
        (status, folders.0, folders.1)
    }

    /// Ends it in order. Its hosts and the socket must be gone too.
    ///
    /// # Panics
    /// If it did not exit with 0.
    #[track_caller]
    pub fn finish(self) {
        self.signal(self.pid(), libc::SIGTERM);
        let (log, socket) = (self.log.clone(), self.socket.clone());
        let (status, _room, _folder) = self.ended();
        assert!(status.success(), "{status} {:?}\n{}", status.signal(), log.text());
        assert!(!socket.exists(), "the socket stayed");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A test that failed half way: nothing of it may stay.
        let hosts = self.hosts();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for process in hosts {
            processes::kill_marked(process, self.room.mark());
        }
    }
}
