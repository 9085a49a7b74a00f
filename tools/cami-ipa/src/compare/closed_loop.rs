//! One contestant in front of the virtual camera.

use std::io::Write as _;

use cami_ipu3::uapi::Params;
use cami_wire::libcamera::Dialect;
use virtual_camera::{
    Camera as _, ChartCamera, Exposure, GreyRatio, Light, LightSpan, Rgb, ScheduledLight, Source,
    Stripes, raw_statistics, set_focus_grid,
};

use super::colour::{self, Difference};
use super::contestants::Contestant;
use super::cpu::CpuMeter;
use super::delays::SensorSettings;
use super::isp::{self, Isp};
use super::options::CompareOptions;
use super::pipeline::{Answers, GAIN_ONE, Pipeline};
use super::worker::WorkerError;
use crate::convergence::FrameTruth;

/// The lights, in their order: each with the name that viewing booths give it. Brightness changes with
/// them, up and down, by factors up to 15.
pub const LIGHTS: [(&str, Source, f64); 6] = [
    ("D65", Source::Daylight(6504.0), 500.0),
    ("A", Source::Planckian(2856.0), 100.0),
    ("TL84", Source::ThreeBand, 600.0),
    ("D50", Source::Daylight(5003.0), 1500.0),
    ("CWF", Source::CoolWhite, 100.0),
    ("D75", Source::Daylight(7504.0), 1000.0),
];
/// Columns and rows of the statistics of white balance.
const AWB_GRID: (u8, u8) = (80, 60);
/// Frames between two looks at the processes of a worker.
const LOOK_EVERY: u64 = 30;

/// A frame as it was.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// What is judged of it: with the exposure that was in effect, and the gains that were emitted.
    pub truth: FrameTruth,
    /// Mean angle between the balanced grey patches and neutral, in degrees.
    pub awb_degrees: f64,
}

/// The picture at the end of a light.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// As it comes.
    pub as_emitted: Difference,
    /// Its colour alone.
    pub colour_only: Difference,
}

/// What became of one contestant.
#[derive(Debug)]
pub struct Course {
    /// Its frames.
    pub frames: Vec<Frame>,
    /// Its picture at the end of each light.
    pub pictures: Vec<Picture>,
    /// How the worker answered.
    pub answers: Answers,
    /// CPU time of a frame, in µs.
    pub cpu_us_per_frame: f64,
    /// Processes of the worker.
    pub processes: usize,
    /// Where the lens ended.
    pub lens: i32,
}

/// The lights' first frames.
pub fn lights(frames_per_light: u64) -> Vec<LightSpan> {
    (0..)
        .zip(LIGHTS)
        .map(|(index, (name, _, lux))| LightSpan {
            first_frame: index * frames_per_light,
            name: format!("{name}, {lux} lx"),
        })
        .collect()
}

fn camera(options: &CompareOptions) -> Result<ChartCamera, WorkerError> {
    let schedule: Vec<ScheduledLight> = lights(options.frames_per_light)
        .iter()
        .zip(LIGHTS)
        .map(|(span, (_, source, lux))| ScheduledLight {
            first_frame: span.first_frame,
            light: Light { source, lux },
        })
        .collect();
    ChartCamera::new(&schedule, options.seed).ok_or_else(|| WorkerError::new("there is no light"))
}

/// Drives it through all lights.
pub fn drive(
    contestant: &Contestant,
    dialect: Dialect,
    options: &CompareOptions,
) -> Result<Course, WorkerError> {
    let camera = camera(options)?;
    let per_light = options.frames_per_light;
    let total = per_light * LIGHTS.len() as u64;
    let mut pipeline = Pipeline::start(contestant, options.sensor, dialect)?;
    let mut meter = CpuMeter::start(pipeline.pid());
    let mut isp = Isp::new();
    let mut told = None;
    let (mut frames, mut pictures) = (Vec::new(), Vec::new());
    for number in 0..total {
        let frame = u32::try_from(number).map_err(WorkerError::at("too many frames"))?;
        // The exposure of the next one begins when this one is there.
        pipeline.delays.frame_start(frame as usize + 1);
        let settings = pipeline.delays.in_effect(frame as usize);
        let settings = settings.ok_or_else(|| WorkerError::new("the sensor has no settings"))?;
        let exposure = exposure(&pipeline, settings);
        let params = pipeline.compute_params(frame)?;
        let params = isp.take(&params);
        frames.push(judged(&camera, number, &exposure, params));
        if (number + 1) % per_light == 0 {
            let patches = camera.patches(number, &exposure);
            pictures.push(Picture {
                as_emitted: colour::as_emitted(params, &patches),
                colour_only: colour::colour_only(params, &patches),
            });
            tell(contestant.name, pictures.len(), &pipeline, settings);
        }
        let grids = camera.grids(number, &exposure, pipeline.lens);
        let mut stats = raw_statistics(&grids, Stripes::One);
        if let Some((width, height)) = isp.focus_grid() {
            // The ISP measures on the grid that it is told.
            set_focus_grid(&mut stats, &grids, width.into(), height.into());
        }
        if let Some(grid) = isp.awb_grid().filter(|grid| *grid != AWB_GRID && told != Some(*grid)) {
            told = Some(grid);
            tell_grid(contestant.name, grid);
        }
        pipeline.process_stats(frame, &stats, settings)?;
        if number % LOOK_EVERY == 0 || number + 1 == total {
            meter.look();
        }
    }
    let lens = pipeline.lens;
    let answers = pipeline.stop()?;
    let cpu_us_per_frame = meter.used().as_secs_f64() * 1e6 / total as f64;
    let processes = meter.processes();
    Ok(Course { frames, pictures, answers, cpu_us_per_frame, processes, lens })
}

