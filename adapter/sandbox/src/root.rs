//! A root of its own: an empty file system with the files of the plan bound into it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::{chdir, pivot_root};

use crate::files::{Access, Files};
use crate::layer::LayerError;
use crate::mounts::{Less, bind};

/// Where the old root waits to be detached.
pub const OLD: &str = "/.old-root";

/// Folders and links of the new root; nothing is written to it later.
const SIZE: &str = "mode=0755,size=1m,nr_inodes=16k";

/// Links that one path may lead through (linux include/linux/namei.h, `MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// Enters the new root. The mount namespace is this process's own already.
///
/// On failure the process may be between two roots: it cannot go on.
pub fn enter(files: &Files) -> Result<(), LayerError> {
    let none = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).map_err(LayerError::at::<Errno>("mount(MS_PRIVATE)"))?;
    // A folder that is there for sure, hidden until the old root is moved away from over it.
    let place = "/proc";
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), place, Some("tmpfs"), flags, Some(SIZE))
        .map_err(LayerError::at::<Errno>("mount of a tmpfs"))?;
    chdir(place).map_err(LayerError::at::<Errno>("chdir"))?;
    let old = OLD.trim_start_matches('/');
    fs::create_dir(old).map_err(LayerError::io("mkdir"))?;
    pivot_root(".", old).map_err(LayerError::at::<Errno>("pivot_root"))?;
    chdir("/").map_err(LayerError::at::<Errno>("chdir"))?;
    // Where links lead decides what lies in what: the outer folders come first.
    let mut paths = Vec::new();
    for rule in &files.rules {
        if let Some(path) = resolve(&rule.path)? {
            paths.push((path, less(rule.access)));
        }
    }
    paths.sort_by_key(|(path, _)| path.components().count());
    let mut given = Vec::new();
    for (path, less) in paths {
        give(path, less, &mut given)?;
    }
    for empty in ["/tmp", "/proc"] {
        make_folders(Path::new(empty))?;
    }
    umount2(OLD, MntFlags::MNT_DETACH).map_err(LayerError::at::<Errno>("umount2(MNT_DETACH)"))?;
    fs::remove_dir(OLD).map_err(LayerError::io("rmdir"))?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags;
    mount(none, "/", none, flags, none).map_err(LayerError::at::<Errno>("remount of the root"))?;
    check()
}

/// Reads back that the root is the new one.
fn check() -> Result<(), LayerError> {
    let root = statfs("/").map_err(LayerError::at::<Errno>("statfs"))?;
    if root.filesystem_type() != TMPFS_MAGIC {
        return Err(LayerError::text("pivot_root, and the root is still the old one"));
    }
    match fs::create_dir("/written") {
        Err(error) if error.raw_os_error() == Some(Errno::EROFS as i32) => Ok(()),
        _ => Err(LayerError::text("the new root can be written to")),
    }
}

/// Binds what is at `path` in the old root to the same path in the new one, unless `given` has it
/// already with the same rights.
fn give(path: PathBuf, less: Less, given: &mut Vec<(PathBuf, Less)>) -> Result<(), LayerError> {
    let source = in_old_root(&path);
    let Ok(metadata) = fs::metadata(&source) else { return Ok(()) };
    if path == Path::new("/") {
        return Err(LayerError::text("the whole of / is asked for in sandbox.read or .write"));
    }
    // The latest lies on top.
    let above = given.iter().rev().find(|(above, _)| path.starts_with(above));
    if above.is_some_and(|(_, rights)| *rights == less) {
        return Ok(());
    }
    if metadata.is_dir() {
        make_folders(&path)?;
    } else if path.symlink_metadata().is_err() {
        make_folders(path.parent().unwrap_or(Path::new("/")))?;
        fs::File::create(&path).map_err(LayerError::io(format!("create {}", path.display())))?;
    }
    bind(&source, &path, less)?;
    given.push((path, less));
    Ok(())
}

fn less(access: Access) -> Less {
    match access {
        Access::Read | Access::ReadExecute => {
            Less { read_only: true, no_devices: true, no_code: false }
        }
        Access::Device => Less { read_only: true, no_devices: false, no_code: true },
        Access::Write => Less { read_only: false, no_devices: true, no_code: true },
    }
}

fn in_old_root(path: &Path) -> PathBuf {
    Path::new(OLD).join(path.strip_prefix("/").unwrap_or(path))
}

/// Folders of the new root. Those that lie in what is bound already are there, or cannot be made.
fn make_folders(path: &Path) -> Result<(), LayerError> {
    fs::create_dir_all(path).map_err(LayerError::io(format!("mkdir {}", path.display())))
}

/// The path without links, as the old root has it; each link on the way is made in the new root.
/// `None` if it leads nowhere: what is not there is passed over.
fn resolve(path: &Path) -> Result<Option<PathBuf>, LayerError> {
    let names = |path: &Path| -> VecDeque<OsString> {
        path.components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
            .map(|part| part.as_os_str().to_owned())
            .collect()
    };
    let mut left = names(path);
    let mut done = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&name);
        let Ok(metadata) = fs::symlink_metadata(in_old_root(&next)) else { return Ok(None) };
        if !metadata.is_symlink() {
            done = next;
            continue;
        }
        links += 1;
        let Ok(target) = fs::read_link(in_old_root(&next)) else { return Ok(None) };
        if links > MAX_LINKS {
            return Ok(None);
        }
        if next.symlink_metadata().is_err() {
            make_folders(&done)?;
            symlink(&target, &next)
                .map_err(LayerError::io(format!("symlink {}", next.display())))?;
        }
        if target.is_absolute() {
            done = PathBuf::from("/");
        }
        for name in names(&target).into_iter().rev() {
            left.push_front(name);
        }
    }
    Ok(Some(done))
}
