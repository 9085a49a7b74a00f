//! Lights: Planckian radiators by Planck's law, CIE daylight by its published basis, and CIE
//! fluorescent lamps by their tables.

use crate::spectrum::{LUMINOUS_EFFICIENCY, SAMPLES, Spectrum};

/// Maximum luminous efficacy, lm/W at 540 THz (SI definition of the candela).
const LUMENS_PER_WATT: f64 = 683.0;
/// Second radiation constant hc/k, in nm·K (CODATA 2018: 1.438776877e-2 m·K).
const SECOND_RADIATION_CONSTANT: f64 = 1.438_776_877e7;

/// Mean and first two characteristic vectors of daylight (CIE 15:2018, table 6; 400 to 700 nm).
#[rustfmt::skip]
const DAYLIGHT_S0: Spectrum = Spectrum([
    94.8, 104.8, 105.9, 96.8, 113.9, 125.6, 125.5, 121.3, 121.3, 113.5, 113.1,
    110.8, 106.5, 108.8, 105.3, 104.4, 100.0, 96.0, 95.1, 89.1, 90.5, 90.3,
    88.4, 84.0, 85.1, 81.9, 82.6, 84.9, 81.3, 71.9, 74.3,
]);
#[rustfmt::skip]
const DAYLIGHT_S1: Spectrum = Spectrum([
    43.4, 46.3, 43.9, 37.1, 36.7, 35.9, 32.6, 27.9, 24.3, 20.1, 16.2,
    13.2, 8.6, 6.1, 4.2, 1.9, 0.0, -1.6, -3.5, -3.5, -5.8, -7.2,
    -8.6, -9.5, -10.9, -10.7, -12.0, -14.0, -13.6, -12.0, -13.3,
]);
#[rustfmt::skip]
const DAYLIGHT_S2: Spectrum = Spectrum([
    -1.1, -0.5, -0.7, -1.2, -2.6, -2.9, -2.8, -2.6, -2.6, -1.8, -1.5,
    -1.3, -1.2, -1.0, -0.5, -0.3, 0.0, 0.2, 0.5, 2.1, 3.2, 4.1,
    4.7, 5.1, 6.7, 7.3, 8.6, 9.8, 10.2, 8.3, 9.6,
]);

/// CIE fluorescent lamps, 395 to 705 nm every 5 nm (CIE 15:2018, illuminants FL): FL2, "cool white", which
/// viewing booths call CWF, and FL11, a three-band lamp, which they call TL84.
#[rustfmt::skip]
const FL2: [f64; LAMP_SAMPLES] = [
    2.15, 3.44, 15.69, 3.85, 3.74, 4.19, 4.62, 5.06, 34.98, 11.81, 6.27, 6.63, 6.93, 7.19, 7.40, 7.54,
    7.62, 7.65, 7.62, 7.62, 7.45, 7.28, 7.15, 7.05, 7.04, 7.16, 7.47, 8.04, 8.88, 10.01, 24.88, 16.64,
    14.59, 16.16, 17.56, 18.62, 21.47, 22.79, 19.29, 18.66, 17.73, 16.54, 15.21, 13.80, 12.36, 10.95,
    9.65, 8.40, 7.32, 6.31, 5.43, 4.68, 4.02, 3.45, 2.96, 2.55, 2.19, 1.89, 1.64, 1.53, 1.27, 1.10, 0.99,
];
#[rustfmt::skip]
const FL11: [f64; LAMP_SAMPLES] = [
    0.37, 1.29, 12.68, 1.59, 1.79, 2.46, 3.33, 4.49, 33.94, 12.13, 6.95, 7.19, 7.12, 6.72, 6.13, 5.46,
    4.79, 5.66, 14.29, 14.96, 8.97, 4.72, 2.33, 1.47, 1.10, 0.89, 0.83, 1.18, 4.90, 39.59, 72.84, 32.61,
    7.52, 2.83, 1.96, 1.67, 4.43, 11.28, 14.76, 12.73, 9.74, 7.33, 9.72, 55.27, 42.58, 13.18, 13.16,
    12.26, 5.11, 2.07, 2.34, 3.58, 3.01, 2.48, 2.14, 1.54, 1.33, 1.46, 1.94, 2.00, 1.20, 1.35, 4.10,
];
/// Samples of a lamp's table.
const LAMP_SAMPLES: usize = 2 * SAMPLES + 1;

/// What shines on the scene: its colour and how bright it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// The relative spectrum.
    pub source: Source,
    /// Illuminance on the scene, in lux.
    pub lux: f64,
}

/// The shape of a light's spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A black body of this temperature, in kelvin (an incandescent lamp).
    Planckian(f64),
    /// CIE daylight of this correlated colour temperature, in kelvin, 4000 to 25 000.
    Daylight(f64),
    /// CIE FL2, a cool white fluorescent lamp of 4230 K.
    CoolWhite,
    /// CIE FL11, a three-band fluorescent lamp of 4000 K.
    ThreeBand,
}

impl Light {
    /// Spectral irradiance on the scene, in W·m⁻²·nm⁻¹.
    #[must_use]
    pub fn irradiance(&self) -> Spectrum {
        let shape = self.source.shape();
        let lumens = LUMENS_PER_WATT * shape.times(&LUMINOUS_EFFICIENCY).integral();
        shape.scaled(self.lux / lumens)
    }

