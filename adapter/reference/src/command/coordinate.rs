//! COORDINATE_COVERT (its name in the protocol): a point in another system of coordinates.

use cami_ipu3::payload::{ConvertCoordinatesParams, Coordinate, CoordinateSystem};

use super::part::{read, write};
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// The answer of COORDINATE_COVERT.
pub fn convert(memory: &SharedMemory) -> Result<(), Refusal> {
    let from = read!(memory, ConvertCoordinatesParams, src_system)?;
    let to = read!(memory, ConvertCoordinatesParams, trg_system)?;
    let point = read!(memory, ConvertCoordinatesParams, src_coordinate)?;
    let result = converted(point, &from, &to).ok_or(Refusal::Value("coordinate"))?;
    write!(memory, ConvertCoordinatesParams, results, &result)
}

/// The point, rounded towards the target's origin as the original does; `None` if the source has
/// no extent or the result no room in 32 bits.
fn converted(
    point: Coordinate,
    from: &CoordinateSystem,
    to: &CoordinateSystem,
) -> Option<Coordinate> {
    Some(Coordinate {
        x: along(point.x, (from.left, from.right), (to.left, to.right))?,
        y: along(point.y, (from.top, from.bottom), (to.top, to.bottom))?,
    })
}

/// One axis; `None` also where the systems are so huge that 128 bits overflow.
fn along(value: i32, from: (i64, i64), to: (i64, i64)) -> Option<i32> {
    let [value, from_begin, from_end, to_begin, to_end] =
        [i64::from(value), from.0, from.1, to.0, to.1].map(i128::from);
    let scaled = (value - from_begin).checked_mul(to_end - to_begin)?;
    let scaled = scaled.checked_div(from_end - from_begin)?;
    i32::try_from(scaled.checked_add(to_begin)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: CoordinateSystem =
        CoordinateSystem { top: 0, left: 0, bottom: 3136, right: 4224 };
    const IA: CoordinateSystem = CoordinateSystem { top: 0, left: 0, bottom: 8192, right: 8192 };

    fn convert(
        x: i32,
        y: i32,
        from: &CoordinateSystem,
        to: &CoordinateSystem,
    ) -> Option<(i32, i32)> {
        converted(Coordinate { x, y }, from, to).map(|point| (point.x, point.y))
    }

    #[test]
    fn the_recorded_point_and_the_corners() {
        assert_eq!(convert(1408, 627, &SENSOR, &IA), Some((2730, 1637)));
        assert_eq!(convert(0, 0, &SENSOR, &IA), Some((0, 0)));
        assert_eq!(convert(4224, 3136, &SENSOR, &IA), Some((8192, 8192)));
        assert_eq!(convert(8192, 8192, &IA, &SENSOR), Some((4224, 3136)));
    }

    #[test]
    fn systems_may_lie_anywhere() {
        let around = CoordinateSystem { top: -1000, left: -1000, bottom: 1000, right: 1000 };
        assert_eq!(convert(4096, 2048, &IA, &around), Some((0, -500)));
        assert_eq!(convert(-1000, 1000, &around, &IA), Some((0, 8192)));
    }

    #[test]
    fn systems_of_rubbish_have_no_answer() {
        let none = CoordinateSystem { top: 5, left: 5, bottom: 5, right: 5 };
        assert_eq!(convert(1, 1, &none, &IA), None);
        let huge =
            CoordinateSystem { top: i64::MIN, left: i64::MIN, bottom: i64::MAX, right: i64::MAX };
        assert_eq!(convert(i32::MIN, i32::MAX, &huge, &huge), None);
        assert_eq!(convert(i32::MIN, i32::MAX, &huge, &IA), Some((4095, 4096)));
        assert_eq!(convert(8192, 8192, &IA, &huge), None);
    }
}
