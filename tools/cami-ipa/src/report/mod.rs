//! The report: one HTML file that needs nothing else, for eyes of every kind.

mod chart;
mod document;
mod gaps;
mod histogram;
mod page;
mod recording;
mod text;
mod timeline;

pub use page::render;
pub use recording::{HELP, ReportOptions, parse, report};
