//! A host that does what its environment and the requests' headers tell it.

use std::collections::HashMap;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cami_link::{Inbox, Link, Received};
use cami_wire::Header;
use cami_wire::control::{CommandRule, Died, FromClient, Ready, Recovery, Refused, Role};
use cami_wire::cros::{
    DeregisterBuffers, InitReply, LibraryInfo, PROTOCOL_VERSION, Request, ReturnValue, Returned,
    UpdateReturn, Updated, command,
};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Chooses how the host starts.
pub const BEHAVIOUR: &str = "FAKE_HOST";
/// The monitor does not obey `kill`.
pub const DEAF: &str = "FAKE_HOST_DEAF";
/// `initialize_ms` and `register_ms`.
pub const INITIALIZE_MS: &str = "FAKE_HOST_INITIALIZE_MS";
/// See above.
pub const REGISTER_MS: &str = "FAKE_HOST_REGISTER_MS";
/// Restarts that the client is granted.
pub const RESTART_LIMIT: &str = "FAKE_HOST_RESTART_LIMIT";
/// A file with a line for each host that was started: a host finds its number there.
pub const LIVES: &str = "FAKE_HOST_LIVES";
/// Status for requests that found no room.
pub const OVERFLOW_STATUS: u32 = 77;

/// Sizes of buffers that are not just registered.
pub const HANG_SIZE: i64 = 666;
/// Three events come before the answer.
pub const EVENTS_SIZE: i64 = 667;
/// The host dies in the call.
pub const DIE_SIZE: i64 = 668;

/// Makes something of the word at 0, and answers its address at [`ADDRESS`].
pub const MAKE: u32 = 17;
/// Reads what was made under the address at 0: the word at 16, and the address at 24.
pub const READ: u32 = 8;
/// Leaves a state behind.
pub const KEEP: u32 = 15;
/// Where [`MAKE`] answers.
pub const ADDRESS: u32 = 8;
/// Where [`KEEP`] names what it is the state of.
pub const OWNER: u32 = 32;

struct FakeHost {
    link: Arc<Link>,
    control: Arc<Link>,
    /// 1 for the first, where that is counted.
    number: usize,
    buffers: Mutex<HashMap<i32, OwnedFd>>,
    /// What was made: by an address that no other process has.
    made: Mutex<HashMap<u64, u64>>,
}

/// Adds this host to the file, if there is one.
fn count_lives() -> usize {
    let path = setting(LIVES);
    if path.is_empty() {
        return 1;
    }
    let mut file = std::fs::File::options().append(true).create(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"\n").unwrap();
    std::fs::read(&path).unwrap().len()
}

fn recovery() -> Recovery {
    let rule = |id, role, gives, takes: &[u32]| CommandRule {
        id,
        role,
        gives,
        takes: takes.to_vec(),
        ..CommandRule::default()
    };
    Recovery {
        restart_limit: setting(RESTART_LIMIT).parse().unwrap_or(10),
        restart_window_ms: 60_000,
        answers_all: true,
        commands: vec![
            rule(MAKE, Role::SetUp, Some(ADDRESS), &[]),
            rule(READ, Role::Plain, None, &[0]),
            rule(KEEP, Role::State, None, &[OWNER]),
        ],
        ..Recovery::default()
    }
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn milliseconds(name: &str) -> u32 {
    setting(name).parse().unwrap_or(30_000)
}

fn argument_fd(number: usize) -> OwnedFd {
    let raw = std::env::args().nth(number).unwrap().parse().unwrap();
    // SAFETY: the supervisor gave this descriptor to this process.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

fn leave() -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(3) }
}

fn hang() -> ! {
    loop {
        nix::unistd::pause();
    }
}

/// `[host, MODULE, FD, --control, FD]`.
pub fn main() -> ExitCode {
    let control = Arc::new(Link::from_fd(argument_fd(4)).unwrap());
    let link = Arc::new(Link::from_fd(argument_fd(2)).unwrap());
    let (buffers, made) = (Mutex::default(), Mutex::default());
    let host = FakeHost { link, control, number: count_lives(), buffers, made };
    let behaviour = setting(BEHAVIOUR);
    match &*behaviour {
        "resume-mute" if host.number > 1 => hang(),
        "resume-exit" if host.number > 1 => leave(),
        "refuse" => {
            let reason = "vendor_library is not set".to_owned();
            host.tell(&Refused { errno: -libc::EINVAL, reason }.encode());
            leave();
        }
        "exit" => leave(),
        "mute" => hang(),
        _ => {}
    }
    if behaviour.starts_with("resume") {
        host.tell(&recovery().encode());
    }
    let protocol = if behaviour == "version" { 99 } else { PROTOCOL_VERSION };
    host.tell(
        &Ready {
            protocol,
            monitor_pid: nix::unistd::getpid().as_raw(),
            vendor_pid: nix::unistd::getpid().as_raw(),
            initialize_ms: milliseconds(INITIALIZE_MS),
            register_ms: milliseconds(REGISTER_MS),
            request_ms: 0,
            overflow_status: OVERFLOW_STATUS,
            library: "/fake.so".to_owned(),
        }
        .encode(),
    );
    let control = Arc::clone(&host.control);
    std::thread::spawn(move || obey(&control));
    host.serve(&behaviour);
    ExitCode::SUCCESS
}

