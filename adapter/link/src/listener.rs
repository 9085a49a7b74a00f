//! A named socket that clients connect to.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, getsockopt, listen,
    socket, sockopt,
};

use crate::framing::Framing;
use crate::standard::above_standard;
use crate::{Deadline, connect_seqpacket};

/// Connections that wait to be accepted; the kernel's own limit (`net.core.somaxconn`) is higher.
const WAITING: i32 = 128;
/// The first descriptor that an init system hands over (sd_listen_fds(3)).
const FIRST_HANDED_OVER: RawFd = 3;
/// How long another service that starts beside ours may take with the folder.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// How often it is looked whether it is done.
const LOCK_STEP: Duration = Duration::from_millis(10);

/// Why there is no listener; the text is one line that says what to do.
#[derive(Debug)]
pub struct ListenError(String);

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ListenError {}

/// A listening `SOCK_SEQPACKET` socket, which does not block.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// The file that [`Listener::bind`] made, removed at the end.
    file: Option<SocketFile>,
}

/// A file, known by more than its name.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Listener {
    /// Makes a socket at `path` with permissions `mode`. A socket file that nobody listens on any
    /// more is replaced.
    ///
    /// # Errors
    /// A folder that is missing or open to everybody, a file that is no socket, a socket that
    /// somebody listens on, and what the kernel says.
    pub fn bind(path: &Path, mode: u32) -> Result<Self, ListenError> {
        let failed = |what: &str, errno: Errno| {
            ListenError(format!("{}: {what}: {}", path.display(), errno.desc()))
        };
        let address = UnixAddr::new(path).map_err(|errno| failed("no name for a socket", errno))?;
        // Held until we listen: of two that start at the same time the second then sees the first.
        let _lock = lock_folder(path)?;
        remove_stale(path)?;
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)
            .map_err(|errno| failed("socket", errno))?;
        let socket = above_standard(socket).map_err(|errno| failed("socket", errno))?;
        bind(socket.as_raw_fd(), &address).map_err(|errno| failed("bind", errno))?;
        let file = SocketFile::of(path).map_err(|error| failed("stat", errno_of(&error)))?;
        let listener = Self { socket, file: Some(file) };
        // Nobody connects before it listens, so nobody connects with other permissions.
        fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|error| failed("chmod", errno_of(&error)))?;
        let waiting = Backlog::new(WAITING).map_err(|errno| failed("listen", errno))?;
        listen(&listener.socket, waiting).map_err(|errno| failed("listen", errno))?;
        Ok(listener)
    }

    /// The socket that an init system has handed over (`LISTEN_PID`, `LISTEN_FDS`), if it has.
    ///
    /// # Errors
    /// More than one, or one that is no listening `SOCK_SEQPACKET` socket.
    pub fn handed_over() -> Result<Option<Self>, ListenError> {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
        if number("LISTEN_PID") != Some(std::process::id()) {
            return Ok(None);
        }
        match number("LISTEN_FDS") {
            None | Some(0) => return Ok(None),
            Some(1) => {}
            Some(more) => {
                return Err(ListenError(format!(
                    "the init system handed over {more} sockets (LISTEN_FDS) and one is expected"
                )));
            }
        }
        // SAFETY: F_GETFD looks at the descriptor's flags only.
        if unsafe { libc::fcntl(FIRST_HANDED_OVER, libc::F_GETFD) } < 0 {
            return Err(ListenError("LISTEN_FDS is 1 and descriptor 3 is not open".to_owned()));
        }
        // SAFETY: it is open, and LISTEN_PID says that it was handed to this process for this.
        let socket = unsafe { OwnedFd::from_raw_fd(FIRST_HANDED_OVER) };
        let listens = getsockopt(&socket, sockopt::AcceptConn).unwrap_or(false);
        if !listens || !matches!(Framing::of(socket.as_fd()), Ok(Framing::OnePacket)) {
            return Err(ListenError(
                "the socket that the init system handed over (LISTEN_FDS) is no listening \
                 SOCK_SEQPACKET socket; systemd: ListenSequentialPacket=, not ListenStream="
                    .to_owned(),
            ));
        }
        for argument in
            [FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)]
        {
            fcntl(&socket, argument).map_err(|errno| ListenError(format!("fcntl: {errno}")))?;
        }
        Ok(Some(Self { socket, file: None }))
    }

    /// The next client's connection; `EAGAIN` where none waits.
    ///
    /// # Errors
    /// What `accept4` says; `ECONNABORTED` and `EINTR` are worth another try.
    pub fn accept(&self) -> Result<OwnedFd, Errno> {
        let raw =
            accept4(self.socket.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
        // SAFETY: the kernel just opened it for this process.
        above_standard(unsafe { OwnedFd::from_raw_fd(raw) })
    }

    /// The socket, to poll it.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The file, if it was made by [`Listener::bind`].
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            file.remove();
        }
    }
}

impl SocketFile {
    fn of(path: &Path) -> std::io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_path_buf(), device: found.dev(), inode: found.ino() })
    }

    /// Removes it, unless somebody has put another in its place.
    fn remove(&self) {
        let same = |found: Self| (found.device, found.inode) == (self.device, self.inode);
        if Self::of(&self.path).is_ok_and(same) {
            // Gone already is as well.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Locks the folder of `path`, after a look at who may change it. `None` where somebody keeps it
/// locked, which anybody may who can read it: the start does not depend on it.
fn lock_folder(path: &Path) -> Result<Option<Flock<File>>, ListenError> {
    const STICKY: u32 = 0o1000;
    const WRITABLE_BY_ALL: u32 = 0o0002;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => return Err(ListenError(format!("{}: no name for a socket", path.display()))),
    };
    let failed = |error: std::io::Error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::NotFound => "; make it first (tmpfiles.d, or mkdir -m 0755)",
            std::io::ErrorKind::NotADirectory => "; a file is in its place",
            _ => "",
        };
        ListenError(format!("the folder {} of the socket: {error}{remedy}", parent.display()))
    };
    let mut folder = File::open(parent).map_err(failed)?;
    let mode = folder.metadata().map_err(failed)?;
    if !mode.is_dir() {
        return Err(failed(std::io::ErrorKind::NotADirectory.into()));
    }
    if mode.mode() & (WRITABLE_BY_ALL | STICKY) == WRITABLE_BY_ALL {
        return Err(ListenError(format!(
            "the folder {} of the socket is writable by everybody, who could put another socket \
             in its place: take that away (chmod o-w) or set the sticky bit",
            parent.display()
        )));
    }
    let deadline = Deadline::after(LOCK_PATIENCE);
    loop {
        match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Some(lock)),
            Err(_) if deadline.has_passed() => return Ok(None),
            Err((unlocked, _)) => folder = unlocked,
        }
        std::thread::sleep(LOCK_STEP);
    }
}

/// Removes a socket file that nobody listens on.
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ListenError(format!("{}: {error}", path.display()))),
    };
    if !found.file_type().is_socket() {
        return Err(ListenError(format!(
            "{} is there and is no socket; it is left alone, choose another path",
            path.display()
        )));
    }
    match connect_seqpacket(path) {
        Err(Errno::ECONNREFUSED) => fs::remove_file(path).map_err(|error| {
            ListenError(format!("{}: nobody listens on it, but: {error}", path.display()))
        }),
        // Gone meanwhile.
        Err(Errno::ENOENT) => Ok(()),
        _ => Err(ListenError(format!(
            "somebody listens on {} already; is another service running?",
            path.display()
        ))),
    }
}

fn errno_of(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
