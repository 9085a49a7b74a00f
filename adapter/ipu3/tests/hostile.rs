//! Configurations and statistics of a library and a driver that lie.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

use cami_ipu3::encoder::{Block, encode};
use cami_ipu3::payload::AicConfig;
use cami_ipu3::show::{ParamsText, StatsText};
use cami_ipu3::statistics::{Grids, Part, StatisticsError, Text, convert};
use cami_ipu3::uapi::{BubbleInfo, Params, Stats3a};
use cami_ipu3::{Pod, bytes_of, bytes_of_mut, zeroed_box};
use proptest::prelude::*;

/// A configuration that is encoded.
fn good() -> Box<AicConfig> {
    let mut config = zeroed_box::<AicConfig>();
    let grid = &mut config.shd_2500_config.shd.grid;
    (grid.grid_width, grid.grid_height, grid.block_height) = (73, 55, 6);
    config.af_2500_config.af.grid.grid_width = 32;
    config.awb_fr_2500_config.awb_fr.grid.grid_width = 32;
    config.tnr3_2500_config.knee_y = [500, 1500];
    config
}

type Change = fn(&mut AicConfig);

#[test]
fn values_that_the_encoder_is_not_defined_for_are_named() {
    let changes: [(Block, &str, i64, Change); 19] = [
        (Block::Shading, "grid.grid_width", 0, |c| c.shd_2500_config.shd.grid.grid_width = 0),
        (Block::Shading, "grid.grid_width", 147, |c| c.shd_2500_config.shd.grid.grid_width = 147),
        (Block::Shading, "grid.grid_width", i64::from(u32::MAX), |c| {
            c.shd_2500_config.shd.grid.grid_width = u32::MAX;
        }),
        // 28 sets of two rows.
        (Block::Shading, "grid.grid_height", 57, |c| c.shd_2500_config.shd.grid.grid_height = 57),
        (Block::Shading, "grid.grid_height", i64::from(u32::MAX), |c| {
            c.shd_2500_config.shd.grid.grid_height = u32::MAX;
        }),
        // 28 sets hold 4088 cells, a table of the configuration 4015.
        (Block::Shading, "grid.grid_height", 56, |c| c.shd_2500_config.shd.grid.grid_height = 56),
        (Block::Shading, "grid.block_height", 32, |c| {
            c.shd_2500_config.shd.grid.block_height = 32;
        }),
        (Block::Shading, "grid.y_start", i64::from(i32::MIN), |c| {
            c.shd_2500_config.shd.grid.y_start = i32::MIN;
        }),
        (Block::Af, "grid.grid_width", 0, |c| c.af_2500_config.af.grid.grid_width = 0),
        (Block::AwbFr, "grid.grid_width", 0, |c| c.awb_fr_2500_config.awb_fr.grid.grid_width = 0),
        (Block::Tnr3Vmem, "knee_y[0]", i64::from(i32::MAX), |c| {
            c.tnr3_2500_config.knee_y = [i32::MAX.cast_unsigned(), i32::MIN.cast_unsigned()];
        }),
        // 2047 − x does not fit.
        (Block::Tnr3Vmem, "knee_y[1]", i64::from(i32::MIN), |c| {
            c.tnr3_2500_config.knee_y = [0, i32::MIN.cast_unsigned()];
        }),
        // A slope of 2047 times a knee of 2²¹ does not fit.
        (Block::Tnr3Vmem, "knee_y[0]", 1 << 21, |c| {
            c.tnr3_2500_config.knee_y = [1 << 21, (1 << 21) + 1];
            c.tnr3_2500_config.sigma_u = [0, 0, 2047, 0];
        }),
        // −2³¹ / −1 does not fit.
        (Block::Tnr3Vmem, "knee_y[0]", -1, |c| {
            c.tnr3_2500_config.knee_y = [u32::MAX, 0];
            c.tnr3_2500_config.sigma_v = [0, 1 << 20, 0, 0];
        }),
        (Block::Xnr3Dmem, "coring.u0", 1 << 20, |c| c.xnr_2500_config.coring.u0 = 1 << 20),
        (Block::Xnr3Dmem, "coring.u1", -(1 << 20) - 1, |c| {
            c.xnr_2500_config.coring.u1 = -(1 << 20) - 1;
        }),
        (Block::Xnr3Dmem, "coring.v0", i64::from(i32::MAX), |c| {
            c.xnr_2500_config.coring.v0 = i32::MAX;
        }),
        (Block::Xnr3Dmem, "coring.v1", i64::from(i32::MIN), |c| {
            c.xnr_2500_config.coring.v1 = i32::MIN;
        }),
        (Block::Xnr3Dmem, "blending.strength", 1 << 20, |c| {
            c.xnr_2500_config.blending.strength = 1 << 20;
        }),
    ];
    let mut params = zeroed_box::<Params>();
    encode(&good(), &mut params).expect("a good configuration");
    let before = bytes_of(&*params).to_vec();
    for (block, field, value, change) in changes {
        let mut config = good();
        change(&mut config);
        let error = encode(&config, &mut params).expect_err("a bad configuration");
        assert_eq!((error.block, error.field, error.value), (block, field, value), "{error}");
        assert!(error.to_string().starts_with(&format!("{}: {field} is ", block.name())));
        assert!(bytes_of(&*params) == before, "{error}: nothing was written");
    }
}

