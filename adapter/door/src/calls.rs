//! Calls: taken apart, and answered in time.

use std::time::Instant;

use cami_ipu3_ipa::{IpaError, Mode, SensorSettings};
use cami_link::{Framing, Received};
use cami_wire::libcamera::ipu3::{Call, ConfigInfo, Reply, command, detect_dialect};
use cami_wire::libcamera::{ControlInfo, InfoMapPacket, IpaCameraSensorInfo, IpaSettings};
use cami_wire::message::EXIT;
use cami_wire::reader::Reader;

use crate::controls::SensorLimits;
use crate::door::{End, Held, Line, Server, Stream};
use crate::limits::{CALLS, LATEST};
use crate::queue::{InitJob, Job, Ticket};

/// A synchronous call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    command: u32,
    cookie: u32,
    made: Instant,
}

/// One that the IPA is at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    ticket: Ticket,
    asked: Asked,
    pub(crate) due: Instant,
}

impl Server {
    /// One message of libcamera's, which was sent at `made`.
    pub(crate) fn handle(&mut self, message: Received<'_>, made: Instant) {
        let Received { command, cookie, body, fds, fds_lost, .. } = message;
        let asked = Asked { command, cookie, made };
        match command {
            command::INIT => self.learn_dialect(body),
            // Both sides forget their maps before the arguments are written.
            command::CONFIGURE => self.peer.reset(),
            _ => {}
        }
        let call = match Call::decode(command, body, self.peer.dialect) {
            Ok(call) => call,
            Err(error) => {
                if let Some(total) = self.refused.count() {
                    log::error!("libcamera's message {command}: {error}; {total} so far");
                }
                return self.answer_malformed(asked, body);
            }
        };
        let fds_fit = call.expected_fds() == fds.len();
        match call {
            Call::Exit => self.end = Some(End::Exit),
            Call::Init { settings, sensor_info, sensor_controls } => {
                self.init(asked, settings, sensor_info, sensor_controls);
            }
            Call::Configure(info) => self.configure(asked, *info),
            Call::Start => self.start(asked),
            Call::Stop => self.stop(asked),
            Call::MapBuffers(buffers) => {
                if fds_fit && !fds_lost {
                    self.buffers.map(&buffers, fds.into_vec());
                } else if fds_lost {
                    log::error!("buffers are lost: no free descriptor (RLIMIT_NOFILE)");
                } else {
                    log::error!("buffers are dropped: {} descriptors for them", fds.len());
                }
                self.answer(asked, &Reply::MapBuffers);
            }
            Call::UnmapBuffers(ids) => {
                self.buffers.unmap(&ids);
                self.answer(asked, &Reply::UnmapBuffers);
            }
            Call::QueueRequest { frame, controls } => self.queue_request(frame, controls),
            Call::ComputeParams { frame, buffer_id } => {
                self.compute_params(frame, buffer_id, made);
            }
            Call::ProcessStats { frame, frame_timestamp, buffer_id, sensor_controls } => {
                self.process_stats(frame, frame_timestamp, buffer_id, sensor_controls, made);
            }
        }
    }

    /// What libcamera speaks shows in its first `init`, and does not change.
    fn learn_dialect(&mut self, body: &[u8]) {
        if self.engine.is_started() {
            return;
        }
        match detect_dialect(body) {
            Ok(dialect) => {
                log::debug!("libcamera speaks {dialect:?}");
                self.peer.dialect = dialect;
            }
            Err(error) => log::error!("libcamera speaks what is not known here: {error}"),
        }
    }

    /// A call that waits is answered though it cannot be understood, and so is a frame whose number
    /// can be read: libcamera would wait.
    fn answer_malformed(&mut self, asked: Asked, body: &[u8]) {
        match asked.command {
            command::INIT | command::CONFIGURE => self.refuse_controls(asked, libc::EPROTO),
            command::START => self.answer(asked, &Reply::Start { ret: -libc::EPROTO }),
            command::STOP => self.stop(asked),
            command::MAP_BUFFERS => self.answer(asked, &Reply::MapBuffers),
            command::UNMAP_BUFFERS => self.answer(asked, &Reply::UnmapBuffers),
            command::COMPUTE_PARAMS => {
                if let Some(frame) = word_after(body, 2) {
                    self.compute_params(frame, u32::MAX, asked.made);
                }
            }
            command::PROCESS_STATS => {
                if let Some(frame) = word_after(body, 4) {
                    self.process_stats(frame, 0, u32::MAX, None, asked.made);
                }
            }
            EXIT => self.end = Some(End::Exit),
            _ => {}
        }
    }

