//! [`Ipa`], carried out by a library.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use cami_abi::CameraAlgorithm;
use cami_ipu3::Command;
use cami_ipu3::payload::BinaryDataParams;
use cami_wire::libcamera::{ControlInfo, ControlList, IpaCameraSensorInfo, IpaSettings};

use crate::codec::Codec;
use crate::complaints::Complaints;
use crate::connection::Connection;
use crate::control_ids::ControlIds;
use crate::errno::{EINVAL, EIO, error};
use crate::files::Files;
use crate::gains::Gains;
use crate::ipa::{Ipa, IpaError, Mode, Processed, SensorSettings};
use crate::keeper::Keeper;
use crate::latch::Latch;
use crate::limits;
use crate::metadata::Metadata;
use crate::ranges;
use crate::running::{Frame, InEffect, Running};
use crate::sensor::Sensor;
use crate::trouble::{Trouble, not_up};
use crate::tuning::{MOST_AIQD_BYTES, Places};

/// Frames from the statistics after which something is asked for to the frame that it is in effect
/// for: 2 for the sensor to do it (its exposure's delay), 1 for the statistics to come.
const LEAD: u32 = 3;

/// An IPA whose algorithms are a library's.
///
/// A library that is dead, late or answers nonsense costs what it was asked for and nothing else:
/// every call answers, exposure and parameters are held, and the library is brought up again.
#[derive(Debug)]
pub struct Translation {
    connection: Connection,
    files: Arc<dyn Files>,
    keeper: Keeper,
    places: Places,
    ids: ControlIds,
    codec: Codec,
    gains: Gains,
    /// How near the lens comes, in cm, if the tuning tells.
    nearest_cm: Option<u16>,
    /// What is asked of AE, AWB and AF: ahead of the frames, because it takes effect late.
    ahead: Latch,
    /// What holds for the frame at hand.
    now: Latch,
    model: String,
    running: Option<Running>,
    troubles: Complaints,
    bad_statistics: Complaints,
    bad_configurations: Complaints,
}

impl fmt::Debug for dyn Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

impl Translation {
    /// An IPA in front of a library that nobody has initialised.
    ///
    /// # Errors
    /// There is no memory for the buffers that are shared with it.
    pub fn new(
        library: Arc<dyn CameraAlgorithm>,
        files: Box<dyn Files>,
        places: Places,
        ids: ControlIds,
    ) -> io::Result<Self> {
        let files: Arc<dyn Files> = files.into();
        Ok(Self {
            connection: Connection::new(library)?,
            keeper: Keeper::new(Arc::clone(&files)),
            files,
            places,
            ids,
            codec: Codec::new(),
            gains: Gains::default(),
            nearest_cm: None,
            ahead: Latch::new(ids),
            now: Latch::new(ids),
            model: String::new(),
            running: None,
            troubles: Complaints::default(),
            bad_statistics: Complaints::default(),
            bad_configurations: Complaints::default(),
        })
    }

    /// What follows from the failure of a call.
    fn examine<T>(&mut self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if let Err(Trouble::Request(error)) = &result {
            self.connection.failed_by(error);
        }
        result
    }

    /// AIC and the first exposure for the mode that is configured.
    fn begin(&mut self, until: Instant) -> Result<(), Trouble> {
        let begun = self.try_to_begin(until);
        self.examine(begun)
    }

