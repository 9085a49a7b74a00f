//! Field tables against the measured layouts, and values of hostile payloads.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use std::collections::HashMap;

use cami_ipu3::fields::{Direction, Field, Kind, Value, fields, find};
use cami_ipu3::payload::{AeRunParams, GbceRunParams};
use cami_ipu3::{Command, bytes_of, bytes_of_mut, zeroed_box};

const LAYOUTS: &str = include_str!("data/layouts.txt");

/// The original struct of each command's payload.
const PAYLOADS: [(Command, &str); 24] = [
    (Command::AicInit, "Transport"),
    (Command::AicRun, "Transport"),
    (Command::AicReset, "Transport"),
    (Command::AicGetVersion, "ia_aic_version_params"),
    (Command::AicGetConfig, "IPU3AicConfig"),
    (Command::AiqInit, "aiq_init_params"),
    (Command::AiqDeinit, "aiq_deinit_params"),
    (Command::AeRun, "ae_run_params"),
    (Command::AfRun, "af_run_params"),
    (Command::AwbRun, "awb_run_params"),
    (Command::GbceRun, "gbce_run_params"),
    (Command::PaRun, "pa_run_params"),
    (Command::SaRun, "sa_run_params"),
    (Command::AiqGetData, "ia_binary_data_params"),
    (Command::StatisticsSet, "set_statistics_params"),
    (Command::AiqGetVersion, "ia_aiq_version_params"),
    (Command::CmcInit, "cmc_init_params"),
    (Command::CmcDeinit, "cmc_deinit_params"),
    (Command::MknInit, "mkn_init_params"),
    (Command::MknUninit, "mkn_uninit_params"),
    (Command::MknPrepare, "mkn_prepare_params"),
    (Command::MknEnable, "mkn_enable_params"),
    (Command::CoordinateConvert, "convert_coordinates_params"),
    (Command::FaceRun, "face_engine_run_params"),
];

/// A number as the measurements have it.
#[derive(Debug, PartialEq)]
struct Measured {
    offset: usize,
    kind: String,
    counts: Vec<usize>,
}

/// Names differ in their spelling only: `cmcRemoteHandle` is `cmc_remote_handle`.
fn spelled(path: &str) -> String {
    path.replace(['_', '[', ']'], "").to_lowercase()
}

/// Name, offset, type and tables of a member.
type Member = (&'static str, usize, &'static str, Vec<usize>);

struct Layouts(HashMap<&'static str, Vec<Member>>);

impl Layouts {
    fn read() -> Self {
        let lines = LAYOUTS.lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(Self::line).collect())
    }

    fn line(line: &'static str) -> (&'static str, Vec<Member>) {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let members = words.skip(1).map(|word| {
            let (name, rest) = word.split_once('@').expect("an offset");
            let (offset, rest) = rest.split_once(':').expect("a type");
            let mut kind = rest;
            let mut counts = Vec::new();
            // Names of structs have no x before a number.
            while let Some((left, count)) = kind.rsplit_once('x') {
                let Ok(count) = count.parse() else { break };
                counts.insert(0, count);
                kind = left;
            }
            (name, offset.parse().expect("an offset"), kind, counts)
        });
        (name, members.collect())
    }

    fn flatten(
        &self,
        name: &str,
        path: &str,
        offset: usize,
        outer: &[usize],
        into: &mut HashMap<String, Measured>,
    ) {
        for (member, at, kind, counts) in &self.0[name] {
            let path = if path.is_empty() { (*member).into() } else { format!("{path}.{member}") };
            let counts = [outer, counts].concat();
            let offset = offset + at;
            if self.0.contains_key(kind) {
                self.flatten(kind, &path, offset, &counts, into);
            } else {
                let counts = counts.into_iter().filter(|&count| count != 1).collect();
                let measured = Measured { offset, kind: (*kind).to_owned(), counts };
                into.insert(spelled(&path), measured);
            }
        }
    }
}

fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::U8 => "u1",
        Kind::I8 => "i1",
        Kind::U16 => "u2",
        Kind::I16 => "i2",
        Kind::U32 => "u4",
        Kind::I32 => "i4",
        Kind::U64 => "u8",
        Kind::I64 => "i8",
        Kind::F32 => "f4",
        Kind::Address => "a",
        Kind::Handle => "h",
    }
}

fn both(command: Command) -> impl Iterator<Item = &'static Field> {
    [Direction::Request, Direction::Answer].into_iter().flat_map(move |d| fields(command, d))
}

