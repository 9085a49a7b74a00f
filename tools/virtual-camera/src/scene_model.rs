//! A scene of two numbers per colour: the model that the recorded runs of real libraries used.
//!
//! With g = exposure time × analogue gain × digital gain of the AE result in effect, each cell of
//! column x and row y reads v = (E·g)·(0.6 + 0.8·((7x + 13y) mod 32)/32), red v·(R/G), blue
//! v·(B/G), cut to 8 bits without rounding; a cell is saturated above 250. No noise. Everything is
//! computed in double precision in that order, so that a trace is reproduced to the last digit.

use std::fmt;
use std::path::Path;

use crate::camera::{Camera, GreyRatio, LightSpan, SceneColumns};
use crate::focus;
use crate::grids::{
    AF_HEIGHT, AF_WIDTH, AfCell, Grids, RGBS_HEIGHT, RGBS_WIDTH, RgbsCell, truncate_to_byte,
    truncate_to_i32,
};
use crate::sensor::Exposure;

/// Frames in which the light and the lens are as given; the last one stays for ever.
#[derive(Debug, Clone)]
pub struct SceneModel {
    frames: Vec<SceneColumns>,
}

/// Why a scene file was not read.
#[derive(Debug)]
pub enum SceneError {
    /// The file could not be read.
    Read(std::io::Error),
    /// Its header has no column of this name.
    MissingColumn(&'static str),
    /// A value is not a number, or out of range: line (from 1) and column.
    BadValue {
        /// Line number in the file, from 1.
        line: usize,
        /// Column name.
        column: &'static str,
    },
    /// It has a header and no frame.
    Empty,
}

impl fmt::Display for SceneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot be read: {error}"),
            Self::MissingColumn(name) => write!(
                f,
                "has no column \"{name}\"; a scene has {}",
                COLUMNS.map(|(name, _)| name).join(", ")
            ),
            Self::BadValue { line, column } => {
                write!(f, "line {line}: \"{column}\" is not a usable number")
            }
            Self::Empty => write!(f, "holds no frame"),
        }
    }
}

impl std::error::Error for SceneError {}

type Setter = fn(&mut SceneColumns, f64);

/// The columns of a scene file by name; others are ignored, as is the number in `frame`: lines
/// are frames in order.
const COLUMNS: [(&str, Setter); 8] = [
    ("frame", |_, _| {}),
    ("scene_E", |scene, value| scene.brightness = value),
    ("scene_rg", |scene, value| scene.r_per_g = value),
    ("scene_bg", |scene, value| scene.b_per_g = value),
    ("scene_E2", |scene, value| scene.right_brightness = value),
    ("scene_rg2", |scene, value| scene.right_r_per_g = value),
    ("scene_bg2", |scene, value| scene.right_b_per_g = value),
    ("scene_lens", |scene, value| scene.lens = truncate_to_i32(value)),
];

impl SceneModel {
    /// Reads a CSV file with a header.
    pub fn read(path: &Path) -> Result<Self, SceneError> {
        Self::parse(&std::fs::read_to_string(path).map_err(SceneError::Read)?)
    }

    /// The same from text.
    pub fn parse(text: &str) -> Result<Self, SceneError> {
        let mut lines = text.lines().enumerate();
        let header: Vec<&str> = lines
            .next()
            .map(|(_, line)| line.split(',').map(str::trim).collect())
            .unwrap_or_default();
        let mut columns = Vec::new();
        for (name, set) in COLUMNS {
            let index = header
                .iter()
                .position(|column| *column == name)
                .ok_or(SceneError::MissingColumn(name))?;
            columns.push((name, set, index));
        }
        let mut frames = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let values: Vec<&str> = line.split(',').map(str::trim).collect();
            let mut scene = SceneColumns::default();
            for (column, set, index) in &columns {
                let value = values.get(*index).and_then(|text| text.parse::<f64>().ok());
                match value {
                    Some(value) if value.is_finite() && value >= 0.0 => set(&mut scene, value),
                    _ => return Err(SceneError::BadValue { line: number + 1, column }),
                }
            }
            frames.push(scene);
        }
        if frames.is_empty() { Err(SceneError::Empty) } else { Ok(Self { frames }) }
    }

    /// A scene from its frames; `None` without any.
    #[must_use]
    pub fn from_frames(frames: Vec<SceneColumns>) -> Option<Self> {
        if frames.is_empty() { None } else { Some(Self { frames }) }
    }

    /// Frames that the scene describes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Never true: a scene has a frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

/// The colour of column `x`: the second set applies to the right half.
fn side(scene: &SceneColumns, x: u32) -> (f64, f64, f64) {
    if x < 40 {
        (scene.brightness, scene.r_per_g, scene.b_per_g)
    } else {
        (scene.right_brightness, scene.right_r_per_g, scene.right_b_per_g)
    }
}

/// v of the model for a cell.
fn value(brightness: f64, g: f64, x: u32, y: u32) -> f64 {
    (brightness * g) * (0.6 + (0.8 * f64::from((7 * x + 13 * y) % 32)) / 32.0)
}

/// Columns and rows of the colour grid, row by row.
fn cells() -> impl Iterator<Item = (u32, u32)> {
    (0_u32..).take(RGBS_HEIGHT).flat_map(|y| (0_u32..).take(RGBS_WIDTH).map(move |x| (x, y)))
}

