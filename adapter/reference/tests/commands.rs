//! Every command: good, short, missing and unknown buffers; unknown handles.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may state what it expects"
)]

mod common;

use cam_algo_reference::VERSION;
use cami_abi::CameraAlgorithm;
use cami_ipu3::payload::*;
use cami_ipu3::sequence::set_up;
use cami_ipu3::{Command, HEADER, zeroed_box};
use common::camera::{Camera, Scene};
use common::{Hal, wait};

/// Commands that answer 0 to a payload of zeros: they need no object, or say so of any.
const NEEDS_NO_OBJECT: [Command; 7] = [
    Command::AicRun,
    Command::AicReset,
    Command::AicGetVersion,
    Command::AiqGetVersion,
    Command::CmcInit,
    Command::MknInit,
    Command::FaceInit,
];

#[test]
fn wrong_buffers_are_refused_by_every_command() {
    let hal = Hal::new();
    for command in Command::ALL {
        let name = command.name();
        let without_buffer = u32::from(*command != Command::FaceUninit);
        assert_eq!(hal.status(*command, -1), without_buffer, "{name} without a buffer");
        for unknown in [0, 999_999, i32::MAX, i32::MIN, -2] {
            assert_eq!(hal.status(*command, unknown), 1, "{name} with handle {unknown}");
        }
        let size = command.payload_bytes();
        if size > 1 {
            let short = hal.buffer(size - 1);
            assert_eq!(hal.status(*command, short.handle), 1, "{name} with {} bytes", size - 1);
            assert!(short.bytes().iter().all(|byte| *byte == 0), "{name} wrote all the same");
            let freed = hal.buffer(size);
            hal.server.deregister_buffers(&[freed.handle]);
            assert_eq!(hal.status(*command, freed.handle), 1, "{name} with a freed buffer");
        }
    }
}

#[test]
fn a_payload_of_zeros_names_no_object() {
    let hal = Hal::new();
    for command in Command::ALL {
        if command.payload_bytes() == 0 {
            continue;
        }
        // FACE_RUN finds no face in anything.
        let good = NEEDS_NO_OBJECT.contains(command) || *command == Command::FaceRun;
        let buffer = hal.buffer(command.payload_bytes());
        let status = hal.status(*command, buffer.handle);
        assert_eq!(status, u32::from(!good), "{}", command.name());
        hal.server.deregister_buffers(&[buffer.handle]);
    }
}

#[test]
fn strange_headers_and_commands_are_answered_on_the_callers_thread() {
    let hal = Hal::new();
    let buffer = hal.buffer(Command::AiqGetVersion.payload_bytes());
    let here = std::thread::current().name().unwrap_or("").to_owned();
    let good = Command::AiqGetVersion.number();
    let headers: [(u32, &[u8]); 6] = [
        (good, &[]),
        (good, &[0]),
        (good, &[0x57, 0x56]),
        (0, &HEADER),
        (30, &HEADER),
        (u32::MAX, &HEADER),
    ];
    for (command, header) in headers {
        hal.server.request(command, header, buffer.handle);
        let answer = hal.answers.try_recv().expect("answered before request returned");
        assert_eq!((answer.req_id, answer.status, answer.handle), (command, 1, buffer.handle));
        assert_eq!(answer.thread, here);
    }
    // More than one byte is as good as one.
    hal.server.request(good, &[0x56, 1, 2, 3], buffer.handle);
    assert_eq!(wait(&hal.answers).status, 0);
}

#[test]
fn versions_and_texts_say_what_this_is() {
    let hal = Hal::new();
    let camera = Camera::open(&hal, &[]);
    let text = |data: &[u8], size: u32| {
        let text = data[..usize::try_from(size).unwrap()].to_vec();
        String::from_utf8(text).expect("a text")
    };
    let aic = hal.good(Command::AicGetVersion, &*zeroed_box::<AicVersionParams>());
    assert_eq!(text(&aic.data, aic.size), VERSION);
    let aiq = hal.good(Command::AiqGetVersion, &*zeroed_box::<AiqVersionParams>());
    assert_eq!(text(&aiq.data, aiq.size), VERSION);
    let data = hal.fill(Command::AiqGetData, |payload: &mut BinaryDataParams| {
        payload.aiq_handle = camera.aiq;
    });
    assert!(text(&data.data, data.size).contains("reference"));

    let mkn = hal.fill(Command::MknInit, set_up::fill_mkn_init).results;
    for enable in [false, true] {
        hal.fill(Command::MknEnable, |payload| set_up::fill_mkn_enable(payload, mkn, enable));
        let note = hal.fill(Command::MknPrepare, |payload: &mut MknPrepareParams| {
            payload.mkn_handle = mkn;
            payload.data_target = 0x10000;
        });
        let note = text(&note.results.data, note.results.size);
        assert!(note.contains("reference") && note.ends_with(if enable { "on" } else { "off" }));
    }
    camera.close();
}

