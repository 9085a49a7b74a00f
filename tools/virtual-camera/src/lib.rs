//! A virtual sensor, chart and lights that produce IPU3 3A statistics.
//!
//! Two cameras implement [`Camera`]: [`ChartCamera`] looks at a ColorChecker chart under lights
//! that change (published reflectances and illuminants, a documented sensor, seeded noise), and
//! [`SceneModel`] follows the formula with which recorded runs of real 3A libraries were made. Both
//! know the truth about their scene, so that convergence can be judged without asking the library.
#![forbid(unsafe_code)]

mod camera;
mod chart;
mod chart_camera;
mod focus;
mod grids;
mod illuminant;
mod noise;
mod observer;
mod raw;
mod reflectances;
mod scene_model;
mod sensor;
mod spectrum;

pub use camera::{Camera, GreyRatio, LightSpan, SceneColumns};
pub use chart_camera::{ChartCamera, ScheduledLight};
pub use grids::{AF_BLOCK, AF_HEIGHT, AF_WIDTH, AfCell, Grids, RGBS_HEIGHT, RGBS_WIDTH, RgbsCell};
pub use illuminant::{Light, Source};
pub use observer::{chart_under_d65, d65};
pub use raw::{Stripes, raw_statistics, set_focus_grid};
pub use scene_model::{SceneError, SceneModel};
pub use sensor::{BLACK_LEVEL, CODES, Exposure, Rgb};