impl Camera for SceneModel {
    fn grids(&self, frame: u64, exposure: &Exposure, lens: i32) -> Grids {
        let scene = self.scene(frame);
        let g = exposure.product();
        let rgbs = cells()
            .map(|(x, y)| {
                let (brightness, r_per_g, b_per_g) = side(&scene, x);
                let v = value(brightness, g, x, y);
                let green = truncate_to_byte(v);
                RgbsCell {
                    gr: green,
                    r: truncate_to_byte(v * r_per_g),
                    b: truncate_to_byte(v * b_per_g),
                    gb: green,
                    sat: if v > 250.0 { 255 } else { 0 },
                }
            })
            .collect();
        let sharpness = focus::sharpness(lens, scene.lens, focus::COARSE_WIDTH);
        let cell = AfCell {
            response_1: truncate_to_i32(1000.0 * sharpness),
            response_2: truncate_to_i32(3000.0 * sharpness),
        };
        Grids { rgbs, af: vec![cell; AF_WIDTH * AF_HEIGHT] }
    }

    fn greys(&self, frame: u64) -> Vec<GreyRatio> {
        let scene = self.scene(frame);
        let left = GreyRatio { r_per_g: scene.r_per_g, b_per_g: scene.b_per_g };
        let right = GreyRatio { r_per_g: scene.right_r_per_g, b_per_g: scene.right_b_per_g };
        if left == right { vec![left] } else { vec![left, right] }
    }

    fn level(&self, frame: u64, exposure: &Exposure) -> f64 {
        let scene = self.scene(frame);
        let g = exposure.product();
        let sum: f64 =
            cells().map(|(x, y)| value(side(&scene, x).0, g, x, y).clamp(0.0, 255.0)).sum();
        sum / 255.0 / (RGBS_WIDTH * RGBS_HEIGHT) as f64
    }

    fn scene(&self, frame: u64) -> SceneColumns {
        let last = self.frames.len().saturating_sub(1);
        let index = usize::try_from(frame).unwrap_or(last).min(last);
        self.frames.get(index).copied().unwrap_or_default()
    }

    fn lights(&self, frames: u64) -> Vec<LightSpan> {
        let mut spans: Vec<LightSpan> = Vec::new();
        let mut before = None;
        for frame in 0..frames {
            let scene = self.scene(frame);
            if before.replace(scene) != Some(scene) {
                spans.push(LightSpan {
                    first_frame: frame,
                    name: format!(
                        "E {} R/G {} B/G {}",
                        scene.brightness, scene.r_per_g, scene.b_per_g
                    ),
                });
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "frame,scene_E,scene_rg,scene_bg,scene_E2,scene_rg2,scene_bg2,scene_lens,more";

    fn bright(time_us: i32) -> Exposure {
        Exposure { time_us, analogue_gain: 1.0, digital_gain: 1.0 }
    }

    #[test]
    fn columns_are_found_by_name_and_the_last_frame_stays() {
        let scene = SceneModel::parse(
            "extra,scene_lens,frame,scene_E,scene_rg,scene_bg,scene_E2,scene_rg2,scene_bg2\n\
             9,300,0,0.001,0.5,0.7,0.002,0.6,0.8\n\n9,310,1,0.004,0.5,0.7,0.004,0.5,0.7\n",
        )
        .expect("a good scene");
        assert_eq!(scene.len(), 2);
        assert_eq!(scene.scene(0).lens, 300);
        assert_eq!(scene.scene(0).right_b_per_g, 0.8);
        assert_eq!(scene.scene(99).brightness, 0.004);
        assert_eq!(
            scene.lights(10).iter().map(|span| span.first_frame).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(scene.greys(0).len(), 2);
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let parse = |rest: &str| SceneModel::parse(&format!("{HEADER}{rest}"));
        assert!(matches!(parse("\n"), Err(SceneError::Empty)));
        assert!(matches!(
            parse("\n0,1,1,1,1,1,1,1,1\n1,1,x,1,1,1,1,1,1"),
            Err(SceneError::BadValue { line: 3, column: "scene_rg" })
        ));
        assert!(matches!(
            parse("\n0,1,1"),
            Err(SceneError::BadValue { line: 2, column: "scene_bg" })
        ));
        assert!(matches!(
            parse("\n0,1,NaN,1,1,1,1,1,1"),
            Err(SceneError::BadValue { line: 2, column: "scene_rg" })
        ));
        assert!(matches!(SceneModel::parse("a,b"), Err(SceneError::MissingColumn("frame"))));
    }

    #[test]
    fn cells_follow_the_formula() {
        let scene =
            SceneModel::parse(&format!("{HEADER}\n0,0.1,0.5,2,0.1,0.5,2,400,0")).expect("a scene");
        let grids = scene.grids(0, &bright(1000), 320);
        // Cell (0, 0): v = 100 × 0.6.
        assert_eq!(grids.rgbs[0], RgbsCell { gr: 60, r: 30, b: 120, gb: 60, sat: 0 });
        // Cell (1, 0): v = 100 × (0.6 + 0.8 × 7 / 32) = 77.5.
        assert_eq!(grids.rgbs[1].gr, 77);
        // One width away from focus the response is half.
        assert_eq!(grids.af[0], AfCell { response_1: 500, response_2: 1500 });
        let over = scene.grids(0, &bright(5000), 400);
        assert_eq!(over.rgbs[0], RgbsCell { gr: 255, r: 150, b: 255, gb: 255, sat: 255 });
    }
}
