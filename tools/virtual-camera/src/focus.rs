//! How sharp the image is at a lens position.

/// Distance from the best position, in lens steps, at which the coarse filter sees half.
pub const COARSE_WIDTH: f64 = 80.0;
/// The same for the fine filter: detail is lost first.
pub const FINE_WIDTH: f64 = 40.0;

/// Share of the contrast that is left: 1 in focus, a half at `width` steps from it (a Lorentzian).
#[must_use]
pub fn sharpness(lens: i32, scene_lens: i32, width: f64) -> f64 {
    let t = (f64::from(lens) - f64::from(scene_lens)) / width;
    1.0 / (1.0 + t * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharpness_peaks_at_the_subject() {
        assert_eq!(sharpness(300, 300, COARSE_WIDTH), 1.0);
        assert_eq!(sharpness(380, 300, COARSE_WIDTH), 0.5);
        assert_eq!(sharpness(220, 300, COARSE_WIDTH), 0.5);
        assert!(sharpness(380, 300, FINE_WIDTH) < 0.5);
    }
}
