//! Numbers from one type to another, without surprises.

/// The nearest whole number that 32 bits hold; 0 for what is none.
#[expect(clippy::cast_possible_truncation, reason = "float casts saturate, which is meant")]
pub(crate) fn round_to_i32(value: f64) -> i32 {
    value.round() as i32
}

/// The same, from a number of any type.
pub(crate) fn to_u16(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// A number that can be believed.
pub(crate) fn finite(value: f32) -> Option<f32> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_limited() {
        assert_eq!(round_to_i32(2.5), 3);
        assert_eq!(round_to_i32(-1e30), i32::MIN);
        assert_eq!(round_to_i32(f64::NAN), 0);
        assert_eq!(to_u16(70_000), u16::MAX);
        assert_eq!(finite(f32::INFINITY), None);
    }
}
