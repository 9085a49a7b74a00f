//! The histogram of request times, as inline SVG.

use std::fmt::Write;

use crate::latency::Latencies;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 34.0;

/// Draws it; bars are powers of two.
pub fn render(latencies: &Latencies) -> String {
    let bins = latencies.bins();
    let (Some(first), Some(p50), Some(p99)) = (
        bins.iter().position(|count| *count > 0),
        latencies.percentile_us(50),
        latencies.percentile_us(99),
    ) else {
        return "<p>No request was answered.</p>\n".into();
    };
    let shown: Vec<(usize, usize)> = bins.iter().copied().enumerate().skip(first).collect();
    let most = shown.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1) as f64;
    let slot = (WIDTH - LEFT - RIGHT) / shown.len().max(1) as f64;
    let mut svg = format!(
        "<figure class=\"chart\">\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"latency-d\">\n<desc id=\"latency-d\">Histogram of the time from a \
         request to its callback: {} requests, half of them within {p50} µs, 99 % within {p99} \
         µs.</desc>\n",
        latencies.len()
    );
    for (place, (bin, count)) in shown.iter().enumerate() {
        let x = LEFT + place as f64 * slot;
        let height = *count as f64 / most * (HEIGHT - TOP - BOTTOM);
        let top = HEIGHT - BOTTOM - height;
        let (low, high) = (duration(1 << bin), duration(1 << (bin + 1)));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" \
             height=\"{height:.1}\" rx=\"2\"><title>{count} requests of {low} to {high}</title>\
             </rect><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}\
             </text><text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{low}</text>",
            x + slot * 0.06,
            slot * 0.88,
            x + slot / 2.0,
            top - 5.0,
            HEIGHT - BOTTOM + 18.0
        );
    }
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{2}\" y2=\"{2}\"/>\n</svg>\n\
         <figcaption>{1} requests: half of them within {3}, 99 % within {4}.</figcaption>\n\
         </figure>\n",
        WIDTH - RIGHT,
        latencies.len(),
        HEIGHT - BOTTOM,
        duration(p50),
        duration(p99)
    );
    svg
}

/// µs for people.
fn duration(us: u64) -> String {
    match us {
        0..10_000 => format!("{us} µs"),
        10_000..10_000_000 => format!("{} ms", us / 1000),
        _ => format!("{} s", us / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn bars_stand_for_the_requests() {
        let mut latencies = Latencies::default();
        for us in [70, 80, 90, 300] {
            latencies.push(Duration::from_micros(us));
        }
        let svg = render(&latencies);
        assert!(svg.contains("3 requests of 64 µs to 128 µs"), "{svg}");
        assert!(svg.contains("0 requests of 128 µs to 256 µs"));
        assert!(svg.contains("1 requests of 256 µs to 512 µs"));
        assert!(render(&Latencies::default()).contains("No request"));
    }
}
