//! What every virtual camera can be asked.

use crate::grids::Grids;
use crate::sensor::Exposure;

/// A camera that gives statistics, and the truth about its scene.
pub trait Camera {
    /// The statistics of a frame exposed like this, the lens at `lens` steps.
    fn grids(&self, frame: u64, exposure: &Exposure, lens: i32) -> Grids;

    /// The response to each neutral surface of the scene, free of noise.
    fn greys(&self, frame: u64) -> Vec<GreyRatio>;

    /// Mean of the green statistics as a share of full scale, free of noise.
    fn level(&self, frame: u64, exposure: &Exposure) -> f64;

    /// The scene in the words of a trace.
    fn scene(&self, frame: u64) -> SceneColumns;

    /// The different lights in the first `frames` frames, in order; the first begins with frame 0.
    fn lights(&self, frames: u64) -> Vec<LightSpan>;
}

/// Response of the sensor to a neutral surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GreyRatio {
    /// Red divided by green.
    pub r_per_g: f64,
    /// Blue divided by green.
    pub b_per_g: f64,
}

/// From which frame on a light shines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightSpan {
    /// Its first frame.
    pub first_frame: u64,
    /// Its name, for people.
    pub name: String,
}

/// The scene of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SceneColumns {
    /// Green of the whole scene or its left half, in digital numbers (of 255) per µs at gain 1.
    pub brightness: f64,
    /// Its R/G.
    pub r_per_g: f64,
    /// Its B/G.
    pub b_per_g: f64,
    /// The same for the right half.
    pub right_brightness: f64,
    /// The same for the right half.
    pub right_r_per_g: f64,
    /// The same for the right half.
    pub right_b_per_g: f64,
    /// The lens position at which the scene is sharp.
    pub lens: i32,
}
