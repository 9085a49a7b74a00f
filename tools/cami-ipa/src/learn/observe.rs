//! What the library is seen to do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;

use cami_seccomp::{Arch, Options, Phase, Verdict, decide, system_call_name};
use system_call_trace::{Call, Observer};

use super::files::{Access, named_files, open_file};
use super::marks::Mark;

/// `AUDIT_ARCH_` of the two (linux `include/uapi/linux/audit.h`).
const AUDIT_X86_64: u32 = 0xc000_003e;
const AUDIT_AARCH64: u32 = 0xc000_00b7;

/// One way in which a call was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey {
    /// Whether `initialize` had returned.
    pub running: bool,
    /// The call's number.
    pub number: i64,
    /// What the filter would answer: 0 allows, -1 kills, else an errno.
    pub answer: i32,
}

/// How often, and with which arguments at first.
#[derive(Debug, Clone, Copy)]
pub struct CallUse {
    /// How often.
    pub count: u64,
    /// The arguments of the first.
    pub arguments: [u64; 6],
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileUse {
    /// How often it succeeded.
    pub succeeded: u64,
    /// How often it failed.
    pub failed: u64,
}

/// All that was seen.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Calls.
    pub calls: BTreeMap<CallKey, CallUse>,
    /// ioctl numbers on devices, with how often they succeeded and failed.
    pub ioctls: BTreeMap<(u32, PathBuf), FileUse>,
    /// Files.
    pub files: BTreeMap<(PathBuf, Access), FileUse>,
    /// Files that were mapped to be executed.
    pub executables: BTreeSet<PathBuf>,
    /// Calls of another ABI than the process's own.
    pub foreign: u64,
    /// Whether `initialize` returned.
    pub initialized: bool,
    /// Whether the whole way was gone.
    pub ended: bool,
}

impl Learnt {
    /// Calls that would have ended the library's process.
    pub fn kills(&self) -> u64 {
        let killed = self.calls.iter().filter(|(key, _)| key.answer < 0);
        self.foreign + killed.map(|(_, use_)| use_.count).sum::<u64>()
    }
}

/// What a thread is about.
#[derive(Debug, Default)]
struct Thread {
    /// In the library.
    inside: bool,
    /// What its present call names.
    pending: Vec<Pending>,
}

#[derive(Debug)]
enum Pending {
    File(PathBuf, Access),
    Ioctl(u32, PathBuf),
}

/// Takes what the tracer shows into [`Learnt`].
#[derive(Debug)]
pub struct Watcher {
    /// What was seen.
    pub learnt: Learnt,
    options: Options,
    threads: BTreeMap<i32, Thread>,
}

impl Watcher {
    /// Judges by what `options` allow.
    pub fn new(options: Options) -> Self {
        Self { learnt: Learnt::default(), options, threads: BTreeMap::new() }
    }

    fn marked(&mut self, thread: i32, mark: Mark) -> ControlFlow<()> {
        let thread = self.threads.entry(thread).or_default();
        match mark {
            Mark::Enter => thread.inside = true,
            Mark::Leave => thread.inside = false,
            Mark::Initialized => self.learnt.initialized = true,
            Mark::Ended => {
                self.learnt.ended = true;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, arch: Arch, call: &Call) {
        let running = self.learnt.initialized;
        let phase = if running { Phase::Running } else { Phase::Loading };
        let answer = match decide(arch, phase, &self.options, call.number, call.arguments) {
            Verdict::Allow => 0,
            Verdict::Errno(errno) => errno as i32,
            Verdict::Kill => -1,
        };
        let key = CallKey { running, number: call.number, answer };
        let first = CallUse { count: 0, arguments: call.arguments };
        self.learnt.calls.entry(key).or_insert(first).count += 1;
    }

    /// What the call names, to be judged by its result.
    fn pending(&mut self, name: &str, call: &Call) -> Vec<Pending> {
        let [first, second, third, flags, fd, _] = call.arguments;
        match name {
            "ioctl" => {
                let number = u32::try_from(second & u64::from(u32::MAX)).unwrap_or(0);
                vec![Pending::Ioctl(number, open_file(call.thread, first).unwrap_or_default())]
            }
            "mmap" => {
                const EXEC: u64 = 4;
                const ANONYMOUS: u64 = 0x20;
                if third & EXEC != 0 && flags & ANONYMOUS == 0 {
                    self.learnt.executables.extend(open_file(call.thread, fd));
                }
                vec![]
            }
            _ => named_files(name, call)
                .into_iter()
                .map(|(path, access)| Pending::File(path, access))
                .collect(),
        }
    }
}

impl Observer for Watcher {
    fn enters(&mut self, call: &Call) -> ControlFlow<()> {
        let arch = Arch::current();
        let own = match arch {
            Arch::X86_64 => AUDIT_X86_64,
            Arch::Aarch64 => AUDIT_AARCH64,
        };
        let name = system_call_name(arch, call.number).unwrap_or("");
        let mark =
            Mark::of(call.arguments[0]).filter(|_| call.audit_arch == own && name == "close");
        if let Some(mark) = mark {
            return self.marked(call.thread, mark);
        }
        if !self.threads.get(&call.thread).is_some_and(|thread| thread.inside) {
            return ControlFlow::Continue(());
        }
        if call.audit_arch != own {
            self.learnt.foreign += 1;
            return ControlFlow::Continue(());
        }
        self.record(arch, call);
        let pending = self.pending(name, call);
        if let Some(thread) = self.threads.get_mut(&call.thread) {
            thread.pending = pending;
        }
        ControlFlow::Continue(())
    }

    fn leaves(&mut self, thread: i32, result: i64) {
        let Some(thread) = self.threads.get_mut(&thread) else { return };
        for pending in thread.pending.drain(..) {
            let none = FileUse { succeeded: 0, failed: 0 };
            let found = match pending {
                Pending::File(path, access) => {
                    self.learnt.files.entry((path, access)).or_insert(none)
                }
                Pending::Ioctl(number, path) => {
                    self.learnt.ioctls.entry((number, path)).or_insert(none)
                }
            };
            if result < 0 {
                found.failed += 1;
            } else {
                found.succeeded += 1;
            }
        }
    }

    /// A library's thread is the library's, and so are its children.
    fn starts(&mut self, parent: i32, child: i32) {
        let inside = self.threads.get(&parent).is_some_and(|thread| thread.inside);
        self.threads.insert(child, Thread { inside, pending: Vec::new() });
    }

    /// What another program does in its place is not the library's.
    fn executes(&mut self, thread: i32) {
        self.threads.remove(&thread);
    }
}
