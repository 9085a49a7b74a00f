//! Binding a file or a folder, and taking rights from it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::layer::LayerError;

/// `struct mount_attr` (linux include/uapi/linux/mount.h).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Rights that a mount loses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Less {
    /// Nothing is written.
    pub read_only: bool,
    /// Devices cannot be opened.
    pub no_devices: bool,
    /// Nothing is executed or mapped as code.
    pub no_code: bool,
}

impl Less {
    /// The bits of `mount_setattr`; set-user-ID programs have no power anywhere.
    fn attributes(self) -> u64 {
        const RDONLY: u64 = 1;
        const NOSUID: u64 = 2;
        const NODEV: u64 = 4;
        const NOEXEC: u64 = 8;
        NOSUID
            | if self.read_only { RDONLY } else { 0 }
            | if self.no_devices { NODEV } else { 0 }
            | if self.no_code { NOEXEC } else { 0 }
    }

    /// The bits of `mount`.
    fn flags(self) -> MsFlags {
        let mut flags = MsFlags::MS_NOSUID;
        flags.set(MsFlags::MS_RDONLY, self.read_only);
        flags.set(MsFlags::MS_NODEV, self.no_devices);
        flags.set(MsFlags::MS_NOEXEC, self.no_code);
        flags
    }
}

/// Binds `source` and all that is mounted below it to `target`, and takes rights from all of it.
pub fn bind(source: &Path, target: &Path, less: Less) -> Result<(), LayerError> {
    let none = None::<&str>;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, none, flags, none)
        .map_err(LayerError::at::<Errno>(format!("mount(MS_BIND) of {}", shown(source))))?;
    restrict(target, less)
        .map_err(LayerError::at::<Errno>(format!("read-only mount of {}", shown(source))))
}

/// Takes rights from a mount and all below.
fn restrict(target: &Path, less: Less) -> Result<(), Errno> {
    match restrict_tree(target, less) {
        // Before linux 5.12, or under an outer filter that does not know the call.
        Err(Errno::ENOSYS | Errno::EPERM) => restrict_each(target, less),
        other => other,
    }
}

fn restrict_tree(target: &Path, less: Less) -> Result<(), Errno> {
    let path = CString::new(target.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let attributes = Attributes { set: less.attributes(), ..Attributes::default() };
    let size = size_of::<Attributes>();
    let (path, given) = (path.as_ptr(), &raw const attributes);
    let at = libc::AT_FDCWD;
    let flags = libc::AT_RECURSIVE;
    // SAFETY: `path` is a string and `given` a structure of `size` bytes, both alive.
    let result = unsafe { libc::syscall(libc::SYS_mount_setattr, at, path, flags, given, size) };
    Errno::result(result).map(drop)
}

/// The way of old kernels: mount by mount. Flags that the mount has already are named again, since
/// a user namespace may not take them away.
fn restrict_each(target: &Path, less: Less) -> Result<(), Errno> {
    for point in mount_points(target) {
        let kept = kept_flags(statvfs(&point)?.flags());
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | kept | less.flags();
        match mount(None::<&str>, &point, None::<&str>, flags, None::<&str>) {
            // Another mount lies over it: nobody can reach it.
            Err(Errno::EINVAL) if point != target => {}
            result => result?,
        }
    }
    Ok(())
}

fn kept_flags(found: FsFlags) -> MsFlags {
    [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ]
    .into_iter()
    .filter(|(has, _)| found.contains(*has))
    .fold(MsFlags::empty(), |flags, (_, flag)| flags | flag)
}

/// `target` and the mount points below it. The old root is still there to ask.
fn mount_points(target: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(format!("{}/proc/self/mountinfo", crate::root::OLD))
        .unwrap_or_default();
    let mut points = vec![target.to_path_buf()];
    points.extend(
        text.lines()
            .filter_map(|line| line.split(' ').nth(4))
            .map(unescaped)
            .filter(|point| point.starts_with(target) && point != target),
    );
    points
}

/// Blanks and the like are written as octal numbers (linux fs/proc_namespace.c, `mangle`).
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(&bytes))
}

/// A path as the user knows it: without the place where the old root waits.
fn shown(path: &Path) -> String {
    let path = path.display().to_string();
    path.strip_prefix(crate::root::OLD).unwrap_or(&path).to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::unescaped;

    #[test]
    fn mount_points_with_blanks_are_understood() {
        assert_eq!(unescaped("/opt/vendor\\040lib"), Path::new("/opt/vendor lib"));
        assert_eq!(unescaped("/a\\134b\\"), Path::new("/a\\b\\"));
    }
}
