//! What a rule consists of.

use nix::errno::Errno;

/// What the vendor process, or its library, wants with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Memory, and the loader's mappings.
    Memory,
    /// Threads, their scheduling and their locks.
    Threads,
    /// Signals within the process.
    Signals,
    /// Clocks, timers and sleep.
    Time,
    /// Waiting for descriptors.
    Events,
    /// Sockets of this machine.
    Sockets,
    /// Reading files and descriptors.
    FilesRead,
    /// Writing files, shared memory and logs.
    FilesWrite,
    /// What the process and its machine are.
    Identity,
    /// Processes that the library starts.
    Children,
    /// Devices, by ioctl.
    Devices,
    /// The process's own settings and its sandbox.
    Confinement,
    /// Other processes.
    OtherProcesses,
    /// Namespaces and mounts.
    Namespaces,
    /// The kernel and its administration.
    Kernel,
}

impl Intent {
    /// The group's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Threads => "threads",
            Self::Signals => "signals",
            Self::Time => "time",
            Self::Events => "events",
            Self::Sockets => "sockets",
            Self::FilesRead => "files_read",
            Self::FilesWrite => "files_write",
            Self::Identity => "identity",
            Self::Children => "children",
            Self::Devices => "devices",
            Self::Confinement => "confinement",
            Self::OtherProcesses => "other_processes",
            Self::Namespaces => "namespaces",
            Self::Kernel => "kernel",
        }
    }
}

/// What happens to a call that its rule does not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It fails with this.
    Errno(Errno),
    /// The process ends with SIGSYS.
    Kill,
}

/// What a rule says of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Let through, where its limits hold.
    Allow,
    /// Always answered with this errno.
    Refuse(Errno),
    /// The end of the process.
    Kill,
}

impl Tier {
    /// The tier's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse(_) => "refuse",
            Self::Kill => "kill",
        }
    }
}

/// How much of an argument the kernel looks at: the filter compares no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// An `int` or `unsigned int` in the kernel: what the register holds above has no meaning.
    Int,
    /// A `long` or a pointer.
    Long,
}

/// A value with the name that people know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named(pub &'static str, pub u32);

/// What must hold of an argument for the call to be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is one of these.
    OneOf(&'static [Named]),
    /// It is one of these, or one of [`crate::Options::ioctls`].
    OneOfOrConfigured(&'static [Named]),
    /// It is none of these.
    NoneOf(&'static [Named]),
    /// It has none of these bits.
    NoBits(&'static [Named]),
    /// It does not have both of these bits.
    NotBoth(Named, Named),
    /// It is a null pointer.
    Null,
    /// It is the process's own number: [`crate::own_signals`].
    OwnProcess,
    /// Nothing passes, whatever the arguments.
    Never,
}

/// When a limit begins to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Before the library is opened.
    Loading,
    /// Before the library is opened, unless [`crate::Options::may_truncate`].
    LoadingUnlessMayTruncate,
    /// Once `initialize` has returned.
    Running,
}

/// A limit of an allowed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which argument, from 0.
    pub argument: u8,
    /// The argument's name, as in its man page.
    pub name: &'static str,
    /// How much of it is compared.
    pub width: Width,
    /// What must hold.
    pub test: Test,
    /// What happens otherwise.
    pub otherwise: Answer,
    /// From when on.
    pub since: Since,
    /// Why, in one sentence.
    pub reason: &'static str,
}

/// What is said of one system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The call's name.
    pub call: &'static str,
    /// What it is for.
    pub intent: Intent,
    /// What happens to it.
    pub tier: Tier,
    /// What must hold for it to be let through; none unless the tier is [`Tier::Allow`].
    pub limits: &'static [Limit],
    /// Why, in one sentence.
    pub reason: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}