    fn init(
        &mut self,
        asked: Asked,
        settings: IpaSettings,
        sensor: IpaCameraSensorInfo,
        controls: Option<InfoMapPacket>,
    ) {
        // An event inside `init` would be taken for its answer: both have cookie 0.
        if self.stream != Stream::Stopped {
            return self.refuse_controls(asked, libc::EBUSY);
        }
        if let Err(error) = self.engine.start(self.peer.dialect) {
            log::error!("no thread for the IPA: {error}");
            let errno = error.raw_os_error().unwrap_or(libc::EAGAIN);
            return self.refuse_controls(asked, errno);
        }
        if let Some(controls) = self.map(controls) {
            self.sensor_controls = controls;
        }
        let sensor_controls = self.sensor_controls.clone();
        let job = Job::Init(Box::new(InitJob { settings, sensor, sensor_controls }));
        self.ask(asked, job);
    }

    fn configure(&mut self, asked: Asked, info: ConfigInfo) {
        let ConfigInfo { sensor_info, sensor_controls, lens_controls, bds_output_size, iif } = info;
        if !self.engine.is_started() || self.stream != Stream::Stopped {
            let errno = if self.engine.is_started() { libc::EBUSY } else { libc::EINVAL };
            return self.refuse_controls(asked, errno);
        }
        let mode = Mode {
            sensor: sensor_info,
            sensor_controls: self.map(sensor_controls).unwrap_or_default(),
            lens_controls: self.map(lens_controls).unwrap_or_default(),
            bds: bds_output_size,
            iif,
        };
        self.sensor_controls.clone_from(&mode.sensor_controls);
        self.peer.set_limits(SensorLimits::of(&mode));
        self.line =
            Line { pixels: mode.sensor.min_line_length, pixel_rate: mode.sensor.pixel_rate };
        // Parameters are made for a mode.
        self.held = Held::new();
        self.valid_from = self.engine.next_ticket();
        self.ask(asked, Job::Configure(Box::new(mode)));
    }

    fn start(&mut self, asked: Asked) {
        if !self.engine.is_started() || self.stream != Stream::Stopped {
            let errno = if self.engine.is_started() { libc::EBUSY } else { libc::EINVAL };
            return self.answer(asked, &Reply::Start { ret: -errno });
        }
        if self.is_given_up(asked) {
            // For libcamera there is no stream.
            return;
        }
        self.stream = Stream::Running;
        self.held.forget_sensor(None);
        self.ask(asked, Job::Start);
    }

    fn stop(&mut self, asked: Asked) {
        self.finish_frames(asked);
        self.engine.cancel_frames();
        if !self.engine.is_started() {
            return self.answer(asked, &Reply::Stop);
        }
        self.stream = Stream::Stopping;
        // What is under way is of a stream that is over.
        self.valid_from = self.engine.next_ticket();
        self.ask(asked, Job::Stop);
    }

    /// The controls of a map; `None` where it brings none.
    fn map(&mut self, packet: Option<InfoMapPacket>) -> Option<Vec<ControlInfo>> {
        match self.peer.serializer.receive_map(packet?) {
            Ok(map) => map.map(|map| map.controls.clone()),
            Err(error) => {
                log::error!("controls of libcamera's are dropped: {error}");
                None
            }
        }
    }

    /// Gives a synchronous call to the IPA.
    fn ask(&mut self, asked: Asked, job: Job) {
        let ticket = self.engine.give(job, asked.made + self.limits.call_ipa);
        self.calls.push(Waiting { ticket, asked, due: asked.made + self.limits.call });
        if self.calls.len() > CALLS {
            // libcamera makes one at a time.
            let first = self.calls.remove(0);
            self.give_up(first);
        }
    }

    fn asked(&mut self, ticket: Ticket) -> Option<Asked> {
        let at = self.calls.iter().position(|call| call.ticket == ticket)?;
        Some(self.calls.remove(at).asked)
    }

    /// Whether libcamera waits no more, or may not when an answer comes, because this process could
    /// not run meanwhile. On a stream it waits for ever (spec/libcamera-ipa.md, 5.1).
    fn is_given_up(&self, asked: Asked) -> bool {
        self.peer.link.framing() != Framing::TwoWrites && asked.made.elapsed() >= LATEST
    }

    /// The same, with a line in the log.
    fn is_too_late(&self, asked: Asked) -> bool {
        let late = self.is_given_up(asked);
        if late {
            log::error!(
                "call {} was made {} ms ago, and libcamera has given up: it gets no answer",
                asked.command,
                asked.made.elapsed().as_millis()
            );
        }
        late
    }

    /// Answers a call that returns nothing, or only a number, unless that would be too late.
    fn answer(&mut self, asked: Asked, reply: &Reply) {
        if !self.is_too_late(asked) {
            self.peer.reply(asked.cookie, reply);
        }
    }

