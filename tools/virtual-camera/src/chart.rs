//! Where the chart is in the picture.
//!
//! A light booth seen by the camera: in the middle, 60 × 40 of the 80 × 60 cells, the chart's black
//! cardboard with 6 × 4 patches of 8 × 8 cells; around it the booth's matte neutral wall.

use crate::reflectances::{NEUTRAL_PATCHES, PATCH_COLUMNS, PATCHES};
use crate::spectrum::{SAMPLES, Spectrum};

/// Cells between the left edges of two patches, and between their upper edges.
const PITCH: usize = 10;
/// Cells of cardboard before a patch; as many follow it.
const MARGIN: usize = 1;
/// Upper left cell of the cardboard.
const LEFT: usize = 10;
const TOP: usize = 10;
/// Rows of cells that the cardboard covers, and columns.
const HEIGHT: usize = 40;
const WIDTH: usize = 60;

/// Reflectance of the booth's wall: about Munsell N7, as ASTM D1729 asks of viewing booths.
const WALL_REFLECTANCE: f64 = 0.42;
/// Patch whose spectral shape the wall has, "neutral 6.5", and the one the cardboard has, "black 2".
const WALL_LIKE: usize = 20;
const CARDBOARD_LIKE: usize = 23;

/// What a cell of the picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The booth's wall.
    Wall,
    /// The chart's black cardboard.
    Cardboard,
    /// A patch, by its index in [`PATCHES`].
    Patch(usize),
}

/// What is seen in column `x` and row `y` of the colour grid.
#[must_use]
pub fn surface(x: usize, y: usize) -> Surface {
    let (Some(dx), Some(dy)) = (x.checked_sub(LEFT), y.checked_sub(TOP)) else {
        return Surface::Wall;
    };
    if dx >= WIDTH || dy >= HEIGHT {
        return Surface::Wall;
    }
    let inside = |d: usize| (MARGIN..PITCH - MARGIN).contains(&(d % PITCH));
    if inside(dx) && inside(dy) {
        Surface::Patch(dy / PITCH * PATCH_COLUMNS + dx / PITCH)
    } else {
        Surface::Cardboard
    }
}

impl Surface {
    /// Every surface of the scene.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Wall, Self::Cardboard].into_iter().chain((0..PATCHES.len()).map(Self::Patch))
    }

    /// The surface's place in [`Surface::all`].
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Wall => 0,
            Self::Cardboard => 1,
            Self::Patch(patch) => 2 + patch,
        }
    }

    /// Spectral reflectance.
    #[must_use]
    pub fn reflectance(self) -> Spectrum {
        let of = |patch| PATCHES.get(patch).copied().unwrap_or(Spectrum([0.0; SAMPLES]));
        match self {
            Self::Wall => {
                let shape = of(WALL_LIKE);
                let mean = shape.0.iter().sum::<f64>() / shape.0.len() as f64;
                shape.scaled(WALL_REFLECTANCE / mean)
            }
            Self::Cardboard => of(CARDBOARD_LIKE),
            Self::Patch(patch) => of(patch),
        }
    }

    /// Whether it is one of the chart's grey patches.
    #[must_use]
    pub fn is_grey_patch(self) -> bool {
        matches!(self, Self::Patch(patch) if patch >= PATCHES.len() - NEUTRAL_PATCHES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grids::{RGBS_HEIGHT, RGBS_WIDTH};

    #[test]
    fn every_patch_covers_64_cells_and_the_wall_half_the_picture() {
        let mut count = vec![0; Surface::all().count()];
        for y in 0..RGBS_HEIGHT {
            for x in 0..RGBS_WIDTH {
                count[surface(x, y).index()] += 1;
            }
        }
        assert_eq!(count[0], 2400);
        assert!(count[2..].iter().all(|cells| *cells == 64));
    }

    #[test]
    fn the_surfaces_know_their_own_index() {
        for (index, surface) in Surface::all().enumerate() {
            assert_eq!(surface.index(), index);
        }
    }

    #[test]
    fn the_grey_patches_are_flat_and_get_darker() {
        let greys: Vec<_> = Surface::all().filter(|s| s.is_grey_patch()).collect();
        assert_eq!(greys.len(), 6);
        let means: Vec<f64> =
            greys.iter().map(|s| s.reflectance().0.iter().sum::<f64>() / 31.0).collect();
        assert!(means.windows(2).all(|pair| pair[1] < pair[0]));
        assert!((means[3] - 0.20).abs() < 0.01, "neutral 5 reflects 20 %: {}", means[3]);
    }
}
