//! Calls: taken apart, and answered in time.

use std::time::Instant;

use cami_ipu3_ipa::{IpaError, Mode, SensorSettings};
use cami_link::Received;
use cami_wire::libcamera::ipu3::{Call, ConfigInfo, Reply, command, detect_dialect};
use cami_wire::libcamera::{ControlInfo, InfoMapPacket, IpaCameraSensorInfo, IpaSettings};
use cami_wire::message::EXIT;
use cami_wire::reader::Reader;

use crate::controls::SensorLimits;
use crate::door::{End, Held, Line, Server, Stream};
use crate::limits::CALLS;
use crate::queue::{InitJob, Job, Ticket};

/// A synchronous call that the IPA is at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    ticket: Ticket,
    command: u32,
    cookie: u32,
    pub(crate) due: Instant,
}

impl Server {
    /// One message of libcamera's.
    pub(crate) fn handle(&mut self, message: Received<'_>) {
        let Received { command, cookie, body, fds, fds_lost } = message;
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
                return self.answer_malformed(command, cookie, body);
            }
        };
        let fds_fit = call.expected_fds() == fds.len();
        match call {
            Call::Exit => self.end = Some(End::Exit),
            Call::Init { settings, sensor_info, sensor_controls } => {
                self.init(cookie, settings, sensor_info, sensor_controls);
            }
            Call::Configure(info) => self.configure(cookie, *info),
            Call::Start => self.start(cookie),
            Call::Stop => self.stop(cookie),
            Call::MapBuffers(buffers) => {
                if fds_fit && !fds_lost {
                    self.buffers.map(&buffers, fds.into_vec());
                } else if fds_lost {
                    log::error!("buffers are lost: no free descriptor (RLIMIT_NOFILE)");
                } else {
                    log::error!("buffers are dropped: {} descriptors for them", fds.len());
                }
                self.peer.reply(cookie, &Reply::MapBuffers);
            }
            Call::UnmapBuffers(ids) => {
                self.buffers.unmap(&ids);
                self.peer.reply(cookie, &Reply::UnmapBuffers);
            }
            Call::QueueRequest { frame, controls } => self.queue_request(frame, controls),
            Call::ComputeParams { frame, buffer_id } => self.compute_params(frame, buffer_id),
            Call::ProcessStats { frame, frame_timestamp, buffer_id, sensor_controls } => {
                self.process_stats(frame, frame_timestamp, buffer_id, sensor_controls);
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
    fn answer_malformed(&mut self, number: u32, cookie: u32, body: &[u8]) {
        match number {
            command::INIT | command::CONFIGURE => {
                self.peer.reply_controls((number, cookie), -libc::EPROTO, Vec::new());
            }
            command::START => self.peer.reply(cookie, &Reply::Start { ret: -libc::EPROTO }),
            command::STOP => self.stop(cookie),
            command::MAP_BUFFERS => self.peer.reply(cookie, &Reply::MapBuffers),
            command::UNMAP_BUFFERS => self.peer.reply(cookie, &Reply::UnmapBuffers),
            command::COMPUTE_PARAMS => {
                if let Some(frame) = word_after(body, 2) {
                    self.compute_params(frame, u32::MAX);
                }
            }
            command::PROCESS_STATS => {
                if let Some(frame) = word_after(body, 4) {
                    self.process_stats(frame, 0, u32::MAX, None);
                }
            }
            EXIT => self.end = Some(End::Exit),
            _ => {}
        }
    }

    fn init(
        &mut self,
        cookie: u32,
        settings: IpaSettings,
        sensor: IpaCameraSensorInfo,
        controls: Option<InfoMapPacket>,
    ) {
        // An event inside `init` would be taken for its answer: both have cookie 0.
        if self.stream != Stream::Stopped {
            return self.peer.reply_controls((command::INIT, cookie), -libc::EBUSY, Vec::new());
        }
        if let Err(error) = self.engine.start(self.peer.dialect) {
            log::error!("no thread for the IPA: {error}");
            let errno = error.raw_os_error().unwrap_or(libc::EAGAIN);
            return self.peer.reply_controls((command::INIT, cookie), -errno, Vec::new());
        }
        if let Some(controls) = self.map(controls) {
            self.sensor_controls = controls;
        }
        let sensor_controls = self.sensor_controls.clone();
        let job = Job::Init(Box::new(InitJob { settings, sensor, sensor_controls }));
        self.ask(command::INIT, cookie, job);
    }

    fn configure(&mut self, cookie: u32, info: ConfigInfo) {
        let ConfigInfo { sensor_info, sensor_controls, lens_controls, bds_output_size, iif } = info;
        if !self.engine.is_started() || self.stream != Stream::Stopped {
            let errno = if self.engine.is_started() { libc::EBUSY } else { libc::EINVAL };
            return self.peer.reply_controls((command::CONFIGURE, cookie), -errno, Vec::new());
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
        self.ask(command::CONFIGURE, cookie, Job::Configure(Box::new(mode)));
    }

    fn start(&mut self, cookie: u32) {
        if !self.engine.is_started() || self.stream != Stream::Stopped {
            let errno = if self.engine.is_started() { libc::EBUSY } else { libc::EINVAL };
            return self.peer.reply(cookie, &Reply::Start { ret: -errno });
        }
        self.stream = Stream::Running;
        self.held.forget_sensor(None);
        self.ask(command::START, cookie, Job::Start);
    }

    fn stop(&mut self, cookie: u32) {
        self.finish_frames();
        self.engine.cancel_frames();
        if !self.engine.is_started() {
            return self.peer.reply(cookie, &Reply::Stop);
        }
        self.stream = Stream::Stopping;
        // What is under way is of a stream that is over.
        self.valid_from = self.engine.next_ticket();
        self.ask(command::STOP, cookie, Job::Stop);
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
    fn ask(&mut self, command: u32, cookie: u32, job: Job) {
        let now = Instant::now();
        let ticket = self.engine.give(job, now + self.limits.call_ipa);
        self.calls.push(Waiting { ticket, command, cookie, due: now + self.limits.call });
        if self.calls.len() > CALLS {
            // libcamera makes one at a time.
            let first = self.calls.remove(0);
            self.give_up(first);
        }
    }

    fn asked(&mut self, ticket: Ticket) -> Option<Waiting> {
        let at = self.calls.iter().position(|call| call.ticket == ticket)?;
        Some(self.calls.remove(at))
    }

    /// The answer to `init` or `configure`. One that is late has no call any more, and is not sent.
    pub(crate) fn take_controls(
        &mut self,
        ticket: Ticket,
        result: Result<Vec<ControlInfo>, IpaError>,
    ) {
        let Some(call) = self.asked(ticket) else {
            return log::warn!("the IPA answered too late, libcamera has given up");
        };
        let (ret, controls) = match result {
            Ok(controls) => (0, controls),
            Err(error) => (told(&error), Vec::new()),
        };
        self.peer.reply_controls((call.command, call.cookie), ret, controls);
    }

    /// The answer to `start`. What comes late still sets the sensor, with the next frame.
    pub(crate) fn take_started(
        &mut self,
        ticket: Ticket,
        result: Result<SensorSettings, IpaError>,
    ) {
        let call = self.asked(ticket);
        match (result, call) {
            (Ok(settings), Some(call)) => {
                self.held.set(settings);
                if self.stream == Stream::Running
                    && let Some(settings) = self.held.take_sensor()
                {
                    self.peer.sensor_controls(0, &settings);
                }
                self.peer.reply(call.cookie, &Reply::Start { ret: 0 });
            }
            (Ok(settings), None) if ticket >= self.valid_from => self.held.set(settings),
            (Ok(settings), None) => self.held.forget_sensor(Some(settings)),
            (Err(error), Some(call)) => {
                let ret = told(&error);
                // Those that libcamera has made meanwhile: afterwards it knows none.
                self.finish_frames();
                self.stream = Stream::Stopped;
                self.peer.reply(call.cookie, &Reply::Start { ret });
            }
            (Err(error), None) => drop(told(&error)),
        }
    }

    pub(crate) fn take_stopped(&mut self, ticket: Ticket) {
        if let Some(call) = self.asked(ticket) {
            self.stopped(call.cookie);
        }
    }

    /// The last message of a stream.
    fn stopped(&mut self, cookie: u32) {
        self.finish_frames();
        self.stream = Stream::Stopped;
        self.peer.reply(cookie, &Reply::Stop);
    }

    /// Answers calls that the IPA has not answered in time.
    pub(crate) fn expire_calls(&mut self, now: Instant) {
        while let Some(at) = self.calls.iter().position(|call| call.due <= now) {
            let call = self.calls.remove(at);
            self.give_up(call);
        }
    }

    fn give_up(&mut self, call: Waiting) {
        let Waiting { ticket, command, cookie, .. } = call;
        log::error!(
            "the IPA has not answered call {command} in {} ms",
            self.limits.call.as_millis()
        );
        match command {
            command::INIT | command::CONFIGURE => {
                self.engine.cancel(ticket);
                self.peer.reply_controls((command, cookie), -libc::ETIMEDOUT, Vec::new());
            }
            // The stream runs: what holds in its middle, that frames go on while the library does
            // not, holds at its start too.
            command::START => self.peer.reply(cookie, &Reply::Start { ret: 0 }),
            _ => self.stopped(cookie),
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
