//! The namespaces, one by one, so that each can fail alone.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Uid, getegid, geteuid, getresuid, setresuid};

use crate::layer::{Layer, LayerError};

/// The user that owns nothing, by its usual number.
const NOBODY: u32 = 65534;

/// The namespaces' names in `/proc/PID/ns`.
#[must_use]
pub fn file_name(layer: Layer) -> Option<&'static str> {
    match layer {
        Layer::User => Some("user"),
        Layer::Net => Some("net"),
        Layer::Ipc => Some("ipc"),
        Layer::Uts => Some("uts"),
        Layer::Pid => Some("pid"),
        Layer::Mount => Some("mnt"),
        _ => None,
    }
}

/// The inode that a namespace is known by; `process` is a number, or "self".
#[must_use]
pub fn inode(process: &str, name: &str) -> Option<u64> {
    fs::metadata(format!("/proc/{process}/ns/{name}")).ok().map(|file| file.ino())
}

/// A user namespace in which this process is itself and nobody else. It may build the others then.
pub fn enter_user() -> Result<Option<String>, LayerError> {
    let (user, group) = (geteuid(), getegid());
    // The kernel exempts the first user from the limit on processes, by the real number; files are
    // opened by the effective one, which stays. Fails inside a container's own user namespace, where
    // there is no such user, and where ours is not the first one anyway.
    if user.is_root() {
        let _ = setresuid(Uid::from_raw(NOBODY), user, user);
    }
    unshare(CloneFlags::CLONE_NEWUSER)
        .map_err(LayerError::at::<Errno>("unshare(CLONE_NEWUSER)"))?;
    // Before linux 3.19 there is no such file, and no need for it.
    match fs::write("/proc/self/setgroups", "deny") {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(LayerError::io("write to /proc/self/setgroups")(error));
        }
        _ => {}
    }
    map("gid_map", group.as_raw())?;
    map("uid_map", user.as_raw())?;
    if (geteuid(), getegid()) != (user, group) {
        return Err(LayerError::text("the user has another number in its namespace"));
    }
    // In a user namespace below ours it would have capabilities again, over what is made there.
    match fs::write("/proc/sys/user/max_user_namespaces", "0") {
        Ok(()) => Ok(None),
        Err(error) => Ok(Some(format!("further ones are not forbidden: {error}"))),
    }
}

fn map(file: &str, number: u32) -> Result<(), LayerError> {
    let path = format!("/proc/self/{file}");
    fs::write(&path, format!("{number} {number} 1"))
        .map_err(LayerError::io(format!("write to {path}")))
}

/// Whether the kernel counts this user's processes against its limit: see [`enter_user`].
#[must_use]
pub fn processes_are_counted() -> bool {
    getresuid().is_ok_and(|ids| !ids.real.is_root())
}

/// One of the others. A PID namespace is that of the children: see [`crate::split`].
pub fn enter(layer: Layer) -> Result<(), LayerError> {
    let (flag, name) = match layer {
        Layer::Net => (CloneFlags::CLONE_NEWNET, "CLONE_NEWNET"),
        Layer::Ipc => (CloneFlags::CLONE_NEWIPC, "CLONE_NEWIPC"),
        Layer::Uts => (CloneFlags::CLONE_NEWUTS, "CLONE_NEWUTS"),
        Layer::Pid => (CloneFlags::CLONE_NEWPID, "CLONE_NEWPID"),
        Layer::Mount => (CloneFlags::CLONE_NEWNS, "CLONE_NEWNS"),
        other => return Err(LayerError::text(format!("{other} is no namespace"))),
    };
    unshare(flag).map_err(LayerError::at::<Errno>(format!("unshare({name})")))?;
    if layer == Layer::Uts {
        // The machine's own name says who is spied upon.
        nix::unistd::sethostname("cami-ipa").map_err(LayerError::at::<Errno>("sethostname"))?;
    }
    Ok(())
}