    fn try_to_begin(&mut self, until: Instant) -> Result<(), Trouble> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let mut up = self.connection.up_patiently(until)?;
        self.gains.find_limits(&mut up, &running.sensor)?;
        self.nearest_cm = up.engine.cmc.nearest_cm;
        if let Some(focus) = &mut running.focus {
            focus.nearest = ranges::lens_position(self.nearest_cm).max;
        }
        running.make_aic(&mut up)?;
        running.begin(&mut up, &mut self.ahead.settings, &self.gains)?;
        Ok(())
    }

    /// What a frame's statistics lead to: the lens's target, and metadata on the way.
    fn process(
        &mut self,
        frame: &Frame,
        statistics: &[u8],
        metadata: &mut Metadata,
        until: Instant,
    ) -> Result<Option<i32>, Trouble> {
        let Some(running) = &mut self.running else { return Ok(None) };
        let mut up = self.connection.up(until)?;
        let told = running.exposed_by(&mut up, frame, &mut self.gains)?;
        if let (Some(told), Some(InEffect { code, .. })) = (&told, frame.in_effect)
            && told.is_own
        {
            metadata.own_ae(&told.answer);
            self.gains.learn(code, told.answer.results().exposure.analog_gain);
        }
        let grids = match self.codec.grids(statistics) {
            Ok(grids) => Some(grids),
            Err(bad) => {
                self.bad_statistics.warn(format_args!("frame {}: {bad}", frame.number));
                None
            }
        };
        let measured = told.as_ref().map(|told| &told.answer).zip(grids);
        let settings = &mut self.ahead.settings;
        running.run(&mut up, frame, measured, settings, &self.gains)?;
        let lens = running.focus(&mut up, frame, settings)?;
        self.connection.works();
        Ok(lens)
    }

    fn params(&mut self, frame: u32, until: Instant) -> Result<bool, Trouble> {
        let Some(running) = &mut self.running else { return Ok(false) };
        let mut up = self.connection.up(until)?;
        running.make_aic(&mut up)?;
        let adjustments = ranges::adjustments(&self.now.settings);
        let Some(config) = running.configure_isp(&mut up, frame, adjustments)? else {
            return Ok(false);
        };
        match self.codec.params(&config.aic_config) {
            Ok(_) => Ok(true),
            Err(bad) => {
                self.bad_configurations.warn(format_args!("frame {frame}: {bad}"));
                Ok(false)
            }
        }
    }

    /// Keeps what the engine has learnt of the camera.
    fn save_learnt(&mut self, until: Instant) {
        let Some(path) = self.places.aiqd_file(&self.model) else { return };
        if !self.connection.is_up() {
            return;
        }
        let asked_until = Connection::time_to_ask(until);
        let Ok(up) = self.connection.up(asked_until) else { return };
        let buffer = &mut up.buffers.aiq_data;
        buffer.payload.aiq_handle = up.engine.aiq;
        let asked = buffer.exchange_parts(
            up.requester,
            Command::AiqGetData,
            0..size_of::<u64>(),
            0..size_of::<BinaryDataParams>(),
        );
        if let Err(error) = asked {
            return log::warn!("what was learnt of {} is lost: {error}", self.model);
        }
        let size = usize::try_from(buffer.payload.size).unwrap_or(usize::MAX);
        match buffer.payload.data.get(..size) {
            Some(learnt) if size > 0 && size <= MOST_AIQD_BYTES => {
                if !self.keeper.write(path, learnt.to_vec(), asked_until) {
                    log::warn!(
                        "what was learnt of {} is not written yet: the disk is slow",
                        self.model
                    );
                }
            }
            _ => log::warn!("the library says that it has learnt {size} bytes: not kept"),
        }
    }
}

impl Ipa for Translation {
    fn init(
        &mut self,
        settings: &IpaSettings,
        sensor: &IpaCameraSensorInfo,
        sensor_controls: &[ControlInfo],
        until: Instant,
    ) -> Result<Vec<ControlInfo>, IpaError> {
        // Which lens there is, libcamera says with the mode.
        let sensor = Sensor::new(sensor, sensor_controls, &[])?;
        let (data, path) = self.places.data(&*self.files, settings)?;
        log::info!("sensor {}: tuning file {}", settings.sensor_model, path.display());
        self.model.clone_from(&settings.sensor_model);
        self.running = None;
        self.gains = Gains::default();
        self.connection.make_of(data, until);
        let up = self.connection.up_patiently(until);
        let mut up = up.map_err(|reason| not_up(&reason))?;
        self.gains
            .find_limits(&mut up, &sensor)
            .map_err(|reason| error(EIO, reason.to_string()))?;
        self.nearest_cm = up.engine.cmc.nearest_cm;
        Ok(limits::controls(self.ids, &sensor, self.gains.limits, self.nearest_cm))
    }

    fn configure(&mut self, mode: &Mode, until: Instant) -> Result<Vec<ControlInfo>, IpaError> {
        let running = Running::new(mode)?;
        self.running = Some(running);
        self.ahead = Latch::new(self.ids);
        self.now = Latch::new(self.ids);
        match self.begin(until) {
            Ok(()) => {}
            Err(trouble) if trouble.passes() => {
                log::warn!("the mode begins without the vendor library: {trouble}");
            }
            Err(trouble) => {
                self.running = None;
                return Err(error(EIO, trouble.to_string()));
            }
        }
        let sensor = self.running.as_ref().map(|running| &running.sensor);
        let sensor = sensor.ok_or_else(|| error(EINVAL, "not configured"))?;
        Ok(limits::controls(self.ids, sensor, self.gains.limits, self.nearest_cm))
    }

