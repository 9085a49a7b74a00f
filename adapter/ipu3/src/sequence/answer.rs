//! Checking the values of an answer.

use std::fmt;

/// A value in an answer that cannot be.
#[derive(Debug, Clone, PartialEq)]
pub struct BadAnswer {
    field: &'static str,
    value: f64,
    expected: &'static str,
}

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, expected {}", self.field, self.value, self.expected)
    }
}

impl std::error::Error for BadAnswer {}

impl BadAnswer {
    pub(super) fn new(field: &'static str, value: impl Into<f64>, expected: &'static str) -> Self {
        Self { field, value: value.into(), expected }
    }
}

/// A finite number.
pub(super) fn finite(field: &'static str, value: f32) -> Result<f32, BadAnswer> {
    if value.is_finite() { Ok(value) } else { Err(BadAnswer::new(field, value, "a finite number")) }
}

/// A finite number above zero.
pub(super) fn positive(field: &'static str, value: f32) -> Result<f32, BadAnswer> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(BadAnswer::new(field, value, "a finite number above 0"))
    }
}

/// A number of items that has room.
pub(super) fn count(field: &'static str, value: u32, room: usize) -> Result<usize, BadAnswer> {
    usize::try_from(value)
        .ok()
        .filter(|count| *count <= room)
        .ok_or_else(|| BadAnswer::new(field, value, "no more than the payload has room for"))
}

/// The number of cells of a grid that has room.
pub(super) fn cells(
    field: &'static str,
    width: impl Into<u32>,
    height: impl Into<u32>,
    room: usize,
) -> Result<usize, BadAnswer> {
    let cells = width.into().saturating_mul(height.into());
    count(field, cells, room)
}

/// A pointer word that says that its sibling is filled in.
pub(super) fn present(field: &'static str, word: u64) -> Result<(), BadAnswer> {
    if word == 0 { Err(BadAnswer::new(field, 0_u8, "not NULL")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_values_are_named() {
        let error = finite("gain", f32::NAN).expect_err("not a number");
        assert_eq!(error.to_string(), "gain is NaN, expected a finite number");
        assert!(positive("gain", 0.0).is_err());
        assert!(count("size", 1025, 1024).is_err());
        assert_eq!(count("size", 1024, 1024), Ok(1024));
        assert!(cells("grid", u32::MAX, u32::MAX, 16384).is_err());
        assert_eq!(cells("grid", 80_u16, 60_u16, 16384), Ok(4800));
        assert!(present("results", 0).is_err());
    }
}
