//! The page as a whole.

use std::fmt::Write;
use std::path::Path;

use super::collect::{Collected, MOST_FRAMES};
use super::timeline::{self, seconds};
use super::{latency, pictures, trends};
use crate::recorded::Recorded;
use crate::report::document;
use crate::report::text::Escaped;
use crate::show;
use crate::status::human::{name, time};

const SCRIPT: &str = include_str!("script.js");
/// Lines of the library that are shown: the last ones.
const MOST_LINES: usize = 1_000;
/// A line is cut there.
const LONGEST: usize = 500;

/// The whole file.
pub fn render(recorded: &Recorded, collected: &Collected<'_>, file: &Path) -> String {
    let mut page = String::new();
    document::subject(&mut page, &show::about(recorded, file));
    tiles(&mut page, recorded, collected);
    timeline::render(&mut page, recorded, collected);
    pictures::render(&mut page, recorded, collected);
    if collected.first_frame > 0 && collected.frames.len() >= MOST_FRAMES as usize {
        let _ = writeln!(
            page,
            "<p class=\"note\">Of the answers those of the last {MOST_FRAMES} frames are shown.</p>"
        );
    }
    trends::answers(&mut page, collected);
    latency::render(&mut page, collected);
    trends::usage(&mut page, recorded, collected);
    timeline::events(&mut page, recorded, collected);
    lines(&mut page, recorded, collected);
    document::render("cami-ipa report", &page, &[document::CURSOR, SCRIPT])
}

fn tiles(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    let (failed, unanswered) = collected.totals();
    let deaths = collected.landmarks.iter().filter(|mark| mark.kind() == "died").count();
    let (from, to) = collected.window_ns;
    let mut tiles = vec![
        ("shown", time(to.saturating_sub(from) / 1000)),
        ("requests", collected.requests.len().to_string()),
        ("failed", failed.to_string()),
        ("unanswered", unanswered.to_string()),
        ("deaths", deaths.to_string()),
        ("hosts", recorded.session.hosts.len().to_string()),
    ];
    if recorded.has_frames() {
        tiles.insert(1, ("frames", collected.frames.len().to_string()));
    }
    document::tiles(page, &tiles);
}

/// What the library printed.
fn lines(page: &mut String, recorded: &Recorded, collected: &Collected<'_>) {
    let all = collected.lines.len();
    if all == 0 {
        return;
    }
    let shown = collected.lines.get(all.saturating_sub(MOST_LINES)..).unwrap_or_default();
    let _ = writeln!(
        page,
        "<section id=\"lines\">\n<details>\n<summary>What the library printed: {all} lines</summary>"
    );
    if shown.len() < all {
        let _ = writeln!(page, "<p class=\"note\">The last {} are shown.</p>", shown.len());
    }
    page.push_str("<ol class=\"events lines\">\n");
    for (line, frame) in shown {
        let frame = frame.map_or_else(String::new, |frame| format!("frame {frame} · "));
        let _ = writeln!(
            page,
            "<li><span class=\"when\">{frame}{:.3} s</span> <code>{}</code></li>",
            seconds(recorded.since_begin(line.at_ns)),
            Escaped(name(&line.text, LONGEST))
        );
    }
    page.push_str("</ol>\n</details>\n</section>\n");
}
