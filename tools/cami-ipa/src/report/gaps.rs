//! How long each frame took, as inline SVG: a death shows as a gap.

use std::fmt::Write;
use std::time::Duration;

use super::text::Escaped;
use crate::record::{Event, EventKind};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;
/// Time between two frames at 30 per second, in µs: what is longer is seen.
const FRAME_US: f64 = 33_333.0;
/// The axis, in µs; each line is ten times the one before.
const LINES: [(f64, &str); 4] =
    [(100.0, "0.1 ms"), (1_000.0, "1 ms"), (10_000.0, "10 ms"), (100_000.0, "100 ms")];
/// Top of the axis; longer frames reach it.
const MOST_US: f64 = 200_000.0;

/// Draws the frames' durations; those in which something was killed stand out.
pub fn render(durations: &[Duration], events: &[Event]) -> String {
    let slot = (WIDTH - LEFT - RIGHT) / durations.len().max(1) as f64;
    let mut svg = format!(
        "<figure class=\"chart\">\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"gaps-d\">\n<desc id=\"gaps-d\">Time that each of {} frames took, from \
         its first request to its last answer, on a logarithmic scale. Frames in which a process \
         was killed are marked.</desc>\n",
        durations.len()
    );
    for (us, name) in LINES {
        let y = height_of(us);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text \
             class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
    }
    let limit = height_of(FRAME_US);
    let _ = writeln!(
        svg,
        "<line class=\"mark good\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{limit:.1}\" y2=\"{limit:.1}\">\
         <title>33.3 ms: the next frame is due, at 30 per second</title></line>",
        WIDTH - RIGHT
    );
    for (number, duration) in (0_u64..).zip(durations) {
        let us = duration.as_secs_f64() * 1e6;
        let top = height_of(us);
        let death = events
            .iter()
            .find(|event| event.kind == EventKind::Fault && event.frame == number)
            .map(|event| event.text.as_str());
        let class = if death.is_some() { "bar fault" } else { "bar" };
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
             <title>frame {number}: {:.1} ms{}{}</title></rect>",
            LEFT + number as f64 * slot,
            (slot * 0.86).max(0.5),
            HEIGHT - BOTTOM - top,
            us / 1000.0,
            if death.is_some() { "; " } else { "" },
            Escaped(death.unwrap_or_default())
        );
    }
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{LEFT}\" y=\"{0}\">frame 0</text><text class=\"tick\" x=\"{1}\" \
         y=\"{0}\" text-anchor=\"end\">frame {2}</text>\n</svg>\n<figcaption>The time that each \
         frame took; red where a process was killed in it. The dashed line is when the next frame \
         is due at 30 per second: what stays below it nobody sees.</figcaption>\n</figure>\n",
        HEIGHT - BOTTOM + 18.0,
        WIDTH - RIGHT,
        durations.len().saturating_sub(1)
    );
    svg
}

/// The vertical place of a time.
fn height_of(us: f64) -> f64 {
    let least = LINES.first().map_or(1.0, |(us, _)| *us) / 2.0;
    let share = (us.clamp(least, MOST_US) / least).ln() / (MOST_US / least).ln();
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_with_a_death_is_marked_and_named() {
        let event =
            Event { frame: 1, at: Duration::ZERO, kind: EventKind::Fault, text: "<killed>".into() };
        let times = [1, 20, 1].map(Duration::from_millis);
        let svg = render(&times, &[event]);
        assert_eq!(svg.matches("class=\"bar fault\"").count(), 1, "{svg}");
        assert!(svg.contains("frame 1: 20.0 ms; &lt;killed&gt;"), "{svg}");
        assert!(height_of(20_000.0) < height_of(1_000.0));
        assert!(render(&[], &[]).contains("0 frames"));
    }
}
