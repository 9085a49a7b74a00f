//! Grids as a picture.

use cami_ipu3::payload::RgbsGridBlock;
use cami_ipu3::statistics::Grids;

use super::png;

/// Side of a cell, in pixels of the picture.
const CELL: usize = 8;
/// Between two grids, and where a grid has no cell.
const BACKGROUND: [u8; 3] = [32, 32, 48];

/// The colour grid, then both filter responses of the focus grid, each as a share of its largest,
/// one below the other. A PNG file.
///
/// # Errors
/// Those of the PNG encoder; its input is never one that it refuses.
pub fn of(grids: &Grids) -> Result<Vec<u8>, png::Error> {
    let (rgbs, af) = (grids.rgbs(), grids.af());
    let colours: Vec<[u8; 3]> = rgbs.cells.iter().map(colour).collect();
    let [coarse, fine] = [af.response_1, af.response_2].map(greys);
    let parts = [
        (rgbs.width, colours.as_slice()),
        (af.width, coarse.as_slice()),
        (af.width, fine.as_slice()),
    ];
    let widest = usize::from(rgbs.width.max(af.width)).max(1) * CELL;
    let mut rows: Vec<Vec<[u8; 3]>> = vec![vec![BACKGROUND; widest]; CELL];
    for (width, cells) in parts {
        for line in cells.chunks(usize::from(width.max(1))) {
            let mut row: Vec<[u8; 3]> =
                line.iter().flat_map(|pixel| std::iter::repeat_n(*pixel, CELL)).collect();
            row.resize(widest, BACKGROUND);
            rows.extend(std::iter::repeat_n(row, CELL));
        }
        rows.extend(std::iter::repeat_n(vec![BACKGROUND; widest], CELL));
    }
    png::encode(&rows)
}

fn colour(cell: &RgbsGridBlock) -> [u8; 3] {
    [cell.avg_r, u8::midpoint(cell.avg_gr, cell.avg_gb), cell.avg_b]
}

fn greys(responses: &[i32]) -> Vec<[u8; 3]> {
    let most = i64::from(responses.iter().copied().max().unwrap_or(0).max(1));
    let grey = |response: &i32| {
        let share = (i64::from(*response) * 255).checked_div(most).unwrap_or(0);
        [u8::try_from(share.max(0)).unwrap_or(u8::MAX); 3]
    };
    responses.iter().map(grey).collect()
}