fn tell(name: &str, light: usize, pipeline: &Pipeline, settings: SensorSettings) {
    let light =
        light.checked_sub(1).and_then(|light| LIGHTS.get(light)).map_or("", |light| light.0);
    // Who does not listen misses nothing.
    let _ = writeln!(
        std::io::stderr(),
        "{name}: {light:<4}  {:>6} us x {:>5.2}",
        pipeline.exposure_us(settings.lines),
        f64::from(settings.gain_code) / f64::from(GAIN_ONE)
    );
}

/// The statistics of white balance have one grid, whatever is asked for: that is said, and not hidden.
fn tell_grid(name: &str, (width, height): (u8, u8)) {
    let (columns, rows) = AWB_GRID;
    let _ = writeln!(
        std::io::stderr(),
        "{name}: asks for a grid of {width} x {height} cells for white balance, and gets one of \
         {columns} x {rows}"
    );
}

fn exposure(pipeline: &Pipeline, settings: SensorSettings) -> Exposure {
    #[expect(clippy::cast_possible_truncation, reason = "16 bits are exact")]
    let analogue_gain = (f64::from(settings.gain_code) / f64::from(GAIN_ONE)) as f32;
    let time_us = pipeline.exposure_us(settings.lines);
    Exposure { time_us, analogue_gain, digital_gain: 1.0 }
}

fn judged(camera: &ChartCamera, number: u64, exposure: &Exposure, params: &Params) -> Frame {
    let gains = isp::gains(params);
    let greys = camera.greys(number);
    let worst = |errors: &mut dyn Iterator<Item = f64>| {
        errors.fold(0.0, |worst: f64, error| if error.abs() > worst.abs() { error } else { worst })
    };
    let (red, blue) = (gains.r / gains.g, gains.b / gains.g);
    let truth = FrameTruth {
        product: exposure.product(),
        level: camera.level(number, exposure),
        red_error: worst(&mut greys.iter().map(|grey| grey.r_per_g * red - 1.0)),
        blue_error: worst(&mut greys.iter().map(|grey| grey.b_per_g * blue - 1.0)),
    };
    Frame { truth, awb_degrees: angle(&greys, &gains) }
}

/// Mean angle between grey patches behind these gains and the neutral axis, in degrees.
fn angle(greys: &[GreyRatio], gains: &Rgb) -> f64 {
    let of = |grey: &GreyRatio| {
        let (r, g, b) = (grey.r_per_g * gains.r, gains.g, grey.b_per_g * gains.b);
        let cosine = (r + g + b) / (3.0 * (r * r + g * g + b * b)).sqrt();
        cosine.clamp(-1.0, 1.0).acos().to_degrees()
    };
    if greys.is_empty() {
        return 0.0;
    }
    greys.iter().map(of).sum::<f64>() / greys.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_angle_is_zero_for_the_gains_that_fit_and_grows_with_the_error() {
        let greys = [GreyRatio { r_per_g: 0.5, b_per_g: 0.8 }];
        let fit = Rgb { r: 2.0, g: 1.0, b: 1.25 };
        assert!(angle(&greys, &fit) < 1e-5);
        // (1.1, 1, 1) against (1, 1, 1): 2.61 degrees.
        let off = Rgb { r: 2.2, ..fit };
        assert!((angle(&greys, &off) - 2.61).abs() < 0.01, "{}", angle(&greys, &off));
        // Brightness is no colour.
        let bright = Rgb { r: 4.4, g: 2.0, b: 2.5 };
        assert!((angle(&greys, &bright) - angle(&greys, &off)).abs() < 1e-6);
    }
}
