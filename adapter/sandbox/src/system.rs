//! Facts of the machine that decide over layers.

use std::fs;

use nix::errno::Errno;

/// The version of Landlock that the kernel has.
///
/// # Errors
/// `ENOSYS` without it, `EOPNOTSUPP` where it is switched off at boot.
pub fn landlock_abi() -> Result<i32, Errno> {
    const VERSION: libc::c_uint = 1; // LANDLOCK_CREATE_RULESET_VERSION
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag and no attributes the call returns a number and reads nothing.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) };
    if version < 0 { Err(Errno::last()) } else { i32::try_from(version).or(Err(Errno::EINVAL)) }
}

/// The kernel's release, as `uname -r` prints it.
#[must_use]
pub fn kernel_release() -> String {
    nix::sys::utsname::uname()
        .map(|names| names.release().to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Switches that decide over layers: path below `/proc/sys`, and what it says to whom.
pub const SYSCTLS: [&str; 9] = [
    "user/max_user_namespaces",
    "user/max_net_namespaces",
    "user/max_ipc_namespaces",
    "user/max_uts_namespaces",
    "user/max_pid_namespaces",
    "user/max_mnt_namespaces",
    "kernel/unprivileged_userns_clone",
    "kernel/apparmor_restrict_unprivileged_userns",
    "kernel/yama/ptrace_scope",
];

/// The value of a switch; `None` where the kernel has no such switch.
#[must_use]
pub fn sysctl(path: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/sys/{path}")).ok()?;
    Some(text.trim().to_owned())
}

/// A field of `/proc/self/status`.
#[must_use]
pub fn own_status(field: &str) -> Option<String> {
    status_field(&fs::read_to_string("/proc/self/status").ok()?, field)
}

/// A field of the text of a `/proc/PID/status`.
pub(crate) fn status_field(status: &str, field: &str) -> Option<String> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .map(|value| value.trim().to_owned())
}

/// Whether this process is already under a system call filter of somebody else's.
#[must_use]
pub fn is_filtered() -> bool {
    own_status("Seccomp").is_some_and(|mode| mode != "0")
}

/// Whether this process has `CAP_SYS_ADMIN` in its own user namespace.
#[must_use]
pub fn is_administrator() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    own_status("CapEff")
        .and_then(|set| u64::from_str_radix(&set, 16).ok())
        .is_some_and(|set| set & (1 << CAP_SYS_ADMIN) != 0)
}

/// Whether this process's user has a number in its user namespace: inside one that was made
/// without a map, as libcamera makes it, nobody has.
#[must_use]
pub fn user_is_mapped() -> bool {
    let Ok(map) = fs::read_to_string("/proc/self/uid_map") else { return true };
    let user = u64::from(nix::unistd::geteuid().as_raw());
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
        let (inside, _, count) = (numbers.next(), numbers.next(), numbers.next());
        let (inside, count) = (inside.unwrap_or(0), count.unwrap_or(0));
        (inside..inside.saturating_add(count)).contains(&user)
    })
}

/// Whether this process lives in a `chroot`: none of the mounts that it sees is its root, or the
/// mount that is has a parent that it does not see.
#[must_use]
pub fn is_chrooted() -> bool {
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| !has_own_root(&mounts))
}

fn has_own_root(mounts: &str) -> bool {
    // ID, parent's ID, device, root within the file system, mount point.
    mounts.lines().any(|line| line.split(' ').nth(4) == Some("/"))
}

/// Whether no network interface is up: in a network namespace that somebody has made before. False
/// where it cannot be found out.
#[must_use]
pub fn network_is_down() -> bool {
    use nix::net::if_::InterfaceFlags;
    nix::ifaddrs::getifaddrs().is_ok_and(|mut interfaces| {
        !interfaces.any(|interface| interface.flags.contains(InterfaceFlags::IFF_UP))
    })
}

/// Whether a process of ours may be traced by us: a trial on a child.
#[must_use]
pub fn may_trace() -> bool {
    // SAFETY: the child does nothing but wait to be killed, by system calls alone.
    match unsafe { nix::unistd::fork() } {
        Ok(nix::unistd::ForkResult::Child) => loop {
            // SAFETY: pause touches no memory.
            unsafe { libc::pause() };
        },
        Ok(nix::unistd::ForkResult::Parent { child }) => {
            let none = std::ptr::null_mut::<libc::c_void>();
            // SAFETY: PTRACE_SEIZE without options reads and writes no memory of ours.
            let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, child.as_raw(), none, none) };
            let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGKILL);
            let _ = nix::sys::wait::waitpid(child, Some(nix::sys::wait::WaitPidFlag::__WALL));
            seized == 0
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{has_own_root, status_field};

    #[test]
    fn status_field_is_found_by_its_whole_name() {
        let status = "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        assert_eq!(status_field(status, "Seccomp").as_deref(), Some("2"));
        assert_eq!(status_field(status, "Secc"), None);
    }

    #[test]
    fn chroot_is_a_view_without_a_root() {
        let plain =
            "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n23 22 0:21 / /proc rw - proc p rw";
        assert!(has_own_root(plain));
        assert!(!has_own_root("23 22 0:21 / /proc rw - proc proc rw"));
    }
}
