//! What is in the buffer of a request, by the field tables of its protocol.

use cami_ipu3::fields::{self, Direction, Field, Value};
use cami_recording::{ContentId, PageCache};
use serde_json::{Map, json};

use crate::recorded::{Exchange, Item, Recorded};

/// A table of more values is told by its extremes.
const FEW: usize = 9;
/// Where a line of fields ends, in characters.
const WIDTH: usize = 100;

/// The fields of a request and of its answer.
#[derive(Debug, Default)]
pub struct Decoded {
    request: Vec<(&'static Field, Shown)>,
    answer: Vec<(&'static Field, Shown)>,
}

/// What a field holds.
#[derive(Debug)]
enum Shown {
    Values(Vec<Value>),
    Many { count: usize, least: f64, mean: f64, most: f64 },
}

impl Decoded {
    /// Reads both sides, as far as the protocol and the contents are known.
    pub fn of(recorded: &Recorded, item: &Item<'_>, cache: &mut PageCache) -> Self {
        let Item::Request(exchange) = item else { return Self::default() };
        let before = exchange.requested.content;
        let after = exchange.returned.filter(|_| exchange.done).map_or(0, |answer| answer.content);
        let mut side = |content, direction| side(recorded, exchange, content, direction, cache);
        Self { request: side(before, Direction::Request), answer: side(after, Direction::Answer) }
    }

    /// As lines: `<` before what the HAL wrote, `>` before what the library answered.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (mark, side) in [('<', &self.request), ('>', &self.answer)] {
            let mut line = String::new();
            for (field, shown) in side {
                let text = format!("{} {}", field.name, shown.text(field));
                if !line.is_empty() && line.len() + text.len() > WIDTH {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(if line.is_empty() { "" } else { ", " });
                if line.is_empty() {
                    line = format!("{mark} ");
                }
                line.push_str(&text);
            }
            lines.extend((!line.is_empty()).then_some(line));
        }
        lines
    }

    /// As data, by paths.
    pub fn json(&self) -> serde_json::Value {
        let side = |side: &[(&Field, Shown)]| -> Map<String, serde_json::Value> {
            side.iter().map(|(field, shown)| (field.path.clone(), shown.json(field))).collect()
        };
        json!({ "request": side(&self.request), "answer": side(&self.answer) })
    }
}

fn side(
    recorded: &Recorded,
    exchange: &Exchange<'_>,
    content: ContentId,
    direction: Direction,
    cache: &mut PageCache,
) -> Vec<(&'static Field, Shown)> {
    let Some(command) = exchange.protocol.ipu3(exchange.command) else { return Vec::new() };
    let bytes = u64::try_from(command.payload_bytes()).unwrap_or(0);
    if content == 0 || bytes == 0 {
        return Vec::new();
    }
    let Ok(payload) = recorded.recording.part(content, 0..bytes, cache) else { return Vec::new() };
    fields::fields(command, direction)
        .iter()
        .filter_map(|field| Some((field, Shown::of(field, &payload)?)))
        .collect()
}

impl Shown {
    fn of(field: &Field, payload: &[u8]) -> Option<Self> {
        if field.count() <= FEW {
            let values: Vec<Value> = field.values(payload).collect();
            return (!values.is_empty()).then_some(Self::Values(values));
        }
        let (mut count, mut sum) = (0_usize, 0.0);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in field.values(payload).map(Value::as_f64) {
            count += 1;
            sum += value;
            (least, most) = (least.min(value), most.max(value));
        }
        (count > 0).then(|| Self::Many { count, least, mean: sum / count as f64, most })
    }

    fn text(&self, field: &Field) -> String {
        match self {
            Self::Values(values) => {
                let values: Vec<String> = values.iter().map(|value| one(field, *value)).collect();
                match values.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(" ")),
                }
            }
            Self::Many { count, least, most, .. } if least == most => {
                format!("{least} ({count} times)")
            }
            Self::Many { count, least, mean, most } => {
                format!("{least} to {most}, mean {mean:.2} ({count} values)")
            }
        }
    }

    /// Addresses are texts, since JSON's numbers end at 2^53.
    fn json(&self, field: &Field) -> serde_json::Value {
        let number = |value: &Value| match *value {
            value if field.kind.is_address() => json!(one(field, value)),
            Value::Unsigned(value) => json!(value),
            Value::Signed(value) => json!(value),
            Value::Float(value) => json!(value),
        };
        match self {
            Self::Values(values) => match values.as_slice() {
                [one] => number(one),
                many => many.iter().map(number).collect(),
            },
            Self::Many { count, least, mean, most } => {
                json!({ "values": count, "least": least, "mean": mean, "most": most })
            }
        }
    }
}

/// A value; an address in hexadecimal digits.
fn one(field: &Field, value: Value) -> String {
    match value {
        Value::Unsigned(address) if field.kind.is_address() => format!("{address:#x}"),
        value => value.to_string(),
    }
}
