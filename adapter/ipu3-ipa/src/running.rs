//! A camera in its mode: what is asked of the engine for it, and what came of it.

use cami_ipu3::Command;
use cami_ipu3::encoder;
use cami_ipu3::payload::IPU3AicConfig;
use cami_ipu3::sequence::ae::{AeAnswer, Exposed};
use cami_ipu3::sequence::af;
use cami_ipu3::sequence::aic::{self, Adjustments, AicMode, AicResults, AicSetup};
use cami_ipu3::sequence::sa::Tables;
use cami_ipu3::statistics::Grids;
use cami_ipu3_requests::{RequestError, checked};
use cami_wire::libcamera::ControlList;

use crate::connection::Up;
use crate::focus::Focus;
use crate::gains::Gains;
use crate::history::History;
use crate::ipa::{IpaError, Mode, SensorSettings};
use crate::sensor::{self, Sensor};
use crate::settings::Settings;
use crate::three_a::{Measured, Question, Results};
use crate::{v4l2, wishes};

/// The clock's first µs: a time of 0 stops AWB for good (spec/ipu3-protocol.md, 0.8).
const FIRST_US: u64 = 1_000_000;

/// No camera has a greater digital gain: one that a library answers is an error of its own.
const MOST_DIGITAL_GAIN: f32 = 32.0;

/// The sensor's controls that a frame was taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InEffect {
    /// Exposure time, in lines.
    pub lines: i32,
    /// Code of the analogue gain.
    pub code: i32,
}

impl InEffect {
    /// Those in a list.
    pub fn of(list: &ControlList) -> Option<Self> {
        let value = |id| list.get(id)?.get::<i32>();
        let (lines, code) = (value(v4l2::EXPOSURE)?, value(v4l2::ANALOGUE_GAIN)?);
        (lines > 0 && code >= 0).then_some(Self { lines, code })
    }
}

/// A frame whose statistics came.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Its number.
    pub number: u32,
    /// Its time, in µs.
    pub time_us: u64,
    /// What the sensor did for it, if libcamera says so.
    pub in_effect: Option<InEffect>,
}

/// A camera in its mode.
#[derive(Debug)]
pub struct Running {
    /// The sensor.
    pub sensor: Sensor,
    /// The lens; `None` where there is none that moves.
    pub focus: Option<Focus>,
    /// The engine's answers but AE's.
    pub results: Results,
    /// AE's answers.
    pub history: History,
    /// What the sensor was told last.
    pub sent: SensorSettings,
    setup: AicSetup,
    /// The engine that has an AIC for this mode.
    configured: u64,
    /// Engine, tables and digital gain of the shading that AIC knows.
    shading: Option<(u64, u64, u32)>,
    last_us: u64,
}

impl Running {
    /// Nothing was asked yet.
    pub fn new(mode: &Mode) -> Result<Self, IpaError> {
        let sensor = Sensor::new(&mode.sensor, &mode.sensor_controls, &mode.lens_controls)?;
        let setup = AicSetup {
            mode: AicMode::Video,
            frame_use: 0,
            geometry: sensor::geometry(mode)?,
            adjustments: Adjustments::default(),
        };
        let sent = SensorSettings {
            exposure_lines: sensor.exposure.def,
            analogue_gain_code: sensor.gain.def,
            lens_position: None,
        };
        let focus = sensor.focus.map(|limits| Focus::new(limits, mode.sensor.analog_crop));
        Ok(Self {
            sensor,
            focus,
            results: Results::default(),
            history: History::new(),
            sent,
            setup,
            configured: 0,
            shading: None,
            last_us: 0,
        })
    }

    /// Frames begin anew, in the same mode.
    pub fn restart(&mut self) {
        self.history.restart();
        self.last_us = 0;
    }

