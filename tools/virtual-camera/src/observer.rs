//! What a person sees: the CIE 1931 standard observer, and the chart under daylight.

use crate::chart::Surface;
use crate::illuminant::Source;
use crate::reflectances::PATCHES;
use crate::spectrum::{SAMPLES, Spectrum};

/// Colour matching functions of the CIE 1931 2° observer (CIE 15:2018; ISO/CIE 11664-1).
#[rustfmt::skip]
const X_BAR: Spectrum = Spectrum([
    0.0143, 0.0435, 0.1344, 0.2839, 0.3483, 0.3362, 0.2908, 0.1954, 0.0956, 0.0320, 0.0049,
    0.0093, 0.0633, 0.1655, 0.2904, 0.4334, 0.5945, 0.7621, 0.9163, 1.0263, 1.0622, 1.0026,
    0.8544, 0.6424, 0.4479, 0.2835, 0.1649, 0.0874, 0.0468, 0.0227, 0.0114,
]);
#[rustfmt::skip]
const Y_BAR: Spectrum = Spectrum([
    0.0004, 0.0012, 0.0040, 0.0116, 0.0230, 0.0380, 0.0600, 0.0910, 0.1390, 0.2080, 0.3230,
    0.5030, 0.7100, 0.8620, 0.9540, 0.9950, 0.9950, 0.9520, 0.8700, 0.7570, 0.6310, 0.5030,
    0.3810, 0.2650, 0.1750, 0.1070, 0.0610, 0.0320, 0.0170, 0.0082, 0.0041,
]);
#[rustfmt::skip]
const Z_BAR: Spectrum = Spectrum([
    0.0679, 0.2074, 0.6456, 1.3856, 1.7471, 1.7721, 1.6692, 1.2876, 0.8130, 0.4652, 0.2720,
    0.1582, 0.0782, 0.0422, 0.0203, 0.0087, 0.0039, 0.0021, 0.0017, 0.0011, 0.0008, 0.0003,
    0.0002, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
]);
/// CIE D65.
const D65_KELVIN: f64 = 6504.0;

/// X, Y and Z of light of that spectrum, of no particular scale.
pub(crate) fn tristimulus(light: &Spectrum) -> [f64; 3] {
    [X_BAR, Y_BAR, Z_BAR].map(|bar| light.times(&bar).integral())
}

/// X, Y and Z of each of the chart's patches under D65, in the chart's order, as the standard observer
/// sees them; Y of a perfect white is 1.
#[must_use]
pub fn chart_under_d65() -> Vec<[f64; 3]> {
    let light = Source::Daylight(D65_KELVIN).shape();
    let [_, white, _] = tristimulus(&light);
    (0..PATCHES.len())
        .map(|patch| tristimulus(&light.times(&Surface::Patch(patch).reflectance())))
        .map(|xyz| xyz.map(|value| value / white))
        .collect()
}

/// X, Y and Z of D65 itself, Y being 1: the white of [`chart_under_d65`].
#[must_use]
pub fn d65() -> [f64; 3] {
    let white = tristimulus(&Spectrum([1.0; SAMPLES]).times(&Source::Daylight(D65_KELVIN).shape()));
    let [_, y, _] = white;
    white.map(|value| value / y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d65_has_its_published_tristimulus_values() {
        let [x, y, z] = d65();
        assert!((x - 0.9504).abs() < 0.002 && y == 1.0 && (z - 1.0888).abs() < 0.004, "{x} {z}");
    }

    #[test]
    fn patches_have_about_their_published_luminances() {
        // Y of the neutral patches: their reflectances.
        let chart = chart_under_d65();
        assert_eq!(chart.len(), 24);
        for (patch, expected) in [(18, 0.887), (19, 0.584), (20, 0.359), (21, 0.203), (22, 0.093)] {
            assert!((chart[patch][1] - expected).abs() < 0.005, "{patch}: {:?}", chart[patch]);
        }
        // Red reflects more X than Y, blue more Z.
        assert!(chart[14][0] > 1.5 * chart[14][1] && chart[12][2] > 3.0 * chart[12][1]);
    }
}
