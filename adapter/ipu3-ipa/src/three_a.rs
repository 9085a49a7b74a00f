//! The engine's answers, and how they are asked for: statistics, AE, GBCE, AWB, PA, SA.

use cami_ipu3::Command;
use cami_ipu3::payload::{AfResults, AwbResults, ColorChannels, FrameParams};
use cami_ipu3::sequence::ae::{AeAnswer, AeControls};
use cami_ipu3::sequence::awb::AwbControls;
use cami_ipu3::sequence::gbce::GbceAnswer;
use cami_ipu3::sequence::pa::PaAnswer;
use cami_ipu3::sequence::sa::{SaAnswer, Tables};
use cami_ipu3::sequence::statistics::Statistics;
use cami_ipu3::sequence::{BadAnswer, ae, awb, gbce, pa, sa, statistics};
use cami_ipu3::statistics::Grids;
use cami_ipu3_requests::{Cause, RequestError, checked};

use crate::complaints::Complaints;
use crate::connection::Up;

/// What the engine is asked after a frame.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Exposure.
    pub ae: AeControls,
    /// White balance; `None` to leave it as it is.
    pub awb: Option<AwbControls>,
    /// Colour gains that were chosen.
    pub gains: Option<ColorChannels>,
    /// What part of the sensor is read out.
    pub frame: FrameParams,
}

/// What was measured of a frame.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// Its number.
    pub frame: u32,
    /// When its exposure began, in µs.
    pub began_us: u64,
    /// The answer by which it was exposed.
    pub ae: &'a AeAnswer,
    /// Its grids.
    pub grids: &'a Grids,
}

/// The newest good answer of each.
#[derive(Debug, Default)]
pub struct Results {
    /// White balance.
    pub awb: Option<AwbResults>,
    /// Gamma.
    pub gbce: Option<GbceAnswer>,
    /// Colour.
    pub pa: Option<PaAnswer>,
    /// Whether its gains are not AWB's but chosen.
    pub gains_by_hand: bool,
    /// Shading.
    pub sa: Option<SaAnswer>,
    /// How often the shading tables have changed; 0 before the first.
    pub tables: u64,
    /// Which of them the statistics' buffer holds.
    told_tables: u64,
    complaints: Complaints,
}

impl Results {
    /// Tells the engine a frame's statistics.
    pub fn send_statistics(
        &mut self,
        up: &mut Up<'_>,
        measured: &Measured<'_>,
        focus: Option<&AfResults>,
    ) -> Result<(), RequestError> {
        let (Some(awb), Some(pa)) = (&self.awb, &self.pa) else { return Ok(()) };
        let tables =
            if self.told_tables == self.tables { Tables::Known } else { Tables::AsAnswered };
        self.told_tables = 0;
        let frame = Statistics {
            frame_id: u64::from(measured.frame),
            timestamp_us: measured.began_us,
            ae: measured.ae,
            awb,
            pa,
            sa: self.sa.as_ref(),
            tables,
            af: focus,
            rgbs: measured.grids.rgbs(),
            af_grid: measured.grids.af(),
        };
        let buffer = &mut up.buffers.statistics;
        if let Err(bad) = statistics::fill(&mut buffer.payload, up.engine.aiq, &frame) {
            self.complaints.warn(bad);
            return Ok(());
        }
        let used = statistics::used(&buffer.payload, tables);
        buffer
            .send_parts(up.requester, Command::StatisticsSet, &used)
            .or_else(|error| self.tolerate(Err(error)).map(|_: Option<()>| ()))?;
        self.told_tables = self.tables;
        Ok(())
    }

