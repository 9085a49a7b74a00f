//! What can be wrong with bytes from a peer.

use core::fmt;

/// Why a message was refused. Holds no heap memory, so that refusing a flood of bad messages costs
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes end before the value does.
    Truncated,
    /// The value ends before the bytes do.
    TrailingBytes,
    /// An announced size is not the size that the type has.
    SizeMismatch {
        /// Size in bytes that the type has.
        expected: u32,
        /// Size in bytes that the message announces.
        announced: u32,
    },
    /// A variable-sized field is longer than the interface allows.
    TooLong {
        /// Largest size in bytes.
        limit: usize,
        /// Size in bytes that came.
        length: usize,
    },
    /// An announced element count cannot fit into the bytes that follow it.
    BadCount(u32),
    /// A boolean or a presence flag is neither 0 nor 1.
    BadFlag(u32),
    /// The announced number of file descriptors does not fit the value.
    FdCount {
        /// File descriptors that the value needs.
        expected: u32,
        /// File descriptors that the message announces.
        announced: u32,
    },
    /// No such command or event number in this interface.
    UnknownCommand(u32),
    /// The control packet format is none that this dialect speaks.
    PacketVersion(u32),
    /// No such `ControlType` number in this dialect.
    ControlType(u32),
    /// A control value's type, element count and bytes contradict each other, or the packet format
    /// has no room for it.
    ControlValue,
    /// A control packet's data offset is not the one that its entries add up to.
    DataOffset(u32),
    /// No such set of control ids.
    IdMap(u32),
    /// A control list names an info map that neither side has sent.
    UnknownHandle(u32),
    /// The peer has sent more info maps than are kept between two resets.
    TooManyMaps,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated => f.write_str("message ends inside a value"),
            Self::TrailingBytes => f.write_str("message has bytes after its last value"),
            Self::SizeMismatch { expected, announced } => {
                write!(f, "message announces {announced} bytes for a value of {expected} bytes")
            }
            Self::TooLong { limit, length } => {
                write!(f, "field of {length} bytes exceeds the limit of {limit} bytes")
            }
            Self::BadCount(count) => write!(f, "message has no room for {count} elements"),
            Self::BadFlag(value) => write!(f, "flag has the value {value}, not 0 or 1"),
            Self::FdCount { expected, announced } => {
                write!(f, "message announces {announced} file descriptors where {expected} belong")
            }
            Self::UnknownCommand(number) => write!(f, "unknown command number {number}"),
            Self::PacketVersion(version) => write!(f, "unknown control packet version {version}"),
            Self::ControlType(number) => write!(f, "unknown control type number {number}"),
            Self::ControlValue => f.write_str("control value contradicts its description"),
            Self::DataOffset(offset) => write!(f, "control data offset {offset} is out of order"),
            Self::IdMap(number) => write!(f, "unknown control id map {number}"),
            Self::TooManyMaps => f.write_str("too many control info maps without a reset"),
            Self::UnknownHandle(handle) => write!(f, "unknown control info map handle {handle}"),
        }
    }
}

impl core::error::Error for WireError {}
