//! A generic raw sensor behind a lens: how many electrons, and what the ISP's statistics make of
//! them.
//!
//! The spectral response is no product's: three asymmetric Gaussian curves and a constant leak
//! (crosstalk) per channel behind a logistic infrared cut. Its parameters were fitted so that
//! whites fall where those of a small mobile sensor do (R/G 0.51, B/G 0.76 under daylight of
//! 6070 K; 0.81, 0.54 under a Planckian of 3100 K).
//!
//! Black level and optical shading: the ISP subtracts the first before it gathers statistics, and
//! the lens has none of the second.

use crate::illuminant::Light;
use crate::spectrum::Spectrum;

/// Planck constant × speed of light, in J·nm.
const PHOTON_ENERGY: f64 = 1.986_445_857e-16;
/// Side of a pixel, in metres: 1.12 µm, the common size of 13-megapixel sensors.
const PIXEL_PITCH: f64 = 1.12e-6;
/// Focal ratio and transmission of the lens.
const F_NUMBER: f64 = 2.0;
const LENS_TRANSMISSION: f64 = 0.9;
/// Electrons that fill the converter's range at gain 1.
const FULL_SCALE_ELECTRONS: f64 = 4500.0;
/// Noise of one reading, in electrons.
const READ_NOISE: f64 = 2.5;
/// Largest code of the 10-bit converter.
pub const CODES: f64 = 1023.0;
/// Raw black level, in 10-bit codes.
pub const BLACK_LEVEL: f64 = 64.0;
/// Largest signal above black that can be read.
const FULL_SCALE: f64 = CODES - BLACK_LEVEL;
/// Largest value of a statistics cell.
const CELL_MAX: f64 = 255.0;

/// Values of the three colours; green stands for both green pixels of the mosaic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rgb {
    /// Red.
    pub r: f64,
    /// Green.
    pub g: f64,
    /// Blue.
    pub b: f64,
}

/// What is in effect while a frame is exposed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Integration time, in µs.
    pub time_us: i32,
    /// Analogue gain, 1 or more.
    pub analogue_gain: f32,
    /// Digital gain, applied behind the converter.
    pub digital_gain: f32,
}

impl Exposure {
    /// Time × gains, in µs at gain 1; the floats are widened first, and multiplied left to right.
    #[must_use]
    pub fn product(&self) -> f64 {
        f64::from(self.time_us) * f64::from(self.analogue_gain) * f64::from(self.digital_gain)
    }
}

/// The mean of many equal pixels, and the share of them at full scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Mean signal above black, 0 to 255.
    pub mean: f64,
    /// Standard deviation of that mean.
    pub deviation: f64,
    /// Share of saturated pixels, 0 to 1.
    pub saturated: f64,
}

/// Quantum efficiency of each channel, lens and infrared cut left out.
fn response(channel: fn(f64) -> f64) -> Spectrum {
    Spectrum::from_fn(|nm| channel(nm) / (1.0 + ((nm - 665.0) / 8.0).exp()))
}

/// A bell with its peak at `peak` nm and different widths below and above it.
fn bell(nm: f64, peak: f64, below: f64, above: f64) -> f64 {
    let width = if nm < peak { below } else { above };
    (-0.5 * ((nm - peak) / width).powi(2)).exp()
}

fn red(nm: f64) -> f64 {
    0.32 * bell(nm, 605.0, 26.0, 65.0) + 0.035
}

fn green(nm: f64) -> f64 {
    0.67 * bell(nm, 527.0, 35.0, 38.0) + 0.04
}

fn blue(nm: f64) -> f64 {
    0.55 * bell(nm, 456.0, 34.0, 35.0) + 0.06
}

/// Electrons per pixel and µs from a surface of this reflectance under this light.
#[must_use]
pub fn electrons_per_us(light: &Light, reflectance: &Spectrum) -> Rgb {
    // A Lambertian surface imaged by a lens of focal ratio N: E' = ρ·E·T / (4·N²).
    let image = light
        .irradiance()
        .times(reflectance)
        .scaled(LENS_TRANSMISSION / (4.0 * F_NUMBER * F_NUMBER));
    let photons = Spectrum::from_fn(|nm| nm / PHOTON_ENERGY).times(&image);
    let collected =
        |channel| photons.times(&response(channel)).integral() * PIXEL_PITCH * PIXEL_PITCH * 1e-6;
    Rgb { r: collected(red), g: collected(green), b: collected(blue) }
}

