//! How far a picture of the chart is from what a person would have seen.
//!
//! The reference is the chart under D65, as the standard observer sees it, in CIELAB; a camera with
//! white balance shall show it so under any light. The difference is CIEDE2000 (CIE 142-2001; Sharma,
//! Wu and Dalal, 2005), as the crate `palette` computes it.

use cami_ipu3::uapi::Params;
use palette::color_difference::Ciede2000;
use palette::white_point::D65;
use palette::{IntoColor, Lab, Srgb};
use virtual_camera::{Rgb, chart_under_d65, d65};

use super::isp::{Black, develop};

/// The patch whose lightness exposures are matched by: "neutral 5", which reflects 20 %.
const MATCHED_PATCH: usize = 21;
/// Halvings of the range of factors in which the matching one is sought: the last is below 1e-9 of it.
const HALVINGS: usize = 40;
/// Exposures are matched by factors up to this.
const LARGEST_FACTOR: f64 = 64.0;

/// Differences over the patches.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
}

/// The reference of each patch.
pub fn reference() -> Vec<Lab<D65, f64>> {
    let white = d65();
    chart_under_d65().iter().map(|xyz| lab(xyz, &white)).collect()
}

/// CIELAB (CIE 15:2018, 8.2.1) of X, Y, Z in front of that white.
fn lab(xyz: &[f64; 3], white: &[f64; 3]) -> Lab<D65, f64> {
    let f = |(value, white): (f64, f64)| {
        let t = value / white;
        let linear = t / (3.0 * (6.0_f64 / 29.0).powi(2)) + 4.0 / 29.0;
        if t > (6.0_f64 / 29.0).powi(3) { t.cbrt() } else { linear }
    };
    let ([x, y, z], [wx, wy, wz]) = (*xyz, *white);
    let [x, y, z] = [(x, wx), (y, wy), (z, wz)].map(f);
    Lab::new(116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z))
}

/// The picture as it comes: exposure, black level and all.
pub fn as_emitted(params: &Params, patches: &[Rgb]) -> Difference {
    let picture = patches.iter().map(|patch| develop(params, Black::AsEmitted, patch));
    difference(picture)
}

/// Colour alone: the black level is ideal, and the exposure is what gives "neutral 5" its lightness.
pub fn colour_only(params: &Params, patches: &[Rgb]) -> Difference {
    let wanted = reference().get(MATCHED_PATCH).map_or(0.0, |lab| lab.l);
    let shown = |factor: f64, patch: &Rgb| {
        let brighter = [patch.r, patch.g, patch.b].map(|value| (value * factor).min(1.0));
        let [r, g, b] = brighter;
        develop(params, Black::Ideal, &Rgb { r, g, b })
    };
    let Some(grey) = patches.get(MATCHED_PATCH) else { return Difference::default() };
    let (mut low, mut high) = (0.0, LARGEST_FACTOR);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if of_srgb(&shown(middle, grey)).l < wanted { low = middle } else { high = middle }
    }
    difference(patches.iter().map(|patch| shown(high, patch)))
}

