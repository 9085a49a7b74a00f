//! Why a layer does not engage, and what to do: the kernel's answer and what we know of the machine.

use nix::errno::Errno;

use crate::layer::{Layer, LayerError};
use crate::system::{SYSCTLS, is_administrator, is_chrooted, is_filtered, sysctl, user_is_mapped};

/// An outer filter ended the process that tried.
#[must_use]
pub fn killed_for(layer: Layer) -> String {
    format!(
        "an outer seccomp filter kills for it (SIGSYS): allow {} in the policy of the container or \
         service that the host runs in",
        calls(layer)
    )
}

/// The failure, and the reason where it is known.
#[must_use]
pub fn explain(layer: Layer, error: &LayerError) -> String {
    match because(layer, Errno::from_raw(error.errno)) {
        Some(because) => format!("{because} ({error})"),
        None => error.to_string(),
    }
}

fn because(layer: Layer, errno: Errno) -> Option<String> {
    match layer {
        Layer::User => user(errno),
        Layer::Net | Layer::Ipc | Layer::Uts | Layer::Pid | Layer::Mount => namespace(layer, errno),
        Layer::Landlock => landlock(errno),
        Layer::Seccomp => seccomp(errno),
        Layer::Rlimits | Layer::Caps => None,
    }
}

fn user(errno: Errno) -> Option<String> {
    if let Some(reason) = exhausted(Layer::User, errno) {
        return Some(reason);
    }
    match errno {
        Errno::ENOSYS | Errno::EINVAL => Some(absent("CONFIG_USER_NS", Layer::User)),
        Errno::EPERM | Errno::EACCES => Some(
            if !user_is_mapped() {
                "unmapped uid: this process lives in a user namespace in which its user has no \
                 number, as libcamera makes it, and which takes no further one; connect to a \
                 service with `socket` for the full sandbox"
            } else if sysctl("kernel/unprivileged_userns_clone").as_deref() == Some("0") {
                "sysctl kernel.unprivileged_userns_clone is 0: set it to 1, or start the host as \
                 root"
            } else if let Some(text) = apparmor() {
                text
            } else if is_chrooted() {
                "chroot: the kernel makes no user namespace inside one; start the host outside, or \
                 as root with CAP_SYS_ADMIN"
            } else if is_filtered() {
                "an outer seccomp filter refuses it: allow unshare and clone with CLONE_NEWUSER in \
                 the policy of the container or service"
            } else {
                "no privileges for it: a chroot, or a security module of the system"
            }
            .to_owned(),
        ),
        _ => None,
    }
}

fn apparmor() -> Option<&'static str> {
    let restricted = sysctl("kernel/apparmor_restrict_unprivileged_userns")?;
    (restricted != "0").then_some(
        "sysctl kernel.apparmor_restrict_unprivileged_userns is on: set it to 0, or give \
         cros_ipa_proxy an AppArmor profile with `userns,`",
    )
}

fn namespace(layer: Layer, errno: Errno) -> Option<String> {
    if let Some(reason) = exhausted(layer, errno) {
        return Some(reason);
    }
    match errno {
        Errno::ENOSYS => Some(absent("the system call", layer)),
        Errno::EINVAL if is_chrooted() => {
            Some("chroot: the kernel changes no root inside one; start the host outside".to_owned())
        }
        Errno::EINVAL if layer == Layer::Mount => Some(
            "the root of this system cannot be changed (it is the initial RAM disk?)".to_owned(),
        ),
        Errno::EINVAL => Some(absent("the namespace's option", layer)),
        Errno::EPERM | Errno::EACCES => Some(
            if let Some(text) = apparmor() {
                text
            } else if is_filtered() {
                "an outer seccomp filter refuses it: allow it in the policy of the container or \
                 service"
            } else if !is_administrator() {
                "no privileges: it needs a user namespace (see there) or CAP_SYS_ADMIN"
            } else {
                "a security module or the file system refuses it"
            }
            .to_owned(),
        ),
        _ => None,
    }
}

/// `ENOSPC`: a count of namespaces is at its limit.
fn exhausted(layer: Layer, errno: Errno) -> Option<String> {
    if !matches!(errno, Errno::ENOSPC | Errno::EUSERS) {
        return None;
    }
    let name = match layer {
        Layer::Mount => "mnt",
        other => other.name(),
    };
    let path = format!("user/max_{name}_namespaces");
    let found = SYSCTLS.into_iter().find(|sysctl| *sysctl == path)?;
    let value = sysctl(found).unwrap_or_default();
    let shown = found.replace('/', ".");
    Some(match value.as_str() {
        "0" => format!("sysctl {shown} is 0: raise it"),
        value => format!("sysctl {shown} ({value}) is reached, or namespaces are nested too deep"),
    })
}

fn landlock(errno: Errno) -> Option<String> {
    match errno {
        Errno::ENOSYS if is_filtered() => Some(
            "an outer seccomp filter does not know Landlock, or the kernel has none (linux 5.13, \
             CONFIG_SECURITY_LANDLOCK): allow landlock_create_ruleset, landlock_add_rule and \
             landlock_restrict_self"
                .to_owned(),
        ),
        Errno::ENOSYS => Some(
            "the kernel has no Landlock: it needs linux 5.13 with CONFIG_SECURITY_LANDLOCK"
                .to_owned(),
        ),
        Errno::EOPNOTSUPP => Some(
            "Landlock is switched off: add landlock to the kernel's command line, lsm=landlock,…"
                .to_owned(),
        ),
        Errno::EPERM if is_filtered() => {
            Some("an outer seccomp filter refuses it: allow the landlock calls".to_owned())
        }
        _ => None,
    }
}

fn seccomp(errno: Errno) -> Option<String> {
    match errno {
        Errno::EINVAL | Errno::ENOSYS | Errno::EPERM if is_filtered() => {
            Some("an outer seccomp filter refuses it: allow seccomp and prctl".to_owned())
        }
        Errno::EINVAL | Errno::ENOSYS => {
            Some("the kernel has no filters: it needs CONFIG_SECCOMP_FILTER".to_owned())
        }
        _ => None,
    }
}

fn absent(what: &str, layer: Layer) -> String {
    if is_filtered() {
        format!(
            "the kernel has no {what}, or an outer seccomp filter hides it: allow {}",
            calls(layer)
        )
    } else {
        format!("the kernel has no {what}")
    }
}

fn calls(layer: Layer) -> &'static str {
    match layer {
        Layer::User | Layer::Net | Layer::Ipc | Layer::Pid => "unshare",
        Layer::Uts => "unshare and sethostname",
        Layer::Mount => "unshare, mount, mount_setattr, pivot_root and umount2",
        Layer::Landlock => "landlock_create_ruleset, landlock_add_rule and landlock_restrict_self",
        Layer::Seccomp => "seccomp and prctl",
        Layer::Rlimits => "prlimit64",
        Layer::Caps => "capset and prctl",
    }
}
