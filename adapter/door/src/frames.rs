//! Frames: one `paramsComputed` for each `computeParams`, one `metadataReady` for each
//! `processStats`, in time.

use std::collections::VecDeque;
use std::time::Instant;

use cami_ipu3_ipa::{ControlIds, ControlName, Processed, STATISTICS_BYTES};
use cami_wire::libcamera::{Control, ControlList, ControlValue, IdMap, ListPacket};

use crate::controls::{V4L2_CID_ANALOGUE_GAIN, V4L2_CID_EXPOSURE};
use crate::door::{Server, Stream};
use crate::limits::FRAMES;
use crate::queue::{Job, StatsJob, Ticket};

/// A call that has no answer yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) number: u32,
    /// The buffer for parameters.
    buffer: u32,
    /// The exposure that was in effect.
    exposure: Option<i32>,
    /// The sensor's code of the analogue gain that was.
    gain: Option<i32>,
    ticket: Ticket,
    due: Instant,
}

/// Calls that have no answer yet.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    computing: VecDeque<Frame>,
    processing: VecDeque<Frame>,
}

impl Frames {
    /// When the first of them has to be answered.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.computing.iter().chain(&self.processing).map(|frame| frame.due).min()
    }
}

fn take(frames: &mut VecDeque<Frame>, ticket: Ticket) -> Option<Frame> {
    let at = frames.iter().position(|frame| frame.ticket == ticket)?;
    frames.remove(at)
}

/// The first that is due, or one too many.
fn take_due(frames: &mut VecDeque<Frame>, now: Instant) -> Option<Frame> {
    let due = frames.len() > FRAMES || frames.front().is_some_and(|frame| frame.due <= now);
    if due { frames.pop_front() } else { None }
}

impl Server {
    /// `computeParams`.
    pub(crate) fn compute_params(&mut self, number: u32, buffer: u32, made: Instant) {
        let mut frame = Frame {
            number,
            buffer,
            exposure: None,
            gain: None,
            ticket: 0,
            due: made + self.limits.frame,
        };
        match self.stream {
            Stream::Stopped => self.ignored("computeParams", number),
            Stream::Stopping => self.answer_params(frame),
            Stream::Running => {
                let job = Job::ComputeParams { frame: number };
                frame.ticket = self.engine.give(job, made + self.limits.frame_ipa);
                self.frames.computing.push_back(frame);
            }
        }
    }

    /// `processStats`.
    pub(crate) fn process_stats(
        &mut self,
        number: u32,
        timestamp_ns: i64,
        buffer: u32,
        in_effect: Option<ListPacket>,
        made: Instant,
    ) {
        let in_effect = self.list(in_effect, IdMap::V4l2);
        let [exposure, gain] = [V4L2_CID_EXPOSURE, V4L2_CID_ANALOGUE_GAIN]
            .map(|id| in_effect.get(id).and_then(ControlValue::get));
        let mut frame =
            Frame { number, buffer, exposure, gain, ticket: 0, due: made + self.limits.frame };
        match self.stream {
            Stream::Stopped => return self.ignored("processStats", number),
            Stream::Stopping => return self.answer_stats(frame),
            Stream::Running => {}
        }
        // Copied here and not when the IPA comes to it: after `metadataReady` the buffer is the ISP's
        // again.
        let mut statistics = self.engine.statistics();
        let readable = statistics
            .get_mut(..STATISTICS_BYTES)
            .is_some_and(|into| self.buffers.read(buffer, into));
        if !readable {
            self.engine.spare_statistics(statistics);
            // Answered when everything is received that came with it.
            frame.due = made;
            return self.frames.processing.push_front(frame);
        }
        let job = StatsJob { frame: number, timestamp_ns, statistics, in_effect };
        frame.ticket =
            self.engine.give(Job::ProcessStats(Box::new(job)), made + self.limits.frame_ipa);
        self.frames.processing.push_back(frame);
    }

    /// `queueRequest`.
    pub(crate) fn queue_request(&mut self, frame: u32, controls: Option<ListPacket>) {
        let controls = self.list(controls, IdMap::Controls);
        if self.engine.is_started() {
            // It is not waited for.
            self.engine.give(Job::QueueRequest { frame, controls }, Instant::now());
        }
    }

