//! Parts of a payload: a field's place and type from the payload struct itself.

use cami_ipu3::Pod;

use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// Copies a field of a payload out of a buffer: `read!(memory, AeRunParams, base.ev_shift)`.
macro_rules! read {
    ($memory:expr, $payload:ty, $($field:tt).+) => {
        $crate::command::part::read_part(
            $memory,
            std::mem::offset_of!($payload, $($field).+),
            |payload: &$payload| &payload.$($field).+,
        )
    };
}

/// Copies a value into a field of a payload: `write!(memory, AeRunParams, res.base, &value)`.
macro_rules! write {
    ($memory:expr, $payload:ty, $($field:tt).+, $value:expr) => {
        $crate::command::part::write_part(
            $memory,
            std::mem::offset_of!($payload, $($field).+),
            |payload: &$payload| &payload.$($field).+,
            $value,
        )
    };
}

/// Copies values into the beginning of an array of a payload.
macro_rules! write_items {
    ($memory:expr, $payload:ty, $($field:tt).+, $items:expr) => {
        $crate::command::part::write_part_items(
            $memory,
            std::mem::offset_of!($payload, $($field).+),
            |payload: &$payload| &payload.$($field).+,
            $items,
        )
    };
}

pub(super) use {read, write, write_items};

/// What `read!` becomes; the function only tells the field's type.
pub fn read_part<P, T: Pod>(
    memory: &SharedMemory,
    offset: usize,
    _field: fn(&P) -> &T,
) -> Result<T, Refusal> {
    memory.read(offset)
}

/// What `write!` becomes.
pub fn write_part<P, T: Pod>(
    memory: &SharedMemory,
    offset: usize,
    _field: fn(&P) -> &T,
    value: &T,
) -> Result<(), Refusal> {
    memory.write(offset, value)
}

/// What `write_items!` becomes. More items than the array has are refused.
pub fn write_part_items<P, T: Pod, const N: usize>(
    memory: &SharedMemory,
    offset: usize,
    _field: fn(&P) -> &[T; N],
    items: &[T],
) -> Result<(), Refusal> {
    if items.len() > N {
        return Err(Refusal::Short);
    }
    memory.write_items(offset, items)
}

/// Writes a text and its length in bytes, without a terminating zero; for the protocol's
/// "data and size" pairs.
macro_rules! write_text {
    ($memory:expr, $payload:ty, $data:ident, $size:ident, $text:expr) => {{
        let text: &str = $text;
        $crate::command::part::write_items!($memory, $payload, $data, text.as_bytes()).and_then(
            |()| {
                let size = u32::try_from(text.len()).unwrap_or(0);
                $crate::command::part::write!($memory, $payload, $size, &size)
            },
        )
    }};
}

pub(super) use write_text;
