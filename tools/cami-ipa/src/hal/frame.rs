//! The requests of one frame, in the HAL's order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use cami_ipu3::Command;
use cami_ipu3::payload::{AfResults, AwbResults, ExposureSensorDescriptor, RgbsGridBlock};
use cami_ipu3::sequence::ae::{AeAnswer, AeControls};
use cami_ipu3::sequence::af::AfControls;
use cami_ipu3::sequence::awb::AwbControls;
use cami_ipu3::sequence::gbce::GbceAnswer;
use cami_ipu3::sequence::pa::PaAnswer;
use cami_ipu3::sequence::sa::{SaAnswer, Tables};
use cami_ipu3::sequence::statistics::{AfCells, RgbsCells, Statistics};
use cami_ipu3::sequence::{ae, af, aic, awb, gbce, pa, sa, statistics};
use cami_ipu3_requests::{Cause, RequestError, checked};
use virtual_camera::{
    AF_BLOCK, AF_HEIGHT, AF_WIDTH, Camera, Exposure, Grids, RGBS_HEIGHT, RGBS_WIDTH,
};

use super::engine::Engine;
use crate::sensors::SensorTiming;

/// Time of frame 0, and from frame to frame, in µs.
const FIRST_FRAME_US: u64 = 1_000_000;
const FRAME_US: u64 = 33_333;
/// Both limits of the frame time must be set (spec/ipu3-protocol.md, 0.8).
const FRAME_TIME_LIMITS_US: (i32, i32) = (33_333, 33_334);
/// How long before its frame the lens began to move, in µs.
const LENS_LEAD_US: u64 = 20_000;
/// The frame in which a new focus search is asked for.
const SEARCH_FRAME: u64 = 5;
/// Shortest integration time, in lines (the HAL's value for its sensors).
const COARSE_MIN: u16 = 4;

/// Answers that outlive their frame: what was in effect when the next statistics were made.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// AE answers of the last frames, the newest last; at most `lag` of them.
    ae: VecDeque<AeAnswer>,
    awb: Option<AwbResults>,
    pa: Option<PaAnswer>,
    sa: Option<SaAnswer>,
    af: Option<AfResults>,
    lens: i32,
}

/// Everything that a frame gave.
#[derive(Debug)]
pub struct FrameAnswers {
    /// Exposure.
    pub ae: AeAnswer,
    /// White balance.
    pub awb: AwbResults,
    /// Gamma.
    pub gbce: GbceAnswer,
    /// Colour.
    pub pa: PaAnswer,
    /// Shading.
    pub sa: SaAnswer,
    /// Focus; `None` if the library has no lens to drive.
    pub af: Option<AfResults>,
    /// The exposure that was in effect; `None` if no statistics were sent.
    pub applied: Option<Exposure>,
    /// Checksum of the colour grid and first cell of the focus grid that were sent.
    pub sent: Option<(u32, i32, i32)>,
    /// Lens position when the statistics were made, and after AF.
    pub lens: (i32, i32),
    /// From the first request to the last answer.
    pub duration: Duration,
}

/// The exposure that an AE answer stands for.
pub fn exposure_of(answer: &AeAnswer) -> Exposure {
    let exposure = &answer.results().exposure;
    Exposure {
        time_us: exposure.exposure_time_us,
        analogue_gain: exposure.analog_gain,
        digital_gain: exposure.digital_gain,
    }
}

/// Drives frames.
#[derive(Debug)]
pub struct FrameDriver {
    /// Frames from an AE answer to the frame in which it is in effect.
    pub lag: u64,
    /// The sensor.
    pub timing: SensorTiming,
    history: History,
}

impl FrameDriver {
    /// A driver before its first frame.
    pub fn new(lag: u64, timing: SensorTiming) -> Self {
        Self { lag, timing, history: History::default() }
    }

