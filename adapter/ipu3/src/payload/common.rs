//! What several requests share.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `ia_rectangle`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Rectangle {
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Right edge.
    pub right: i32,
    /// Bottom edge.
    pub bottom: i32,
}
layout!(Rectangle, 16, left 0, top 4, right 8, bottom 12);

/// `ia_coordinate`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Coordinate {
    /// Horizontal position.
    pub x: i32,
    /// Vertical position.
    pub y: i32,
}
layout!(Coordinate, 8, x 0, y 4);

/// `ia_aiq_frame_params`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FrameParams {
    /// Horizontal crop offset.
    pub horizontal_crop_offset: u16,
    /// Vertical crop offset.
    pub vertical_crop_offset: u16,
    /// Cropped image width.
    pub cropped_image_width: u16,
    /// Cropped image height.
    pub cropped_image_height: u16,
    /// Horizontal scaling numerator.
    pub horizontal_scaling_numerator: u8,
    /// Horizontal scaling denominator.
    pub horizontal_scaling_denominator: u8,
    /// Vertical scaling numerator.
    pub vertical_scaling_numerator: u8,
    /// Vertical scaling denominator.
    pub vertical_scaling_denominator: u8,
}
layout!(FrameParams, 12, horizontal_crop_offset 0, vertical_crop_offset 2, cropped_image_width 4, cropped_image_height 6, horizontal_scaling_numerator 8, horizontal_scaling_denominator 9, vertical_scaling_numerator 10, vertical_scaling_denominator 11);

/// `ia_aiq_exposure_parameters`, 28 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ExposureParameters {
    /// Exposure time, µs.
    pub exposure_time_us: i32,
    /// Analogue gain, 1.0 is none.
    pub analog_gain: f32,
    /// Digital gain, 1.0 is none.
    pub digital_gain: f32,
    /// Aperture fn.
    pub aperture_fn: f32,
    /// Exposure time times all gains, µs.
    pub total_target_exposure: i32,
    /// Nd filter enabled.
    pub nd_filter_enabled: u8,
    #[doc(hidden)]
    pub padding_21: [u8; 3],
    /// ISO sensitivity.
    pub iso: i32,
}
layout!(ExposureParameters, 28, exposure_time_us 0, analog_gain 4, digital_gain 8, aperture_fn 12, total_target_exposure 16, nd_filter_enabled 20, iso 24);

/// `ia_binary_data_mod`, 800004 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BinaryDataMod {
    /// Bytes, or cells, in use.
    pub size: u32,
    /// The bytes.
    pub data: [u8; 800000],
}
layout!(BinaryDataMod, 800004, size 0, data 4);
