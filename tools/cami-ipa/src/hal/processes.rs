//! The processes that a library started, found in `/proc`.

use std::collections::HashMap;
use std::fs;

use crate::process_tree::{Process, processes};

/// The host that a library started, and the process that holds the vendor library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostProcesses {
    /// The child of this process (`cros_ipa_proxy`).
    pub host: u32,
    /// The last of its descendants; the host itself if it has none.
    pub vendor: u32,
}

/// Finds them among the descendants of this process; `None` if it has no children.
pub fn find() -> Option<HostProcesses> {
    let parents = parents();
    // The oldest child: a younger one is a host that is kept warm for later.
    let children = |parent: u32| {
        parents.iter().filter(move |(_, other)| **other == parent).map(|(child, _)| *child)
    };
    let host = children(std::process::id()).min()?;
    let mut vendor = host;
    while let Some(child) = children(vendor).max() {
        vendor = child;
    }
    Some(HostProcesses { host, vendor })
}

/// The parent of every process that is visible and alive.
fn parents() -> HashMap<u32, u32> {
    let alive = processes().into_iter().filter(|process| !process.is_zombie);
    alive
        .filter_map(|Process { pid, parent, .. }| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            // The writer of a recording is no host and holds no library.
            let role = line.split(|&byte| byte == 0).nth(1);
            (role != Some(b"--recorder")).then_some(())?;
            Some((pid.try_into().ok()?, parent.try_into().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_with_its_parent() {
        assert_eq!(parents().get(&std::process::id()), Some(&std::os::unix::process::parent_id()));
    }
}
