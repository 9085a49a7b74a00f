//! Numbers from strangers, and back into the protocol's types.

/// The number if it is finite and above zero.
pub fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

/// The number if it is finite, else `default`.
pub fn finite_or(value: f64, default: f64) -> f64 {
    if value.is_finite() { value } else { default }
}

/// Rounds to the nearest number of the type, at its limits where there is none; NaN gives 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, which is meant"
)]
pub fn to_u16(value: f64) -> u16 {
    value.round() as u16
}

/// As [`to_u16`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, which is meant"
)]
pub fn to_u8(value: f64) -> u8 {
    value.round() as u8
}

/// As [`to_u16`].
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, which is meant")]
pub fn to_i16(value: f64) -> i16 {
    value.round() as i16
}

/// As [`to_u16`].
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, which is meant")]
pub fn to_i32(value: f64) -> i32 {
    value.round() as i32
}

/// As [`to_u16`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, which is meant"
)]
pub fn to_u32(value: f64) -> u32 {
    value.round() as u32
}

/// The nearest `f32`; a number beyond its range becomes its largest.
#[expect(clippy::cast_possible_truncation, reason = "limited to the range of the type before")]
pub fn to_f32(value: f64) -> f32 {
    finite_or(value, 0.0).clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// A count as a number; exact up to 2^53, which no count here reaches.
pub fn from_usize(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::from(u32::MAX), f64::from)
}
