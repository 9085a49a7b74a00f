//! Parameter adaptation: colour matrix, black level and white balance gains of a white point.

/// Values of the four colours of the mosaic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channels {
    /// Green in the red rows.
    pub gr: f32,
    /// Red.
    pub r: f32,
    /// Blue.
    pub b: f32,
    /// Green in the blue rows.
    pub gb: f32,
}

/// The white point of AWB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhitePoint {
    /// Red over green.
    pub r_per_g: f64,
    /// Blue over green.
    pub b_per_g: f64,
    /// Colour temperature, K.
    pub cct: f64,
}

/// What PA answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// From white-balanced sensor colours to linear sRGB, row by row.
    pub colour_matrix: [[f32; 3]; 3],
    /// Black level, codes of a 10-bit converter.
    pub black_level: Channels,
    /// White balance gains, the smallest being 1.
    pub gains: Channels,
    /// Factor of the colour saturation.
    pub saturation: f32,
}

/// The colour processing of a white point; `gains`, if given, are used instead of the ones that
/// follow from it.
#[must_use]
pub fn run(_white: Option<WhitePoint>, _gains: Option<Channels>) -> Outcome {
    let all = |v| Channels { gr: v, r: v, b: v, gb: v };
    Outcome {
        colour_matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        black_level: all(64.0),
        gains: all(1.0),
        saturation: 1.0,
    }
}
