//! One list of all decoders, for the tests that ask the same of each.

use cami_wire::control::{FromClient, FromMonitor};
use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, RegisterBuffer, Request, ReturnValue, Returned,
    UpdateReturn, Updated, decode_empty,
};
use cami_wire::libcamera::{
    ControlInfoMap, ControlList, Dialect, InfoMapPacket, IpaBuffer, IpaCameraSensorInfo,
    IpaSettings, IpaStream, ListPacket, Map, Plane, Point, Rectangle, SharedFd, Size, SizeRange,
    Value, ipu3, vimc,
};
use cami_wire::{Header, WireError};

/// Reads a message; if it is valid, writes it and reads it again, and wants the same value.
type Decoder = (&'static str, fn(&[u8]));

/// Every decoder, for every dialect and every command.
pub fn all() -> Vec<Decoder> {
    vec![
        ("header", |bytes| {
            if let Ok((header, body)) = Header::decode(bytes) {
                assert_eq!([&header.encode(), body].concat(), bytes);
            }
        }),
        ("cros calls", cros_calls),
        ("cros events and answers", cros_answers),
        ("control", |bytes| {
            same(FromMonitor::decode(bytes), |m| m.encode(), FromMonitor::decode);
            same(FromClient::decode(bytes), |m| m.encode(), FromClient::decode);
        }),
        ("plain values", plain_values),
        ("structs", structs),
        ("controls", controls),
        ("ipu3", ipu3_messages),
        ("vimc", vimc_messages),
    ]
}

/// A decoded value must survive being encoded and decoded.
fn same<T: PartialEq + core::fmt::Debug>(
    decoded: Result<T, WireError>,
    encode: impl FnOnce(&T) -> Vec<u8>,
    decode: impl FnOnce(&[u8]) -> Result<T, WireError>,
) {
    if let Ok(value) = decoded {
        assert_eq!(decode(&encode(&value)).as_ref(), Ok(&value));
    }
}

fn body(message: &[u8]) -> &[u8] {
    Header::decode(message).expect("an encoded message has a header").1
}

fn cros_calls(bytes: &[u8]) {
    same(Init::decode(bytes), |m| body(&m.encode(1)).to_vec(), Init::decode);
    same(RegisterBuffer::decode(bytes), |m| body(&m.encode(1)).to_vec(), RegisterBuffer::decode);
    same(
        DeregisterBuffers::decode(bytes),
        |m| body(&DeregisterBuffers::encode(&m.handles, 1)).to_vec(),
        DeregisterBuffers::decode,
    );
    if let Ok(request) = Request::decode(bytes) {
        let parts = request.parts(1);
        let message = [&parts.head, parts.header, &parts.tail].concat();
        assert_eq!(body(&message), bytes);
    }
    same(UpdateReturn::decode(bytes), |m| body(&m.encode(1)).to_vec(), UpdateReturn::decode);
    assert_eq!(decode_empty(bytes).is_ok(), bytes.is_empty());
}

fn cros_answers(bytes: &[u8]) {
    let header = Header { command: 1, cookie: 1 };
    same(InitReply::decode(bytes), |m| body(&m.encode(1)).to_vec(), InitReply::decode);
    same(ReturnValue::decode(bytes), |m| body(&m.encode(header)).to_vec(), ReturnValue::decode);
    same(Returned::decode(bytes), |m| body(&m.encode()).to_vec(), Returned::decode);
    if let Ok(updated) = Updated::decode(bytes) {
        let parts = updated.parts();
        let message = [&parts.head, parts.header, &parts.tail].concat();
        assert_eq!(body(&message), bytes);
    }
}

/// Asks the same of a [`Value`], in every dialect.
fn value<T: Value + PartialEq + core::fmt::Debug>(bytes: &[u8]) {
    for dialect in Dialect::ALL {
        let encode = |value: &T| {
            let mut out = Vec::new();
            value.encode(dialect, &mut out).expect("what was decoded can be encoded");
            out
        };
        same(T::decode(bytes, dialect), encode, |bytes| T::decode(bytes, dialect));
    }
}

fn plain_values(bytes: &[u8]) {
    value::<bool>(bytes);
    value::<u8>(bytes);
    value::<i8>(bytes);
    value::<u16>(bytes);
    value::<i16>(bytes);
    value::<u32>(bytes);
    value::<i32>(bytes);
    value::<u64>(bytes);
    value::<i64>(bytes);
    value::<String>(bytes);
    value::<Vec<u8>>(bytes);
    value::<Vec<String>>(bytes);
    value::<Vec<Vec<u32>>>(bytes);
    value::<Map<String, Vec<i32>>>(bytes);
    for dialect in Dialect::ALL {
        // Not a number is not equal to itself: compare the bits.
        same(
            f32::decode(bytes, dialect).map(f32::to_bits),
            |v| v.to_le_bytes().to_vec(),
            |b| f32::decode(b, dialect).map(f32::to_bits),
        );
        same(
            f64::decode(bytes, dialect).map(f64::to_bits),
            |v| v.to_le_bytes().to_vec(),
            |b| f64::decode(b, dialect).map(f64::to_bits),
        );
    }
}

fn structs(bytes: &[u8]) {
    value::<SharedFd>(bytes);
    value::<Plane>(bytes);
    value::<IpaBuffer>(bytes);
    value::<Vec<IpaBuffer>>(bytes);
    value::<IpaSettings>(bytes);
    value::<IpaCameraSensorInfo>(bytes);
    value::<IpaStream>(bytes);
    value::<Map<u32, IpaStream>>(bytes);
    value::<Size>(bytes);
    value::<Point>(bytes);
    value::<Rectangle>(bytes);
    value::<SizeRange>(bytes);
    value::<ipu3::ConfigInfo>(bytes);
}

fn controls(bytes: &[u8]) {
    value::<ControlList>(bytes);
    value::<ControlInfoMap>(bytes);
    value::<Option<ListPacket>>(bytes);
    value::<Option<InfoMapPacket>>(bytes);
    value::<Map<u32, Option<InfoMapPacket>>>(bytes);
}

fn ipu3_messages(bytes: &[u8]) {
    let _ = ipu3::detect_dialect(bytes);
    for dialect in Dialect::ALL {
        for command in 0..=10 {
            let call = |bytes: &[u8]| ipu3::Call::decode(command, bytes, dialect);
            same(call(bytes), |m| body(&m.encode(1, dialect).unwrap()).to_vec(), call);
            let reply = |bytes: &[u8]| ipu3::Reply::decode(command, bytes, dialect);
            same(reply(bytes), |m| body(&m.encode(1, dialect).unwrap()).to_vec(), reply);
            let event = |bytes: &[u8]| ipu3::Event::decode(command, bytes, dialect);
            same(event(bytes), |m| body(&m.encode(dialect).unwrap()).to_vec(), event);
        }
    }
}

fn vimc_messages(bytes: &[u8]) {
    for dialect in Dialect::ALL {
        for command in 0..=9 {
            let call = |bytes: &[u8]| vimc::Call::decode(command, bytes, dialect);
            same(call(bytes), |m| body(&m.encode(1, dialect).unwrap()).to_vec(), call);
            let reply = |bytes: &[u8]| vimc::Reply::decode(command, bytes, dialect);
            same(reply(bytes), |m| body(&m.encode(1)).to_vec(), reply);
            let event = |bytes: &[u8]| vimc::Event::decode(command, bytes, dialect);
            same(event(bytes), |m| body(&m.encode()).to_vec(), event);
        }
    }
}
