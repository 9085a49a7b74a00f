//! The histogram of request times, as inline SVG.

use std::fmt::Write;

use crate::latency::Latencies;

const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 34.0;
/// About how wide a letter is.
const LETTER: f64 = 6.5;

/// How large it is, and where its bars begin.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    width: f64,
    height: f64,
    left: f64,
}

/// As wide as the page.
pub const LARGE: Size = Size { width: 880.0, height: 200.0, left: 62.0 };
/// Two beside one another.
pub const SMALL: Size = Size { width: 430.0, height: 150.0, left: 24.0 };

/// Draws it; bars are powers of two. `id` tells it from others in the page.
pub fn render(id: &str, size: Size, latencies: &Latencies) -> String {
    let Size { width, height: whole, left } = size;
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
    let slot = (width - left - RIGHT) / shown.len().max(1) as f64;
    let mut svg = format!(
        "<figure class=\"chart\">\n<svg viewBox=\"0 0 {width} {whole}\" role=\"img\" \
         aria-labelledby=\"{id}-d\">\n<desc id=\"{id}-d\">Histogram of the time from a \
         request to its callback: {} requests, half of them within {p50} µs, 99 % within {p99} \
         µs.</desc>\n",
        latencies.len()
    );
    // Labels that would run into one another are left out.
    let widest = shown.iter().map(|(_, count)| count.to_string().len()).max().unwrap_or(1) as f64;
    let counted = slot >= widest * LETTER;
    let every = ((7.0 * LETTER / slot).ceil()).max(1.0);
    for (place, (bin, count)) in shown.iter().enumerate() {
        let x = left + place as f64 * slot;
        let height = *count as f64 / most * (whole - TOP - BOTTOM);
        let top = whole - BOTTOM - height;
        let (low, high) = (duration(1 << bin), duration(1 << (bin + 1)));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" \
             height=\"{height:.1}\" rx=\"2\"><title>{count} requests of {low} to {high}</title>\
             </rect>",
            x + slot * 0.06,
            slot * 0.88,
        );
        if counted {
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>",
                x + slot / 2.0,
                top - 5.0
            );
        }
        if (place as f64) % every == 0.0 {
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{low}</text>",
                whole - BOTTOM + 18.0
            );
        }
    }
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{left}\" x2=\"{}\" y1=\"{2}\" y2=\"{2}\"/>\n</svg>\n\
         <figcaption>{1} requests: half of them within {3}, 99 % within {4}.</figcaption>\n\
         </figure>\n",
        width - RIGHT,
        latencies.len(),
        whole - BOTTOM,
        duration(p50),
        duration(p99)
    );
    svg
}

/// µs for people.
pub fn duration(us: u64) -> String {
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
        let svg = render("h", LARGE, &latencies);
        assert!(svg.contains("3 requests of 64 µs to 128 µs"), "{svg}");
        assert!(svg.contains("0 requests of 128 µs to 256 µs"));
        assert!(svg.contains("1 requests of 256 µs to 512 µs"));
        assert!(render("h", SMALL, &Latencies::default()).contains("No request"));
    }
}