    /// The same for `init` and `configure`.
    fn answer_controls(&mut self, asked: Asked, ret: i32, controls: Vec<ControlInfo>) {
        if !self.is_too_late(asked) {
            self.peer.reply_controls((asked.command, asked.cookie), ret, controls);
        }
    }

    fn refuse_controls(&mut self, asked: Asked, errno: i32) {
        self.answer_controls(asked, -errno, Vec::new());
    }

    /// The answer to `init` or `configure`. One that is late has no call any more, and is not sent.
    pub(crate) fn take_controls(
        &mut self,
        ticket: Ticket,
        result: Result<Vec<ControlInfo>, IpaError>,
    ) {
        let Some(asked) = self.asked(ticket) else {
            return log::warn!("the IPA answered too late, libcamera has given up");
        };
        let (ret, controls) = match result {
            Ok(controls) => (0, controls),
            Err(error) => (told(&error), Vec::new()),
        };
        self.answer_controls(asked, ret, controls);
    }

    /// The answer to `start`. What comes late still sets the sensor, with the next frame.
    pub(crate) fn take_started(
        &mut self,
        ticket: Ticket,
        result: Result<SensorSettings, IpaError>,
    ) {
        let call = self.asked(ticket);
        match (result, call) {
            (Ok(settings), Some(asked)) if self.is_given_up(asked) => {
                self.held.set(settings);
                self.start_failed(asked, -libc::ETIMEDOUT);
            }
            (Ok(settings), Some(asked)) => {
                self.held.set(settings);
                if self.stream == Stream::Running
                    && let Some(settings) = self.held.take_sensor()
                {
                    self.peer.sensor_controls(0, &settings);
                }
                self.answer(asked, &Reply::Start { ret: 0 });
            }
            (Ok(settings), None) if ticket >= self.valid_from => self.held.set(settings),
            (Ok(settings), None) => self.held.forget_sensor(Some(settings)),
            (Err(error), Some(asked)) => self.start_failed(asked, told(&error)),
            (Err(error), None) => drop(told(&error)),
        }
    }

    /// libcamera holds the stream for one that was never there, and never stops it.
    fn start_failed(&mut self, asked: Asked, ret: i32) {
        // Those that libcamera has made meanwhile: afterwards it knows none.
        self.finish_frames(asked);
        self.stream = Stream::Stopped;
        self.valid_from = self.engine.next_ticket();
        self.engine.give(Job::Stop, Instant::now() + self.limits.call_ipa);
        self.answer(asked, &Reply::Start { ret });
    }

    pub(crate) fn take_stopped(&mut self, ticket: Ticket) {
        if let Some(asked) = self.asked(ticket) {
            self.stopped(asked);
        }
    }

    /// The last message of a stream.
    fn stopped(&mut self, asked: Asked) {
        self.finish_frames(asked);
        self.stream = Stream::Stopped;
        self.answer(asked, &Reply::Stop);
    }

    /// Answers all frames: their stream ends with the answer to this call. Where that will not be sent
    /// libcamera holds the stream for ended already, and knows no frame of it.
    fn finish_frames(&mut self, with: Asked) {
        if self.is_given_up(with) { self.drop_frames() } else { self.answer_frames() }
    }

    /// Answers calls that the IPA has not answered in time.
    pub(crate) fn expire_calls(&mut self, now: Instant) {
        while let Some(at) = self.calls.iter().position(|call| call.due <= now) {
            let call = self.calls.remove(at);
            self.give_up(call);
        }
    }

    fn give_up(&mut self, call: Waiting) {
        let Waiting { ticket, asked, .. } = call;
        let command = asked.command;
        log::error!(
            "the IPA has not answered call {command} in {} ms",
            self.limits.call.as_millis()
        );
        match command {
            command::INIT | command::CONFIGURE => {
                self.engine.cancel(ticket);
                self.refuse_controls(asked, libc::ETIMEDOUT);
            }
            command::START if self.is_given_up(asked) => {
                self.start_failed(asked, -libc::ETIMEDOUT);
            }
            // The stream runs: what holds in its middle, that frames go on while the library does
            // not, holds at its start too.
            command::START => self.answer(asked, &Reply::Start { ret: 0 }),
            _ => self.stopped(asked),
        }
    }
}

/// The word behind `words` others.
fn word_after(body: &[u8], words: usize) -> Option<u32> {
    let mut reader = Reader::new(body);
    reader.bytes(words.checked_mul(4)?).ok()?;
    reader.u32().ok()
}

/// What libcamera is told of an error, which it takes for success where it is not negative.
fn told(error: &IpaError) -> i32 {
    log::error!("{}", error.text);
    if error.errno < 0 { error.errno } else { -libc::EIO }
}
