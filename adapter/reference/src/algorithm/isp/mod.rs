//! The ISP configuration that AIC makes of a frame's results.
//!
//! What the registers mean, their ranges and their neutral values are documented in the Linux
//! kernel's `drivers/staging/media/ipu3/include/uapi/intel-ipu3.h`; where that is silent, units are
//! those observed in recorded configurations of the original library. Blocks that only sharpen or
//! remove noise are neutral: a reference knows nothing of a sensor's noise.

mod colour;
mod measure;
mod neutral;
mod raw;
mod shading;
#[cfg(test)]
mod tests;

use cami_ipu3::bytes_of_mut;
use cami_ipu3::payload::{AicConfig, IPU3AICRuntimeParamsData};

/// Largest side of a frame that the ISP's coordinates reach, pixels: 13 bits with a sign, from the
/// middle of the frame.
const LARGEST_SIDE: u16 = 8190;

/// Fills all blocks of an `aic_config`, those that the encoder ignores (`dpc`, `bds`) with zeros,
/// from the runtime parameters of AIC_INIT and AIC_RUN.
///
/// Pointer words of `input.base` are only looked at for presence. Whatever the parameters hold,
/// every value fits its register.
pub fn aic_config(input: &IPU3AICRuntimeParamsData, config: &mut AicConfig) {
    bytes_of_mut(config).fill(0);
    let frame = Frame::new(input);
    raw::fill(input, &frame, config);
    shading::fill(input, &frame, &mut config.shd_2500_config.shd);
    colour::fill(input, config);
    measure::fill(input, &frame, config);
    neutral::fill(&frame, config);
}

/// Sizes of the frame in the ISP, in pixels: behind the scaler, where all these blocks work.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Width of the picture.
    width: u16,
    /// Height of the picture.
    height: u16,
    /// Width with the columns that were added for alignment.
    padded_width: u16,
}

impl Frame {
    /// A frame that is not given is one of 1920 × 1080.
    fn new(input: &IPU3AICRuntimeParamsData) -> Self {
        let given = input.frame_resolution_parameters;
        let present = input.base.frame_resolution_parameters != 0;
        let (width, height) = (given.bds_out_img_width, given.bds_out_img_height);
        if !present || width == 0 || height == 0 {
            return Self { width: 1920, height: 1080, padded_width: 1920 };
        }
        let (width, height) = (width.min(LARGEST_SIDE), height.min(LARGEST_SIDE));
        let padded = width.saturating_add(given.bds_horizontal_padding);
        Self { width, height, padded_width: padded.min(LARGEST_SIDE) }
    }

    /// Coordinates of the upper left corner, seen from the middle.
    fn corner(&self) -> (i16, i16) {
        let half = |side: u16| i16::try_from(side / 2).unwrap_or(i16::MAX);
        (-half(self.width), -half(self.height))
    }

    /// Squares of these coordinates: at most 4095², which has 24 bits.
    fn corner_squared(&self) -> (u32, u32) {
        let square = |side: u16| u32::from(side / 2) * u32::from(side / 2);
        (square(self.width), square(self.height))
    }
}
