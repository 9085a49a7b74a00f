//! The report: one HTML file that needs nothing else, for eyes of every kind.

mod chart;
mod gaps;
mod histogram;
mod page;
mod text;
mod timeline;

pub use page::render;