    /// Asks everything but focus. The answer of AE, if there is a new one; a failure of one step
    /// leaves its last answer and does not keep the others from being asked.
    ///
    /// # Errors
    /// The library is gone, or there is no time left.
    pub fn ask(
        &mut self,
        up: &mut Up<'_>,
        question: &Question,
        last: Option<&AeAnswer>,
    ) -> Result<Option<AeAnswer>, RequestError> {
        let aiq = up.engine.aiq;
        let frame_use = question.ae.frame_use;
        ae::fill(&mut up.buffers.ae.payload, aiq, &question.ae);
        let asked =
            up.buffers.ae.exchange_parts(up.requester, Command::AeRun, ae::ASKED, ae::ANSWERED);
        let answer = taken(Command::AeRun, asked, || AeAnswer::take(&up.buffers.ae.payload));
        let new_ae = self.tolerate(answer)?;

        gbce::fill(&mut up.buffers.gbce.payload, aiq, frame_use, question.ae.ev_shift);
        let asked = up.buffers.gbce.exchange_parts(
            up.requester,
            Command::GbceRun,
            gbce::ASKED,
            gbce::ANSWERED,
        );
        let answer = taken(Command::GbceRun, asked, || GbceAnswer::take(&up.buffers.gbce.payload));
        self.gbce = self.tolerate(answer)?.or(self.gbce.take());

        // There must be an answer before it can be left as it is.
        let kept = question.awb.is_none() && self.awb.is_some();
        if !kept {
            let controls = question.awb.unwrap_or_default();
            awb::fill(&mut up.buffers.awb.payload, aiq, &controls);
            let asked = up.buffers.awb.exchange(up.requester, Command::AwbRun);
            let answer = taken(Command::AwbRun, asked, || awb::take(&up.buffers.awb.payload));
            self.awb = self.tolerate(answer)?.or(self.awb.take());
        }
        let Some(awb) = self.awb else { return Ok(new_ae) };

        if let Some(ae) = new_ae.as_ref().or(last) {
            pa::fill(&mut up.buffers.pa.payload, aiq, &awb, ae, None);
            let asked = ask_pa(up);
            let answer = taken(Command::PaRun, asked, || PaAnswer::take(&up.buffers.pa.payload));
            self.pa = self.tolerate(answer)?.or(self.pa.take());
            self.gains_by_hand = false;
            if let (Some(pa), Some(gains)) = (&mut self.pa, question.gains) {
                pa.set_gains(gains);
                self.gains_by_hand = true;
            }
        }

        sa::fill(&mut up.buffers.sa.payload, aiq, frame_use, &question.frame, &awb);
        let asked = ask_sa(up, self.sa.as_ref());
        if self.tolerate(asked)?.is_some() {
            // After an answer that is nonsense there are no tables until the next.
            let before = self.sa.take();
            let stays = sa::tables(&up.buffers.sa.payload, before.as_ref()).is_empty();
            self.tables = self.tables.saturating_add(u64::from(!stays));
            let answer = SaAnswer::take(&up.buffers.sa.payload, before);
            self.sa = self.tolerate(checked(Command::SaRun, answer))?;
        }
        Ok(new_ae)
    }

    /// `None` for a step that failed alone.
    pub fn tolerate<T>(
        &mut self,
        answer: Result<T, RequestError>,
    ) -> Result<Option<T>, RequestError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if matches!(error.cause, Cause::Status(_) | Cause::Answer(_)) => {
                self.complaints.warn(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// PA, with no more of its answer than there is.
fn ask_pa(up: &mut Up<'_>) -> Result<(), RequestError> {
    let buffer = &mut up.buffers.pa;
    buffer.exchange_parts(up.requester, Command::PaRun, pa::ASKED, pa::ANSWERED)?;
    let tables = pa::tables(&buffer.payload);
    buffer.read_part(Command::PaRun, tables)
}

/// SA, with its tables only where they are new.
fn ask_sa(up: &mut Up<'_>, before: Option<&SaAnswer>) -> Result<(), RequestError> {
    let buffer = &mut up.buffers.sa;
    buffer.exchange_parts(up.requester, Command::SaRun, sa::ASKED, sa::ANSWERED)?;
    for table in sa::tables(&buffer.payload, before) {
        buffer.read_part(Command::SaRun, table)?;
    }
    Ok(())
}

/// An answer, if there is one.
fn taken<T>(
    command: Command,
    asked: Result<(), RequestError>,
    take: impl FnOnce() -> Result<T, BadAnswer>,
) -> Result<T, RequestError> {
    asked.and_then(|()| checked(command, take()))
}
