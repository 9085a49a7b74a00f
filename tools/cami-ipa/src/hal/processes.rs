//! The processes that a library started, found in `/proc`.

use std::collections::HashMap;
use std::fs;

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
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            // The writer of a recording is no host and holds no library.
            let role = line.split(|&byte| byte == 0).nth(1);
            (role != Some(b"--recorder")).then_some(())?;
            Some((pid, parent(&stat)?))
        })
        .collect()
}

/// The parent named by a line of `/proc/PID/stat`, unless the process is a zombie (proc(5)). The
/// command's name comes before it, in parentheses, and may contain anything.
fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.next()?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_names_the_parent_whatever_the_command_is_called() {
        assert_eq!(parent("12 (a) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) S 9 (b)) R 7 12"), Some(7));
        assert_eq!(parent("12 (a) Z 7 12"), None);
        assert_eq!(parent("rubbish"), None);
    }

    #[test]
    fn this_process_is_known_with_its_parent() {
        assert_eq!(parents().get(&std::process::id()), Some(&std::os::unix::process::parent_id()));
    }
}
