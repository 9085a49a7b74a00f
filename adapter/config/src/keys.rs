//! The keys, in one table: the file, the environment and the help text are made from it.

use std::fmt;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, or a path.
    Text,
    /// A list of texts; `:` between them in the environment.
    List,
    /// Names with texts; `name=text` with `:` between them in the environment.
    Table,
    /// A whole number from 0 to 4294967295.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of whole numbers, also as `0x…`; `:` between them in the environment.
    Numbers,
}

/// A value of one of those kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// See [`Kind::Text`].
    Text(String),
    /// See [`Kind::List`].
    List(Vec<String>),
    /// See [`Kind::Table`].
    Table(Vec<(String, String)>),
    /// See [`Kind::Number`].
    Number(u32),
    /// See [`Kind::Flag`].
    Flag(bool),
    /// See [`Kind::Numbers`].
    Numbers(Vec<u32>),
}

impl fmt::Display for Value {
    /// As it is written in an environment variable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(list) => f.write_str(&list.join(":")),
            Self::Table(table) => {
                let pairs: Vec<_> =
                    table.iter().map(|(key, value)| format!("{key}={value}")).collect();
                f.write_str(&pairs.join(":"))
            }
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Numbers(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
                f.write_str(&numbers.join(":"))
            }
        }
    }
}

/// Every key: name, kind, and what it means.
pub const KEYS: &[(&str, Kind, &str)] = &[
    ("vendor_library", Kind::Text, "path of the closed library; no default"),
    ("library_path", Kind::List, "folders where the libraries that it needs are searched first"),
    ("environment", Kind::Table, "the variables that it may see; it sees no others"),
    ("host", Kind::Text, "path of cros_ipa_proxy, for clients; default beside the client"),
    ("socket", Kind::Text, "the service to connect to, in place of starting a host"),
    (
        "recovery",
        Kind::Text,
        "notify: a death is told once; resume: nobody notices; notify, in libcamera's section resume",
    ),
    (
        "restart.limit",
        Kind::Number,
        "restarts within the window before resume gives up; 0 = never; 10",
    ),
    ("restart.window_ms", Kind::Number, "the window in which restarts are counted; 5000"),
    ("standby", Kind::Flag, "keep a second host warm for resume; false"),
    (
        "profile",
        Kind::Text,
        "generic, intel-ipu3, intel-ipu6, rockchip, mediatek, or a file; for libcamera intel-ipu3",
    ),
    ("timeouts.initialize_ms", Kind::Number, "start of the host and initialize; 0 = none; 3000"),
    ("timeouts.register_ms", Kind::Number, "register_buffer and the like; 0 = none; 5000"),
    ("timeouts.request_ms", Kind::Number, "a request until its callback; 0 = none; by profile"),
    (
        "sandbox.require",
        Kind::List,
        "layers that must engage: user net ipc uts pid mount landlock …",
    ),
    ("sandbox.read", Kind::List, "paths that the library may read besides its own needs"),
    ("sandbox.write", Kind::List, "folders that it may write to"),
    ("sandbox.ioctl", Kind::Numbers, "ioctl numbers that it may use"),
    ("service.clients", Kind::Text, "last: a new client replaces the one before; many; last"),
    ("service.allow_uids", Kind::Numbers, "users that may connect; default the service's own"),
    ("service.on_disconnect", Kind::Text, "exit, or accept the next client; accept"),
    ("tuning", Kind::Table, "at libcamera's door, sensor model to tuning file; by search"),
    ("nvm", Kind::Table, "sensor model to a file with the module's NVM; none"),
    ("aiqd", Kind::Text, "folder where a camera's learnt state (AIQD) is kept; none"),
    ("libcamera.version", Kind::Text, "such as 0.7.2 or master; detected"),
    ("libcamera.proxy_dir", Kind::Text, "folder of libcamera's own workers; detected"),
    ("record", Kind::Text, "a file, or a folder, where sessions are recorded; none"),
    ("record_limit_mib", Kind::Number, "size at which a recording is made smaller; 0 = none; 256"),
    ("crash_dir", Kind::Text, "folder for crash records; none"),
    ("status_dir", Kind::Text, "folder that `cami-ipa status` reads; /run/cami-ipa"),
    ("log", Kind::Text, "off, error, warn, info or debug; then `,stderr`, `,syslog` or `,/FILE`"),
];

/// The environment variable of a key: `timeouts.register_ms` is `CAMI_IPA_TIMEOUTS__REGISTER_MS`.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("CAMI_IPA_{}", key.to_ascii_uppercase().replace('.', "__"))
}