#[test]
fn handles_are_small_numbers_that_end_with_their_objects() {
    let hal = Hal::new();
    let cmc = hal.good(Command::CmcInit, &*zeroed_box::<CmcInitParams>());
    let cmc = cmc.results.cmc_remote_handle;
    let mkn = hal.fill(Command::MknInit, set_up::fill_mkn_init).results;
    let init = |cmc, mkn| {
        let (header, _) = set_up::aiq_init(&[], &[], &[], mkn, cmc).unwrap();
        let (status, answer) = hal.call(Command::AiqInit, &header);
        (status, answer.results)
    };
    for (cmc, mkn) in [(0, mkn), (cmc, 99), (mkn, mkn), (cmc, cmc), (0xdead_beef_0000, 0)] {
        assert_eq!(init(cmc, mkn), (1, 0), "CMC {cmc}, makernote {mkn}");
    }
    let (status, with_note) = init(cmc, mkn);
    assert_eq!(status, 0);
    let (status, without_note) = init(cmc, 0);
    assert_eq!(status, 0);
    let handles = [cmc, mkn, with_note, without_note];
    for (index, handle) in handles.iter().enumerate() {
        assert!((1..100).contains(handle), "{handle} looks like an address");
        assert!(!handles[..index].contains(handle));
    }

    let deinit = |aiq_handle| hal.call(Command::AiqDeinit, &AiqDeinitParams { aiq_handle }).0;
    assert_eq!(deinit(cmc), 1, "a handle of another kind");
    assert_eq!(deinit(with_note), 0);
    assert_eq!(deinit(with_note), 1, "ended twice");
    assert_eq!(hal.call(Command::MknUninit, &MknUninitParams { mkn_handle: mkn }).0, 0);
    assert_eq!(hal.call(Command::MknUninit, &MknUninitParams { mkn_handle: mkn }).0, 1);
    assert_eq!(hal.call(Command::CmcDeinit, &CmcDeinitParams { cmc_handle: cmc }).0, 0);
    assert_eq!(hal.call(Command::CmcDeinit, &CmcDeinitParams { cmc_handle: cmc }).0, 1);
    assert_eq!(init(cmc, 0), (1, 0), "a CMC that has ended");
    let run = hal.call(Command::GbceRun, &{
        let mut payload = *zeroed_box::<GbceRunParams>();
        payload.aiq_handle = without_note;
        payload
    });
    assert_eq!(run.0, 0, "an AIQ outlives its CMC");
}

#[test]
fn the_generic_sensor_is_described_as_far_as_it_is_known() {
    let hal = Hal::new();
    let answer = hal.fill(Command::CmcInit, |payload: &mut CmcInitParams| payload.input.size = 0);
    let (base, results) = (&answer.results.base, &answer.results);
    let words = |bytes: &[u8]| -> Vec<u64> {
        bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
    };
    // Words that a HAL takes for pointers, and replaces by the places of the records below, are
    // there exactly where the records are; the words behind them are none.
    assert_ne!(base.cmc_general_data, 0);
    assert_ne!(base.cmc_saturation_level, 0);
    assert_ne!(base.cmc_sensitivity, 0);
    assert_eq!(words(&base.cmc_parsed_black_level), [1, 1]);
    assert_eq!(words(&base.cmc_parsed_lens_shading), [1, 1, 1, 0]);
    assert_eq!(words(&base.cmc_parsed_optics), [1, 1, 0]);
    assert_eq!(words(&base.cmc_parsed_color_matrices), [0; 3]);
    assert_eq!(words(&base.cmc_parsed_digital_gain), [0; 3]);
    assert_eq!((base.cmc_noise, base.cmc_defect_pixel), (0, 0));
    let general = &results.cmc_general_data;
    assert_eq!((general.width, general.height, general.bit_depth), (4224, 3136, 10));
    let grid = &results.cmc_parsed_lens_shading;
    assert!((1..=16_384).contains(&(u32::from(grid.grid_width) * u32::from(grid.grid_height))));
    let optics = &results.cmc_parsed_optics;
    assert!(optics.range_inf_to_hyperfocal < optics.range_inf_to_500mm);
    assert_eq!(optics.range_inf_to_100mm, optics.range_inf_to_min_focusing_distance);

    let mut claims = zeroed_box::<CmcInitParams>();
    claims.input.size = 800_000;
    assert_eq!(hal.call(Command::CmcInit, &*claims).0, 0);
    claims.input.size = 800_001;
    assert_eq!(hal.call(Command::CmcInit, &*claims).0, 1, "more than there is room for");
}

