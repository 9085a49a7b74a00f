//! Everything that is known of a death.

use serde::{Deserialize, Serialize};

/// A crash record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashRecord {
    /// [`crate::FORMAT`].
    pub format: u32,
    /// Version of cami-ipa.
    pub tool_version: String,
    /// The kernel's name, release, version and machine, as `uname -srvm` prints them.
    pub kernel: String,
    /// When, in milliseconds since 1970 (UTC).
    pub time_unix_ms: u64,
    /// The monitor's process id.
    pub monitor_pid: i32,
    /// The vendor process's, as the monitor saw it.
    pub vendor_pid: i32,
    /// Path of the vendor library.
    pub library: String,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
    /// Name of the profile.
    pub profile: String,
    /// How long the host had been running, in milliseconds.
    pub ran_for_ms: u64,
    /// How often the client had started a host anew before this one.
    pub restarts: u32,
    /// The line of the log.
    pub cause: String,
    /// The signal that ended it, as `SIGSEGV`; none if it exited.
    pub signal: Option<String>,
    /// Its exit code, if it exited.
    pub exit_code: Option<i32>,
    /// Why the monitor killed it, if it did.
    pub killed_for: Option<String>,
    /// What the thread that ended the process was doing; none where it was not traced.
    pub fault: Option<Fault>,
    /// That thread's registers at that moment; none where it was not traced.
    pub registers: Vec<Register>,
    /// The call that the library was in.
    pub in_call: Option<crate::Call>,
    /// Requests in all.
    pub requests: u64,
    /// Callbacks in all.
    pub callbacks: u64,
    /// The last requests, oldest first; at most 64.
    pub last_requests: Vec<Request>,
    /// The last lines that the library wrote to standard error; at most 64, and 16 KiB.
    pub stderr_tail: Vec<String>,
    /// The mapped ELF files; at most 256.
    pub modules: Vec<Module>,
    /// What was mapped; none where it was not traced.
    pub mappings: Vec<Mapping>,
    /// Mappings that had no room in the record.
    pub mappings_left_out: usize,
    /// The layers of the sandbox, as they engaged.
    pub sandbox: Option<serde_json::Value>,
}

/// A thread at its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// The signal, as `SIGSEGV`.
    pub signal: Option<String>,
    /// The address that was accessed, for SIGSEGV and SIGBUS.
    pub address: Option<String>,
    /// The number of the system call that a filter refused, for SIGSYS.
    pub system_call: Option<i64>,
    /// Its name.
    pub system_call_name: Option<String>,
    /// The process that sent the signal, if one did.
    pub sender_pid: Option<i32>,
    /// The thread's id, as the monitor saw it.
    pub thread_id: i32,
    /// The thread's name.
    pub thread: String,
    /// The instruction.
    pub place: Option<Place>,
    /// A return address on the stack outside the runtime libraries, where the instruction lies in
    /// one. It may be left over from an earlier call.
    pub called_near: Option<Place>,
}

/// A place in a mapped file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The file's name without its folder.
    pub file: String,
    /// Offset from the start of its first mapping, as addr2line wants it.
    pub offset: String,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
}

/// A register.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Register {
    /// Its name, as the kernel's `user_regs_struct` has it.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Its number.
    pub req_id: u32,
    /// Its buffer.
    pub handle: i32,
    /// How long before the death the library got it, in microseconds.
    pub age_us: u64,
    /// How long until its callback, in microseconds; none if it was still in flight.
    pub duration_us: Option<u64>,
    /// The status that came with the callback.
    pub status: Option<u32>,
}

/// A mapped ELF file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Module {
    /// Its path.
    pub file: String,
    /// Where its first mapping starts.
    pub start: String,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
}

/// A line of `/proc/PID/maps`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// Its first address.
    pub start: String,
    /// The address behind its last.
    pub end: String,
    /// As `r-xp`.
    pub permissions: String,
    /// Its path, or what the kernel calls it; empty for anonymous memory.
    pub file: String,
}