#[test]
fn every_measured_number_is_a_field_where_it_was_measured() {
    let layouts = Layouts::read();
    let mut checked = 0;
    for (command, root) in PAYLOADS {
        let found: HashMap<String, &Field> =
            both(command).map(|field| (spelled(&field.path), field)).collect();
        let mut measured = HashMap::new();
        layouts.flatten(root, "", 0, &[], &mut measured);
        for (path, measured) in measured {
            let field = found.get(&path).unwrap_or_else(|| panic!("{command:?} has no {path}"));
            let counts = field.dimensions.iter().map(|dimension| dimension.count).collect();
            let field = Measured { offset: field.offset, kind: code(field.kind).into(), counts };
            assert_eq!(field, measured, "{command:?} {path}");
            checked += 1;
        }
    }
    assert!(checked > 800, "{checked}");
}

#[test]
fn fields_lie_in_their_payload_and_do_not_overlap() {
    for &command in Command::ALL {
        let mut written = vec![false; command.payload_bytes()];
        for field in both(command) {
            assert_eq!(field.offset_of(field.count()), None);
            for index in 0..field.count() {
                let at = field.offset_of(index).expect("within its tables");
                let bytes = &mut written[at..at + field.kind.bytes()];
                assert!(bytes.iter().all(|byte| !byte), "{command:?} {}", field.path);
                bytes.fill(true);
            }
        }
    }
}

#[test]
fn names_are_short_and_their_own() {
    for &command in Command::ALL {
        let mut names: Vec<&str> = both(command).map(|field| field.name.as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{command:?}");
    }
    for (command, path, name) in [
        (Command::AeRun, "res.exposure.exposure_time_us", "exposure_time_us"),
        (Command::AeRun, "res.exposures.converged", "converged"),
        (Command::AwbRun, "results.cct_estimate", "cct_estimate"),
        (Command::AfRun, "results.next_lens_position", "next_lens_position"),
        (Command::SaRun, "res.channel_gr[]", "channel_gr[]"),
        (Command::ExcAnalogGainToSensor, "code", "code"),
        (
            Command::AicGetConfig,
            "aic_config.rgbpp_2500_config.ccm.matrix_coeffs.m11",
            "rgbpp_2500_config.ccm.matrix_coeffs.m11",
        ),
        (Command::CmcInit, "results.cmc_remote_handle", "results.cmc_remote_handle"),
    ] {
        let (direction, field) = find(command, path).expect(path);
        assert_eq!((direction, field.name.as_str()), (Direction::Answer, name));
        assert_eq!(find(command, name).map(|(_, field)| field.offset), Some(field.offset));
    }
    assert_eq!(find(Command::AeRun, "exposure_time"), None);
}

#[test]
fn values_are_read_where_the_structs_have_them() {
    let mut ae = zeroed_box::<AeRunParams>();
    ae.res.exposure.exposure_time_us = -33_019;
    ae.res.exposure.analog_gain = 1.5;
    ae.res.weights[16_383] = 7;
    ae.base.manual_limits = 0xffff_8000_0000_1000;
    let bytes = bytes_of(&*ae);
    let value = |name, index| find(Command::AeRun, name).and_then(|(_, f)| f.value(bytes, index));
    assert_eq!(value("exposure_time_us", 0), Some(Value::Signed(-33_019)));
    assert_eq!(value("analog_gain", 0), Some(Value::Float(1.5)));
    assert_eq!(value("weights[]", 16_383), Some(Value::Unsigned(7)));
    assert_eq!(value("weights[]", 16_384), None);
    let (_, limits) = find(Command::AeRun, "base.manual_limits").expect("a field");
    assert_eq!(limits.kind, Kind::Address);

    let (_, cells) =
        find(Command::StatisticsSet, "input.rgbs_grids.blocks_ptr[].avg_b").expect("colour cells");
    assert_eq!((cells.count(), cells.offset_of(1)), (16_384, Some(cells.offset + 5)));
    assert_eq!(cells.path_of(17), "input.rgbs_grids.blocks_ptr[17].avg_b");
    let (_, matrices) =
        find(Command::PaRun, "advanced_color_conversion_matrices[][][]").expect("the matrices");
    assert_eq!(matrices.name_of(9 + 5), "advanced_color_conversion_matrices[1][1][2]");
    assert_eq!(matrices.offset_of(9 + 5), Some(matrices.offset + 4 * (9 + 5)));
}

#[test]
fn short_and_odd_payloads_give_what_they_have() {
    let mut gbce = zeroed_box::<GbceRunParams>();
    bytes_of_mut(&mut *gbce).fill(0xff);
    let bytes = bytes_of(&*gbce);
    for &command in Command::ALL {
        for field in both(command) {
            for bytes in [&[][..], &bytes[..1], &bytes[..77], bytes] {
                let values = field.values(bytes).count();
                let fits = |index: &usize| {
                    let end = field.offset_of(*index).map(|at| at + field.kind.bytes());
                    end.is_some_and(|end| end <= bytes.len())
                };
                assert_eq!(values, (0..field.count()).take_while(fits).count());
            }
        }
    }
    assert!(Value::Float(f32::NAN).same(Value::Float(f32::NAN)));
    assert!(!Value::Float(0.0).same(Value::Float(-0.0)));
}
