//! Spectra sampled from 400 nm to 700 nm.

/// First wavelength, in nanometres.
pub const FIRST_NM: f64 = 400.0;
/// Distance between samples, in nanometres.
pub const STEP_NM: f64 = 10.0;
/// Samples in a spectrum: 400, 410, … 700 nm. A sensor behind its infrared filter sees no more.
pub const SAMPLES: usize = 31;

/// A quantity at each wavelength; its unit is that of what it describes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectrum(pub [f64; SAMPLES]);

impl Spectrum {
    /// A spectrum from a function of the wavelength in nanometres.
    pub fn from_fn(mut value: impl FnMut(f64) -> f64) -> Self {
        let mut nm = FIRST_NM - STEP_NM;
        Self([(); SAMPLES].map(|()| {
            nm += STEP_NM;
            value(nm)
        }))
    }

    /// The product of two spectra, sample by sample.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut product = *self;
        for (a, b) in product.0.iter_mut().zip(&other.0) {
            *a *= b;
        }
        product
    }

    /// The spectrum multiplied by a number.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self(self.0.map(|value| value * factor))
    }

    /// The integral over wavelength, in units × nm (sum of samples × [`STEP_NM`]).
    #[must_use]
    pub fn integral(&self) -> f64 {
        self.0.iter().sum::<f64>() * STEP_NM
    }
}

/// CIE 1924 luminous efficiency V(λ) for photopic vision (CIE 18:2019, ISO/CIE 23539).
#[rustfmt::skip]
pub const LUMINOUS_EFFICIENCY: Spectrum = Spectrum([
    0.000396, 0.00121, 0.0040, 0.0116, 0.023, 0.038, 0.060, 0.09098, 0.13902, 0.20802, 0.323,
    0.503, 0.710, 0.862, 0.954, 0.99495, 0.995, 0.952, 0.870, 0.757, 0.631, 0.503,
    0.381, 0.265, 0.175, 0.107, 0.061, 0.032, 0.017, 0.00821, 0.004102,
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_run_from_400_to_700_nm() {
        let wavelengths = Spectrum::from_fn(|nm| nm);
        assert_eq!(wavelengths.0[0], 400.0);
        assert_eq!(wavelengths.0[SAMPLES - 1], 700.0);
    }

    #[test]
    fn the_integral_of_a_flat_spectrum_is_its_width() {
        assert_eq!(Spectrum([1.0; SAMPLES]).scaled(2.0).integral(), 620.0);
    }
}
