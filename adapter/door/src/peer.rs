//! libcamera at the other end: what is sent to it, in its own dialect.

use std::io::IoSlice;
use std::time::Duration;

use cami_ipu3_ipa::SensorSettings;
use cami_link::{Link, SendError};
use cami_wire::WireError;
use cami_wire::libcamera::ipu3::{Event, Reply, command};
use cami_wire::libcamera::{
    Control, ControlInfo, ControlList, ControlSerializer, Dialect, IdMap, InfoMapPacket,
    ListPacket, Role,
};

use crate::controls::{SensorLimits, limits_for, values_for};
use crate::seldom::Seldom;

/// The socket, the dialect, and what both sides remember of each other's control maps.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) link: Link,
    pub(crate) dialect: Dialect,
    pub(crate) serializer: ControlSerializer,
    limits: SensorLimits,
    /// Handles of our own maps of sensor and lens, since the last reset.
    ///
    /// libcamera's handles would do as well on the wire, but behind them it keeps the addresses of
    /// maps that may be gone by then (libcamera `src/libcamera/control_serializer.cpp`,
    /// `infoMapHandles_`).
    sensor: Option<u32>,
    lens: Option<u32>,
    /// It has closed its socket.
    pub(crate) gone: bool,
    unsent: Seldom,
}

impl Peer {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            // Until `init` says more.
            dialect: Dialect::V0_0,
            serializer: ControlSerializer::new(Role::Worker),
            limits: SensorLimits::default(),
            sensor: None,
            lens: None,
            gone: false,
            unsent: Seldom::default(),
        }
    }

    /// As libcamera does before it serialises `configure`.
    pub(crate) fn reset(&mut self) {
        self.serializer.reset();
        self.sensor = None;
        self.lens = None;
    }

    /// What sensor and lens may be told from now on.
    pub(crate) fn set_limits(&mut self, limits: SensorLimits) {
        self.limits = limits;
        self.sensor = None;
        self.lens = None;
    }

    /// Answers a call that returns nothing, or only a number.
    pub(crate) fn reply(&mut self, cookie: u32, reply: &Reply) {
        match reply.encode(cookie, self.dialect) {
            Ok(message) => drop(self.send(&message)),
            Err(error) => log::error!("an answer cannot be written: {error}"),
        }
    }

    /// Answers `init` or `configure`; the map is there whatever `ret` is, under a handle that
    /// libcamera does not have yet: one that it has it would not read again (number 8).
    pub(crate) fn reply_controls(
        &mut self,
        (number, cookie): (u32, u32),
        ret: i32,
        controls: Vec<ControlInfo>,
    ) {
        let sent = self
            .controls_reply(number, ret, limits_for(controls, self.dialect))
            .and_then(|reply| reply.encode(cookie, self.dialect));
        let sent = match sent {
            Ok(message) => self.send(&message),
            Err(error) => {
                log::error!("the camera's controls cannot be written: {error}");
                false
            }
        };
        if !sent && !self.gone {
            // Too large, or too many maps: an answer that offers nothing is better than none.
            if let Ok(reply) = self.controls_reply(number, -libc::EMSGSIZE, Vec::new()) {
                self.reply(cookie, &reply);
            }
        }
    }

    fn controls_reply(
        &mut self,
        number: u32,
        ret: i32,
        controls: Vec<ControlInfo>,
    ) -> Result<Reply, WireError> {
        let map: InfoMapPacket = match self.serializer.add_map(IdMap::Controls, controls) {
            Ok(handle) => self.serializer.send_map(handle)?,
            Err(error) => return Err(error),
        };
        let ipa_controls = Some(map);
        Ok(match number {
            command::INIT => Reply::Init { ret, ipa_controls },
            _ => Reply::Configure { ret, ipa_controls },
        })
    }

    /// `setSensorControls`.
    pub(crate) fn sensor_controls(&mut self, frame: u32, settings: &SensorSettings) {
        let sensor = self.limits.sensor(settings);
        if sensor.is_empty() {
            return log::error!("the sensor has neither exposure nor gain: nothing is set");
        }
        let lens = self.limits.lens(settings);
        let lists = self.v4l2_list(false, sensor).and_then(|sensor| {
            let lens = self.v4l2_list(true, lens)?;
            Ok(Event::SetSensorControls {
                frame,
                sensor_controls: Some(sensor),
                lens_controls: Some(lens),
            })
        });
        if let Err(error) = lists.and_then(|event| self.event(&event)) {
            log::error!("sensor controls of frame {frame} cannot be written: {error}");
        }
    }

    /// A list of V4L2 controls, of our own map. Also an empty one has a map: libcamera up to 0.5.1
    /// aborts over one that has none (number 7).
    fn v4l2_list(&mut self, lens: bool, controls: Vec<Control>) -> Result<ListPacket, WireError> {
        let known = if lens { self.lens } else { self.sensor };
        let handle = match known {
            Some(handle) => handle,
            None => {
                let map = if lens { self.limits.lens_map() } else { self.limits.sensor_map() };
                let map = limits_for(map, self.dialect);
                let handle = self.serializer.add_map(IdMap::V4l2, map)?;
                *(if lens { &mut self.lens } else { &mut self.sensor }) = Some(handle);
                handle
            }
        };
        self.serializer.send_list(ControlList { handle, id_map: IdMap::V4l2, controls })
    }

    /// `paramsComputed`.
    pub(crate) fn params_computed(&mut self, frame: u32) {
        if let Err(error) = self.event(&Event::ParamsComputed { frame }) {
            log::error!("parameters of frame {frame} cannot be told: {error}");
        }
    }

    /// `metadataReady`.
    pub(crate) fn metadata_ready(&mut self, frame: u32, metadata: &[Control]) {
        let event = |controls| {
            let list = ControlList { handle: 0, id_map: IdMap::Controls, controls };
            Event::MetadataReady { frame, metadata: Some(list.into()) }
        };
        if let Err(error) = self.event(&event(values_for(metadata, self.dialect))) {
            log::error!("metadata of frame {frame} cannot be written, it gets none: {error}");
            if let Err(error) = self.event(&event(Vec::new())) {
                log::error!("frame {frame} cannot be completed: {error}");
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), WireError> {
        let message = event.encode(self.dialect)?;
        if self.send(&message) || self.gone {
            return Ok(());
        }
        Err(WireError::TooLong { limit: crate::limits::MESSAGE_BYTES, length: message.len() })
    }

    /// Sends, or queues behind what waits already; never blocks, and never parts the two halves of a
    /// message (numbers 9 and 11: `cami_link` keeps both). False where it was not accepted.
    fn send(&mut self, message: &[u8]) -> bool {
        match self.link.send(&[IoSlice::new(message)], &[], Duration::ZERO) {
            Ok(_) => true,
            Err(SendError::Closed) => {
                self.gone = true;
                false
            }
            Err(error) => {
                if let Some(total) = self.unsent.count() {
                    log::error!("a message to libcamera was not sent: {error}; {total} so far");
                }
                false
            }
        }
    }
}
