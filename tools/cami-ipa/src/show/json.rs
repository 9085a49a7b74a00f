//! A recording as JSON lines: the first is what it is, each other one thing that happened.

use std::path::Path;

use cami_recording::Ending;
use cami_recording::session::Event;
use serde_json::{Value, json};

use super::about::missing;
use super::fields::Decoded;
use super::filter::call_name;
use crate::recorded::{Exchange, Item, Recorded};

/// What the recording is.
pub fn about(recorded: &Recorded, file: &Path) -> Value {
    let session = &recorded.session;
    let recording = &recorded.recording;
    let hosts: Vec<Value> = session
        .hosts
        .iter()
        .map(|life| {
            let host = &life.host;
            let libraries: Vec<Value> = life
                .libraries
                .iter()
                .map(|library| json!({ "path": library.path, "build_id": library.build_id }))
                .collect();
            json!({
                "host": host.host,
                "at_us": recorded.since_begin(host.at_ns) / 1000,
                "time_unix_ms": host.real_ns / 1_000_000,
                "monitor_pid": host.monitor_pid,
                "vendor_pid": host.vendor_pid,
                "restarts": host.restarts,
                "library": host.library,
                "build_id": host.build_id,
                "revision": host.revision,
                "profile": host.profile,
                "libraries": libraries,
                "died": life.died.as_ref().map(|died| died.cause.as_str()),
            })
        })
        .collect();
    let annotations: serde_json::Map<String, Value> = session
        .annotations
        .iter()
        .map(|annotation| (annotation.key.clone(), json!(annotation.value)))
        .collect();
    let (ending, good_until) = match recording.ending() {
        Ending::Complete => ("complete", recording.good_bytes()),
        Ending::Torn { at } => ("torn", at),
        Ending::Damaged { at } => ("damaged", at),
    };
    json!({
        "kind": "recording",
        "file": file.display().to_string(),
        "begun_unix_ms": recording.begun_ns() / 1_000_000,
        "read_as": recorded.read_as,
        "unknown_profiles": recorded.unknown_profiles,
        "span_us": recorded.span_ns() / 1000,
        "ending": ending,
        "good_bytes": good_until,
        "unknown_blocks": recording.unknown_blocks(),
        "frames": recorded.has_frames().then(|| recorded.frame_count()),
        "requests": recorded.exchanges().count(),
        "dropped_events": session.dropped.0,
        "lost_events": session.lost.iter().map(|lost| lost.events).fold(0, u64::saturating_add),
        "missing": missing(recorded),
        "annotations": annotations,
        "hosts": hosts,
    })
}

/// One thing that happened.
pub fn of(recorded: &Recorded, item: &Item<'_>, decoded: Option<&Decoded>) -> Value {
    let mut data = json!({
        "kind": item.kind(),
        "at_us": recorded.since_begin(item.at_ns()) / 1000,
        "host": item.host(),
    });
    let more = match item {
        Item::Request(exchange) => request(exchange),
        Item::Began(life) => json!({ "vendor_pid": life.host.vendor_pid }),
        Item::Died(died) => json!({
            "signal": died.signal, "exit_code": died.exit_code, "cause": died.cause,
        }),
        Item::Lost(lost) => json!({ "events": lost.events, "reason": lost.reason }),
        Item::Resumed(_) | Item::Ended(_) => Value::Null,
        Item::Event(event, _) => other(event),
    };
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
        if let Some(frame) = item.frame() {
            data.insert("frame".to_owned(), json!(frame));
        }
        if let Some(decoded) = decoded.filter(|_| matches!(item, Item::Request(_))) {
            data.insert("fields".to_owned(), decoded.json());
        }
    }
    data
}

fn request(exchange: &Exchange<'_>) -> Value {
    let requested = exchange.requested;
    json!({
        "number": requested.number,
        "command": exchange.command,
        "command_name": exchange.name(),
        "group": exchange.protocol.lane(exchange.command).name,
        "req_id": requested.req_id,
        "handle": requested.handle,
        "answered": exchange.returned.is_some(),
        "ok": exchange.done,
        "again": exchange.again,
        "status": exchange.returned.map(|answer| answer.status),
        "latency_us": exchange.latency_ns().map(|ns| ns / 1000),
        "content": some(requested.content),
        "answer_content": exchange.returned.and_then(|answer| some(answer.content)),
    })
}

fn other(event: &Event) -> Value {
    match event {
        Event::Call { called, answered } => json!({
            "call": call_name(called.call),
            "buffer_bytes": some(called.buffer_bytes),
            "handles": called.handles,
            "value": answered.as_ref().map(|answer| answer.value),
            "latency_us": answered
                .as_ref()
                .map(|answer| answer.at_ns.saturating_sub(called.at_ns) / 1000),
        }),
        Event::Unsolicited(answer) => json!({
            "req_id": answer.req_id,
            "handle": answer.handle,
            "status": answer.status,
            "answer_content": some(answer.content),
        }),
        Event::Update { updated, returned } => json!({
            "upd_id": updated.upd_id,
            "content": some(updated.content),
            "status": returned.as_ref().map(|back| back.status),
        }),
        Event::Line(line) => json!({ "stream": line.stream, "text": line.text }),
        Event::Usage(usage) => json!({
            "cpu_us": usage.cpu_us,
            "resident_bytes": usage.resident_bytes,
            "threads": usage.threads,
        }),
        Event::Exchange { .. } => Value::Null,
    }
}

/// 0 is none.
fn some(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}
