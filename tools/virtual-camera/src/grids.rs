//! The statistics grids of the protocol, as a camera fills them.

/// Columns of the colour (RGBS) grid.
pub const RGBS_WIDTH: usize = 80;
/// Rows of the colour grid.
pub const RGBS_HEIGHT: usize = 60;
/// Columns of the focus grid.
pub const AF_WIDTH: usize = 32;
/// Rows of the focus grid.
pub const AF_HEIGHT: usize = 24;
/// Side of a focus block, in pixels of the ISP's input.
pub const AF_BLOCK: u16 = 32;

/// One cell of the colour grid: averages in 8 bits, in the protocol's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RgbsCell {
    /// Green in the red rows.
    pub gr: u8,
    /// Red.
    pub r: u8,
    /// Blue.
    pub b: u8,
    /// Green in the blue rows.
    pub gb: u8,
    /// Share of saturated pixels, 255 for all.
    pub sat: u8,
}

impl RgbsCell {
    /// The cell's five bytes in the protocol's order.
    #[must_use]
    pub fn bytes(&self) -> [u8; 5] {
        [self.gr, self.r, self.b, self.gb, self.sat]
    }
}

/// One cell of the focus grid: the sums of two band-pass filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AfCell {
    /// The coarse filter.
    pub response_1: i32,
    /// The fine filter.
    pub response_2: i32,
}

/// The statistics of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grids {
    /// [`RGBS_WIDTH`] × [`RGBS_HEIGHT`] cells, row by row.
    pub rgbs: Vec<RgbsCell>,
    /// [`AF_WIDTH`] × [`AF_HEIGHT`] cells, row by row.
    pub af: Vec<AfCell>,
}

impl Grids {
    /// CRC-32 (IEEE 802.3, reflected) of the colour cells' bytes, row by row.
    #[must_use]
    pub fn rgbs_crc32(&self) -> u32 {
        let mut crc = u32::MAX;
        for byte in self.rgbs.iter().flat_map(RgbsCell::bytes) {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                let polynomial = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
                crc = (crc >> 1) ^ polynomial;
            }
        }
        !crc
    }
}

/// Cuts the fraction off and limits to a byte.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is limited to 0..=255 before"
)]
pub(crate) fn truncate_to_byte(value: f64) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

/// Cuts the fraction off and limits to an `i32`.
#[expect(clippy::cast_possible_truncation, reason = "float casts saturate, which is meant")]
pub(crate) fn truncate_to_i32(value: f64) -> i32 {
    value as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_common_one() {
        // "123456789" has the check value cbf43926; here with its cells' five bytes: 10 digits.
        let cell = |b: &[u8]| RgbsCell { gr: b[0], r: b[1], b: b[2], gb: b[3], sat: b[4] };
        let grids = Grids { rgbs: vec![cell(b"01234"), cell(b"56789")], af: Vec::new() };
        // zlib.crc32(b"0123456789")
        assert_eq!(grids.rgbs_crc32(), 0xa684_c7c6);
    }
}
