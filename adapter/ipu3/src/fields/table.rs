//! Which struct each command's payload is, and which of its members are the answer
//! (spec/ipu3-protocol.md, 1.2 and 1.3).

use super::shape::{Described, Member, Shape};
use super::{Dimension, Direction, Field, Kind, words};
use crate::Command;
use crate::payload::{
    AeRunParams, AfRunParams, AicVersionParams, AiqDeinitParams, AiqInitParams, AiqVersionParams,
    AwbRunParams, BinaryDataParams, CmcDeinitParams, CmcInitParams, CmcParsedAnalogGainConversion,
    CmcParsedAnalogGainConversionData, ConvertCoordinatesParams, FaceEngineInitParams,
    FaceEngineRunParams, GbceRunParams, IPU3AicConfig, MknEnableParams, MknInitParams,
    MknPrepareParams, MknUninitParams, PaRunParams, SaRunParams, SetStatisticsParams, Transport,
};

/// The members of a command's payload, and the names of those that are the answer.
fn payload(command: Command) -> (Shape, &'static [&'static str]) {
    match command {
        Command::AicInit | Command::AicRun | Command::AicReset => (Transport::SHAPE, &[]),
        Command::AicGetVersion => (AicVersionParams::SHAPE, &["data", "size"]),
        Command::AicGetConfig => (IPU3AicConfig::SHAPE, &["aic_config"]),
        Command::AiqInit => (AiqInitParams::SHAPE, &["results"]),
        Command::AiqDeinit => (AiqDeinitParams::SHAPE, &[]),
        Command::AeRun => (AeRunParams::SHAPE, &["res"]),
        Command::AfRun => (AfRunParams::SHAPE, &["results"]),
        Command::AwbRun => (AwbRunParams::SHAPE, &["results"]),
        Command::GbceRun => (
            GbceRunParams::SHAPE,
            &["res_base", "r_gamma_lut", "b_gamma_lut", "g_gamma_lut", "tone_map_lut"],
        ),
        Command::PaRun => (PaRunParams::SHAPE, &["res"]),
        Command::SaRun => (SaRunParams::SHAPE, &["res"]),
        Command::AiqGetData => (BinaryDataParams::SHAPE, &["data", "size"]),
        Command::StatisticsSet => (SetStatisticsParams::SHAPE, &[]),
        Command::AiqGetVersion => (AiqVersionParams::SHAPE, &["data", "size"]),
        Command::CmcInit => (CmcInitParams::SHAPE, &["results"]),
        Command::CmcDeinit => (CmcDeinitParams::SHAPE, &[]),
        Command::ExcAnalogGainToSensor => (Shape::Struct { members: &GAIN_TO_CODE }, &["code"]),
        Command::ExcSensorToAnalogGain => (Shape::Struct { members: &CODE_TO_GAIN }, &["gain"]),
        Command::MknInit => (MknInitParams::SHAPE, &["results"]),
        Command::MknUninit => (MknUninitParams::SHAPE, &[]),
        Command::MknPrepare => (MknPrepareParams::SHAPE, &["results"]),
        Command::MknEnable => (MknEnableParams::SHAPE, &[]),
        Command::CoordinateConvert => (ConvertCoordinatesParams::SHAPE, &["results"]),
        Command::FaceInit => (FaceEngineInitParams::SHAPE, &[]),
        Command::FaceRun => (FaceEngineRunParams::SHAPE, &["results"]),
        Command::CoordinateFaces | Command::FaceUninit => (Shape::Struct { members: &[] }, &[]),
    }
}

/// `ia_exc_analog_gain_to_sensor_units_params` holds a union of a gain and a code twice: which of
/// them is meant, the command says.
const GAIN_TO_CODE: [Member; 4] = exchange(("gain", Kind::F32), ("code", Kind::U16));
const CODE_TO_GAIN: [Member; 4] = exchange(("code", Kind::U16), ("gain", Kind::F32));