    /// A list of libcamera's, or an empty one where it cannot be understood: the frame counts more
    /// than its controls.
    fn list(&mut self, packet: Option<ListPacket>, id_map: IdMap) -> ControlList {
        let none = ControlList { handle: 0, id_map, controls: Vec::new() };
        let Some(packet) = packet else { return none };
        match self.peer.serializer.receive_list(packet) {
            Ok(list) => list,
            Err(error) => {
                if let Some(total) = self.refused.count() {
                    log::error!("controls of libcamera's are dropped: {error}; {total} so far");
                }
                none
            }
        }
    }

    fn ignored(&mut self, call: &str, frame: u32) {
        if let Some(total) = self.refused.count() {
            log::warn!("{call} of frame {frame} while there is no stream; {total} so far");
        }
    }

    /// The IPA's parameters, perhaps too late for their own frame.
    pub(crate) fn take_params(&mut self, ticket: Ticket, params: Option<Box<[u8]>>) {
        if ticket < self.valid_from {
            return;
        }
        if let Some(params) = params {
            let old = std::mem::replace(&mut self.held.params, params);
            self.engine.spare_params(old);
        }
        if let Some(frame) = take(&mut self.frames.computing, ticket) {
            self.answer_params(frame);
        }
    }

    /// The IPA's answer to statistics, perhaps too late for its own frame.
    pub(crate) fn take_processed(&mut self, ticket: Ticket, processed: Option<Processed>) {
        if ticket < self.valid_from {
            return self.held.forget_sensor(processed.and_then(|processed| processed.sensor));
        }
        let fresh = processed.is_some();
        let frame = take(&mut self.frames.processing, ticket);
        if let Some(Processed { sensor, metadata }) = processed {
            self.held.metadata.keep(metadata, frame.and_then(|frame| frame.gain));
            if let Some(settings) = sensor {
                self.held.set(settings);
            }
        }
        match frame {
            Some(frame) if fresh => self.answer_stats_with(frame.number),
            Some(frame) => self.answer_stats(frame),
            None => {}
        }
    }

    /// The last good parameters, into the frame's buffer. Where they do not fit or are not let in,
    /// the frame goes on all the same.
    fn answer_params(&mut self, frame: Frame) {
        self.buffers.write(frame.buffer, &self.held.params);
        self.peer.params_computed(frame.number);
    }

    /// What is known without the IPA.
    fn answer_stats(&mut self, frame: Frame) {
        let exposure = frame.exposure.and_then(|lines| self.exposure_time(lines));
        let ids = ControlIds::of_dialect(self.peer.dialect);
        self.held.metadata.follow(ids, exposure, frame.gain);
        self.answer_stats_with(frame.number);
    }

    fn answer_stats_with(&mut self, frame: u32) {
        if let Some(settings) = self.held.take_sensor() {
            self.peer.sensor_controls(frame, &settings);
        }
        self.peer.metadata_ready(frame, self.held.metadata.controls());
    }

    /// `ExposureTime`, whose number is the same in every libcamera.
    fn exposure_time(&self, lines: i32) -> Option<Control> {
        let id = ControlIds::of_dialect(self.peer.dialect).id(ControlName::ExposureTime)?;
        let line = self.line;
        let pixels = u64::try_from(lines).ok()?.checked_mul(u64::from(line.pixels))?;
        let time = pixels.checked_mul(1_000_000)?.checked_div(line.pixel_rate)?;
        let time = i32::try_from(time).ok()?;
        Some(Control { id, value: ControlValue::scalar(&time) })
    }

    /// Answers those that are due.
    pub(crate) fn expire_frames(&mut self, now: Instant) {
        while let Some(frame) = take_due(&mut self.frames.computing, now) {
            self.engine.cancel(frame.ticket);
            self.answer_params(frame);
        }
        // Statistics that have not begun stay: they are the newest, and lead somewhere.
        while let Some(frame) = take_due(&mut self.frames.processing, now) {
            self.answer_stats(frame);
        }
    }

    /// Forgets all of them.
    pub(crate) fn drop_frames(&mut self) {
        for frame in self.frames.computing.drain(..).chain(self.frames.processing.drain(..)) {
            self.engine.cancel(frame.ticket);
        }
    }

    /// Answers all of them.
    pub(crate) fn answer_frames(&mut self) {
        while let Some(frame) = self.frames.computing.pop_front() {
            self.engine.cancel(frame.ticket);
            self.answer_params(frame);
        }
        while let Some(frame) = self.frames.processing.pop_front() {
            self.engine.cancel(frame.ticket);
            self.answer_stats(frame);
        }
    }
}
