//! What the IPA says unasked.

use super::super::value::bytes_of;
use super::super::{Dialect, ListPacket, Value};
use super::event;
use crate::WireError;
use crate::arguments::{Argument, join, split};
use crate::message::{EVENT_COOKIE, Header};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Controls for the sensor and the lens.
    SetSensorControls {
        /// Frame that they were computed from.
        frame: u32,
        /// The sensor's.
        sensor_controls: Option<ListPacket>,
        /// The lens's.
        lens_controls: Option<ListPacket>,
    },
    /// The parameters of a frame are in their buffer.
    ParamsComputed {
        /// Frame number.
        frame: u32,
    },
    /// The metadata of a frame.
    MetadataReady {
        /// Frame number.
        frame: u32,
        /// libcamera controls.
        metadata: Option<ListPacket>,
    },
}

impl Event {
    /// The event number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        match self {
            Self::SetSensorControls { .. } => event::SET_SENSOR_CONTROLS,
            Self::ParamsComputed { .. } => event::PARAMS_COMPUTED,
            Self::MetadataReady { .. } => event::METADATA_READY,
        }
    }

    /// The whole message.
    ///
    /// # Errors
    /// Those of [`Value::encode`].
    pub fn encode(&self, dialect: Dialect) -> Result<Vec<u8>, WireError> {
        let mut out = Header { command: self.number(), cookie: EVENT_COOKIE }.encode().to_vec();
        match self {
            Self::SetSensorControls { frame, sensor_controls, lens_controls } => join(
                &[
                    Argument::plain(&frame.to_le_bytes()),
                    Argument::plain(&bytes_of(sensor_controls, dialect)?),
                    Argument::plain(&bytes_of(lens_controls, dialect)?),
                ],
                &mut out,
            ),
            Self::ParamsComputed { frame } => frame.encode(dialect, &mut out)?,
            Self::MetadataReady { frame, metadata } => join(
                &[
                    Argument::plain(&frame.to_le_bytes()),
                    Argument::plain(&bytes_of(metadata, dialect)?),
                ],
                &mut out,
            ),
        }
        Ok(out)
    }

    /// The body of an event with that number.
    ///
    /// # Errors
    /// Any [`WireError`].
    pub fn decode(number: u32, body: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        match number {
            event::SET_SENSOR_CONTROLS => {
                let [frame, sensor_controls, lens_controls] = split(body, [false; 3])?.bytes;
                Ok(Self::SetSensorControls {
                    frame: Value::decode(frame, dialect)?,
                    sensor_controls: Value::decode(sensor_controls, dialect)?,
                    lens_controls: Value::decode(lens_controls, dialect)?,
                })
            }
            event::PARAMS_COMPUTED => {
                Ok(Self::ParamsComputed { frame: Value::decode(body, dialect)? })
            }
            event::METADATA_READY => {
                let [frame, metadata] = split(body, [false; 2])?.bytes;
                Ok(Self::MetadataReady {
                    frame: Value::decode(frame, dialect)?,
                    metadata: Value::decode(metadata, dialect)?,
                })
            }
            other => Err(WireError::UnknownCommand(other)),
        }
    }

    /// File descriptors that the message carries: none.
    #[must_use]
    pub const fn expected_fds(&self) -> usize {
        0
    }
}
