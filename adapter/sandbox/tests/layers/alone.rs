//! Each layer alone. What it stops is first shown to work without it.
//!
//! A namespace needs the user namespace where the test does not run as root: that one alone lets
//! everything through, which is shown too.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use cami_sandbox::{Files, Layer};
use nix::errno::Errno;
use nix::sys::wait::WaitStatus;

use crate::child::{in_child, outcome, under};

fn number(errno: Errno) -> String {
    (errno as i32).to_string()
}

/// The namespace layer, with what an ordinary user needs for it.
fn with_user(layer: Layer) -> Vec<Layer> {
    if nix::unistd::geteuid().is_root() { vec![layer] } else { vec![Layer::User, layer] }
}

fn field(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
}

/// A child of the test that waits, to be shot at.
struct Target(std::process::Child);

impl Target {
    fn new() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn signal(&self) -> String {
        let result = unsafe { libc::kill(self.0.id().cast_signed(), 0) };
        outcome(Errno::result(result).map_err(Into::into))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn user_takes_the_power_over_what_is_outside() {
    // As root: the machine's host name. As anybody: that the namespace is another, with the same
    // numbers of user and group.
    let outside = fs::read_link("/proc/self/ns/user").unwrap();
    let ids = nix::unistd::geteuid();
    let said = under(&[Layer::User], Files::default(), || {
        let inside = fs::read_link("/proc/self/ns/user").unwrap();
        let name = nix::unistd::gethostname().unwrap();
        let renamed = nix::unistd::sethostname(name);
        format!("{} {} {:?}", inside != outside, nix::unistd::geteuid() == ids, renamed.err())
    });
    assert_eq!(said, "true true Some(EPERM)");
}

#[test]
fn net_has_nobody_to_talk_to() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("cami-sandbox-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _unix = UnixListener::bind_addr(&address).unwrap();
    let attempt = || {
        let tcp = outcome(TcpStream::connect(tcp.local_addr().unwrap()));
        format!("{tcp} {}", outcome(UnixStream::connect_addr(&address)))
    };
    assert_eq!(in_child(attempt).0, "done done");
    let said = under(&with_user(Layer::Net), Files::default(), attempt);
    let refused = number(Errno::ECONNREFUSED);
    assert_eq!(said, format!("{} {refused}", number(Errno::ENETUNREACH)));
}

#[test]
fn ipc_shares_no_memory_by_key() {
    let key = 0x6361_0000_i32.wrapping_add(std::process::id().cast_signed());
    let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | 0o600) };
    assert!(id >= 0);
    let attempt = || {
        let found = unsafe { libc::shmget(key, 4096, 0o600) };
        outcome(Errno::result(found).map_err(Into::into))
    };
    let (without, _) = in_child(attempt);
    let with = in_child(|| under(&with_user(Layer::Ipc), Files::default(), attempt));
    unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
    assert_eq!((without.as_str(), with.0), ("done", number(Errno::ENOENT)));
}

#[test]
fn uts_has_another_host_name() {
    let outside = nix::unistd::gethostname().unwrap();
    let said = under(&with_user(Layer::Uts), Files::default(), || {
        nix::unistd::gethostname().unwrap().to_string_lossy().into_owned()
    });
    assert_eq!(said, "cami-ipa");
    assert_eq!(nix::unistd::gethostname().unwrap(), outside);
}

#[test]
fn pid_cannot_name_anybody_outside() {
    let target = Target::new();
    assert_eq!(in_child(|| target.signal()).0, "done");
    let said = under(&with_user(Layer::Pid), Files::default(), || {
        // The namespace is that of the children.
        let (said, _) = in_child(|| format!("{} {}", std::process::id(), target.signal()));
        said
    });
    assert_eq!(said, format!("1 {}", number(Errno::ESRCH)));
}

