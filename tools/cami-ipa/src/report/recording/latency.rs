//! Times from request to answer, by command.

use std::fmt::Write;

use super::collect::Collected;
use crate::report::histogram::{self, SMALL, duration};
use crate::report::text::Escaped;

/// Commands that are shown.
const MOST: usize = 64;

/// Writes the section.
pub fn render(page: &mut String, collected: &Collected<'_>) {
    page.push_str(
        "<section id=\"latency\">\n<h2>Time from request to answer</h2>\n<div class=\"scroll\">\
         <table>\n<thead><tr><th scope=\"col\">command</th><th scope=\"col\">group</th>\
         <th scope=\"col\">answered</th><th scope=\"col\">failed</th>\
         <th scope=\"col\">unanswered</th><th scope=\"col\">half within</th>\
         <th scope=\"col\">99 % within</th><th scope=\"col\">longest</th></tr></thead>\n<tbody>\n",
    );
    for figures in collected.commands.iter().take(MOST) {
        let percentile = |percent| {
            figures.latencies.percentile_us(percent).map_or_else(|| "–".to_owned(), duration)
        };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td></tr>",
            Escaped(&figures.name),
            Escaped(&figures.lane.name),
            figures.latencies.len(),
            figures.failed,
            figures.unanswered,
            percentile(50),
            percentile(99),
            percentile(100)
        );
    }
    page.push_str("</tbody></table></div>\n<div class=\"histograms\">\n");
    for (number, figures) in collected.commands.iter().take(MOST).enumerate() {
        if figures.latencies.len() == 0 {
            continue;
        }
        let _ = writeln!(page, "<div><h3>{}</h3>", Escaped(&figures.name));
        page.push_str(&histogram::render(&format!("command-{number}"), SMALL, &figures.latencies));
        page.push_str("</div>\n");
    }
    page.push_str("</div>\n");
    if let Some(more) = collected.commands.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p class=\"note\">{more} more commands are not shown.</p>");
    }
    page.push_str("</section>\n");
}
