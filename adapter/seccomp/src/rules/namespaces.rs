//! Namespaces and mounts: the sandbox's walls.

use super::{MAINTENANCE, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::Namespaces);

const WALLS: &str = "it moves the walls of the sandbox";

pub(super) const RULES: &[Rule] = &[
    OF.kill("unshare", "see clone, CLONE_NEWUSER", MAINTENANCE),
    OF.kill("setns", WALLS, MAINTENANCE),
    OF.kill("chroot", WALLS, MAINTENANCE),
    OF.kill("pivot_root", WALLS, MAINTENANCE),
    OF.kill("mount", WALLS, MAINTENANCE),
    OF.kill("umount2", WALLS, MAINTENANCE),
    OF.kill("move_mount", WALLS, MAINTENANCE),
    OF.kill("open_tree", WALLS, MAINTENANCE),
    OF.kill("open_tree_attr", WALLS, MAINTENANCE),
    OF.kill("mount_setattr", WALLS, MAINTENANCE),
    OF.kill("fsopen", WALLS, MAINTENANCE),
    OF.kill("fsconfig", WALLS, MAINTENANCE),
    OF.kill("fsmount", WALLS, MAINTENANCE),
    OF.kill("fspick", WALLS, MAINTENANCE),
];
