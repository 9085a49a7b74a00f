//! What is remembered of a run.

use std::time::Duration;

use serde::Serialize;

use crate::convergence::{FrameTruth, LightVerdict};
use crate::latency::Latencies;

/// One frame, as the report shows it.
#[derive(Debug, Clone, Copy)]
pub struct FrameRecord {
    /// Exposure time of the AE answer, in µs.
    pub exposure_us: i32,
    /// Its analogue gain.
    pub analogue_gain: f32,
    /// Colour temperature of the AWB answer, in kelvin.
    pub cct_k: u32,
    /// Lens position after the AF answer, in steps.
    pub lens: i32,
    /// What the sensor model says of the answers.
    pub truth: FrameTruth,
    /// From the first request of the frame to its last answer.
    pub duration: Duration,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// In which frame.
    pub frame: u64,
    /// How long after the start of the run.
    pub at: Duration,
    /// What kind of thing it was.
    pub kind: EventKind,
    /// What happened, in one sentence.
    pub text: String,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The light changed.
    Light,
    /// AE or AWB converged.
    Converged,
    /// Something went wrong.
    Fault,
    /// It was mended.
    Recovered,
}

/// A whole run.
#[derive(Debug)]
pub struct RunRecord {
    /// What was driven, as pairs of a name and a value.
    pub subject: Vec<(&'static str, String)>,
    /// Every frame.
    pub frames: Vec<FrameRecord>,
    /// Every light.
    pub lights: Vec<LightVerdict>,
    /// Everything that happened, in order.
    pub events: Vec<Event>,
    /// From request to callback.
    pub requests: Latencies,
    /// The figures.
    pub figures: Figures,
}

/// The figures of `--json`; `null` where something never happened.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Frames driven.
    pub frames: u64,
    /// First of five frames with AE converged under the first light, counted from 0.
    pub ae_converged_frame: Option<u64>,
    /// The same for AWB.
    pub awb_converged_frame: Option<u64>,
    /// Exposure time of the last AE answer, in µs.
    pub exposure_us: Option<i32>,
    /// Its analogue gain.
    pub analogue_gain: Option<f32>,
    /// Colour temperature of the last AWB answer, in kelvin.
    pub cct_k: Option<u32>,
    /// Requests made.
    pub requests: u64,
    /// Callbacks received.
    pub callbacks: u64,
    /// Median time from request to callback, in µs.
    pub request_p50_us: Option<u64>,
    /// 99th percentile of the same.
    pub request_p99_us: Option<u64>,
    /// Median time from the first request of a frame to its last answer, in µs.
    pub frame_p50_us: Option<u64>,
    /// The process that hosts the vendor library at the end of the run.
    pub host_pid: Option<u32>,
    /// Vendor processes that took the place of one that died, whether the HAL noticed or not.
    pub restarts: u64,
    /// Calls of `notify`.
    pub notifications: u64,
    /// Processes killed on purpose (`--kill-once`, `--kill-every`).
    pub kills: u64,
    /// Requests without a callback.
    pub lost_completions: u64,
    /// Callbacks of requests that had been answered before.
    pub doubled_completions: u64,
    /// Median time from a kill to the answer of the first request made after it, in µs.
    pub recovery_p50_us: Option<u64>,
    /// 99th percentile of the same.
    pub recovery_p99_us: Option<u64>,
    /// The longest.
    pub recovery_max_us: Option<u64>,
}
