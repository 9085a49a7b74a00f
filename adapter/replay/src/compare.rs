//! What differs between two contents of a buffer.

use cami_ipu3::fields::{Direction, Field, Kind, Value};

use crate::protocol::Protocol;
use crate::tolerance::Tolerances;

/// Ranges of bytes that are told one by one; what comes behind them is one.
const MAX_RANGES: usize = 16;
/// Equal bytes between two differing ones that do not part them.
const GAP_BYTES: u64 = 8;
/// What is compared in one piece before its bytes are looked at.
const PIECE_BYTES: usize = 256;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the HAL wrote: the results of an earlier request that still stand in the buffer do not
    /// count.
    Request,
    /// All that the buffer holds at the callback: the results, and that the library left the rest as
    /// it was.
    Answer,
}

/// One difference: a field, one table of numbers as a whole, or a range of bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The field's name (for a table without index), `bytes`, or `size`.
    pub field: String,
    /// Where: the name with the first differing element's index, or `bytes 16 to 23`.
    pub place: String,
    /// What was recorded there.
    pub recorded: String,
    /// What is there now.
    pub now: String,
    /// How far it is off, in per cent of what was recorded; of a table the largest. `None` where it
    /// cannot be said.
    pub percent: Option<f64>,
    /// How many values, or bytes, differ.
    pub count: usize,
}

/// Compares. The differences are in the order of the buffer: first the fields of the request, then
/// those of the answer, then bytes that are in no field.
#[must_use]
pub fn compare(
    protocol: &Protocol,
    command: u32,
    side: Side,
    tolerances: &Tolerances,
    recorded: &[u8],
    now: &[u8],
) -> Vec<Difference> {
    let mut differences = Vec::new();
    if recorded.len() != now.len() {
        let bytes = |buffer: &[u8]| format!("{} bytes", buffer.len());
        differences.push(whole("size", bytes(recorded), bytes(now)));
    }
    if recorded == now {
        return differences;
    }
    let direction = match side {
        Side::Request => Direction::Request,
        Side::Answer => Direction::Answer,
    };
    let masked = protocol.masked(command, direction);
    let name = protocol.name(command);
    let mut fields = protocol.fields(command, Direction::Request).iter().collect::<Vec<_>>();
    if side == Side::Answer {
        fields.extend(protocol.fields(command, Direction::Answer));
    }
    for field in fields {
        let tolerance = tolerances.of(&name, field);
        let passes = |one, other| tolerance.passes(one, other);
        differences.extend(compare_field(field, &masked, recorded, now, passes));
    }
    let known = protocol.known_bytes(command);
    if !tolerances.leave_out(&name, BYTES) {
        differences.extend(compare_bytes(known, &masked, recorded, now));
    }
    differences
}

/// The command by which rules and differences name updates.
pub const UPDATE: &str = "update";
/// The field of bytes of which nothing is known.
const BYTES: &str = "bytes";

/// What an update brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought<'a> {
    /// The library's number.
    pub upd_id: u32,
    /// The header.
    pub header: &'a [u8],
    /// The buffer.
    pub buffer: Held<'a>,
}

/// What a buffer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// There was no buffer.
    Nothing,
    /// This.
    Bytes(&'a [u8]),
    /// Nobody could see it.
    Unknown,
}

/// Compares two updates: number, header, buffer. No profile knows their fields: headers and buffers are
/// compared as bytes, which a rule can only leave out.
#[must_use]
pub fn compare_update(
    tolerances: &Tolerances,
    recorded: Brought<'_>,
    now: Brought<'_>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let counted = |field: &str| !tolerances.leave_out(UPDATE, field);
    if recorded.upd_id != now.upd_id && counted("upd_id") {
        differences.push(whole("upd_id", recorded.upd_id.to_string(), now.upd_id.to_string()));
    }
    if counted("header") {
        if recorded.header.len() != now.header.len() {
            let bytes = |header: &[u8]| format!("{} bytes", header.len());
            differences.push(whole("header_size", bytes(recorded.header), bytes(now.header)));
        }
        let ranges = compare_bytes(0, &[], recorded.header, now.header).into_iter();
        differences.extend(ranges.map(|range| Difference {
            field: "header".into(),
            place: format!("header {}", range.place),
            ..range
        }));
    }
    if !counted(BYTES) {
        return differences;
    }
    match (recorded.buffer, now.buffer) {
        (Held::Bytes(recorded), Held::Bytes(now)) => {
            if recorded.len() != now.len() {
                let bytes = |buffer: &[u8]| format!("{} bytes", buffer.len());
                differences.push(whole("size", bytes(recorded), bytes(now)));
            }
            differences.extend(compare_bytes(0, &[], recorded, now));
        }
        (Held::Nothing, Held::Nothing) | (Held::Unknown, _) | (_, Held::Unknown) => {}
        (Held::Nothing, Held::Bytes(_)) => differences.push(absence("buffer", false)),
        (Held::Bytes(_), Held::Nothing) => differences.push(absence("buffer", true)),
    }
    differences
}