#[test]
fn values_at_the_edge_of_what_is_defined_are_encoded() {
    let changes: [Change; 7] = [
        |c| c.shd_2500_config.shd.grid.grid_height = 0,
        |c| shading_grid(c, (146, 27)),
        |c| shading_grid(c, (1, 4015)),
        |c| c.shd_2500_config.shd.grid.block_height = 31,
        |c| c.shd_2500_config.shd.grid.y_start = i32::MIN + 1,
        |c| c.xnr_2500_config.coring.u0 = -(1 << 20),
        |c| c.xnr_2500_config.sigma.y0 = i32::MAX,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut config = good();
        change(&mut config);
        let encoded = encode(&config, &mut zeroed_box::<Params>());
        assert_eq!(encoded, Ok(()), "change {number}");
    }
}

fn shading_grid(config: &mut AicConfig, (width, height): (u32, u32)) {
    let grid = &mut config.shd_2500_config.shd.grid;
    (grid.grid_width, grid.grid_height) = (width, height);
}

/// Statistics that are converted: 59 × 40 cells in sets of 118 with bubbles of 2, as in the vectors.
fn stats() -> Box<Stats3a> {
    let mut stats = zeroed_box::<Stats3a>();
    let config = &mut stats.stats_4a_config;
    (config.awb_config.grid.width, config.awb_config.grid.height) = (59, 40);
    (config.af_config.grid_cfg.width, config.af_config.grid_cfg.height) = (27, 19);
    let status = &mut stats.stats_3a_status;
    (status.awb_en, status.af_en, status.awb_fr_en) = (1, 1, 1);
    let bubbles = &mut stats.stats_3a_bubble_per_stripe;
    for (part, sets, size, bubble) in [
        (&mut bubbles.awb, 20, 118, 2),
        (&mut bubbles.af, 19, 27, 5),
        (&mut bubbles.awb_fr, 16, 16, 4),
    ] {
        describe(&mut part[0], sets, size, bubble);
    }
    stats
}

fn describe(info: &mut BubbleInfo, sets: u32, size: u32, bubble: u32) {
    (info.num_of_stripes, info.num_sets) = (1, sets);
    (info.size_of_set, info.bubble_size) = (size, bubble);
}

#[test]
fn statistics_that_reach_out_of_their_structs_are_refused() {
    type Change = fn(&mut Stats3a);
    // The list of the vectors' README.
    let changes: [(Part, Change); 14] = [
        (Part::Awb, |s| size(s, 127, 127)),
        (Part::Awb, |s| size(s, 81, 60)),
        (Part::Af, |s| {
            let grid = &mut s.stats_4a_config.af_config.grid_cfg;
            (grid.width, grid.height) = (63, 63);
        }),
        (Part::Awb, |s| s.stats_3a_bubble_per_stripe.awb[0].bubble_size = 0x1000_0000),
        (Part::Awb, |s| s.stats_3a_bubble_per_stripe.awb[0].num_sets = 200),
        (Part::Awb, |s| s.stats_3a_bubble_per_stripe.awb[0].num_sets = u32::MAX),
        (Part::Awb, |s| s.stats_3a_bubble_per_stripe.awb[0].num_sets = 110),
        (Part::Awb, |s| s.stats_3a_bubble_per_stripe.awb[0].size_of_set = u32::MAX),
        (Part::Awb, |s| describe(&mut s.stats_3a_bubble_per_stripe.awb[0], 3, 13000, 2)),
        (Part::Af, |s| s.stats_3a_bubble_per_stripe.af[0].num_sets = 1000),
        (Part::Af, |s| s.stats_3a_bubble_per_stripe.af[0].num_sets = 96),
        (Part::AwbFr, |s| s.stats_3a_bubble_per_stripe.awb_fr[0].num_sets = 1_000_000_000),
        // Behind 32 bits, where the HAL would come round to the beginning.
        (Part::Awb, |s| describe(&mut s.stats_3a_bubble_per_stripe.awb[0], 3, 1, u32::MAX)),
        // The second stripe's.
        (Part::Awb, |s| {
            s.stats_3a_bubble_per_stripe.awb[0].num_of_stripes = 2;
            describe(&mut s.stats_3a_bubble_per_stripe.awb[1], 0, 12682, 0);
        }),
    ];
    let mut grids = Grids::new();
    convert(&stats(), &mut grids).expect("good statistics");
    let before = format!("{grids:?}");
    for (number, (expected, change)) in changes.into_iter().enumerate() {
        let mut stats = stats();
        change(&mut stats);
        let error = convert(&stats, &mut grids).expect_err("bad statistics");
        let part = match error {
            StatisticsError::TooManyCells { part, .. }
            | StatisticsError::SetOutside { part, .. } => Some(part),
            _ => None,
        };
        assert_eq!(part, Some(expected), "change {number}: {error}");
        assert_eq!(format!("{grids:?}"), before, "change {number}: the grids are as before");
    }
}

