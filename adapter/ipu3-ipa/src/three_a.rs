//! The engine's answers, and how they are asked for: statistics, AE, GBCE, AWB, PA, SA.

use cami_ipu3::Command;
use cami_ipu3::payload::{AwbResults, ColorChannels, FrameParams};
use cami_ipu3::sequence::ae::{AeAnswer, AeControls};
use cami_ipu3::sequence::awb::AwbControls;
use cami_ipu3::sequence::gbce::GbceAnswer;
use cami_ipu3::sequence::pa::PaAnswer;
use cami_ipu3::sequence::sa::SaAnswer;
use cami_ipu3::sequence::statistics::Statistics;
use cami_ipu3::sequence::{ae, awb, gbce, pa, sa, statistics};
use cami_ipu3_requests::{Cause, PayloadBuffer, RequestError, checked};

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

/// The newest good answer of each.
#[derive(Debug, Default)]
pub struct Results {
    /// White balance.
    pub awb: Option<AwbResults>,
    /// Gamma.
    pub gbce: Option<GbceAnswer>,
    /// Colour.
    pub pa: Option<PaAnswer>,
    /// Shading.
    pub sa: Option<SaAnswer>,
    complaints: Complaints,
}

impl Results {
    /// Tells the engine a frame's statistics.
    pub fn send_statistics(
        &mut self,
        up: &mut Up<'_>,
        frame: &Statistics<'_>,
    ) -> Result<(), RequestError> {
        let buffer = &mut up.buffers.statistics;
        if let Err(bad) = statistics::fill(&mut buffer.payload, up.engine.aiq, frame) {
            self.complaints.warn(bad);
            return Ok(());
        }
        let used = statistics::used(&buffer.payload);
        let sent = buffer.send_parts(up.requester, Command::StatisticsSet, &used);
        self.tolerate(sent).map(|_| ())
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
        let answer = ask(&mut up.buffers.ae, up.requester, Command::AeRun, AeAnswer::take);
        let new_ae = self.tolerate(answer)?;

        gbce::fill(&mut up.buffers.gbce.payload, aiq, frame_use, question.ae.ev_shift);
        let answer = ask(&mut up.buffers.gbce, up.requester, Command::GbceRun, GbceAnswer::take);
        self.gbce = self.tolerate(answer)?.or(self.gbce.take());

        // There must be an answer before it can be left as it is.
        let kept = question.awb.is_none() && self.awb.is_some();
        if !kept {
            let controls = question.awb.unwrap_or_default();
            awb::fill(&mut up.buffers.awb.payload, aiq, &controls);
            let answer = ask(&mut up.buffers.awb, up.requester, Command::AwbRun, awb::take);
            self.awb = self.tolerate(answer)?.or(self.awb.take());
        }
        let Some(awb) = self.awb else { return Ok(new_ae) };

        if let Some(ae) = new_ae.as_ref().or(last) {
            pa::fill(&mut up.buffers.pa.payload, aiq, &awb, ae, None);
            let answer = ask(&mut up.buffers.pa, up.requester, Command::PaRun, PaAnswer::take);
            self.pa = self.tolerate(answer)?.or(self.pa.take());
            if let (Some(pa), Some(gains)) = (&mut self.pa, question.gains) {
                pa.set_gains(gains);
            }
        }

        sa::fill(&mut up.buffers.sa.payload, aiq, frame_use, &question.frame, &awb);
        let asked = up.buffers.sa.exchange(up.requester, Command::SaRun);
        if self.tolerate(asked)?.is_some() {
            let answer = SaAnswer::take(&up.buffers.sa.payload, self.sa.clone());
            let answer = self.tolerate(checked(Command::SaRun, answer))?;
            self.sa = answer.or(self.sa.take());
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

/// Makes a request and takes its answer.
fn ask<P: cami_ipu3::Pod, T>(
    buffer: &mut PayloadBuffer<P>,
    requester: &mut cami_ipu3_requests::Requester,
    command: Command,
    take: impl FnOnce(&P) -> Result<T, cami_ipu3::sequence::BadAnswer>,
) -> Result<T, RequestError> {
    buffer.exchange(requester, command)?;
    checked(command, take(&buffer.payload))
}