#[test]
fn the_data_behind_aiq_init_must_be_there() {
    let hal = Hal::new();
    let camera = Camera::open(&hal, &[]);
    let (header, _) = set_up::aiq_init(&[], &[], &[], 0, camera.cmc.handle).unwrap();
    for size in [1, u32::MAX] {
        let claim = AiqInitParams { aiqb_size: size, nvm_size: size, aiqd_size: size, ..header };
        assert_eq!(hal.call(Command::AiqInit, &claim).0, 1);
    }
    camera.close();
}

#[test]
fn gains_are_converted_there_and_back() {
    type Exc = ExcAnalogGainToSensorUnitsParams;
    let hal = Hal::new();
    let camera = Camera::open(&hal, &[]);
    let code = |gain| {
        let answer = hal.fill(Command::ExcAnalogGainToSensor, |payload: &mut Exc| {
            set_up::fill_gain_to_code(payload, &camera.cmc, gain);
        });
        set_up::take_code(&answer)
    };
    let gain = |code| {
        let answer = hal.fill(Command::ExcSensorToAnalogGain, |payload: &mut Exc| {
            set_up::fill_code_to_gain(payload, &camera.cmc, code);
        });
        set_up::take_gain(&answer).unwrap()
    };
    for (value, expected) in [(1.0, 128), (2.0, 256), (8.0, 1024), (0.1, 128), (f32::NAN, 128)] {
        assert_eq!(code(value), expected, "{value}");
    }
    assert_eq!(gain(code(set_up::UNREACHABLE_GAIN)), 16.0);
    for value in [1.0, 1.5, 2.0, 8.0] {
        assert_eq!(gain(code(value)), value);
    }

    // Pairs, as other modules have them.
    let mut pairs = *zeroed_box::<Exc>();
    pairs.base.cmc_analog_gain_conversion = 1;
    pairs.base.cmc_analog_gain_pairs = 1;
    pairs.gain_conversion.num_pairs = 3;
    for (pair, (gain, code)) in
        pairs.gain_conversion.pairs.iter_mut().zip([(1 << 16, 0), (1 << 17, 7), (1 << 18, 9)])
    {
        *pair = CmcAnalogGainPair { gain, code };
    }
    pairs.input = 4.0_f32.to_le_bytes();
    let answer = hal.good(Command::ExcAnalogGainToSensor, &pairs);
    assert_eq!(set_up::take_code(&answer), 9);
    pairs.input = [7, 0, 0xff, 0xff];
    let answer = hal.good(Command::ExcSensorToAnalogGain, &pairs);
    assert_eq!(set_up::take_gain(&answer), Ok(2.0));

    // Tables that are absent, or claim more than there is room for.
    let mut claims = pairs;
    claims.gain_conversion.num_pairs = 1025;
    assert_eq!(hal.call(Command::ExcSensorToAnalogGain, &claims).0, 1);
    claims.base.cmc_analog_gain_pairs = 0;
    assert_eq!(hal.call(Command::ExcSensorToAnalogGain, &claims).0, 1, "neither");
    claims.base.cmc_analog_gain_segments = 1;
    claims.gain_conversion.num_segments = u16::MAX;
    assert_eq!(hal.call(Command::ExcSensorToAnalogGain, &claims).0, 1);
    claims.gain_conversion.num_segments = 512;
    for segment in &mut claims.gain_conversion.segments {
        segment.code_max = 65_535;
    }
    assert_eq!(hal.call(Command::ExcSensorToAnalogGain, &claims).0, 1, "33 million codes");
    assert_eq!(hal.call(Command::ExcSensorToAnalogGain, &*zeroed_box::<Exc>()).0, 1, "no table");
    camera.close();
}