/// Something that was recorded and is not there now, or the other way round.
#[must_use]
pub fn absence(field: &str, recorded: bool) -> Difference {
    let [was, is] = if recorded { ["present", "absent"] } else { ["absent", "present"] };
    whole(field, was.into(), is.into())
}

fn whole(field: &str, recorded: String, now: String) -> Difference {
    let (field, place) = (field.to_owned(), field.to_owned());
    Difference { field, place, recorded, now, percent: None, count: 1 }
}

/// One field, in which values that `passes` are no difference.
fn compare_field(
    field: &Field,
    masked: &[(u64, u64)],
    recorded: &[u8],
    now: &[u8],
    passes: impl Fn(Value, Value) -> bool,
) -> Option<Difference> {
    // All of it, with what lies between its values: nearly always the same.
    let last = field.offset_of(field.count().checked_sub(1)?)?;
    let span = field.offset..last.checked_add(field.kind.bytes())?;
    if recorded.get(span.clone()).is_some_and(|bytes| now.get(span) == Some(bytes)) {
        return None;
    }
    let mut first = None;
    let mut count = 0;
    let mut percent = None;
    for index in 0..field.count() {
        let Some(at) = field.offset_of(index) else { break };
        if field.kind != Kind::Handle && is_masked(masked, at, field.kind.bytes()) {
            continue;
        }
        let (Some(one), Some(other)) = (field.value(recorded, index), field.value(now, index))
        else {
            break;
        };
        let differs = match field.kind {
            Kind::Address | Kind::Handle => is_zero(one) != is_zero(other),
            _ => !passes(one, other),
        };
        if differs {
            count += 1;
            first.get_or_insert((index, one, other));
            percent = farther(percent, change(one, other));
        }
    }
    let (index, one, other) = first?;
    let text = |value: Value| match field.kind {
        Kind::Address | Kind::Handle if is_zero(value) => "absent".to_owned(),
        Kind::Address | Kind::Handle => "present".to_owned(),
        _ => value.to_string(),
    };
    Some(Difference {
        field: field.name.clone(),
        place: field.name_of(index),
        recorded: text(one),
        now: text(other),
        percent: percent.filter(|_| !field.kind.is_address()),
        count,
    })
}

fn is_zero(value: Value) -> bool {
    value == Value::Unsigned(0)
}

/// Per cent of what was recorded.
fn change(recorded: Value, now: Value) -> Option<f64> {
    let (recorded, now) = (recorded.as_f64(), now.as_f64());
    let percent = 100.0 * (now - recorded) / recorded.abs();
    percent.is_finite().then_some(percent)
}

fn farther(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.abs() > one.abs() { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn is_masked(masked: &[(u64, u64)], at: usize, bytes: usize) -> bool {
    let (begin, end) = (at as u64, (at + bytes) as u64);
    masked.iter().any(|&(from, to)| begin < to && from < end)
}

/// Bytes from `known` on, as ranges.
fn compare_bytes(
    known: u64,
    masked: &[(u64, u64)],
    recorded: &[u8],
    now: &[u8],
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let begin = usize::try_from(known).unwrap_or(usize::MAX);
    let (Some(recorded), Some(now)) = (recorded.get(begin..), now.get(begin..)) else {
        return differences;
    };
    let mut ranges: Vec<Range> = Vec::new();
    let pieces = recorded.chunks(PIECE_BYTES).zip(now.chunks(PIECE_BYTES));
    // Nearly all pieces are the same, and these are compared in one step.
    let pieces =
        (known..).step_by(PIECE_BYTES).zip(pieces).filter(|(_, (one, other))| one != other);
    let bytes = pieces.flat_map(|(at, (one, other))| (at..).zip(one.iter().zip(other)));
    for (at, (one, other)) in bytes {
        if one == other || masked.iter().any(|&(from, to)| (from..to).contains(&at)) {
            continue;
        }
        let full = ranges.len() >= MAX_RANGES;
        match ranges.last_mut() {
            Some(range) if full || at - range.last <= GAP_BYTES => {
                range.last = at;
                range.count += 1;
            }
            _ => ranges.push(Range { first: at, last: at, count: 1 }),
        }
    }
    for range in ranges {
        let hex = |bytes: &[u8]| {
            let from = usize::try_from(range.first - known).unwrap_or(usize::MAX);
            let length = usize::try_from(range.last - range.first + 1).unwrap_or(8).min(8);
            let shown = bytes.get(from..).unwrap_or_default().iter().take(length);
            shown.map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let place = if range.first == range.last {
            format!("byte {}", range.first)
        } else {
            format!("bytes {} to {}", range.first, range.last)
        };
        differences.push(Difference {
            field: BYTES.into(),
            place,
            recorded: hex(recorded),
            now: hex(now),
            percent: None,
            count: range.count,
        });
    }
    differences
}

#[derive(Clone, Copy, Debug)]
struct Range {
    first: u64,
    last: u64,
    count: usize,
}