const fn exchange(input: (&'static str, Kind), result: (&'static str, Kind)) -> [Member; 4] {
    [
        Member { name: "base", offset: 0, shape: CmcParsedAnalogGainConversion::SHAPE },
        Member {
            name: "gain_conversion",
            offset: 24,
            shape: CmcParsedAnalogGainConversionData::SHAPE,
        },
        Member { name: input.0, offset: 22568, shape: Shape::Number(input.1) },
        Member { name: result.0, offset: 22572, shape: Shape::Number(result.1) },
    ]
}

/// All fields of a command, and which of them are in the answer.
pub fn all(command: Command) -> Vec<(Direction, Field)> {
    let (shape, answers) = payload(command);
    let Shape::Struct { members } = shape else { return Vec::new() };
    let mut fields = Vec::new();
    for member in members {
        let direction =
            if answers.contains(&member.name) { Direction::Answer } else { Direction::Request };
        let mut found = Vec::new();
        let here = Walk { name: member.name, path: member.name, offset: member.offset };
        walk(&here, &member.shape, &[], &mut found);
        fields.extend(found.into_iter().map(|field| (direction, field)));
    }
    if command == Command::AicGetConfig {
        // Hundreds of fields that are named alike: a name says the kernel.
        for (_, field) in &mut fields {
            let below = field.path.split_once('.').map_or(field.path.as_str(), |(_, below)| below);
            field.name = below.to_owned();
        }
    } else {
        name(&mut fields);
    }
    fields
}

/// Where a walk through a struct is.
struct Walk<'a> {
    name: &'a str,
    path: &'a str,
    offset: usize,
}

fn walk(here: &Walk<'_>, shape: &Shape, dimensions: &[Dimension], fields: &mut Vec<Field>) {
    match *shape {
        Shape::Number(kind) => fields.push(Field {
            path: here.path.to_owned(),
            name: String::new(),
            offset: here.offset,
            kind: words::kind(here.name, kind),
            dimensions: dimensions.to_vec(),
        }),
        // One element alone is no table.
        Shape::Array { element, count: 1, .. } => walk(here, element, dimensions, fields),
        Shape::Array { element, count, .. }
            if let Some(words) = words::words_in(here.name, element, count) =>
        {
            let element = &Shape::Number(Kind::Address);
            walk(here, &Shape::Array { element, count: words, stride: 8 }, dimensions, fields);
        }
        Shape::Array { element, count, stride } => {
            let path = format!("{}[]", here.path);
            let inner = [dimensions, &[Dimension { count, stride }]].concat();
            walk(&Walk { path: &path, ..*here }, element, &inner, fields);
        }
        Shape::Struct { members } => {
            for member in members {
                let path = format!("{}.{}", here.path, member.name);
                let offset = here.offset + member.offset;
                walk(
                    &Walk { name: member.name, path: &path, offset },
                    &member.shape,
                    dimensions,
                    fields,
                );
            }
        }
    }
}

/// Gives each field the shortest end of its path that no other value of the command has. Addresses
/// keep their path: whoever looks for a name looks for a value.
fn name(fields: &mut [(Direction, Field)]) {
    let mut ends = std::collections::HashMap::<String, u32>::new();
    for (_, field) in fields.iter().filter(|(_, field)| !field.kind.is_address()) {
        for end in ends_of(&field.path) {
            *ends.entry(end.to_owned()).or_default() += 1;
        }
    }
    for (_, field) in fields.iter_mut() {
        let short =
            ends_of(&field.path).find(|&end| !field.kind.is_address() && ends.get(end) == Some(&1));
        field.name = short.unwrap_or(&field.path).to_owned();
    }
}

/// The ends of a path, the shortest first and the whole path last.
fn ends_of(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.rmatch_indices('.').filter_map(|(at, _)| path.get(at + 1..));
    inner.chain([path])
}
