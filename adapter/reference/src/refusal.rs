//! Why a request is not served.

use std::fmt;

/// Why a request was answered with status 1. The reason goes to the log; it never crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request needs a buffer and names none.
    NoBuffer,
    /// The buffer is not registered.
    UnknownBuffer,
    /// The buffer is too small for the payload, or for what the payload says that it holds.
    Short,
    /// A handle of this kind of object that was never given out, or is not valid any more.
    UnknownHandle(&'static str),
    /// As many objects of this kind exist as may.
    TooMany(&'static str),
    /// A value that cannot be served; the text is the field's name.
    Value(&'static str),
    /// The command is not carried out by this library, nor by the original.
    NotImplemented,
    /// A bug of this library.
    Panicked,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBuffer => f.write_str("no buffer"),
            Self::UnknownBuffer => f.write_str("the buffer is not registered"),
            Self::Short => f.write_str("the buffer is too small"),
            Self::UnknownHandle(kind) => write!(f, "unknown {kind} handle"),
            Self::TooMany(kind) => write!(f, "too many {kind} handles"),
            Self::Value(field) => write!(f, "no usable {field}"),
            Self::NotImplemented => f.write_str("not implemented"),
            Self::Panicked => f.write_str("a bug of the library"),
        }
    }
}

impl std::error::Error for Refusal {}