    /// A name for people, as "daylight 6504 K, 500 lx".
    #[must_use]
    pub fn name(&self) -> String {
        match self.source {
            Source::Planckian(kelvin) => format!("Planckian {kelvin} K, {} lx", self.lux),
            Source::Daylight(kelvin) => format!("daylight {kelvin} K, {} lx", self.lux),
            Source::CoolWhite => format!("cool white FL2, {} lx", self.lux),
            Source::ThreeBand => format!("three-band FL11, {} lx", self.lux),
        }
    }
}

impl Source {
    /// Relative spectral power, of no particular scale.
    pub(crate) fn shape(self) -> Spectrum {
        match self {
            Self::Planckian(kelvin) => planckian(kelvin),
            Self::Daylight(kelvin) => daylight(kelvin),
            Self::CoolWhite => lamp(&FL2),
            Self::ThreeBand => lamp(&FL11),
        }
    }
}

/// Planck's law, scaled to keep the numbers near one.
fn planckian(kelvin: f64) -> Spectrum {
    Spectrum::from_fn(|nm| {
        let exponent = SECOND_RADIATION_CONSTANT / (nm * kelvin);
        (nm / 560.0).powi(-5) / exponent.exp_m1()
    })
}

/// CIE 15:2018, 4.1.2: the chromaticity on the daylight locus, then the weights of the vectors.
fn daylight(kelvin: f64) -> Spectrum {
    let t = kelvin;
    let x = if t <= 7000.0 {
        -4.6070e9 / t.powi(3) + 2.9678e6 / t.powi(2) + 0.099_11e3 / t + 0.244_063
    } else {
        -2.0064e9 / t.powi(3) + 1.9018e6 / t.powi(2) + 0.247_48e3 / t + 0.237_040
    };
    let y = -3.0 * x * x + 2.87 * x - 0.275;
    let m = 0.0241 + 0.2562 * x - 0.7341 * y;
    let m1 = (-1.3515 - 1.7703 * x + 5.9114 * y) / m;
    let m2 = (0.0300 - 31.4424 * x + 30.0717 * y) / m;
    let mut shape = DAYLIGHT_S0;
    for ((s0, s1), s2) in shape.0.iter_mut().zip(&DAYLIGHT_S1.0).zip(&DAYLIGHT_S2.0) {
        *s0 += m1 * s1 + m2 * s2;
    }
    shape
}

/// A table of steps of 5 nm at steps of 10 nm. Each sample takes half of its neighbours', so that
/// no spectral line is lost or counted twice.
fn lamp(table: &[f64; LAMP_SAMPLES]) -> Spectrum {
    let mut triples = table.windows(3).step_by(2);
    Spectrum::from_fn(|_| match triples.next() {
        Some(&[before, at, after]) => (before + 2.0 * at + after) / 4.0,
        _ => 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::tristimulus;

    #[test]
    fn lamps_have_their_published_chromaticities() {
        // CIE 15:2018, x and y of illuminants FL, A and D65; the tolerance is that of lines at steps of 10 nm.
        for (source, x, y) in [
            (Source::CoolWhite, 0.3721, 0.3751),
            (Source::ThreeBand, 0.3805, 0.3769),
            (Source::Planckian(2856.0), 0.4476, 0.4074),
            (Source::Daylight(6504.0), 0.3127, 0.3290),
        ] {
            let [tx, ty, tz] = tristimulus(&source.shape());
            let sum = tx + ty + tz;
            assert!((tx / sum - x).abs() < 0.004, "{source:?}: x {}", tx / sum);
            assert!((ty / sum - y).abs() < 0.004, "{source:?}: y {}", ty / sum);
        }
    }

    /// Power at `nm` relative to that at 560 nm.
    fn relative(source: Source, nm: usize) -> f64 {
        let shape = source.shape();
        shape.0[(nm - 400) / 10] / shape.0[16]
    }

    #[test]
    fn planckian_2856_k_is_cie_illuminant_a() {
        // CIE 15:2018 table 5, S_A relative to 100 at 560 nm. Illuminant A is defined with the
        // radiation constant of its time (2848 K × 1.4350/1.4388), hence the tolerance.
        for (nm, expected) in [(400, 14.7080), (450, 33.0859), (500, 59.8611), (650, 165.028)] {
            let got = 100.0 * relative(Source::Planckian(2855.5), nm);
            assert!((got / expected - 1.0).abs() < 0.001, "{nm} nm: {got}, expected {expected}");
        }
    }

    #[test]
    fn daylight_6504_k_is_d65() {
        // CIE 15:2018 table 5, D65.
        for (nm, expected) in [(400, 82.7549), (450, 117.008), (500, 109.354), (650, 80.0268)] {
            let got = 100.0 * relative(Source::Daylight(6504.0), nm);
            assert!((got / expected - 1.0).abs() < 0.002, "{nm} nm: {got}, expected {expected}");
        }
    }

    #[test]
    fn irradiance_carries_its_illuminance() {
        let light = Light { source: Source::Daylight(5003.0), lux: 320.0 };
        let lux = LUMENS_PER_WATT * light.irradiance().times(&LUMINOUS_EFFICIENCY).integral();
        assert!((lux - 320.0).abs() < 1e-9);
    }
}
