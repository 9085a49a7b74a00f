//! Answers of a library that lies.

use super::ae::AeAnswer;
use super::gbce::GbceAnswer;
use super::pa::PaAnswer;
use super::sa::{SaAnswer, Tables};
use super::set_up::CmcAnswer;
use super::{af, aic, awb, statistics};
use crate::payload::{
    AeRunParams, AfRunParams, AwbRunParams, CmcInitParams, GbceRunParams, PaRunParams, SaRunParams,
    SetStatisticsParams, Transport,
};
use crate::{Pod, bytes_of_mut, zeroed_box};

/// A payload of reproducible noise (xorshift64*, Vigna 2016); some words are small or zero, so
/// that more than the first check is passed.
fn noise<T: Pod>(seed: u64) -> Box<T> {
    let mut payload = zeroed_box::<T>();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for word in bytes_of_mut(&mut *payload).chunks_mut(4) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let value = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        match value[7] & 3 {
            0 => {}
            1 => word[0] = value[0] & 3,
            _ => word.copy_from_slice(&value[..word.len()]),
        }
    }
    payload
}

#[test]
fn noise_is_refused_or_taken_and_never_more() {
    let mut taken = 0;
    for seed in 1..60 {
        let ae = AeAnswer::take(&noise::<AeRunParams>(seed));
        let pa = PaAnswer::take(&noise::<PaRunParams>(seed));
        let sa = SaAnswer::take(&noise::<SaRunParams>(seed), None);
        let mut target = zeroed_box::<SetStatisticsParams>();
        if let Ok(answer) = &ae {
            answer.echo(&mut target.input.frame_ae_parameters);
        }
        if let Ok(answer) = &pa {
            answer.echo(&mut target.input.frame_pa_parameters);
        }
        if let Ok(answer) = &sa {
            answer.echo(&mut target.input.frame_sa_parameters, Tables::New);
        }
        let _ = GbceAnswer::take(&noise::<GbceRunParams>(seed));
        let _ = awb::take(&noise::<AwbRunParams>(seed));
        let _ = CmcAnswer::take(&noise::<CmcInitParams>(seed));
        taken += u32::from(af::take(&noise::<AfRunParams>(seed)).is_ok());
        for part in statistics::used(&noise(seed), Tables::New) {
            assert!(part.start <= part.end && part.end <= size_of::<SetStatisticsParams>());
        }
        for part in aic::used_by_run(&noise(seed), Tables::New) {
            assert!(part.start <= part.end && part.end <= size_of::<Transport>());
        }
    }
    assert!(taken > 0, "some noise passes, so that what follows the checks is tried");
}

/// An AE answer that is taken.
fn good_ae() -> Box<AeRunParams> {
    let mut payload = zeroed_box::<AeRunParams>();
    let results = &mut payload.res;
    results.base.exposures = 0xdead_beef;
    results.base.num_exposures = 1;
    results.base.weight_grid = 1;
    results.exposures[0].exposure = 1;
    results.exposures[0].sensor_exposure = 1;
    results.exposure.exposure_time_us = 10_000;
    results.exposure.analog_gain = 2.0;
    results.exposure.digital_gain = 1.0;
    results.sensor_exposure.coarse_integration_time = 964;
    results.weight_grid.width = 32;
    results.weight_grid.height = 24;
    results.weight_grid.weights = 1;
    payload
}

#[test]
fn values_that_cannot_be_are_named() {
    assert!(AeAnswer::take(&good_ae()).is_ok());
    type Change = fn(&mut AeRunParams);
    let changes: [(&str, Change); 10] = [
        ("exposures", |p| p.res.base.exposures = 0),
        ("num_exposures", |p| p.res.base.num_exposures = 2),
        ("exposure", |p| p.res.exposures[0].exposure = 0),
        ("sensor_exposure", |p| p.res.exposures[0].sensor_exposure = 0),
        ("exposure_time_us", |p| p.res.exposure.exposure_time_us = 0),
        ("exposure_time_us", |p| p.res.exposure.exposure_time_us = -1),
        ("analog_gain", |p| p.res.exposure.analog_gain = f32::NAN),
        ("digital_gain", |p| p.res.exposure.digital_gain = f32::INFINITY),
        ("coarse_integration_time", |p| p.res.sensor_exposure.coarse_integration_time = 0),
        ("weight_grid", |p| p.res.weight_grid.width = u16::MAX),
    ];
    for (field, change) in changes {
        let mut payload = good_ae();
        change(&mut payload);
        let error = AeAnswer::take(&payload).expect_err("a bad answer").to_string();
        assert!(error.starts_with(&format!("{field} is ")), "{error}");
    }
}

#[test]
fn no_address_of_the_library_is_passed_on() {
    let answer = AeAnswer::take(&good_ae()).expect("a good answer");
    let mut target = zeroed_box::<SetStatisticsParams>();
    answer.echo(&mut target.input.frame_ae_parameters);
    let base = &target.input.frame_ae_parameters.base;
    assert_eq!(base.exposures, 1, "present, and no more than that");
    assert_eq!((base.weight_grid, base.flashes, base.aperture_control), (1, 0, 0));
}

#[test]
fn shading_tables_stay_when_an_answer_does_not_change_them() {
    let mut payload = zeroed_box::<SaRunParams>();
    let base = &mut payload.res.base;
    (base.width, base.height, base.lsc_update) = (2, 1, 1);
    (base.channel_gr, base.channel_r, base.channel_b, base.channel_gb) = (1, 1, 1, 1);
    payload.res.channel_r[..2].copy_from_slice(&[1.5, 2.5]);
    let first = SaAnswer::take(&payload, None).expect("a good answer");
    assert_eq!(first.channels()[1], [1.5, 2.5]);
    payload.res.base.lsc_update = 0;
    payload.res.channel_r[..2].copy_from_slice(&[9.0, 9.0]);
    let second = SaAnswer::take(&payload, Some(first)).expect("a good answer");
    assert!(!second.updated());
    assert_eq!(second.channels()[1], [1.5, 2.5], "as before");
    payload.res.base.lsc_update = 1;
    payload.res.base.channel_r = 0;
    assert!(SaAnswer::take(&payload, Some(second)).is_err(), "a table that is not there");
}
