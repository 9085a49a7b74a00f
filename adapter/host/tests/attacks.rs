//! A library that attacks gets nowhere. Each attack is made three times: by an unconfined program,
//! where it must work, or the test would prove nothing; by a library in the whole sandbox; and by a
//! library in a sandbox without the system call filter, which must hold by itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod common;

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use common::outer::Answer;
use common::{Host, Incoming, Setup, wait_gone};

/// What a library met.
#[derive(Debug, PartialEq, Eq)]
enum Met {
    /// An errno; 0 is success.
    Errno(i32),
    /// SIGSYS: a call that no library has a use for.
    Killed,
}

fn compiled(name: &str, arguments: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = target.join(format!("{name}_{:?}", std::thread::current().id()));
    let status = Command::new("cc")
        .args(["-g", "-Wall", "-I"])
        .arg(root.join("../../include"))
        .args(arguments)
        .arg("-o")
        .arg(&path)
        .arg(root.join("tests/common/attacks.c"))
        .status()
        .unwrap();
    assert!(status.success());
    path
}

fn unconfined(attack: u32, text: &str) -> i32 {
    let program = compiled("attacks", &["-DPROGRAM"]);
    let status = Command::new(&program).args([&attack.to_string(), text]).status().unwrap();
    status.code().unwrap_or(-1)
}

fn setup() -> Setup {
    let mut setup = Setup::new();
    setup.module = compiled("libattacks.so", &["-shared", "-fPIC", "-Wl,--build-id"]);
    setup
}

fn without_filter() -> Setup {
    setup().outer(Answer::Errno(libc::EINVAL), &[libc::SYS_seccomp])
}

fn attack(host: &mut Host, attack: u32, text: &str) -> Met {
    host.request(attack, text.as_bytes());
    match host.next() {
        Incoming::Returned(returned) => Met::Errno(returned.status.cast_signed()),
        Incoming::Closed => {
            let cause = host.cause();
            assert!(cause.contains("SIGSYS"), "{cause}");
            Met::Killed
        }
        other => panic!("{other:?}"),
    }
}

/// Fails in both sandboxes, with one of these errors or by the filter's SIGSYS.
#[track_caller]
fn gets_nowhere(number: u32, text: &str, errors: &[i32]) {
    assert_eq!(unconfined(number, text), 0, "the attack does not work without a sandbox either");
    for (setup, filtered) in [(setup(), true), (without_filter(), false)] {
        let mut host = setup.start();
        let _buffer = host.ready();
        let met = attack(&mut host, number, text);
        let stopped = match met {
            Met::Errno(errno) => errors.contains(&errno),
            Met::Killed => filtered,
        };
        assert!(stopped, "filter {filtered}: {met:?}");
    }
}

/// A process of the same user: what the HAL is to the library.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn files_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("id_rsa");
    std::fs::write(&secret, "secret").unwrap();
    gets_nowhere(1, secret.to_str().unwrap(), &[libc::ENOENT, libc::EACCES]);
    gets_nowhere(1, "/etc/passwd", &[libc::ENOENT, libc::EACCES]);
}

#[test]
fn shadow_passwords() {
    if std::fs::File::open("/etc/shadow").is_err() {
        println!("SKIPPED: this user cannot read /etc/shadow anyway");
        return;
    }
    gets_nowhere(1, "/etc/shadow", &[libc::ENOENT, libc::EACCES]);
}

#[test]
fn devices() {
    // What every system has and everybody may open; a camera's node is no different.
    gets_nowhere(2, "/dev/ptmx", &[libc::ENOENT, libc::EACCES]);
}

#[test]
fn facts_about_other_processes() {
    for file in ["status", "cmdline", "maps"] {
        let path = format!("/proc/{}/{file}", std::process::id());
        gets_nowhere(1, &path, &[libc::ENOENT, libc::EACCES]);
    }
}

#[test]
fn descriptors_of_other_processes_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("held")).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&file);
    let path = format!("/proc/{}/fd/{number}", std::process::id());
    gets_nowhere(1, &path, &[libc::ENOENT, libc::EACCES]);
}

