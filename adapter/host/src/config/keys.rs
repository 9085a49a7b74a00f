//! The keys, in one table: the file, the environment and the help text are made from it.

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
}

/// Every key: name, kind, and what it means.
pub const KEYS: &[(&str, Kind, &str)] = &[
    ("vendor_library", Kind::Text, "path of the closed library; no default"),
    ("library_path", Kind::List, "folders where the libraries that it needs are searched first"),
    ("environment", Kind::Table, "the variables that it may see; it sees no others"),
    ("host", Kind::Text, "path of cros_ipa_proxy, for clients; default beside the client"),
    ("recovery", Kind::Text, "notify: a death is told once and initialize starts afresh"),
    ("profile", Kind::Text, "generic, intel-ipu3, intel-ipu6, rockchip or mediatek"),
    ("timeouts.initialize_ms", Kind::Number, "start of the host and initialize; 0 = none; 3000"),
    ("timeouts.register_ms", Kind::Number, "register_buffer and the like; 0 = none; 5000"),
    ("timeouts.request_ms", Kind::Number, "a request until its callback; 0 = none; by profile"),
    ("log", Kind::Text, "off, error, warn, info or debug; then `,stderr`, `,syslog` or `,/FILE`"),
];

/// The environment variable of a key: `timeouts.register_ms` is `CAMI_IPA_TIMEOUTS__REGISTER_MS`.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("CAMI_IPA_{}", key.to_ascii_uppercase().replace('.', "__"))
}