fn difference(picture: impl Iterator<Item = Rgb>) -> Difference {
    let all: Vec<f64> = picture
        .zip(reference())
        .map(|(shown, wanted)| of_srgb(&shown).difference(wanted))
        .collect();
    if all.is_empty() {
        return Difference::default();
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    Difference { mean, max: all.into_iter().fold(0.0, f64::max) }
}

fn of_srgb(shown: &Rgb) -> Lab<D65, f64> {
    Srgb::new(shown.r, shown.g, shown.b).into_linear().into_color()
}

#[cfg(test)]
mod tests {
    use cami_ipu3::uapi::{Flags, GammaCorrCtrl};
    use cami_ipu3::zeroed_box;
    use palette::{FromColor, Xyz};

    use super::*;

    /// Sharma, Wu and Dalal: "The CIEDE2000 Color-Difference Formula: Implementation Notes,
    /// Supplementary Test Data, and Mathematical Observations", 2005, table 1.
    #[rustfmt::skip]
    const SHARMA: [[f64; 7]; 34] = [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ];

    #[test]
    fn ciede2000_is_that_of_the_published_pairs() {
        for [l1, a1, b1, l2, a2, b2, expected] in SHARMA {
            let one: Lab<D65, f64> = Lab::new(l1, a1, b1);
            let found = one.difference(Lab::new(l2, a2, b2));
            assert!((found - expected).abs() < 1e-4, "{l1} {a1} {b1}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_reference_is_the_chart_s_published_colour() {
        // X-Rite: L*, a*, b* under D50; adaptation moves saturated colours by a few units. Dark skin,
        // light skin, white, neutral 5, black.
        let found = reference();
        for (patch, expected) in [
            (0, [37.99, 13.56, 14.06]),
            (1, [65.71, 18.13, 17.81]),
            (18, [96.54, -0.43, 1.19]),
            (21, [50.87, -0.15, -0.27]),
            (23, [20.46, -0.08, -0.97]),
        ] {
            let [l, a, b] = expected;
            let away = found[patch].difference(Lab::new(l, a, b));
            assert!(away < 3.0, "{patch}: {:?}, {away}", found[patch]);
        }
    }

    /// Parameters that show linear sRGB as it is.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8191")]
    fn straight() -> Box<Params> {
        let mut params = zeroed_box::<Params>();
        params.use_flags = Flags { acc_gamma: 1, ..Flags::default() }.pack();
        params.acc_param.gamma.gc_ctrl = GammaCorrCtrl { enable: 1 }.pack();
        for (index, entry) in (1_u16..).zip(params.acc_param.gamma.gc_lut.lut.iter_mut()) {
            let linear = f64::from(index) / 256.0;
            let shown: Srgb<f64> = Srgb::from_linear(palette::LinSrgb::new(linear, 0.0, 0.0));
            let encoded = shown.red;
            *entry = (encoded * 8191.0_f64).round() as u16;
        }
        params
    }

    /// A sensor with the eyes of the standard observer, `dim` times as sensitive.
    fn ideal(dim: f64) -> Vec<Rgb> {
        chart_under_d65()
            .iter()
            .map(|[x, y, z]| {
                let linear: palette::LinSrgb<f64> =
                    palette::LinSrgb::from_color(Xyz::<D65, f64>::new(*x, *y, *z));
                Rgb { r: linear.red * dim, g: linear.green * dim, b: linear.blue * dim }
            })
            .collect()
    }

    #[test]
    fn a_perfect_camera_has_no_error_but_that_of_the_gamut() {
        let found = colour_only(&straight(), &ideal(1.0));
        // Cyan is outside of sRGB.
        assert!(found.mean < 0.6 && found.max < 8.0, "{found:?}");
    }

    #[test]
    fn exposure_counts_in_the_picture_as_it_comes_and_not_in_the_colour() {
        let params = straight();
        let (full, half) = (colour_only(&params, &ideal(0.8)), colour_only(&params, &ideal(0.4)));
        assert!((full.mean - half.mean).abs() < 0.1, "{full:?} {half:?}");
        let (full, half) = (as_emitted(&params, &ideal(0.8)), as_emitted(&params, &ideal(0.4)));
        assert!(half.mean > full.mean + 5.0, "{full:?} {half:?}");
    }

    #[test]
    fn a_wrong_white_balance_shows() {
        let mut params = straight();
        params.use_flags = Flags { acc_gamma: 1, acc_bnr: 1, ..Flags::default() }.pack();
        let right = colour_only(&params, &ideal(0.5)).mean;
        params.acc_param.bnr.wb_gains.r = 1638;
        let wrong = colour_only(&params, &ideal(0.5)).mean;
        assert!(wrong > right + 3.0, "{right} {wrong}");
    }
}
