//! Parameter adaptation: colour matrix, black level and white balance gains of a white point.

use super::number::{finite_or, to_f32};

/// Black level of the generic sensor, codes of a 10-bit converter (that of the virtual camera).
const BLACK_LEVEL: f32 = 64.0;
/// Largest white balance gain: the ISP's gains end below 9.
const MOST_GAIN: f32 = 8.0;
/// Colour temperatures that the matrices were made for, K: CIE illuminant A and D65.
const WARM_CCT: f64 = 2856.0;
const COLD_CCT: f64 = 6504.0;

/// From white-balanced colours of the generic sensor (`tools/virtual-camera`, `sensor.rs`) to
/// linear sRGB under illuminant A, and under D65.
///
/// Made by least squares over the 24 patches of a ColorChecker chart as that camera sees them, to
/// the published sRGB values of the chart, each row summing to 1 so that neutral stays neutral.
/// The residual is 2.2 % and 1.6 % of full scale, after 8.9 % and 7.2 % without a matrix.
#[rustfmt::skip]
const WARM: [[f64; 3]; 3] = [
    [ 1.342, -0.118, -0.224],
    [-0.202,  1.551, -0.349],
    [-0.638, -0.918,  2.556],
];
#[rustfmt::skip]
const COLD: [[f64; 3]; 3] = [
    [ 1.595, -0.463, -0.132],
    [-0.094,  1.575, -0.481],
    [-0.143, -0.538,  1.681],
];

/// Values of the four colours of the mosaic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channels {
    /// Green in the red rows.
    pub gr: f32,
    /// Red.
    pub r: f32,
    /// Blue.
    pub b: f32,
    /// Green in the blue rows.
    pub gb: f32,
}

impl Channels {
    fn all(value: f32) -> Self {
        Self { gr: value, r: value, b: value, gb: value }
    }

    fn map(self, change: impl Fn(f32) -> f32) -> Self {
        Self { gr: change(self.gr), r: change(self.r), b: change(self.b), gb: change(self.gb) }
    }
}

/// The white point of AWB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhitePoint {
    /// Red over green.
    pub r_per_g: f64,
    /// Blue over green.
    pub b_per_g: f64,
    /// Colour temperature, K.
    pub cct: f64,
}

/// What PA answers. There is no linearisation: the generic sensor is linear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// From white-balanced sensor colours to linear sRGB, row by row; each row sums to 1.
    pub colour_matrix: [[f32; 3]; 3],
    /// Black level, codes of a 10-bit converter.
    pub black_level: Channels,
    /// White balance gains, the smallest being 1.
    pub gains: Channels,
    /// Factor of the colour saturation.
    pub saturation: f32,
}

/// The colour processing of a white point, of daylight if there is none; `gains`, if given, are
/// used instead of the ones that follow from it.
#[must_use]
pub fn run(white: Option<WhitePoint>, gains: Option<Channels>) -> Outcome {
    let cct = white.map_or(COLD_CCT, |white| finite_or(white.cct, COLD_CCT));
    let balance = white.map_or(Channels::all(1.0), |white| {
        let gain = |ratio: f64| to_f32(finite_or(ratio.recip(), 1.0));
        Channels { r: gain(white.r_per_g), b: gain(white.b_per_g), ..Channels::all(1.0) }
    });
    Outcome {
        colour_matrix: matrix(cct),
        black_level: Channels::all(BLACK_LEVEL),
        gains: normalised(gains.unwrap_or(balance)),
        saturation: 1.0,
    }
}

/// Gains of which the smallest is 1, so that no saturated pixel becomes coloured.
fn normalised(gains: Channels) -> Channels {
    let usable = |gain: f32| if gain.is_finite() && gain > 1e-3 { gain.min(1e3) } else { 1.0 };
    let gains = gains.map(usable);
    let least = gains.gr.min(gains.r).min(gains.b).min(gains.gb);
    gains.map(|gain| (gain / least).min(MOST_GAIN))
}

/// The matrix of a colour temperature, interpolated in its reciprocal.
fn matrix(cct: f64) -> [[f32; 3]; 3] {
    let cct = cct.clamp(WARM_CCT, COLD_CCT);
    let share = (WARM_CCT.recip() - cct.recip()) / (WARM_CCT.recip() - COLD_CCT.recip());
    let mut matrix = [[0.0; 3]; 3];
    for (row, (warm, cold)) in matrix.iter_mut().zip(WARM.iter().zip(&COLD)) {
        for (value, (warm, cold)) in row.iter_mut().zip(warm.iter().zip(cold)) {
            *value = to_f32(warm + (cold - warm) * share);
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn white(r_per_g: f64, b_per_g: f64, cct: f64) -> Option<WhitePoint> {
        Some(WhitePoint { r_per_g, b_per_g, cct })
    }

    #[test]
    fn neutral_stays_neutral_at_any_colour_temperature() {
        for cct in [0.0, 2000.0, 2856.0, 3500.0, 5000.0, 6504.0, 1e9, f64::NAN, f64::INFINITY] {
            for row in run(white(0.5, 0.8, cct), None).colour_matrix {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{cct}: {row:?}");
            }
        }
        let between = run(white(0.5, 0.8, 4000.0), None).colour_matrix;
        assert!(between[2][2] < 2.556 && between[2][2] > 1.681);
    }

    #[test]
    fn gains_undo_the_white_and_the_smallest_is_one() {
        let daylight = run(white(0.5, 0.8, 6504.0), None).gains;
        assert_eq!(daylight, Channels { gr: 1.0, r: 2.0, b: 1.25, gb: 1.0 });
        let candle = run(white(1.25, 0.5, 2000.0), None).gains;
        assert_eq!(candle, Channels { gr: 1.25, r: 1.0, b: 2.5, gb: 1.25 });
        let given = Channels { gr: 2.0, r: 4.0, b: 6.0, gb: 2.0 };
        let taken = run(white(0.5, 0.8, 6504.0), Some(given)).gains;
        assert_eq!(taken, Channels { gr: 1.0, r: 2.0, b: 3.0, gb: 1.0 });
        assert_eq!(run(None, None).gains, Channels::all(1.0));
    }

    #[test]
    fn rubbish_gives_usable_gains() {
        for gain in [0.0, -1.0, 1e-30, 1e30, f32::NAN, f32::INFINITY] {
            let value = f64::from(gain);
            let given = Channels { gr: gain, r: 1.0, b: gain, gb: 2.0 };
            for gains in [run(white(value, value, value), None), run(None, Some(given))] {
                let gains = gains.gains;
                for gain in [gains.gr, gains.r, gains.b, gains.gb] {
                    assert!((1.0..=MOST_GAIN).contains(&gain), "{value}: {gains:?}");
                }
            }
        }
    }
}