#[test]
fn descriptors_of_other_processes_by_pidfd() {
    let victim = Victim::new();
    gets_nowhere(10, &victim.pid(), &[libc::ESRCH, libc::ENOSYS, libc::EPERM]);
}

#[test]
fn network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    gets_nowhere(3, &port, &[libc::EAFNOSUPPORT, libc::EACCES, libc::ENETUNREACH]);
}

#[test]
fn abstract_sockets() {
    let name = format!("cami-attack-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    gets_nowhere(4, &name, &[libc::ECONNREFUSED, libc::EPERM, libc::EACCES, libc::ENOSYS]);
}

#[test]
fn sockets_with_a_path_whose_peers_would_pass_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    gets_nowhere(
        5,
        path.to_str().unwrap(),
        &[libc::ENOENT, libc::EPERM, libc::EACCES, libc::ENOSYS],
    );
}

#[test]
fn tracing_of_other_processes() {
    let victim = Victim::new();
    gets_nowhere(6, &victim.pid(), &[libc::ESRCH, libc::EPERM]);
}

#[test]
fn memory_of_other_processes() {
    let victim = Victim::new();
    // Its stack: other memory may still change its rights while the loader is at work.
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", victim.pid())).unwrap();
    let line = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let end = line.split(['-', ' ']).nth(1).unwrap();
    let address = format!("{:x}", u64::from_str_radix(end, 16).unwrap() - 64);
    gets_nowhere(13, &format!("{} {address}", victim.pid()), &[libc::ESRCH, libc::EPERM]);
}

#[test]
fn signals_to_the_hal() {
    let victim = Victim::new();
    gets_nowhere(7, &victim.pid(), &[libc::ESRCH, libc::EPERM]);
}

#[test]
fn signals_to_the_monitor_and_everybody() {
    for setup in [setup(), without_filter()] {
        let mut host = setup.start();
        let monitor = host.process.id().to_string();
        let _buffer = host.ready();
        let met = attack(&mut host, 7, &monitor);
        assert!(matches!(met, Met::Errno(libc::ESRCH | libc::EPERM)), "{met:?}");
        assert_eq!(attack(&mut host, 17, ""), Met::Errno(0));
        assert_eq!(host.process.try_wait().unwrap(), None, "the monitor has ended");
        assert!(matches!(attack(&mut host, 7, &monitor), Met::Errno(1..)));
    }
}

#[test]
fn fork_bomb_meets_a_limit_and_ends_with_the_library() {
    for setup in [setup(), without_filter()] {
        let mut host = setup.start();
        let vendor = host.vendor_pid();
        let _buffer = host.ready();
        assert_eq!(attack(&mut host, 16, ""), Met::Errno(libc::EAGAIN));
        let children = format!("/proc/{vendor}/task/{vendor}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let children: Vec<i32> =
            children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        assert!((100..512).contains(&children.len()), "{}", children.len());
        host.hang_up();
        host.process.wait().unwrap();
        for pid in children {
            wait_gone(pid);
        }
    }
}

#[test]
fn memory_bomb_meets_a_limit() {
    gets_nowhere(9, "", &[libc::ENOMEM]);
}

#[test]
fn ways_out_of_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    gets_nowhere(11, secret.to_str().unwrap(), &[libc::ENOENT, libc::EACCES]);
}

#[test]
fn files_written_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let errors = [libc::ENOENT, libc::EROFS, libc::EACCES];
    gets_nowhere(12, folder.path().to_str().unwrap(), &errors);
}

#[test]
fn walls_are_not_moved() {
    gets_nowhere(14, "", &[libc::EPERM, libc::ENOSYS, libc::ENOSPC]);
    for setup in [setup(), without_filter()] {
        let mut host = setup.start();
        let _buffer = host.ready();
        let met = attack(&mut host, 15, "");
        assert!(matches!(met, Met::Killed | Met::Errno(libc::EPERM)), "{met:?}");
    }
}