    /// AIC_INIT, once for each engine: it must come before AIC_RUN (spec/ipu3-protocol.md, 1.5).
    pub fn make_aic(&mut self, up: &mut Up<'_>) -> Result<(), RequestError> {
        if self.configured == up.generation {
            return Ok(());
        }
        let payload = &mut up.buffers.aic.payload;
        let filled = aic::fill_init(payload, up.engine.cmc.handle, &up.data.aiqb, &self.setup);
        // CMC_INIT has carried the same bytes.
        debug_assert!(filled.is_ok(), "tuning data that were carried before");
        up.buffers.aic.send_or_go_on(up.requester, Command::AicInit)?;
        self.configured = up.generation;
        Ok(())
    }

    /// 3A without statistics: the exposure of the first frames.
    pub fn begin(
        &mut self,
        up: &mut Up<'_>,
        settings: &mut Settings,
        gains: &Gains,
    ) -> Result<(), RequestError> {
        let question = self.question(settings, gains);
        let answer = self.results.ask(up, &question, self.history.newest())?;
        if let Some(answer) = answer {
            self.expose(None, answer);
        }
        Ok(())
    }

    fn question(&self, settings: &mut Settings, gains: &Gains) -> Question {
        Question {
            ae: wishes::ae(settings, &self.sensor, gains.limits, self.history.newest()),
            awb: wishes::awb(settings),
            gains: wishes::colour_gains(settings),
            frame: self.setup.geometry.sensor,
        }
    }

    /// The time of a frame. It always grows, whatever libcamera says.
    pub fn time_us(&mut self, timestamp_ns: i64) -> u64 {
        let frame_us = u64::try_from(self.sensor.frame_us()).unwrap_or(1);
        let told = u64::try_from(timestamp_ns / 1000).ok().filter(|time| *time > 0);
        let least = match self.last_us {
            0 => 1,
            last => last.saturating_add(1),
        };
        let next = match self.last_us {
            0 => FIRST_US,
            last => last.saturating_add(frame_us),
        };
        self.last_us = told.map_or(next, |told| told.max(least));
        self.last_us
    }

    /// The AE answer that a frame's statistics are to name: the one by which it was exposed, else
    /// the newest as it would be for that exposure.
    pub fn exposed_by(
        &mut self,
        up: &mut Up<'_>,
        frame: &Frame,
        gains: &mut Gains,
    ) -> Result<Option<Told>, RequestError> {
        let Some(InEffect { lines, code }) = frame.in_effect else { return Ok(None) };
        if let Some(answer) = self.history.in_effect(frame.number, lines, code) {
            return Ok(Some(Told { answer: answer.clone(), is_own: true }));
        }
        let Some(analog_gain) = gains.of(up, code)? else { return Ok(None) };
        let (Some(newest), Ok(lines), Ok(gain_code)) =
            (self.history.newest(), u16::try_from(lines), u16::try_from(code))
        else {
            return Ok(None);
        };
        let time_us = self.sensor.lines_to_us(lines.into()).max(1);
        let exposed = Exposed { time_us, lines, analog_gain, gain_code };
        Ok(Some(Told { answer: newest.exposed_by(&exposed), is_own: false }))
    }

    /// Everything that follows a frame but focus.
    pub fn run(
        &mut self,
        up: &mut Up<'_>,
        frame: &Frame,
        measured: Option<(&AeAnswer, &Grids)>,
        settings: &mut Settings,
        gains: &Gains,
    ) -> Result<(), RequestError> {
        if let Some((ae, grids)) = measured {
            let exposure_us = u64::try_from(ae.results().exposure.exposure_time_us).unwrap_or(0);
            // When its exposure began, as the HAL counts it.
            let began_us = frame.time_us.saturating_sub(exposure_us).max(1);
            let measured = Measured { frame: frame.number, began_us, ae, grids };
            let focus = self.focus.as_ref().and_then(Focus::results);
            self.results.send_statistics(up, &measured, focus)?;
        }
        let question = self.question(settings, gains);
        let answer = self.results.ask(up, &question, self.history.newest())?;
        if let Some(answer) = answer {
            self.expose(Some(frame.number), answer);
        }
        Ok(())
    }

