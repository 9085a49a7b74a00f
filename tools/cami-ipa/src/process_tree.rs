//! The processes of this machine and whose children they are, read from `/proc`.

use std::fs;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// It has ended, and nobody has asked for its end.
    pub is_zombie: bool,
}

/// All that are visible.
pub fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let read = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        process(pid, &fs::read_to_string(entry.path().join("stat")).ok()?)
    };
    entries.filter_map(read).collect()
}

/// What a line of `/proc/PID/stat` says (proc_pid_stat(5)). The command's name comes before it, in
/// parentheses, and may contain anything.
fn process(pid: i32, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    Some(Process { pid, parent: fields.next()?.parse().ok()?, is_zombie })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_names_the_parent_whatever_the_command_is_called() {
        let parent = |stat| process(12, stat).map(|process| (process.parent, process.is_zombie));
        assert_eq!(parent("12 (a) S 7 12 12 0"), Some((7, false)));
        assert_eq!(parent("12 (a) S 9 (b)) R 7 12"), Some((7, false)));
        assert_eq!(parent("12 (a) Z 7 12"), Some((7, true)));
        assert_eq!(parent("rubbish"), None);
    }
}