#[test]
fn mount_leaves_what_the_plan_names() {
    let room = tempfile::tempdir().unwrap();
    let (given, other) = (room.path().join("given"), room.path().join("other"));
    let (cache, link) = (room.path().join("cache"), room.path().join("link"));
    fs::create_dir(&cache).unwrap();
    fs::write(&given, "1").unwrap();
    fs::write(&other, "2").unwrap();
    std::os::unix::fs::symlink("given", &link).unwrap();
    let files = Files::for_library(Some(&link), &[], &[], std::slice::from_ref(&cache));
    let attempt = || {
        [
            outcome(fs::read(&given)),
            outcome(fs::read(&link)),
            outcome(fs::read(&other)),
            outcome(fs::write(&given, "3")),
            outcome(fs::write(cache.join("new"), "4")),
            outcome(fs::write(room.path().join("new"), "5")),
            outcome(fs::read_dir("/proc/self/fd")),
            outcome(fs::read("/etc/passwd")),
            outcome(fs::File::open("/dev/urandom")),
            outcome(fs::File::options().write(true).open("/dev/null")),
            outcome(fs::read("/proc/cpuinfo")),
            outcome(fs::write("/tmp/x", "")),
        ]
        .join(" ")
    };
    let attempt_without = || outcome(fs::read(&other)) + &outcome(fs::read_dir("/proc/self/fd"));
    assert_eq!(in_child(attempt_without).0, "donedone");
    let (none, read_only) = (number(Errno::ENOENT), number(Errno::EROFS));
    let expected = format!(
        "done done {none} {read_only} done {read_only} {none} {none} done done done {read_only}"
    );
    assert_eq!(under(&with_user(Layer::Mount), files, attempt), expected);
    assert_eq!(fs::read_to_string(cache.join("new")).unwrap(), "4");
    assert_eq!(fs::read_to_string(given).unwrap(), "1");
}

