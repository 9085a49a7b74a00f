//! What a recording tells of itself, of its machine, and of its host.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use cami_link::monotonic_ns;
use cami_recording::block::{Annotation, Host, Usage};
use cami_wire::control::CommandRule;

/// What is known when a host begins.
#[derive(Clone, Debug)]
pub struct About {
    /// The key `record`.
    pub path: PathBuf,
    /// The key `record_limit_mib`, in bytes.
    pub limit_bytes: u64,
    /// The library's file name.
    pub library_name: String,
    /// The client: its process id and its start.
    pub client: (i32, u64),
    /// Its name, which is asked for while it is surely there.
    pub client_name: String,
    /// The profile, where it is a file: who looks at the recording elsewhere does not have that. Empty
    /// where it is not.
    pub profile_text: String,
    /// What is known of the commands.
    pub rules: Vec<CommandRule>,
    /// The host, but for its number and its restarts.
    pub host: Host,
}

impl About {
    /// What is said once in a file.
    pub fn annotations(&self) -> Vec<Annotation> {
        let known = [
            ("tool_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("kernel", kernel()),
            ("machine", machine()),
            ("boot_id", text("/proc/sys/kernel/random/boot_id")),
            ("client", self.client_name.clone()),
            ("profile_text", self.profile_text.clone()),
        ];
        let said = known.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(key, value)| Annotation { key: key.to_owned(), value }).collect()
    }

    /// What the vendor process uses now; `None` where no /proc tells.
    pub fn usage(&self, host: u32) -> Option<Usage> {
        let pid = self.host.vendor_pid;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may hold anything, come the fields from the third on (proc(5)):
        // 14 utime, 15 stime, 20 num_threads, 24 rss.
        let rest = stat.rsplit_once(") ")?.1;
        let field = |number: usize| rest.split(' ').nth(number - 3)?.parse::<u64>().ok();
        let ticks = field(14)?.saturating_add(field(15)?);
        let pages = field(24)?;
        Some(Usage {
            host,
            at_ns: monotonic_ns(),
            cpu_us: ticks.saturating_mul(1_000_000)
                / sysconf(nix::unistd::SysconfVar::CLK_TCK, 100),
            resident_bytes: pages.saturating_mul(sysconf(nix::unistd::SysconfVar::PAGE_SIZE, 4096)),
            threads: u32::try_from(field(20)?).unwrap_or(u32::MAX),
        })
    }
}

/// A process's name; empty where it is not told.
pub fn name_of(pid: i32) -> String {
    text(&format!("/proc/{pid}/comm"))
}

/// Now, in nanoseconds since 1970.
pub fn real_ns() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

fn sysconf(variable: nix::unistd::SysconfVar, otherwise: u64) -> u64 {
    let value = nix::unistd::sysconf(variable).ok().flatten();
    value
        .and_then(|value| u64::try_from(value).ok())
        .filter(|&value| value > 0)
        .unwrap_or(otherwise)
}

fn kernel() -> String {
    let Ok(name) = nix::sys::utsname::uname() else { return String::new() };
    [name.sysname(), name.release(), name.version(), name.machine()]
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ")
}

/// What the firmware calls the machine.
fn machine() -> String {
    ["/sys/class/dmi/id/product_name", "/proc/device-tree/model"]
        .into_iter()
        .map(text)
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

fn text(path: &str) -> String {
    let read = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&read).trim_end_matches(['\0', '\n', ' ']).to_owned()
}
