//! The seccomp policies for ChromeOS's `cros_camera_algo`. minijail's own compiler reads them where
//! it is installed (Debian has none); a strict reader of our own says in any case what they answer.

use std::collections::BTreeMap;

use crate::tool;

const POLICIES: [(&str, &str); 2] = [
    ("amd64", "chromeos/seccomp/cros-camera-algo-amd64.policy"),
    ("arm64", "chromeos/seccomp/cros-camera-algo-arm64.policy"),
];

/// What ChromeOS's own filter lets through on both, by name (spec/cami-abi.md, 3.2; platform2
/// `camera/common/seccomp_filter/cros-camera-algo-{amd64,arm64}.policy`).
const CHROMEOS_BOTH: &str = "rseq accept bind brk clock_gettime clock_nanosleep clone clone3 close \
    connect epoll_create1 epoll_ctl eventfd2 execve exit exit_group faccessat faccessat2 fcntl fstat \
    futex getdents64 getegid geteuid getgid getpid gettid gettimeofday getuid kill listen lseek \
    madvise memfd_create mseal munmap newfstatat openat pipe2 prctl pread64 prlimit64 read \
    readlinkat recvmsg rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_setaffinity \
    sendmsg sendto set_robust_list set_tid_address setpriority sigaltstack uname wait4 write fstatfs \
    writev sched_getattr getrandom ioctl mmap mprotect socket socketpair";
/// The same on amd64 alone.
const CHROMEOS_AMD64: &str = "access arch_prctl creat epoll_wait getdents open readlink \
    restart_syscall stat sysinfo unlink";
/// The same on arm64 alone.
const CHROMEOS_ARM64: &str = "epoll_pwait ftruncate getpriority inotify_init1 mkdirat ppoll \
    process_vm_readv recvfrom setgroups setresgid setresuid sched_getparam sched_getscheduler \
    sched_setattr sched_setscheduler sched_yield unlinkat setpgid";
/// Calls that arm64 never had: one unknown name, and minijail takes no line of the policy.
const NOT_ON_ARM64: &str = "access arch_prctl creat epoll_wait getdents open readlink stat lstat \
    unlink poll pipe dup2 mkdir rename select fork vfork time alarm";

/// What the kernel does with a call.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Allow,
    Errno(String),
    Kill,
}

fn refused(errno: &str) -> Answer {
    Answer::Errno(errno.to_owned())
}

/// `arg1 <= 7`: the argument's number, the operator, the value.
#[derive(Debug)]
struct Atom(usize, String, u64);

/// A line of a policy.
#[derive(Debug)]
struct Rule {
    /// Any of these: all atoms hold. None is never.
    allowed: Vec<Vec<Atom>>,
    /// The answer where none holds; death if not given.
    errno: Option<String>,
}

/// A policy, by the name of the call.
#[derive(Debug)]
struct Policy(BTreeMap<String, Rule>);