/// The monitor's half: ends when the client does, or wants it.
fn obey(control: &Link) {
    let mut inbox = Inbox::new(4096, 0);
    let deaf = !setting(DEAF).is_empty();
    loop {
        let Ok(received) = control.receive(&mut inbox, None) else { leave() };
        let header = Header { command: received.command, cookie: received.cookie }.encode();
        let message = [&header[..], received.body].concat();
        if let (Ok(FromClient::Kill(kill)), false) = (FromClient::decode(&message), deaf) {
            say(control, &died(&format!("killed because {}", kill.reason)), None);
            leave();
        }
    }
}

fn died(cause: &str) -> Vec<u8> {
    Died { signal: 9, exit_code: 0, cause: cause.to_owned() }.encode()
}

fn say(link: &Link, message: &[u8], fd: Option<BorrowedFd<'_>>) {
    if link.send(&[IoSlice::new(message)], fd.as_slice(), Duration::from_secs(60)).is_err() {
        leave();
    }
}

impl FakeHost {
    fn tell(&self, message: &[u8]) {
        say(&self.control, message, None);
    }

    fn say(&self, message: &[u8]) {
        say(&self.link, message, None);
        while self.link.has_backlog() {
            let room = cami_link::Interest::RoomToSend;
            let mut polled = [(self.link.as_fd(), room, cami_link::Event::default())];
            cami_link::wait(&mut polled, None).unwrap();
            if self.link.flush().is_err() {
                leave();
            }
        }
    }

    fn returned(&self, req_id: u32, status: u32, buffer_handle: i32) {
        self.say(&Returned { req_id, status, buffer_handle }.encode());
    }

    fn serve(&self, behaviour: &str) {
        let mut inbox = Inbox::new(1 << 20, 1);
        // The numbers of another library than the first.
        let mut handles = if behaviour == "resume-handles" && self.number > 1 { 100 } else { 0 };
        loop {
            let Ok(received) = self.link.receive(&mut inbox, None) else { leave() };
            let header = Header { command: received.command, cookie: received.cookie };
            match received.command {
                command::INIT => self.init(behaviour, header),
                command::START => self.start(behaviour, header),
                command::STOP => {
                    if behaviour == "stop-hangs" {
                        hang();
                    }
                    self.say(&header.encode());
                }
                command::REGISTER_BUFFER => {
                    handles += 1;
                    self.register(header, received, handles);
                }
                command::DEREGISTER_BUFFERS => {
                    let handles = DeregisterBuffers::decode(received.body).unwrap().handles;
                    self.returned(0, u32::try_from(handles.len()).unwrap(), handles[0]);
                    self.say(&header.encode());
                }
                command::REQUEST => self.request(&Request::decode(received.body).unwrap()),
                command::UPDATE_RETURN => {
                    let back = UpdateReturn::decode(received.body).unwrap();
                    let size = received.fds.take_one().map_or(-1, |fd| size_of_fd(&fd));
                    self.returned(back.upd_id, back.status, i32::try_from(size).unwrap());
                }
                other => panic!("command {other}"),
            }
        }
    }

    fn init(&self, behaviour: &str, header: Header) {
        let mut reply = InitReply {
            ret: 0,
            info: LibraryInfo { protocol_version: PROTOCOL_VERSION, ..LibraryInfo::default() },
        };
        match behaviour {
            // An answer to a call that nobody made.
            "resume-stray" if self.number > 1 => {
                self.say(&Header { cookie: 99, ..header }.encode());
            }
            "resume-hang-init" if self.number > 1 => {
                count_lives();
                hang();
            }
            "init-version" => {
                reply.ret = -libc::EPROTO;
                reply.info.protocol_version = 99;
            }
            "init-fails" => {
                reply.ret = -libc::ENOEXEC;
                reply.info.reason = "CAMI has 12 bytes".to_owned();
            }
            _ => {}
        }
        self.say(&reply.encode(header.cookie));
    }

    fn start(&self, behaviour: &str, header: Header) {
        let code = match behaviour {
            "start-fails" => -5,
            "start-positive" => 3,
            "start-hangs" => hang(),
            "resume-start-hangs" if self.number > 1 => hang(),
            "start-dies" => {
                self.tell(&died("signal 11 in its initialize"));
                leave();
            }
            "start-calls-back" => {
                self.returned(1, 2, 3);
                0
            }
            _ => 0,
        };
        self.say(&ReturnValue(code).encode(header));
    }