#[test]
fn coordinates_are_converted_exactly() {
    let hal = Hal::new();
    let mut payload = *zeroed_box::<ConvertCoordinatesParams>();
    payload.src_system = CoordinateSystem { top: 0, left: 0, bottom: 3136, right: 4224 };
    payload.trg_system = CoordinateSystem { top: 0, left: 0, bottom: 8192, right: 8192 };
    payload.src_coordinate = Coordinate { x: 1408, y: 627 };
    let answer = hal.good(Command::CoordinateConvert, &payload);
    assert_eq!((answer.results.x, answer.results.y), (2730, 1637), "as recorded");
    payload.src_system.right = 0;
    assert_eq!(hal.call(Command::CoordinateConvert, &payload).0, 1);
}

#[test]
fn there_are_no_faces() {
    let hal = Hal::new();
    let init = FaceEngineInitParams { max_face_num: 5, fd_mode: 1 };
    hal.good(Command::FaceInit, &init);
    let mut picture = zeroed_box::<FaceEngineRunParams>();
    picture.data.fill(0x80);
    picture.results.face_num = 7;
    let answer = hal.good(Command::FaceRun, &*picture);
    assert_eq!(answer.results.face_num, 0);
    assert_eq!(hal.status(Command::FaceUninit, -1), 0);
}

#[test]
fn an_aic_answers_as_the_original_does() {
    let hal = Hal::new();
    let mut config = *zeroed_box::<IPU3AicConfig>();
    config.aic_mode = 1;
    assert_eq!(hal.call(Command::AicGetConfig, &config).0, 1, "before AIC_INIT");
    let mut camera = Camera::open(&hal, &[]);
    assert_eq!(hal.call(Command::AicGetConfig, &config).0, 0);
    for mode in [0, 2, -1, i32::MAX, i32::MIN] {
        config.aic_mode = mode;
        assert_eq!(hal.call(Command::AicGetConfig, &config).0, 1, "mode {mode} has no AIC");
        let mut transport = zeroed_box::<Transport>();
        transport.aic_mode = mode;
        assert_eq!(hal.call(Command::AicRun, &*transport).0, 0, "RUN always answers 0");
        assert_eq!(hal.call(Command::AicReset, &*transport).0, 0, "RESET always answers 0");
        transport.num_pipes = 1;
        assert_eq!(hal.call(Command::AicInit, &*transport).0, 1, "no CMC");
        transport.cmc_remote_handle = camera.cmc.handle;
        let known = u32::from(mode != 0);
        assert_eq!(hal.call(Command::AicInit, &*transport).0, known, "mode {mode}");
        transport.num_pipes = 2;
        assert_eq!(hal.call(Command::AicInit, &*transport).0, 1, "two pipes");
    }
    camera.frame(&Scene { brightness: 0.004, r_per_g: 0.5, b_per_g: 0.5, sharp_at: 0 });
    camera.close();
}

#[test]
fn grids_that_have_no_room_are_refused() {
    let hal = Hal::new();
    let camera = Camera::open(&hal, &[]);
    let mut payload = zeroed_box::<SetStatisticsParams>();
    payload.ia_aiq = camera.aiq;
    assert_eq!(hal.call(Command::StatisticsSet, &*payload).0, 0, "statistics of nothing");
    payload.input.base.rgbs_grids = 1;
    payload.input.rgbs_grids[0].base.blocks_ptr = 1;
    payload.input.rgbs_grids[0].base.grid_width = 128;
    payload.input.rgbs_grids[0].base.grid_height = 128;
    assert_eq!(hal.call(Command::StatisticsSet, &*payload).0, 0, "the largest");
    payload.input.rgbs_grids[0].base.grid_width = 129;
    assert_eq!(hal.call(Command::StatisticsSet, &*payload).0, 1);
    payload.input.base.rgbs_grids = 0;
    payload.input.base.af_grids = 1;
    payload.input.af_grids[0].base.grid_width = 80;
    payload.input.af_grids[0].base.grid_height = 61;
    assert_eq!(hal.call(Command::StatisticsSet, &*payload).0, 1);
    camera.close();
}