    /// Drives frame `number`. After an error nothing of the frame is remembered: it can be driven
    /// again.
    pub fn drive(
        &mut self,
        engine: &mut Engine,
        camera: &dyn Camera,
        number: u64,
    ) -> Result<FrameAnswers, RequestError> {
        let timestamp = FIRST_FRAME_US + FRAME_US * number;
        let in_effect = if number >= self.lag { self.history.ae.front() } else { None };
        let applied = in_effect.map(exposure_of);
        let grids = applied.map(|exposure| camera.grids(number, &exposure, self.history.lens));
        let start = Instant::now();
        let sent = match (in_effect, &grids) {
            (Some(answer), Some(grids)) => {
                self.send_statistics(engine, grids, number, timestamp, answer)?
            }
            _ => None,
        };
        let (ae, awb, gbce, pa, sa) = self.run_3a(engine)?;
        let af = self.run_af(engine, number, timestamp)?;
        run_aic(engine, timestamp, &ae, &awb, &gbce, &pa, &sa)?;
        let duration = start.elapsed();

        let before = self.history.lens;
        let lens = af.as_ref().and_then(af::lens_target).unwrap_or(before);
        let mut history = std::mem::take(&mut self.history);
        history.ae.push_back(ae.clone());
        while history.ae.len() as u64 > self.lag {
            history.ae.pop_front();
        }
        self.history = History {
            ae: history.ae,
            awb: Some(awb),
            pa: Some(pa.clone()),
            sa: Some(sa.clone()),
            // A failed AF leaves nothing to report with the next statistics.
            af,
            lens,
        };
        Ok(FrameAnswers {
            ae,
            awb,
            gbce,
            pa,
            sa,
            af,
            applied,
            sent,
            lens: (before, lens),
            duration,
        })
    }

    fn send_statistics(
        &self,
        engine: &mut Engine,
        grids: &Grids,
        number: u64,
        timestamp_us: u64,
        in_effect: &AeAnswer,
    ) -> Result<Option<(u32, i32, i32)>, RequestError> {
        let (Some(awb), Some(pa)) = (&self.history.awb, &self.history.pa) else { return Ok(None) };
        let cells: Vec<RgbsGridBlock> = grids
            .rgbs
            .iter()
            .map(|cell| RgbsGridBlock {
                avg_gr: cell.gr,
                avg_r: cell.r,
                avg_b: cell.b,
                avg_gb: cell.gb,
                sat: cell.sat,
            })
            .collect();
        let response_1: Vec<i32> = grids.af.iter().map(|cell| cell.response_1).collect();
        let response_2: Vec<i32> = grids.af.iter().map(|cell| cell.response_2).collect();
        let size = |cells: usize| u16::try_from(cells).unwrap_or(0);
        let filled = statistics::fill(
            &mut engine.buffers.statistics.payload,
            engine.ready.aiq,
            &Statistics {
                frame_id: number,
                timestamp_us,
                ae: in_effect,
                awb,
                pa,
                sa: self.history.sa.as_ref(),
                tables: Tables::AsAnswered,
                af: self.history.af.as_ref(),
                rgbs: RgbsCells {
                    width: size(RGBS_WIDTH),
                    height: size(RGBS_HEIGHT),
                    cells: &cells,
                },
                af_grid: AfCells {
                    width: size(AF_WIDTH),
                    height: size(AF_HEIGHT),
                    block: (AF_BLOCK, AF_BLOCK),
                    response_1: &response_1,
                    response_2: &response_2,
                },
            },
        );
        let command = Command::StatisticsSet;
        filled.map_err(|bad| RequestError {
            command,
            cause: Cause::Buffer(std::io::Error::other(bad)),
        })?;
        let used = statistics::used(&engine.buffers.statistics.payload, Tables::AsAnswered);
        engine.buffers.statistics.send_parts(&mut engine.requester, command, &used)?;
        let first = grids.af.first().copied().unwrap_or_default();
        Ok(Some((grids.rgbs_crc32(), first.response_1, first.response_2)))
    }

    fn sensor_descriptor(&self, engine: &Engine) -> ExposureSensorDescriptor {
        let (_, height) = engine.ready.sensor_size;
        let mut descriptor = engine.buffers.ae.payload.sensor_descriptor;
        descriptor.pixel_clock_freq_mhz = self.timing.clock_mhz;
        descriptor.pixel_periods_per_line = self.timing.pixels_per_line;
        descriptor.line_periods_per_field = self.timing.lines_per_frame;
        descriptor.line_periods_vertical_blanking =
            self.timing.lines_per_frame.saturating_sub(height);
        descriptor.fine_integration_time_min = 0;
        descriptor.fine_integration_time_max_margin = self.timing.pixels_per_line;
        descriptor.coarse_integration_time_min = COARSE_MIN;
        descriptor.coarse_integration_time_max_margin = self.timing.coarse_max_margin;
        descriptor
    }

