//! The driver's structs as text for people.

mod map;
mod params;
mod stats;

pub use params::ParamsText;
pub use stats::StatsText;
