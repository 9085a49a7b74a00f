//! Two contents of a buffer.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what it expects"
)]

use cami_ipu3::fields::{Direction, find};
use cami_ipu3::payload::{AeRunParams, SaRunParams};
use cami_ipu3::{Command, bytes_of, zeroed_box};
use cami_replay::{Brought, Difference, Held, Protocol, Side, Tolerances, compare, compare_update};

const AE: u32 = Command::AeRun.number();

fn ipu3() -> Protocol {
    Protocol::named("intel-ipu3").expect("built in")
}

fn answers(recorded: &[u8], now: &[u8], rules: &[&str]) -> Vec<Difference> {
    let mut tolerances = Tolerances::default();
    rules.iter().for_each(|rule| tolerances.add(rule).expect("a rule"));
    compare(&ipu3(), AE, Side::Answer, &tolerances, recorded, now)
}

fn exposed(time_us: i32) -> Box<AeRunParams> {
    let mut ae = zeroed_box::<AeRunParams>();
    ae.aiq_handle = 0x1000;
    ae.res.base.exposures = 0x2000;
    ae.res.exposure.exposure_time_us = time_us;
    ae
}

#[test]
fn a_field_is_named_with_both_values_and_how_far_it_is_off() {
    let (recorded, now) = (exposed(33_019), exposed(32_988));
    let differences = answers(bytes_of(&*recorded), bytes_of(&*now), &[]);
    let [difference] = differences.as_slice() else { panic!("{differences:?}") };
    assert_eq!(difference.place, "exposure_time_us");
    assert_eq!((difference.recorded.as_str(), difference.now.as_str()), ("33019", "32988"));
    let percent = difference.percent.expect("a number");
    assert!((percent + 0.0939).abs() < 0.001, "{percent}");
}

#[test]
fn the_last_rule_that_fits_a_field_holds() {
    let (recorded, now) = (exposed(33_019), exposed(32_988));
    let count = |rules: &[&str]| answers(bytes_of(&*recorded), bytes_of(&*now), rules).len();
    for rule in [
        "exposure_time_us=0.1",
        "res.exposure.exposure_time_us=0.1",
        "AIQ_AE_RUN.exposure_time_us=0.1",
        "AIQ_AE_RUN.*=0.1",
        "*=any",
    ] {
        assert_eq!(count(&[rule]), 0, "{rule}");
    }
    for rule in ["exposure_time_us=0.09", "AIQ_AWB_RUN.*=50", "exposure_time=50"] {
        assert_eq!(count(&[rule]), 1, "{rule}");
    }
    assert_eq!(count(&["*=any", "exposure_time_us=0"]), 1);
    assert_eq!(count(&["exposure_time_us=0", "*=any"]), 0);
}

#[test]
fn addresses_count_only_as_being_there() {
    let recorded = exposed(1);
    let mut now = exposed(1);
    now.aiq_handle = 0x7777;
    now.res.base.exposures = 0x8888;
    assert_eq!(answers(bytes_of(&*recorded), bytes_of(&*now), &[]), []);
    now.res.base.exposures = 0;
    now.aiq_handle = 0;
    let differences = answers(bytes_of(&*recorded), bytes_of(&*now), &[]);
    let places: Vec<&str> = differences.iter().map(|d| d.place.as_str()).collect();
    assert_eq!(places, ["aiq_handle", "res.base.exposures"]);
    assert_eq!(
        (differences[1].recorded.as_str(), differences[1].now.as_str()),
        ("present", "absent")
    );
}

#[test]
fn padding_does_not_count_and_a_changed_input_does() {
    let recorded = exposed(1);
    let mut now = exposed(1);
    now.padding_172 = [1; 4];
    assert_eq!(answers(bytes_of(&*recorded), bytes_of(&*now), &[]), []);
    now.manual_iso = 7;
    let differences = answers(bytes_of(&*recorded), bytes_of(&*now), &[]);
    assert_eq!(differences[0].place, "manual_iso");
}

