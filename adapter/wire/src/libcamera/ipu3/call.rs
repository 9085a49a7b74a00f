//! What libcamera asks of the IPA.

use super::super::value::{bytes_of, decode_empty};
use super::super::{
    Dialect, InfoMapPacket, IpaBuffer, IpaCameraSensorInfo, IpaSettings, ListPacket, Value,
};
use super::{ConfigInfo, command};
use crate::WireError;
use crate::arguments::{Argument, join, split};
use crate::message::{EXIT, Header};

/// A call. `init`, `start`, `stop`, `configure`, `mapBuffers` and `unmapBuffers` wait for a
/// [`super::Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// End; not answered.
    Exit,
    /// Once, when the camera is found.
    Init {
        /// Tuning file and sensor.
        settings: IpaSettings,
        /// The sensor at full resolution.
        sensor_info: IpaCameraSensorInfo,
        /// V4L2 controls of the sensor.
        sensor_controls: Option<InfoMapPacket>,
    },
    /// Streaming begins.
    Start,
    /// Streaming ended.
    Stop,
    /// A mode was chosen. Both sides reset their [`crate::libcamera::ControlSerializer`] before this.
    Configure(Box<ConfigInfo>),
    /// Buffers for parameters and statistics.
    MapBuffers(Vec<IpaBuffer>),
    /// Buffers that are gone.
    UnmapBuffers(Vec<u32>),
    /// A frame was queued to the receiver; not answered.
    QueueRequest {
        /// Frame number.
        frame: u32,
        /// The application's controls.
        controls: Option<ListPacket>,
    },
    /// Parameters are wanted; not answered but by [`super::Event::ParamsComputed`].
    ComputeParams {
        /// Frame number.
        frame: u32,
        /// Buffer to fill.
        buffer_id: u32,
    },
    /// Statistics are there; not answered but by [`super::Event::MetadataReady`].
    ProcessStats {
        /// Frame number.
        frame: u32,
        /// Time of the frame in nanoseconds.
        frame_timestamp: i64,
        /// Buffer with the statistics.
        buffer_id: u32,
        /// Sensor controls that were in effect.
        sensor_controls: Option<ListPacket>,
    },
}

impl Call {
    /// The command number.
    #[must_use]
    pub const fn command(&self) -> u32 {
        match self {
            Self::Exit => EXIT,
            Self::Init { .. } => command::INIT,
            Self::Start => command::START,
            Self::Stop => command::STOP,
            Self::Configure(_) => command::CONFIGURE,
            Self::MapBuffers(_) => command::MAP_BUFFERS,
            Self::UnmapBuffers(_) => command::UNMAP_BUFFERS,
            Self::QueueRequest { .. } => command::QUEUE_REQUEST,
            Self::ComputeParams { .. } => command::COMPUTE_PARAMS,
            Self::ProcessStats { .. } => command::PROCESS_STATS,
        }
    }

    /// The whole message.
    ///
    /// # Errors
    /// Those of [`Value::encode`].
    pub fn encode(&self, cookie: u32, dialect: Dialect) -> Result<Vec<u8>, WireError> {
        let mut out = Header { command: self.command(), cookie }.encode().to_vec();
        match self {
            Self::Exit | Self::Start | Self::Stop => {}
            Self::Init { settings, sensor_info, sensor_controls } => join(
                &[
                    Argument::plain(&bytes_of(settings, dialect)?),
                    Argument::plain(&bytes_of(sensor_info, dialect)?),
                    Argument::plain(&bytes_of(sensor_controls, dialect)?),
                ],
                &mut out,
            ),
            Self::Configure(info) => info.encode(dialect, &mut out)?,
            Self::MapBuffers(buffers) => buffers.encode(dialect, &mut out)?,
            Self::UnmapBuffers(ids) => ids.encode(dialect, &mut out)?,
            Self::QueueRequest { frame, controls } => join(
                &[
                    Argument::plain(&frame.to_le_bytes()),
                    Argument::plain(&bytes_of(controls, dialect)?),
                ],
                &mut out,
            ),
            Self::ComputeParams { frame, buffer_id } => join(
                &[Argument::plain(&frame.to_le_bytes()), Argument::plain(&buffer_id.to_le_bytes())],
                &mut out,
            ),
            Self::ProcessStats { frame, frame_timestamp, buffer_id, sensor_controls } => join(
                &[
                    Argument::plain(&frame.to_le_bytes()),
                    Argument::plain(&frame_timestamp.to_le_bytes()),
                    Argument::plain(&buffer_id.to_le_bytes()),
                    Argument::plain(&bytes_of(sensor_controls, dialect)?),
                ],
                &mut out,
            ),
        }
        Ok(out)
    }

    /// The body of a message with that command number.
    ///
    /// # Errors
    /// Any [`WireError`].
    pub fn decode(command: u32, body: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        match command {
            EXIT => decode_empty(body).map(|()| Self::Exit),
            command::INIT => {
                let [settings, sensor_info, sensor_controls] = split(body, [false; 3])?.bytes;
                Ok(Self::Init {
                    settings: Value::decode(settings, dialect)?,
                    sensor_info: Value::decode(sensor_info, dialect)?,
                    sensor_controls: Value::decode(sensor_controls, dialect)?,
                })
            }
            command::START => decode_empty(body).map(|()| Self::Start),
            command::STOP => decode_empty(body).map(|()| Self::Stop),
            command::CONFIGURE => {
                ConfigInfo::decode(body, dialect).map(|info| Self::Configure(Box::new(info)))
            }
            command::MAP_BUFFERS => Value::decode(body, dialect).map(Self::MapBuffers),
            command::UNMAP_BUFFERS => Value::decode(body, dialect).map(Self::UnmapBuffers),
            command::QUEUE_REQUEST => {
                let [frame, controls] = split(body, [false; 2])?.bytes;
                Ok(Self::QueueRequest {
                    frame: Value::decode(frame, dialect)?,
                    controls: Value::decode(controls, dialect)?,
                })
            }
            command::COMPUTE_PARAMS => {
                let [frame, buffer_id] = split(body, [false; 2])?.bytes;
                Ok(Self::ComputeParams {
                    frame: Value::decode(frame, dialect)?,
                    buffer_id: Value::decode(buffer_id, dialect)?,
                })
            }
            command::PROCESS_STATS => {
                let [frame, frame_timestamp, buffer_id, sensor_controls] =
                    split(body, [false; 4])?.bytes;
                Ok(Self::ProcessStats {
                    frame: Value::decode(frame, dialect)?,
                    frame_timestamp: Value::decode(frame_timestamp, dialect)?,
                    buffer_id: Value::decode(buffer_id, dialect)?,
                    sensor_controls: Value::decode(sensor_controls, dialect)?,
                })
            }
            other => Err(WireError::UnknownCommand(other)),
        }
    }

    /// File descriptors that the message carries: those of the planes, in order.
    #[must_use]
    pub fn expected_fds(&self) -> usize {
        match self {
            Self::MapBuffers(buffers) => usize::try_from(buffers.fds()).unwrap_or(usize::MAX),
            _ => 0,
        }
    }
}
