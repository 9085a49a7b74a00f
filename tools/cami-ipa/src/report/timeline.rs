//! What happened when, as inline SVG: a row for each kind of event.

use std::fmt::Write;

use super::text::Escaped;
use crate::record::{Event, EventKind};

const WIDTH: f64 = 880.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 14.0;
const ROW: f64 = 26.0;

/// The rows: their names, their class in the style sheet, and what belongs there.
const ROWS: [(&str, &str, EventKind); 4] = [
    ("light", "light", EventKind::Light),
    ("converged", "good", EventKind::Converged),
    ("fault", "fault", EventKind::Fault),
    ("recovered", "good", EventKind::Recovered),
];

/// Draws the events of a run of `frames` frames.
pub fn render(events: &[Event], frames: usize) -> String {
    let last = frames.saturating_sub(1).max(1) as f64;
    let bottom = TOP + ROW * ROWS.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"timeline-d\">\n\
         <desc id=\"timeline-d\">When the events listed below happened, from frame 0 to frame \
         {last}.</desc>\n",
        bottom + 20.0
    );
    for (row, (name, class, kind)) in (0_u32..).zip(ROWS) {
        let y = TOP + ROW * (f64::from(row) + 0.5);
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            LEFT - 10.0,
            y + 4.0,
            WIDTH - RIGHT
        );
        for event in events.iter().filter(|event| event.kind == kind) {
            let x = LEFT + (event.frame as f64 / last).min(1.0) * (WIDTH - LEFT - RIGHT);
            let _ = writeln!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"><title>frame \
                 {}: {}</title></circle>",
                event.frame,
                Escaped(&event.text)
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text class=\"tick\" x=\"{LEFT}\" y=\"{1}\" text-anchor=\"middle\">frame 0</text>\
         <text class=\"tick\" x=\"{0}\" y=\"{1}\" text-anchor=\"end\">frame {last}</text>\n</svg>",
        WIDTH - RIGHT,
        bottom + 14.0
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_event_is_a_dot_at_its_frame() {
        let event = Event {
            frame: 50,
            at: Duration::ZERO,
            kind: EventKind::Fault,
            text: "<killed>".into(),
        };
        let svg = render(&[event], 101);
        assert!(svg.contains("class=\"dot fault\" cx=\"476.0\""), "{svg}");
        assert!(svg.contains("frame 50: &lt;killed&gt;"));
        assert_eq!(render(&[], 0).matches("<circle").count(), 0);
    }
}
