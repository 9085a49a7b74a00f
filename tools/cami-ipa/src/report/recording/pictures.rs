//! Statistics grids as pictures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cami_recording::PageCache;
use serde::Serialize;

use super::collect::{Collected, Request};
use crate::ipu3::png;
use crate::recorded::{AfPicture, Grids, Recorded, RgbPicture};
use crate::report::document;

/// Frames that have a picture, evenly spaced.
const MOST: usize = 120;
/// Columns and rows of a picture; a larger grid is made smaller.
const SIZE: (usize, usize) = (80, 60);

/// The pictures of a frame. PNG files in base 64.
#[derive(Debug, Serialize)]
struct Picture {
    frame: u32,
    text: String,
    rgb: Option<String>,
    af: Option<String>,
}

/// Writes the section; nothing where there are no statistics.
pub fn render(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    let with: Vec<&Request<'_>> = collected
        .requests
        .iter()
        .filter(|request| {
            let exchange = &request.exchange;
            let known = exchange.protocol.brings_statistics(exchange.command);
            known && exchange.requested.content != 0 && exchange.frame.is_some() && !exchange.again
        })
        .collect();
    let mut cache = PageCache::default();
    let pictures: Vec<Picture> = spaced(with.len())
        .filter_map(|place| picture(recorded, with.get(place)?, &mut cache))
        .collect();
    let Some(last) = pictures.len().checked_sub(1) else { return };
    let all = if pictures.len() == with.len() {
        format!("Each of {} frames with statistics has a picture.", with.len())
    } else {
        format!(
            "{} of {} frames with statistics have a picture, evenly spaced; --frame makes a page of \
             others.",
            pictures.len(),
            with.len()
        )
    };
    page.push_str("<section id=\"statistics\">\n<h2>Statistics</h2>\n");
    page.push_str(&format!(
        "<div class=\"controls\" role=\"group\" aria-label=\"Statistics\">\n\
         <button type=\"button\" id=\"picture-before\" aria-label=\"Previous picture\">◀</button>\n\
         <input type=\"range\" id=\"picture\" min=\"0\" max=\"{last}\" value=\"0\" \
         aria-label=\"Frame of the statistics\">\n\
         <button type=\"button\" id=\"picture-after\" aria-label=\"Next picture\">▶</button>\n\
         <output id=\"picture-text\" for=\"picture\"></output></div>\n\
         <div class=\"pictures\">\n\
         <figure><img id=\"picture-rgb\" alt=\"Colour grid\"><figcaption>colour: mean red, green and \
         blue of each cell</figcaption></figure>\n\
         <figure><img id=\"picture-af\" alt=\"Focus grid\"><figcaption>focus: both filters' responses, \
         as shares of the largest in this frame</figcaption></figure></div>\n\
         <p class=\"note\">{all} Grids of more than {} × {} cells are shown with fewer.</p>\n",
        SIZE.0, SIZE.1
    ));
    document::data(page, "pictures", &pictures);
    page.push_str("</section>\n");
}

/// At most [`MOST`] of so many places, the first and the last among them.
fn spaced(count: usize) -> impl Iterator<Item = usize> {
    let shown = count.min(MOST);
    let last = count.saturating_sub(1);
    (0..shown).map(move |number| (number * last).checked_div(shown.saturating_sub(1)).unwrap_or(0))
}

fn picture(recorded: &Recorded, request: &Request<'_>, cache: &mut PageCache) -> Option<Picture> {
    let frame = request.exchange.frame?;
    let Grids { frame_id, rgb, af } = recorded.grids(&request.exchange, cache)?;
    if rgb.is_none() && af.is_none() {
        return None;
    }
    let mut text = format!("frame {frame} (the HAL's {frame_id})");
    if let Some(rgb) = &rgb {
        text.push_str(&format!(
            ", {} × {} cells, {} saturated",
            rgb.width,
            rgb.cells.len().checked_div(rgb.width).unwrap_or(0),
            rgb.saturated
        ));
    }
    if let Some(af) = &af {
        let [first, second] = af.responses.each_ref().map(|all| all.iter().max().unwrap_or(&0));
        text.push_str(&format!(", largest focus responses {first} and {second}"));
    }
    Some(Picture {
        frame,
        text,
        rgb: rgb.and_then(|grid| colour(&grid)),
        af: af.and_then(|grid| focus(&grid)),
    })
}

fn colour(grid: &RgbPicture) -> Option<String> {
    encode(&smaller(grid.width, &grid.cells))
}

/// Both responses side by side.
fn focus(grid: &AfPicture) -> Option<String> {
    let [first, second] = grid.responses.each_ref().map(|responses| {
        let most = f64::from(responses.iter().copied().max().unwrap_or(0).max(1));
        let grey = |response: &i32| {
            let share = (f64::from(*response) / most).clamp(0.0, 1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
            let level = (share.sqrt() * 255.0) as u8;
            [level; 3]
        };
        smaller(grid.width, &responses.iter().map(grey).collect::<Vec<_>>())
    });
    let gap = [[32, 32, 48]];
    let rows: Vec<Vec<[u8; 3]>> = first
        .iter()
        .zip(&second)
        .map(|(one, other)| [one, gap.as_slice(), other].concat())
        .collect();
    encode(&rows)
}

/// Rows of a grid, of which cells are left out where it has more than [`SIZE`].
fn smaller(width: usize, cells: &[[u8; 3]]) -> Vec<Vec<[u8; 3]>> {
    let width = width.max(1);
    let height = cells.len() / width;
    let step = width.div_ceil(SIZE.0).max(height.div_ceil(SIZE.1)).max(1);
    let rows = cells.chunks_exact(width).step_by(step);
    rows.map(|row| row.iter().step_by(step).copied().collect()).collect()
}

fn encode(rows: &[Vec<[u8; 3]>]) -> Option<String> {
    png::encode(rows).ok().map(|file| STANDARD.encode(file))
}

#[cfg(test)]
mod tests {
    use super::{smaller, spaced};

    #[test]
    fn pictures_are_evenly_spaced() {
        assert_eq!(spaced(0).count(), 0);
        assert_eq!(spaced(1).collect::<Vec<_>>(), [0]);
        assert_eq!(spaced(3).collect::<Vec<_>>(), [0, 1, 2]);
        let many: Vec<usize> = spaced(10_000).collect();
        assert_eq!((many.len(), many.first(), many.last()), (120, Some(&0), Some(&9_999)));
    }

    #[test]
    fn a_large_grid_becomes_smaller() {
        assert_eq!(smaller(80, &vec![[1; 3]; 4800]).len(), 60);
        let rows = smaller(128, &vec![[1; 3]; 128 * 128]);
        assert!(rows.len() <= 60 && rows.iter().all(|row| row.len() <= 80), "{}", rows.len());
        assert_eq!(smaller(16_384, &vec![[1; 3]; 16_384]).len(), 1);
        assert_eq!(smaller(1, &vec![[1; 3]; 16_384]).len(), 60);
    }
}
