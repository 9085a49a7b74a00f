//! The gamma curve (global brightness and contrast enhancement).

use super::number::{finite_or, from_usize, to_f32};

/// Entries of the curve, as many as the protocol has room for.
pub const ENTRIES: usize = 1024;
/// Exposure compensation beyond which the curve changes no more, stops.
const MOST_EV_SHIFT: f64 = 4.0;
/// Share of the compensation that the curve takes over, by raising or lowering its middle.
const CURVE_SHARE: f64 = 1.0 / 16.0;

/// The gamma curve: entry i is the display value of the linear value i / 1023, both 0 to 1.
///
/// It is the transfer function of sRGB (IEC 61966-2-1): 12.92·x up to 0.0031308, then
/// 1.055·x^(1/2.4) − 0.055. AE moves the exposure by the whole of `ev_shift` (stops); the curve
/// adds a sixteenth of it to its middle tones, by the exponent 2^(−ev/16), so that a compensation
/// is seen even where AE is at its limits. Black and white stay where they are.
#[must_use]
pub fn curve(ev_shift: f64) -> [f32; ENTRIES] {
    let ev_shift = finite_or(ev_shift, 0.0).clamp(-MOST_EV_SHIFT, MOST_EV_SHIFT);
    let exponent = (-ev_shift * CURVE_SHARE).exp2();
    let mut curve = [0.0; ENTRIES];
    for (index, entry) in curve.iter_mut().enumerate() {
        let linear = from_usize(index) / from_usize(ENTRIES - 1);
        *entry = to_f32(srgb(linear).powf(exponent));
    }
    curve
}

/// The transfer function of sRGB.
fn srgb(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_srgb() {
        let curve = curve(0.0);
        assert_eq!((curve[0], curve[ENTRIES - 1]), (0.0, 1.0));
        // 18 % grey is displayed at 46.1 % (sRGB code 118).
        assert!((curve[184] - 0.461).abs() < 0.002, "{}", curve[184]);
    }

    #[test]
    fn curves_rise_and_stay_in_range_for_any_compensation() {
        for ev_shift in [-1e9, -2.0, 0.0, 1.0, 4.0, f64::INFINITY, f64::NAN] {
            let curve = curve(ev_shift);
            assert!(curve.windows(2).all(|pair| pair[0] < pair[1]), "{ev_shift}");
            assert_eq!((curve[0], curve[ENTRIES - 1]), (0.0, 1.0));
        }
        assert!(curve(1.0)[200] > curve(0.0)[200] && curve(-1.0)[200] < curve(0.0)[200]);
    }
}