#[test]
fn what_the_hal_did_not_write_is_no_part_of_a_request() {
    let (recorded, mut now) = (exposed(1), exposed(2));
    let none = Tolerances::default();
    let requests = |now: &AeRunParams| {
        compare(&ipu3(), AE, Side::Request, &none, bytes_of(&*recorded), bytes_of(now))
    };
    assert_eq!(requests(&now), []);
    now.base.frame_use = 3;
    assert_eq!(requests(&now)[0].place, "frame_use");
}

#[test]
fn a_table_is_one_difference() {
    let recorded = zeroed_box::<SaRunParams>();
    let mut now = recorded.clone();
    now.res.channel_gr[7] = 1.5;
    now.res.channel_gr[16_000] = f32::NAN;
    let sa = Command::SaRun.number();
    let none = Tolerances::default();
    let differences =
        compare(&ipu3(), sa, Side::Answer, &none, bytes_of(&*recorded), bytes_of(&*now));
    let [difference] = differences.as_slice() else { panic!("{differences:?}") };
    assert_eq!((difference.place.as_str(), difference.count), ("channel_gr[7]", 2));
    assert_eq!((difference.field.as_str(), difference.percent), ("channel_gr[]", None));
    assert_eq!(
        compare(&ipu3(), sa, Side::Answer, &none, bytes_of(&*now), bytes_of(&*now)),
        [],
        "what is not a number is itself"
    );
}

#[test]
fn zero_and_minus_zero_are_two_values() {
    let (mut recorded, mut now) = (exposed(1), exposed(1));
    recorded.res.exposure.digital_gain = 0.0;
    now.res.exposure.digital_gain = -0.0;
    assert_eq!(answers(bytes_of(&*recorded), bytes_of(&*now), &[]).len(), 1);
    assert_eq!(answers(bytes_of(&*recorded), bytes_of(&*now), &["*=0"]), []);
}

#[test]
fn what_varies_by_the_profile_is_left_out_but_not_beside_it() {
    let data = Command::AiqGetData.number();
    let recorded = vec![0; Command::AiqGetData.payload_bytes()];
    let mut now = recorded.clone();
    now[8..500_008].fill(1);
    let none = Tolerances::default();
    let differ = |now: &[u8]| compare(&ipu3(), data, Side::Answer, &none, &recorded, now);
    assert_eq!(differ(&now), []);
    now[500_008] = 1;
    assert_eq!(differ(&now)[0].place, "size");
    assert!(ipu3().excluded().contains(&"AIQ_GET_AIQ_DATA: data[], by profile intel-ipu3".into()));
}

#[test]
fn bytes_behind_the_fields_and_of_unknown_protocols_are_told_as_ranges() {
    let generic = Protocol::named("generic").expect("built in");
    let none = Tolerances::default();
    let recorded = vec![0; 100];
    let mut now = recorded.clone();
    now[3] = 1;
    now[50..54].fill(2);
    now[58] = 2;
    let differences = compare(&generic, 9, Side::Answer, &none, &recorded, &now);
    let places: Vec<(&str, usize)> =
        differences.iter().map(|d| (d.place.as_str(), d.count)).collect();
    assert_eq!(places, [("byte 3", 1), ("bytes 50 to 58", 5)]);

    // AIQ_INIT has tuning behind its struct; its struct's handles are addresses.
    let init = Command::AiqInit.number();
    now = recorded.clone();
    now[24] = 1;
    now[60] = 1;
    let differences = compare(&ipu3(), init, Side::Answer, &none, &recorded, &now);
    let places: Vec<&str> = differences.iter().map(|d| d.place.as_str()).collect();
    assert_eq!(places, ["ia_mkn", "byte 60"]);
}

#[test]
fn many_ranges_end_in_one() {
    let generic = Protocol::named("generic").expect("built in");
    let recorded = vec![0; 4096];
    let now: Vec<u8> = (0..4096).map(|at| u8::from(at % 32 == 0)).collect();
    let none = Tolerances::default();
    let differences = compare(&generic, 1, Side::Answer, &none, &recorded, &now);
    assert_eq!(differences.len(), 16);
    assert_eq!(differences.iter().map(|difference| difference.count).sum::<usize>(), 128);
}