#[test]
fn landlock_leaves_the_same_files_and_lets_nothing_out() {
    let Ok(version) = cami_sandbox::system::landlock_abi() else {
        println!("SKIPPED: this kernel has no Landlock");
        return;
    };
    let room = tempfile::tempdir().unwrap();
    let (given, other) = (room.path().join("given"), room.path().join("other"));
    let cache = room.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::write(&given, "1").unwrap();
    fs::write(&other, "2").unwrap();
    let files = Files::for_library(Some(&given), &[], &[], std::slice::from_ref(&cache));
    let target = Target::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("cami-landlock-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _unix = UnixListener::bind_addr(&address).unwrap();
    let attempt = || {
        let mut said = vec![
            outcome(fs::read(&given)),
            outcome(fs::read(&other)),
            outcome(fs::write(cache.join("new"), "4")),
            outcome(fs::write(room.path().join("new"), "5")),
            outcome(fs::read("/etc/passwd")),
            outcome(Command::new("/bin/true").status()),
        ];
        if version >= 4 {
            said.push(outcome(TcpStream::connect(tcp.local_addr().unwrap())));
        }
        if version >= 6 {
            said.push(outcome(UnixStream::connect_addr(&address)));
            said.push(target.signal());
        }
        said.join(" ")
    };
    let all_done = ["done"; 9][..if version >= 6 {
        9
    } else if version >= 4 {
        7
    } else {
        6
    }]
        .join(" ");
    assert_eq!(in_child(attempt).0, all_done);
    fs::remove_file(room.path().join("new")).unwrap();
    let denied = number(Errno::EACCES);
    let mut expected = vec!["done", &denied, "done", &denied, &denied, &denied];
    let not_permitted = number(Errno::EPERM);
    if version >= 4 {
        expected.push(&denied);
    }
    if version >= 6 {
        expected.extend([&*not_permitted, &*not_permitted]);
    }
    assert_eq!(under(&[Layer::Landlock], files, attempt), expected.join(" "));
}

#[test]
fn landlock_gives_programs_only_where_they_are_configured() {
    if cami_sandbox::system::landlock_abi().is_err() {
        println!("SKIPPED: this kernel has no Landlock");
        return;
    }
    let read = ["/bin", "/usr/bin"].map(PathBuf::from);
    let files = Files::for_library(None, &[], &read, &[]);
    let said = under(&[Layer::Landlock], files, || outcome(Command::new("/bin/true").status()));
    // The program's loader lies in the folders that may be read and not executed.
    assert_eq!(said, number(Errno::EACCES));
    let read = ["/bin", "/usr/bin", "/lib", "/usr/lib", "/lib64"].map(PathBuf::from);
    let files = Files::for_library(None, &[], &read, &[]);
    let said = under(&[Layer::Landlock], files, || outcome(Command::new("/bin/true").status()));
    assert_eq!(said, "done");
}

#[test]
fn seccomp_refuses_to_shrink_a_buffer() {
    let buffer =
        nix::sys::memfd::memfd_create(c"buffer", nix::sys::memfd::MFdFlags::empty()).unwrap();
    let attempt = || {
        let result =
            nix::unistd::ftruncate(&buffer, 4096).and_then(|()| nix::unistd::ftruncate(&buffer, 0));
        format!("{} {:?} {}", field("Seccomp:"), result.err(), field("NoNewPrivs:"))
    };
    assert!(in_child(attempt).0.contains("None"));
    assert_eq!(under(&[Layer::Seccomp], Files::default(), attempt), "2 Some(EPERM) 1");
}

#[test]
fn rlimits_end_a_memory_bomb_and_a_large_file() {
    let bomb = || {
        let mut kept = Vec::new();
        for _ in 0..5 {
            let mut block: Vec<u8> = Vec::new();
            match block.try_reserve_exact(1 << 30) {
                Ok(()) => kept.push(block),
                Err(_) => break,
            }
        }
        kept.len()
    };
    assert_eq!(in_child(|| bomb().to_string()).0, "5");
    let said = under(&[Layer::Rlimits], Files::default(), || {
        let core = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE);
        format!("{} {:?}", bomb(), core.unwrap())
    });
    let (blocks, core) = said.split_once(' ').unwrap();
    assert!(blocks.parse::<u32>().unwrap() < 4, "{said}");
    assert_eq!(core, "(0, 0)");
    let (_, status) = in_child(|| {
        under(&[Layer::Rlimits], Files::default(), || {
            let file =
                nix::sys::memfd::memfd_create(c"big", nix::sys::memfd::MFdFlags::empty()).unwrap();
            nix::unistd::ftruncate(&file, 2 << 30)
                .map_or_else(|errno| errno.to_string(), |()| "grown".to_owned())
        })
    });
    // SIGXFSZ ends the inner child, whose assertion then fails in the outer one.
    assert!(!matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

#[test]
fn rlimits_with_a_user_namespace_end_a_fork_bomb() {
    let said = under(&[Layer::User, Layer::Rlimits], Files::default(), || {
        let mut made = Vec::new();
        let errno = loop {
            match unsafe { libc::fork() } {
                -1 => break Errno::last(),
                0 => loop {
                    unsafe { libc::pause() };
                },
                child => made.push(child),
            }
            if made.len() > 2000 {
                break Errno::UnknownErrno;
            }
        };
        for child in &made {
            unsafe { libc::kill(*child, libc::SIGKILL) };
        }
        for child in &made {
            unsafe { libc::waitpid(*child, std::ptr::null_mut(), 0) };
        }
        format!("{errno:?} {}", made.len() <= 512)
    });
    assert_eq!(said, "EAGAIN true");
}

#[test]
fn caps_are_gone_from_every_set() {
    let said = under(&[Layer::Caps], Files::default(), || {
        let mut sets = ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"].map(field).to_vec();
        if nix::unistd::geteuid().is_root() {
            sets.push(field("CapBnd:"));
            sets.push(format!("{:?}", nix::unistd::chroot("/").err()));
        }
        sets.dedup();
        sets.join(" ")
    });
    let none = "0000000000000000";
    let root = nix::unistd::geteuid().is_root();
    assert_eq!(said, if root { format!("{none} Some(EPERM)") } else { none.to_owned() });
}