    fn start(&mut self, until: Instant) -> Result<SensorSettings, IpaError> {
        self.ahead.stop();
        self.now.stop();
        let Some(running) = &mut self.running else {
            return Err(error(EINVAL, "started before it was configured"));
        };
        running.restart();
        if running.history.newest().is_none()
            && let Err(trouble) = self.begin(until)
        {
            log::warn!("frames begin without the vendor library: {trouble}");
        }
        let held = self.running.as_ref().map(|running| running.sent);
        held.ok_or_else(|| error(EINVAL, "started before it was configured"))
    }

    fn stop(&mut self, until: Instant) {
        self.ahead.stop();
        self.now.stop();
        self.connection.quiesce(until);
        self.save_learnt(until);
        self.connection.quiesce(until);
    }

    fn queue_request(&mut self, frame: u32, controls: &ControlList) {
        self.ahead.queue(frame, controls);
        self.now.queue(frame, controls);
    }

    fn process_stats(
        &mut self,
        frame: u32,
        timestamp_ns: i64,
        statistics: &[u8],
        in_effect: &ControlList,
        until: Instant,
    ) -> Processed {
        self.ahead.advance(frame.saturating_add(LEAD));
        self.now.advance(frame);
        let Some(running) = &mut self.running else { return Processed::default() };
        let frame = Frame {
            number: frame,
            time_us: running.time_us(timestamp_ns),
            in_effect: InEffect::of(in_effect),
        };
        let mut metadata = Metadata::new(self.ids);
        metadata.settings(&running.sensor, &self.now.settings);
        // The parameters of this frame were made before its statistics came.
        if let (Some(awb), Some(pa)) = (&running.results.awb, &running.results.pa) {
            metadata.colour(&running.sensor, &pa.results().base);
            // AWB's estimate is of gains that are not these.
            if !running.results.gains_by_hand {
                metadata.temperature(awb);
            }
        }
        let processed = self.process(&frame, statistics, &mut metadata, until);
        let processed = self.examine(processed);
        let lens_position = processed.unwrap_or_else(|trouble| {
            self.troubles.warn(format_args!("frame {}: {trouble}", frame.number));
            None
        });
        let Some(running) = &self.running else { return Processed::default() };
        if let Some(InEffect { lines, code }) = frame.in_effect {
            metadata.exposed(&running.sensor, lines, self.gains.known(code));
        }
        if let Some(newest) = running.history.newest() {
            metadata.ae(newest, &self.now.settings);
        }
        if let Some(focus) = &running.focus {
            metadata.focus(focus, &self.now.settings);
        }
        Processed {
            sensor: Some(SensorSettings { lens_position, ..running.sent }),
            metadata: metadata.controls,
        }
    }

    fn compute_params(&mut self, frame: u32, until: Instant) -> Option<&[u8]> {
        self.now.advance(frame);
        let params = self.params(frame, until);
        match self.examine(params) {
            Ok(true) => Some(self.codec.last_params()),
            Ok(false) => None,
            Err(trouble) => {
                self.troubles.warn(format_args!("frame {frame}: {trouble}"));
                None
            }
        }
    }

    fn end(&mut self, until: Instant) {
        self.connection.leave(until);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test states what it expects")]
mod tests {
    use super::*;
    use crate::control_ids::IdSet;
    use crate::files::SystemFiles;
    use crate::made_up;
    use cami_ipu3_requests::SharedBuffer;
    use std::time::Duration;

    /// Buffers that cannot be written, or read, any more cost the frame; the next has others.
    #[test]
    fn a_buffer_that_cannot_be_used_is_replaced_with_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let tuning = folder.path().join("ov13858.aiqb");
        std::fs::write(&tuning, b"tuning").unwrap();
        let library = Arc::new(cam_algo_reference::Server::new());
        let places = Places { tuning: vec![("ov13858".to_owned(), tuning)], ..Places::default() };
        let ids = ControlIds::from(IdSet::From0_5);
        let mut ipa = Translation::new(library, Box::new(SystemFiles), places, ids).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let settings =
            IpaSettings { configuration_file: String::new(), sensor_model: "ov13858".to_owned() };
        ipa.init(&settings, &made_up::sensor_info(), &made_up::sensor_controls(), until).unwrap();
        ipa.configure(&made_up::mode(), until).unwrap();
        ipa.start(until).unwrap();
        assert!(ipa.compute_params(0, until).is_some());
        let up = ipa.connection.up(until).unwrap();
        let first = up.generation;
        // No byte fits.
        up.buffers.aic.shared = SharedBuffer::new("small", 0).unwrap();
        assert!(ipa.compute_params(1, until).is_none());
        assert!(!ipa.connection.is_up());
        let again = (3..1000).any(|frame| ipa.compute_params(frame, until).is_some());
        assert!(again);
        assert!(ipa.connection.up(until).unwrap().generation > first);
    }
}
