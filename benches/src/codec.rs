//! The two conversions of every frame at libcamera's door: `aic_config` to the driver's parameters,
//! and the driver's statistics to grids.
//!
//! They run in this process, on data of the size of a real frame's, in turn with a plain copy of
//! `ipu3_uapi_params`. The bounds are what the ChromeOS HAL's own code takes (C++, -O2) in such copies:
//! where one took 1.0 µs, it took 3.4 µs and 9 µs (DESIGN.md, "Promises").

use std::hint::black_box;
use std::time::Instant;

use cami_ipu3::encoder::encode;
use cami_ipu3::payload::AicConfig;
use cami_ipu3::statistics::{Grids, convert};
use cami_ipu3::uapi::{Params, Stats3a};
use cami_ipu3::{bytes_of, bytes_of_mut, zeroed_box};

use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::statistics::median;

/// Conversions in a round: long enough for the clock.
const REPEATS: u32 = 100;
/// What the HAL takes to encode, in copies of the parameters.
const ENCODE_BOUND: f64 = 3.4;
/// What the HAL takes to convert statistics, in the same.
const CONVERT_BOUND: f64 = 9.0;

/// Measures both.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let rounds = options.count(1000, 200);
    report.progress(&format!("conversions, {rounds} rounds"));

    let config = config();
    let mut params = zeroed_box::<Params>();
    encode(&config, &mut params).map_err(Failure::at("encoder"))?;
    let encoding = side_by_side(rounds, || {
        // It cannot fail: it did not above.
        let _ = encode(black_box(&config), black_box(&mut params));
    });
    add(report, "encode", "aic_config to ipu3_uapi_params", encoding, ENCODE_BOUND);

    let stats = stats();
    let mut grids = Grids::new();
    convert(&stats, &mut grids).map_err(Failure::at("statistics"))?;
    let converting = side_by_side(rounds, || {
        let _ = convert(black_box(&stats), black_box(&mut grids));
    });
    add(report, "convert", "ipu3_uapi_stats_3a to grids", converting, CONVERT_BOUND);
    Ok(())
}

fn add(report: &mut Report, name: &str, what: &str, [conversion, copy]: [f64; 2], bound: f64) {
    report.add(Row::new(format!("{name}_us"), what, conversion, "µs"));
    let against = "  the same against a copy of the parameters";
    let ratio = conversion / copy;
    report.add(Row::new(format!("{name}_to_copy_ratio"), against, ratio, "×").at_most(bound));
}

/// Medians, in µs, of a conversion and of a copy of the parameters.
fn side_by_side(rounds: u32, mut convert: impl FnMut()) -> [f64; 2] {
    let (from, mut to) = (zeroed_box::<Params>(), zeroed_box::<Params>());
    let (mut conversions, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        conversions.push(timed(&mut convert));
        copies.push(timed(&mut || {
            bytes_of_mut(black_box(&mut *to)).copy_from_slice(bytes_of(black_box(&*from)));
        }));
    }
    [median(conversions), median(copies)]
}

/// Of one run, in µs.
fn timed(run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..REPEATS {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(REPEATS)
}

/// A configuration with a number in every byte, and the largest shading table.
fn config() -> Box<AicConfig> {
    let mut config = zeroed_box::<AicConfig>();
    for (number, byte) in (0_u8..=250).cycle().zip(bytes_of_mut(&mut *config)) {
        *byte = number;
    }
    let grid = &mut config.shd_2500_config.shd.grid;
    (grid.grid_width, grid.grid_height, grid.block_height) = (73, 55, 6);
    config.tnr3_2500_config.knee_y = [500, 1500];
    let xnr3 = &mut config.xnr_2500_config;
    (xnr3.coring.u0, xnr3.coring.u1, xnr3.coring.v0, xnr3.coring.v1) = (1000, 500, 1000, 500);
    xnr3.blending.strength = 1024;
    config.af_2500_config.af.grid.grid_width = 16;
    config.awb_fr_2500_config.awb_fr.grid.grid_width = 16;
    config
}

/// Statistics of full grids in two stripes, with bubbles.
fn stats() -> Box<Stats3a> {
    let mut stats = zeroed_box::<Stats3a>();
    for (number, byte) in (0_u8..=250).cycle().zip(bytes_of_mut(&mut *stats)) {
        *byte = number;
    }
    let config = &mut stats.stats_4a_config;
    (config.awb_config.grid.width, config.awb_config.grid.height) = (80, 60);
    (config.af_config.grid_cfg.width, config.af_config.grid_cfg.height) = (32, 24);
    let bubbles = &mut stats.stats_3a_bubble_per_stripe;
    for (part, sets, sizes) in [
        (&mut bubbles.awb, 60, [(41, 3), (39, 1)]),
        (&mut bubbles.af, 24, [(17, 7), (15, 1)]),
        (&mut bubbles.awb_fr, 16, [(9, 3), (7, 1)]),
    ] {
        for (stripe, (size, bubble)) in part.iter_mut().zip(sizes) {
            (stripe.num_of_stripes, stripe.num_sets) = (2, sets);
            (stripe.size_of_set, stripe.bubble_size) = (size, bubble);
        }
    }
    stats
}