    /// AE, GBCE, AWB, PA and SA.
    fn run_3a(
        &self,
        engine: &mut Engine,
    ) -> Result<(AeAnswer, AwbResults, GbceAnswer, PaAnswer, SaAnswer), RequestError> {
        let descriptor = self.sensor_descriptor(engine);
        let Engine { requester, buffers, ready, .. } = engine;
        let aiq = ready.aiq;
        let controls = AeControls::preview(descriptor, FRAME_TIME_LIMITS_US);
        ae::fill(&mut buffers.ae.payload, aiq, &controls);
        buffers.ae.exchange_parts(requester, Command::AeRun, ae::ASKED, ae::ANSWERED)?;
        let ae = checked(Command::AeRun, AeAnswer::take(&buffers.ae.payload))?;

        gbce::fill(&mut buffers.gbce.payload, aiq, controls.frame_use, controls.ev_shift);
        buffers.gbce.exchange_parts(requester, Command::GbceRun, gbce::ASKED, gbce::ANSWERED)?;
        let gbce = checked(Command::GbceRun, GbceAnswer::take(&buffers.gbce.payload))?;

        awb::fill(&mut buffers.awb.payload, aiq, &AwbControls::default());
        buffers.awb.exchange(requester, Command::AwbRun)?;
        let awb = checked(Command::AwbRun, awb::take(&buffers.awb.payload))?;

        pa::fill(&mut buffers.pa.payload, aiq, &awb, &ae, None);
        let answer = pa::ASKED.end..size_of_val(&*buffers.pa.payload);
        buffers.pa.exchange_parts(requester, Command::PaRun, pa::ASKED, answer)?;
        let pa = checked(Command::PaRun, PaAnswer::take(&buffers.pa.payload))?;

        let sensor = ready.aic.geometry.sensor;
        sa::fill(&mut buffers.sa.payload, aiq, controls.frame_use, &sensor, &awb);
        let answer = sa::ASKED.end..size_of_val(&*buffers.sa.payload);
        buffers.sa.exchange_parts(requester, Command::SaRun, sa::ASKED, answer)?;
        let before = self.history.sa.clone();
        let sa = checked(Command::SaRun, SaAnswer::take(&buffers.sa.payload, before))?;
        Ok((ae, awb, gbce, pa, sa))
    }

    /// AF; `None` if the library refuses, as it does for a sensor without a lens.
    fn run_af(
        &self,
        engine: &mut Engine,
        number: u64,
        timestamp_us: u64,
    ) -> Result<Option<AfResults>, RequestError> {
        let Engine { requester, buffers, ready, .. } = engine;
        let controls = AfControls {
            lens_position: self.history.lens,
            lens_moved_us: timestamp_us.saturating_sub(LENS_LEAD_US),
            new_search: number == SEARCH_FRAME,
            ..AfControls::default()
        };
        af::fill(&mut buffers.af.payload, ready.aiq, &controls);
        match buffers.af.exchange(requester, Command::AfRun) {
            Ok(()) => checked(Command::AfRun, af::take(&buffers.af.payload)).map(Some),
            Err(RequestError { cause: Cause::Status(_), .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// AIC_RUN and AIC_GETAICCONFIG; there is no ISP that the configuration could go to.
fn run_aic(
    engine: &mut Engine,
    timestamp_us: u64,
    ae: &AeAnswer,
    awb: &AwbResults,
    gbce: &GbceAnswer,
    pa: &PaAnswer,
    sa: &SaAnswer,
) -> Result<(), RequestError> {
    let Engine { requester, buffers, ready, .. } = engine;
    let timestamp_us = i64::try_from(timestamp_us).unwrap_or(i64::MAX);
    let results =
        aic::AicResults { timestamp_us, ae, awb, gbce, pa, sa, tables: Tables::AsAnswered };
    aic::fill_run(&mut buffers.aic.payload, &ready.aic, &results);
    let used = aic::used_by_run(&buffers.aic.payload, Tables::AsAnswered);
    buffers.aic.send_parts(requester, Command::AicRun, &used)?;
    aic::fill_get_config(&mut buffers.aic_config.payload, ready.aic.mode);
    let asked = std::slice::from_ref(&aic::GET_CONFIG_ASKED);
    buffers.aic_config.send_parts(requester, Command::AicGetConfig, asked)
}