    /// Focus after a frame; where the lens shall go, if it shall move.
    pub fn focus(
        &mut self,
        up: &mut Up<'_>,
        frame: &Frame,
        settings: &mut Settings,
    ) -> Result<Option<i32>, RequestError> {
        let Some(focus) = &mut self.focus else { return Ok(None) };
        let Some(controls) = focus.plan(settings) else { return Ok(None) };
        let buffer = &mut up.buffers.af;
        af::fill(&mut buffer.payload, up.engine.aiq, &controls);
        let asked = buffer.exchange(up.requester, Command::AfRun);
        let answer = asked.and_then(|()| checked(Command::AfRun, af::take(&buffer.payload)));
        let Some(answer) = self.results.tolerate(answer)? else { return Ok(None) };
        // The lens moves when libcamera hears of it: its frame has been read out then, at least.
        let frame_us = u64::try_from(self.sensor.frame_us()).unwrap_or(0);
        Ok(focus.take(answer, frame.time_us.saturating_add(frame_us)))
    }

    /// AIC_RUN and AIC_GETAICCONFIG; `None` while there are no results.
    pub fn configure_isp<'a>(
        &mut self,
        up: &'a mut Up<'_>,
        frame: u32,
        adjustments: Adjustments,
    ) -> Result<Option<&'a IPU3AicConfig>, RequestError> {
        self.setup.adjustments = adjustments;
        let Results { awb: Some(awb), gbce: Some(gbce), pa: Some(pa), sa: Some(sa), .. } =
            &self.results
        else {
            return Ok(None);
        };
        let Some(ae) = self.history.expected(frame) else { return Ok(None) };
        let digital_gain = digital_gain(ae);
        // The tables are most of the request, and change with the light or the digital gain only. They
        // stay in its buffer: a library that is brought up again beneath the client is given that
        // buffer, and takes the tables of its first AIC_RUN whether they are called new or not
        // (measured with Intel's). Its AIQ calls those of its first SA_RUN new, besides.
        let shading = (up.generation, self.results.tables, digital_gain.to_bits());
        let tables = if self.shading == Some(shading) { Tables::Known } else { Tables::New };
        self.shading = None;
        let gained =
            (tables == Tables::New && digital_gain != 1.0).then(|| sa.with_gain(digital_gain));
        let sa = gained.as_ref().unwrap_or(sa);
        let timestamp_us = i64::try_from(self.last_us).unwrap_or(i64::MAX);
        let results = AicResults { timestamp_us, ae, awb, gbce, pa, sa, tables };
        let buffer = &mut up.buffers.aic;
        aic::fill_run(&mut buffer.payload, &self.setup, &results);
        let used = aic::used_by_run(&buffer.payload, tables);
        buffer.send_parts(up.requester, Command::AicRun, &used)?;
        self.shading = Some(shading);
        let buffer = &mut up.buffers.aic_config;
        aic::fill_get_config(&mut buffer.payload, self.setup.mode);
        let asked = std::slice::from_ref(&aic::GET_CONFIG_ASKED);
        buffer.send_parts(up.requester, Command::AicGetConfig, asked)?;
        for part in encoder::used() {
            buffer.read_part(Command::AicGetConfig, part)?;
        }
        Ok(Some(&buffer.payload))
    }

    /// Remembers an answer of AE, and what the sensor is told by it: never more than it can do.
    fn expose(&mut self, frame: Option<u32>, answer: AeAnswer) {
        let (lines, code) = answer.sensor();
        self.sent = SensorSettings {
            exposure_lines: self.sensor.exposure.clamp(lines.into()),
            analogue_gain_code: self.sensor.gain.clamp(code.into()),
            lens_position: None,
        };
        self.history.push(frame, answer);
    }
}

/// The digital gain of an answer, within reason.
pub fn digital_gain(answer: &AeAnswer) -> f32 {
    answer.results().exposure.digital_gain.clamp(1.0 / MOST_DIGITAL_GAIN, MOST_DIGITAL_GAIN)
}

/// What a frame's statistics name as its exposure.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub answer: AeAnswer,
    /// Whether it is the very one by which the frame was exposed.
    pub is_own: bool,
}