fn size(stats: &mut Stats3a, width: u8, height: u8) {
    let grid = &mut stats.stats_4a_config.awb_config.grid;
    (grid.width, grid.height) = (width, height);
}

#[test]
fn sets_may_end_with_the_buffer_and_not_behind_it() {
    for (sets, size, fits) in [(2, 12798 / 2, true), (2, 12800 / 2, false), (u32::MAX, 0, true)] {
        let mut stats = stats();
        describe(&mut stats.stats_3a_bubble_per_stripe.awb[0], sets, size, 1);
        let converted = convert(&stats, &mut Grids::new());
        assert_eq!(converted.is_ok(), fits, "{sets} sets of {size}: {converted:?}");
    }
}

#[test]
fn cells_behind_the_colour_buffer_are_bytes_of_the_parts_behind_it() {
    let mut stats = stats();
    // The second set begins where the buffer of 10800 cells ends, with the exposure histogram.
    describe(&mut stats.stats_3a_bubble_per_stripe.awb[0], 2, 100, 10_700);
    stats.ae_raw_buffer[0][0] = u32::from_le_bytes([11, 22, 33, 44]);
    stats.ae_raw_buffer[0][1] = 55;
    let mut grids = Grids::new();
    convert(&stats, &mut grids).expect("within the struct");
    assert_eq!(bytes_of(&grids.rgbs().cells[100]), [11, 22, 33, 44, 55]);
    assert_eq!(bytes_of(&grids.rgbs().cells[99]), [0; 5]);
}

/// Noise of a seed (xorshift64*, Vigna 2016), in which some words are small.
fn noise<T: Pod>(target: &mut T, seed: u64, range: std::ops::Range<usize>) {
    let mut state = seed | 1;
    for word in bytes_of_mut(target)[range].chunks_mut(4) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let word_of_noise = (bits >> 27 & 0xffff_ffff) >> (bits >> 59);
        word.copy_from_slice(&word_of_noise.to_le_bytes()[..word.len()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn noise_of_any_length_is_encoded_or_refused(
        seed in any::<u64>(),
        start in 0..size_of::<AicConfig>(),
        length in 0..size_of::<AicConfig>(),
    ) {
        let mut config = good();
        noise(&mut *config, seed, start..(start + length).min(size_of::<AicConfig>()));
        let mut params = zeroed_box::<Params>();
        if encode(&config, &mut params).is_ok() {
            prop_assert!(!ParamsText(&params).to_string().is_empty());
        } else {
            prop_assert!(bytes_of(&*params).iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn noise_of_any_length_is_converted_or_refused(
        seed in any::<u64>(),
        start in 0..size_of::<Stats3a>(),
        // What decides stands at the end.
        end in 124_544..=size_of::<Stats3a>(),
    ) {
        let mut raw = stats();
        noise(&mut *raw, seed, start.min(end)..end);
        let mut grids = Grids::new();
        let converted = convert(&raw, &mut grids).is_ok();
        let shown = converted.then_some(&grids);
        let shown = StatsText { stats: &raw, grids: shown }.to_string();
        prop_assert!(shown.contains("AWB-FR"));
        let text = Text { stats: &raw, grids: &grids }.to_string();
        prop_assert!(text.ends_with("end\n"));
    }

    #[test]
    fn noise_as_parameters_is_shown(seed in any::<u64>()) {
        let mut params = zeroed_box::<Params>();
        noise(&mut *params, seed, 0..size_of::<Params>());
        prop_assert!(ParamsText(&params).to_string().contains("acc_bnr"));
    }
}
