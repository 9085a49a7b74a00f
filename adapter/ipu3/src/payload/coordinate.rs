//! Coordinates: COORDINATE_COVERT.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Coordinate;

/// `convert_coordinates_params`, 80 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ConvertCoordinatesParams {
    /// Src system.
    pub src_system: CoordinateSystem,
    /// Trg system.
    pub trg_system: CoordinateSystem,
    /// Src coordinate.
    pub src_coordinate: Coordinate,
    /// The answer.
    pub results: Coordinate,
}
layout!(ConvertCoordinatesParams, 80, src_system 0, trg_system 32, src_coordinate 64, results 72);

/// `ia_coordinate_system`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct CoordinateSystem {
    /// Top edge.
    pub top: i64,
    /// Left edge.
    pub left: i64,
    /// Bottom edge.
    pub bottom: i64,
    /// Right edge.
    pub right: i64,
}
layout!(CoordinateSystem, 32, top 0, left 8, bottom 16, right 24);