    fn register(&self, header: Header, received: Received<'_>, handle: i32) {
        let fd = received.fds.take_one();
        match fd.as_ref().map_or(-1, size_of_fd) {
            HANG_SIZE if setting(BEHAVIOUR) == "resume-slow-register" && self.number > 1 => {
                std::thread::sleep(Duration::from_millis(300));
            }
            HANG_SIZE => hang(),
            DIE_SIZE if setting(BEHAVIOUR) != "resume-once" || self.number == 1 => leave(),
            EVENTS_SIZE => (1..=3).for_each(|req_id| self.returned(req_id, 0, handle)),
            _ => {}
        }
        let value = if fd.is_some() { handle } else { -libc::EMFILE };
        if let Some(fd) = fd {
            self.buffers.lock().unwrap().insert(handle, fd);
        }
        self.say(&ReturnValue(value).encode(header));
    }

    fn request(&self, request: &Request<'_>) {
        let Request { req_id, header, buffer_handle } = *request;
        match header {
            b"crash" => {
                self.tell(&died("signal 11 at fake.so+0x40"));
                leave();
            }
            b"die" => {
                nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
            }
            b"answer, then die" => {
                self.returned(req_id, 0, buffer_handle);
                leave();
            }
            b"update, answered" => {
                self.update(req_id);
                self.returned(req_id, 0, buffer_handle);
            }
            b"die once" if self.number == 1 => leave(),
            b"size" => {
                let size = size_of_fd(&self.buffers.lock().unwrap()[&buffer_handle]);
                self.returned(req_id, u32::try_from(size).unwrap(), buffer_handle);
            }
            b"make" => self.make(req_id, buffer_handle),
            b"read" => self.read(req_id, buffer_handle),
            b"keep" => self.returned(req_id, 0, buffer_handle),
            b"stop reading" => hang(),
            b"update" => self.update(req_id),
            b"unknown event" => self.say(&Header { command: 99, cookie: 0 }.encode()),
            b"flood" => (0..10_000).for_each(|_| self.returned(req_id, 0, buffer_handle)),
            header => {
                self.returned(req_id, u32::try_from(header.len()).unwrap(), buffer_handle);
            }
        }
    }

    fn make(&self, req_id: u32, handle: i32) {
        let buffers = self.buffers.lock().unwrap();
        let mut made = self.made.lock().unwrap();
        let value = word(&buffers[&handle], 0);
        let address = u64::from(std::process::id()) << 16 | u64::try_from(made.len()).unwrap();
        made.insert(address, value);
        if setting(BEHAVIOUR) == "resume-sleepy" && self.number > 1 {
            std::thread::sleep(Duration::from_millis(100));
        }
        nix::sys::uio::pwrite(&buffers[&handle], &address.to_ne_bytes(), ADDRESS.into()).unwrap();
        self.returned(req_id, 0, handle);
        if setting(BEHAVIOUR) == "resume-twice" && self.number > 1 {
            self.returned(req_id, 0, handle);
        }
    }

    fn read(&self, req_id: u32, handle: i32) {
        let buffers = self.buffers.lock().unwrap();
        let address = word(&buffers[&handle], 0);
        let Some(value) = self.made.lock().unwrap().get(&address).copied() else {
            return self.returned(req_id, 1, handle);
        };
        let answer = [value.to_ne_bytes(), address.to_ne_bytes()].concat();
        nix::sys::uio::pwrite(&buffers[&handle], &answer, 16).unwrap();
        self.returned(req_id, 0, handle);
    }

    /// A memfd with the update's number as its size.
    fn update(&self, upd_id: u32) {
        let fd = memfd_create(c"update", MFdFlags::MFD_CLOEXEC).unwrap();
        nix::unistd::ftruncate(&fd, i64::from(upd_id)).unwrap();
        let updated = Updated { upd_id, header: b"please", has_fd: true };
        let parts = updated.parts();
        let message = [&parts.head[..], parts.header, &parts.tail[..]].concat();
        say(&self.link, &message, Some(fd.as_fd()));
    }
}

fn word(fd: &OwnedFd, offset: i64) -> u64 {
    let mut bytes = [0; 8];
    assert_eq!(nix::sys::uio::pread(fd, &mut bytes, offset), Ok(8));
    u64::from_ne_bytes(bytes)
}

fn size_of_fd(fd: &OwnedFd) -> i64 {
    std::fs::metadata(format!("/proc/self/fd/{}", fd.as_raw_fd()))
        .map_or(-1, |metadata| i64::try_from(metadata.len()).unwrap())
}
