//! Shading adaptation: a flat table, since nothing is known about the lens.

/// Gain of every cell of every channel.
pub const GAIN: f32 = 1.0;
/// Largest number of cells in the protocol's tables.
pub const MOST_CELLS: usize = 16_384;

/// What SA answers: a table of `width` × `height` cells of [`GAIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Whether the table is a new one.
    pub update: bool,
}

/// Memory of SA from one frame to the next.
#[derive(Debug, Clone, Default)]
pub struct State {
    reported: Option<(u16, u16)>,
}

impl State {
    /// The table for a grid of `width` × `height` cells, as the CMC says.
    ///
    /// A grid that is empty or has more than [`MOST_CELLS`] cells is replaced by [`DEFAULT_GRID`].
    pub fn run(&mut self, width: u16, height: u16) -> Outcome {
        let cells = usize::from(width) * usize::from(height);
        let (width, height) =
            if (1..=MOST_CELLS).contains(&cells) { (width, height) } else { DEFAULT_GRID };
        let update = self.reported.replace((width, height)) != Some((width, height));
        Outcome { width, height, update }
    }
}

/// Columns and rows of the table where nothing else is known: cells of 64 × 64 pixels cover 4224 ×
/// 3136 pixels, with one more at the end of each row and column.
pub const DEFAULT_GRID: (u16, u16) = (67, 50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_new_once() {
        let mut state = State::default();
        assert_eq!(state.run(67, 49), Outcome { width: 67, height: 49, update: true });
        assert!(!state.run(67, 49).update);
        assert!(state.run(63, 47).update, "another grid is another table");
    }

    #[test]
    fn grids_that_do_not_fit_are_replaced() {
        for (width, height) in [(0, 9), (9, 0), (129, 128), (u16::MAX, u16::MAX)] {
            let outcome = State::default().run(width, height);
            assert_eq!((outcome.width, outcome.height), DEFAULT_GRID);
        }
        assert_eq!(State::default().run(128, 128).width, 128);
    }
}