#[test]
fn buffers_of_any_size_are_compared_as_far_as_both_reach() {
    let whole = exposed(1);
    let whole = bytes_of(&*whole);
    for length in [0, 1, 8, 171, 373, 16_799] {
        for (one, other) in [(whole, &whole[..length]), (&whole[..length], whole)] {
            let differences = answers(one, other, &[]);
            assert_eq!(differences[0].place, "size");
            assert_eq!(differences.len(), 1, "{length}: {differences:?}");
        }
    }
    let changed = exposed(2);
    let short = &bytes_of(&*changed)[..400];
    assert_eq!(answers(whole, short, &[])[1].place, "exposure_time_us");
}

#[test]
fn masks_of_the_profile_lie_where_the_fields_are_addresses() {
    let protocol = ipu3();
    for command in &protocol.profile().commands {
        let known = Command::try_from(command.rule.id).expect("a command");
        for at in command.rule.takes.iter().chain(&command.rule.gives) {
            let all = [Direction::Request, Direction::Answer];
            let mut fields =
                all.into_iter().flat_map(|side| cami_ipu3::fields::fields(known, side));
            let field = fields.find(|field| field.offset == *at as usize);
            let field = field.unwrap_or_else(|| panic!("{} has nothing at {at}", command.name));
            assert!(field.kind.is_address(), "{} {}", command.name, field.path);
        }
    }
    let (_, stamp) = find(Command::StatisticsSet, "input.base.frame_timestamp").expect("a field");
    let varies = protocol.masked(15, Direction::Request);
    assert!(varies.contains(&(stamp.offset as u64 - 8, stamp.offset as u64 + 8)));
}

#[test]
fn updates_are_compared_by_number_header_and_buffer() {
    let of = |upd_id, header, buffer| Brought { upd_id, header, buffer };
    let told = |one, other, rules: &[&str]| {
        let mut tolerances = Tolerances::default();
        rules.iter().for_each(|rule| tolerances.add(rule).expect("a rule"));
        let differences = compare_update(&tolerances, one, other).into_iter();
        differences.map(|difference| difference.place).collect::<Vec<_>>()
    };
    let one = of(1, &[1, 2, 3], Held::Bytes(&[7; 300]));
    assert_eq!(told(one, one, &[]), [""; 0]);
    let mut other = [7; 301];
    other[290] = 8;
    let other = of(2, &[1, 9, 3, 4], Held::Bytes(&other));
    let all = ["upd_id", "header_size", "header byte 1", "size", "byte 290"];
    assert_eq!(told(one, other, &[]), all);
    assert_eq!(told(one, other, &["update.*=50"]), all, "no value, so no per cent");
    assert_eq!(told(one, other, &["update.header=any"]), ["upd_id", "size", "byte 290"]);
    assert_eq!(told(one, other, &["bytes=any", "upd_id=any"]), ["header_size", "header byte 1"]);
    assert_eq!(told(one, of(1, &[1, 2, 3], Held::Nothing), &[]), ["buffer"]);
    assert_eq!(told(of(1, &[1, 2, 3], Held::Nothing), one, &[]), ["buffer"]);
    assert_eq!(told(one, of(1, &[1, 2, 3], Held::Unknown), &[]), [""; 0]);
}

#[test]
fn bytes_of_an_unknown_protocol_are_left_out_by_their_rule() {
    let generic = Protocol::named("generic").expect("built in");
    let count = |rules: &[&str]| {
        let mut tolerances = Tolerances::default();
        rules.iter().for_each(|rule| tolerances.add(rule).expect("a rule"));
        compare(&generic, 5, Side::Answer, &tolerances, &[0; 600], &[1; 600]).len()
    };
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&["command 5.bytes=any"]), 0);
    assert_eq!(count(&["command 6.bytes=any", "bytes=3"]), 1);
}
