//! What libcamera asks of the IPA.

use super::super::value::{bytes_of, decode_empty};
use super::super::{
    Dialect, InfoMapPacket, IpaBuffer, IpaCameraSensorInfo, IpaSettings, IpaStream, ListPacket,
    Map, SharedFd, Value,
};
use super::command;
use crate::WireError;
use crate::arguments::{Argument, check_fds, join, split};
use crate::message::{EXIT, Header};

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// End; not answered.
    Exit,
    /// Once, when the camera is found.
    Init {
        /// Configuration file and sensor.
        settings: IpaSettings,
        /// Where to write a trace; on the wire where [`Dialect::vimc_has_trace_fd`], otherwise
        /// decoded as not valid and not encoded.
        trace_fd: SharedFd,
        /// An `IPAOperationCode`.
        code: u32,
        /// `TestFlag` bits.
        in_flags: u32,
    },
    /// A mode was chosen.
    Configure {
        /// The sensor in that mode.
        sensor_info: IpaCameraSensorInfo,
        /// Streams by number.
        stream_config: Map<u32, IpaStream>,
        /// Controls by entity.
        entity_controls: Map<u32, Option<InfoMapPacket>>,
    },
    /// Streaming begins.
    Start,
    /// Streaming ended.
    Stop,
    /// Buffers to map.
    MapBuffers(Vec<IpaBuffer>),
    /// Buffers that are gone.
    UnmapBuffers(Vec<u32>),
    /// A frame was queued; not answered.
    QueueRequest {
        /// Frame number.
        frame: u32,
        /// The application's controls.
        controls: Option<ListPacket>,
    },
    /// Parameters are wanted; not answered but by [`super::Event`].
    ComputeParams {
        /// Frame number.
        frame: u32,
        /// Buffer to fill.
        buffer_id: u32,
    },
}

impl Call {
    /// The command number.
    #[must_use]
    pub const fn command(&self) -> u32 {
        match self {
            Self::Exit => EXIT,
            Self::Init { .. } => command::INIT,
            Self::Configure { .. } => command::CONFIGURE,
            Self::Start => command::START,
            Self::Stop => command::STOP,
            Self::MapBuffers(_) => command::MAP_BUFFERS,
            Self::UnmapBuffers(_) => command::UNMAP_BUFFERS,
            Self::QueueRequest { .. } => command::QUEUE_REQUEST,
            Self::ComputeParams { .. } => command::COMPUTE_PARAMS,
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
            Self::Init { settings, trace_fd, code, in_flags } => {
                let settings = bytes_of(settings, dialect)?;
                let trace = bytes_of(trace_fd, dialect)?;
                let (code, in_flags) = (code.to_le_bytes(), in_flags.to_le_bytes());
                let [settings, trace, code, in_flags] = [
                    Argument::plain(&settings),
                    Argument::with_fds(&trace, trace_fd.fds()),
                    Argument::plain(&code),
                    Argument::plain(&in_flags),
                ];
                if dialect.vimc_has_trace_fd() {
                    join(&[settings, trace, code, in_flags], &mut out);
                } else {
                    join(&[settings, code, in_flags], &mut out);
                }
            }
            Self::Configure { sensor_info, stream_config, entity_controls } => join(
                &[
                    Argument::plain(&bytes_of(sensor_info, dialect)?),
                    Argument::plain(&bytes_of(stream_config, dialect)?),
                    Argument::plain(&bytes_of(entity_controls, dialect)?),
                ],
                &mut out,
            ),
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
            command::INIT => decode_init(body, dialect),
            command::CONFIGURE => {
                let [sensor_info, stream_config, entity_controls] = split(body, [false; 3])?.bytes;
                Ok(Self::Configure {
                    sensor_info: Value::decode(sensor_info, dialect)?,
                    stream_config: Value::decode(stream_config, dialect)?,
                    entity_controls: Value::decode(entity_controls, dialect)?,
                })
            }
            command::START => decode_empty(body).map(|()| Self::Start),
            command::STOP => decode_empty(body).map(|()| Self::Stop),
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
            other => Err(WireError::UnknownCommand(other)),
        }
    }

    /// File descriptors that the message carries, in the order of the values that name them.
    #[must_use]
    pub fn expected_fds(&self) -> usize {
        let fds = match self {
            Self::Init { trace_fd, .. } => trace_fd.fds(),
            Self::MapBuffers(buffers) => buffers.fds(),
            _ => 0,
        };
        usize::try_from(fds).unwrap_or(usize::MAX)
    }
}

fn decode_init(body: &[u8], dialect: Dialect) -> Result<Call, WireError> {
    let (settings, trace_fd, code, in_flags) = if dialect.vimc_has_trace_fd() {
        let arguments = split(body, [false, true, false, false])?;
        let [settings, trace, code, in_flags] = arguments.bytes;
        let [_, announced, _, _] = arguments.fds;
        let trace_fd = SharedFd::decode(trace, dialect)?;
        check_fds(trace_fd.fds(), announced)?;
        (settings, trace_fd, code, in_flags)
    } else {
        let [settings, code, in_flags] = split(body, [false; 3])?.bytes;
        (settings, SharedFd::default(), code, in_flags)
    };
    Ok(Call::Init {
        settings: Value::decode(settings, dialect)?,
        trace_fd,
        code: Value::decode(code, dialect)?,
        in_flags: Value::decode(in_flags, dialect)?,
    })
}