/// Reads `pixels` pixels that each gather `rate` electrons per µs.
///
/// Shot and read noise make some pixels of a bright patch reach full scale before their mean does:
/// mean and share are those of a normal distribution cut off at full scale.
#[must_use]
pub fn read(rate: f64, exposure: &Exposure, pixels: f64) -> Reading {
    let electrons = rate * f64::from(exposure.time_us);
    let to_codes = f64::from(exposure.analogue_gain) * FULL_SCALE / FULL_SCALE_ELECTRONS;
    let digital = f64::from(exposure.digital_gain);
    let mean = electrons * to_codes;
    let sigma = (electrons + READ_NOISE * READ_NOISE).sqrt() * to_codes;
    let z = (mean - FULL_SCALE) / sigma;
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let saturated = normal_share_below(z);
    let clipped = mean - ((mean - FULL_SCALE) * saturated + sigma * density);
    let scale = CELL_MAX / FULL_SCALE * digital;
    Reading {
        mean: (clipped * scale).clamp(0.0, CELL_MAX),
        // Pixels at full scale do not vary.
        deviation: sigma * (1.0 - saturated) * scale / pixels.sqrt(),
        saturated,
    }
}

/// Share of a standard normal distribution below `z`
/// (Abramowitz and Stegun, 26.2.17; absolute error below 7.5e-8).
fn normal_share_below(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let above = density * series;
    if z < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::illuminant::Source;
    use crate::spectrum::SAMPLES;

    const GREY: Spectrum = Spectrum([0.18; SAMPLES]);

    fn exposure(time_us: i32) -> Exposure {
        Exposure { time_us, analogue_gain: 1.0, digital_gain: 1.0 }
    }

    fn white_ratios(source: Source) -> (f64, f64) {
        let white = electrons_per_us(&Light { source, lux: 100.0 }, &GREY);
        (white.r / white.g, white.b / white.g)
    }

    #[test]
    fn whites_are_where_the_documentation_says() {
        let (rg, bg) = white_ratios(Source::Daylight(6070.0));
        assert!((rg - 0.51).abs() < 0.01 && (bg - 0.76).abs() < 0.02, "{rg} {bg}");
        let (rg, bg) = white_ratios(Source::Planckian(3100.0));
        assert!((rg - 0.81).abs() < 0.01 && (bg - 0.54).abs() < 0.02, "{rg} {bg}");
    }

    #[test]
    fn signal_is_linear_in_time_and_gain_below_saturation() {
        let rate = electrons_per_us(&Light { source: Source::Daylight(6504.0), lux: 500.0 }, &GREY);
        let once = read(rate.g, &exposure(5_000), 700.0).mean;
        let twice = read(rate.g, &exposure(10_000), 700.0).mean;
        assert!(once > 2.0, "a grey card in an office after 5 ms reads {once}");
        assert!((twice / once - 2.0).abs() < 1e-6);
        let gained = Exposure { analogue_gain: 2.0, ..exposure(5_000) };
        assert!((read(rate.g, &gained, 700.0).mean / once - 2.0).abs() < 1e-6);
    }

    #[test]
    fn an_overexposed_cell_reads_full_scale_and_says_so() {
        let reading = read(1.0, &exposure(50_000), 700.0);
        assert!((reading.mean - 255.0).abs() < 1e-6);
        assert!(reading.saturated > 0.999_999);
        assert!(reading.deviation < 1e-3);
    }

    #[test]
    fn half_the_pixels_saturate_when_the_mean_is_full_scale() {
        let reading = read(FULL_SCALE_ELECTRONS / 1000.0, &exposure(1000), 700.0);
        assert!((reading.saturated - 0.5).abs() < 1e-6);
        assert!(reading.mean < 255.0);
    }

    #[test]
    fn shot_noise_grows_with_the_square_root_of_the_signal() {
        let dim = read(0.1, &exposure(1_000), 1.0);
        let bright = read(0.1, &exposure(16_000), 1.0);
        // 100 and 1600 electrons with 6.25 of read-noise variance.
        let expected = ((1600.0 + 6.25_f64) / (100.0 + 6.25)).sqrt();
        assert!((bright.deviation / dim.deviation - expected).abs() < 1e-6);
    }
}