impl Policy {
    fn read(file: &str) -> Self {
        Self::parse(&tool::text(file)).unwrap_or_else(|wrong| panic!("{file}: {wrong}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rules = BTreeMap::new();
        let mut commentless =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        commentless.try_for_each(|line| {
            let (call, rule) = line.split_once(": ").ok_or_else(|| line.to_owned())?;
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if call.is_empty() || !call.bytes().all(plain) {
                return Err(format!("{line}: no call"));
            }
            let rule = rule_of(rule).ok_or_else(|| format!("{line}: no rule"))?;
            match rules.insert(call.to_owned(), rule) {
                None => Ok(()),
                Some(_) => Err(format!("{line}: a second time")),
            }
        })?;
        Ok(Self(rules))
    }

    fn answer(&self, call: &str, arguments: &[u64]) -> Answer {
        let Some(rule) = self.0.get(call) else { return Answer::Kill };
        let holds = |Atom(argument, operator, value): &Atom| {
            let given = arguments.get(*argument).copied().unwrap_or(0);
            match operator.as_str() {
                "==" => given == *value,
                "<=" => given <= *value,
                // minijail0(5): no flag that is not in the value.
                _ => given & !value == 0,
            }
        };
        match &rule.errno {
            _ if rule.allowed.iter().any(|all| all.iter().all(holds)) => Answer::Allow,
            Some(errno) => Answer::Errno(errno.clone()),
            None => Answer::Kill,
        }
    }
}

fn rule_of(text: &str) -> Option<Rule> {
    let (condition, errno) = match text.split_once("return ") {
        None => (text, None),
        Some(("", errno)) => ("", Some(errno)),
        Some((condition, errno)) => (condition.strip_suffix("; ")?, Some(errno)),
    };
    let known = ["EPERM", "ENOSYS", "ENOTTY", "EAFNOSUPPORT"];
    if errno.is_some_and(|errno| !known.contains(&errno)) {
        return None;
    }
    let allowed = match condition {
        "" => vec![],
        "1" => vec![vec![]],
        any => any
            .split(" || ")
            .map(|all| all.split(" && ").map(atom).collect::<Option<Vec<_>>>())
            .collect::<Option<Vec<_>>>()?,
    };
    Some(Rule { allowed, errno: errno.map(str::to_owned) })
}

fn atom(text: &str) -> Option<Atom> {
    let [argument, operator, value] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let argument = argument.strip_prefix("arg")?.parse().ok().filter(|number| *number < 6)?;
    // `!=` and `&` would compare 64 bits where the kernel looks at 32.
    if !["==", "<=", "in"].contains(&operator) {
        return None;
    }
    let (inverted, constant) = match value.strip_prefix('~') {
        Some(constant) => (true, constant),
        None => (false, value),
    };
    let number = match constant {
        "PROT_WRITE" => 2,
        "PROT_EXEC" => 4,
        "O_TRUNC" => 0o1000,
        "GRND_RANDOM" => 2,
        "AF_UNIX" => 1,
        "TCGETS" => 0x5401,
        hexadecimal if hexadecimal.starts_with("0x") => {
            u64::from_str_radix(&hexadecimal[2..], 16).ok()?
        }
        decimal => decimal.parse().ok()?,
    };
    Some(Atom(argument, operator.to_owned(), if inverted { !number } else { number }))
}

#[test]
fn what_runs_under_chromeos_filter_is_not_killed() {
    for (arch, file) in POLICIES {
        let policy = Policy::read(file);
        let own = if arch == "amd64" { CHROMEOS_AMD64 } else { CHROMEOS_ARM64 };
        for call in CHROMEOS_BOTH.split_whitespace().chain(own.split_whitespace()) {
            assert_ne!(policy.answer(call, &[0; 6]), Answer::Kill, "{arch}: {call}");
        }
        for call in ["tgkill", "execve", "accept", "listen", "epoll_pwait"] {
            assert_eq!(policy.answer(call, &[0; 6]), Answer::Allow, "{arch}: {call}");
        }
    }
    let arm64 = Policy::read(POLICIES[1].1);
    for call in NOT_ON_ARM64.split_whitespace() {
        assert!(!arm64.0.contains_key(call), "{call} is no call of arm64");
    }
}

#[test]
fn what_harms_the_hal_is_refused() {
    const CLOSE_ON_EXEC: u64 = 0o2_000_000;
    const HIGH: u64 = 1 << 32;
    for (arch, file) in POLICIES {
        let policy = Policy::read(file);
        let answer = |call: &str, arguments: &[u64]| policy.answer(call, arguments);
        for call in ["truncate", "ftruncate", "fallocate", "open_by_handle_at", "kill", "ptrace"] {
            assert_eq!(answer(call, &[0; 6]), refused("EPERM"), "{arch}: {call}");
        }
        assert_eq!(answer("openat", &[0, 0, CLOSE_ON_EXEC]), Answer::Allow);
        assert_eq!(answer("openat", &[0, 0, 0o1000 | CLOSE_ON_EXEC]), refused("EPERM"));
        // F_ADD_SEALS, also with bits that the kernel does not look at.
        assert_eq!(answer("fcntl", &[3, 1033]), refused("EPERM"));
        assert_eq!(answer("fcntl", &[3, 1033 | HIGH]), refused("EPERM"));
        assert_eq!(answer("fcntl", &[3, 1030]), Answer::Allow);
        for (protection, expected) in [(1, Answer::Allow), (3, Answer::Allow), (5, Answer::Allow)] {
            assert_eq!(answer("mmap", &[0, 4096, protection]), expected, "{protection}");
            assert_eq!(answer("mprotect", &[0, 4096, protection]), expected, "{protection}");
        }
        assert_eq!(answer("mmap", &[0, 4096, 7]), Answer::Kill);
        assert_eq!(answer("mprotect", &[0, 4096, 6]), Answer::Kill);
        // A thread of the C library; a new user namespace.
        assert_eq!(answer("clone", &[0x003d_0f00]), Answer::Allow);
        assert_eq!(answer("clone", &[0x1000_0000]), refused("EPERM"));
        assert_eq!(answer("clone3", &[]), refused("ENOSYS"));
        assert_eq!(answer("socket", &[1]), Answer::Allow);
        for family in [2, 10, 16, 40] {
            assert_eq!(answer("socket", &[family]), refused("EAFNOSUPPORT"));
        }
        assert_eq!(answer("ioctl", &[0, 0x4008_6200]), Answer::Allow);
        assert_eq!(answer("ioctl", &[0, 0x5412]), refused("ENOTTY"), "TIOCSTI");
        for call in ["statx", "openat2", "io_uring_setup", "pidfd_open", "close_range"] {
            assert_eq!(answer(call, &[0; 6]), refused("ENOSYS"), "{arch}: {call}");
        }
        for call in ["mount", "bpf", "keyctl", "perf_event_open", "init_module", "userfaultfd"] {
            assert_eq!(answer(call, &[0; 6]), Answer::Kill, "{arch}: {call}");
        }
    }
}

/// The reader of this test refuses what minijail's compiler would refuse, and what is a trap.
#[test]
fn wrong_lines_are_refused() {
    for wrong in [
        "read",
        "read:1",
        "read: 2",
        "read: 1\nread: 1",
        "read: return EWHATEVER",
        "read: arg6 == 1",
        "read: arg0 = 1",
        "read: arg0 == X",
        "read: arg0 == 1 return EPERM",
        "fcntl: arg1 != 1033; return EPERM",
        "Read: 1",
    ] {
        assert!(Policy::parse(wrong).is_err(), "{wrong:?} passed");
    }
}

#[test]
fn minijail_compiles_the_policy() {
    let missing = "Debian has none; it is built from google/minijail";
    let native = if cfg!(target_arch = "aarch64") { POLICIES[1].1 } else { POLICIES[0].1 };
    let Some(mut compile) = tool::find("parse_seccomp_policy", missing) else { return };
    let text = tool::text(native);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy");
    std::fs::write(&path, &text).unwrap();
    let (success, said) = tool::run(compile.arg(&path));
    if !success && said.contains("nonexistent syscall 'mseal'") {
        tool::skipped("the line mseal: this minijail is built from headers before Linux 6.10");
        std::fs::write(&path, text.replace("\nmseal: 1\n", "\n")).unwrap();
        tool::succeed(&mut compile);
    } else {
        assert!(success, "{said}");
    }
}
