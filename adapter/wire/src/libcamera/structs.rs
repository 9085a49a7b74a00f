//! The structs that all of libcamera's IPA interfaces share.
//!
//! Source: libcamera `include/libcamera/ipa/core.mojom`; `Plane` and `SharedFD` in
//! `src/libcamera/ipa_data_serializer.cpp`.

use super::value::{get_field, put_field};
use super::{Dialect, Rectangle, Size, Value};
use crate::WireError;
use crate::reader::Reader;
use crate::writer::Writer;

/// A file descriptor, or none: a presence flag. The file descriptors of a message come beside it,
/// in the order of the flags that are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedFd {
    /// Whether one accompanies the message.
    pub valid: bool,
}

impl Value for SharedFd {
    const HOLDS_FDS: bool = true;

    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        Writer::new(out).flag(self.valid);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let valid = reader.flag()?;
        reader.finish()?;
        Ok(Self { valid })
    }

    fn fds(&self) -> u32 {
        u32::from(self.valid)
    }
}

/// `FrameBuffer::Plane`: a part of a dmabuf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plane {
    /// The dmabuf.
    pub fd: SharedFd,
    /// Start of the plane in bytes.
    pub offset: u32,
    /// Length of the plane in bytes.
    pub length: u32,
}

impl Value for Plane {
    const HOLDS_FDS: bool = true;

    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.fd.encode(dialect, out)?;
        let mut writer = Writer::new(out);
        writer.u32(self.offset);
        writer.u32(self.length);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let plane = Self {
            fd: SharedFd { valid: reader.flag()? },
            offset: reader.u32()?,
            length: reader.u32()?,
        };
        reader.finish()?;
        Ok(plane)
    }

    fn fds(&self) -> u32 {
        self.fd.fds()
    }
}

/// `IPABuffer`: a buffer that the IPA shall map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpaBuffer {
    /// Number by which later calls name the buffer.
    pub id: u32,
    /// Its planes.
    pub planes: Vec<Plane>,
}

impl Value for IpaBuffer {
    const HOLDS_FDS: bool = true;

    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        Writer::new(out).u32(self.id);
        put_field(&self.planes, dialect, out)
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let buffer = Self { id: reader.u32()?, planes: get_field(&mut reader, dialect)? };
        reader.finish()?;
        Ok(buffer)
    }

    fn fds(&self) -> u32 {
        self.planes.fds()
    }
}

/// `IPASettings`: what an IPA is told about its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpaSettings {
    /// Path of the tuning file; may be empty.
    pub configuration_file: String,
    /// Model of the sensor.
    pub sensor_model: String,
}

impl Value for IpaSettings {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.string(&self.configuration_file);
        writer.string(&self.sensor_model);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let settings =
            Self { configuration_file: reader.string()?, sensor_model: reader.string()? };
        reader.finish()?;
        Ok(settings)
    }
}

/// `IPACameraSensorInfo`: the sensor and its present mode. Lengths of lines are in pixels, lengths
/// of frames in lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpaCameraSensorInfo {
    /// Model name.
    pub model: String,
    /// Bits per sample.
    pub bits_per_pixel: u32,
    /// Colour filter arrangement; on the wire where [`Dialect::has_cfa_pattern`], otherwise
    /// decoded as 0 and not encoded.
    pub cfa_pattern: u32,
    /// Size of the active pixel array.
    pub active_area_size: Size,
    /// Part of the active array that is read out.
    pub analog_crop: Rectangle,
    /// Size of the frames.
    pub output_size: Size,
    /// Pixels per second.
    pub pixel_rate: u64,
    /// Shortest line with blanking.
    pub min_line_length: u32,
    /// Longest line with blanking.
    pub max_line_length: u32,
    /// Shortest frame with blanking.
    pub min_frame_length: u32,
    /// Longest frame with blanking.
    pub max_frame_length: u32,
}

impl IpaCameraSensorInfo {
    /// Bytes behind the model name where there is no `cfaPattern`.
    pub(super) const BYTES_AFTER_MODEL: usize = 72;
}

impl Value for IpaCameraSensorInfo {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.string(&self.model);
        writer.u32(self.bits_per_pixel);
        if dialect.has_cfa_pattern() {
            writer.u32(self.cfa_pattern);
        }
        put_field(&self.active_area_size, dialect, out)?;
        put_field(&self.analog_crop, dialect, out)?;
        put_field(&self.output_size, dialect, out)?;
        let mut writer = Writer::new(out);
        writer.u64(self.pixel_rate);
        writer.u32(self.min_line_length);
        writer.u32(self.max_line_length);
        writer.u32(self.min_frame_length);
        writer.u32(self.max_frame_length);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let info = Self {
            model: reader.string()?,
            bits_per_pixel: reader.u32()?,
            cfa_pattern: if dialect.has_cfa_pattern() { reader.u32()? } else { 0 },
            active_area_size: get_field(&mut reader, dialect)?,
            analog_crop: get_field(&mut reader, dialect)?,
            output_size: get_field(&mut reader, dialect)?,
            pixel_rate: reader.u64()?,
            min_line_length: reader.u32()?,
            max_line_length: reader.u32()?,
            min_frame_length: reader.u32()?,
            max_frame_length: reader.u32()?,
        };
        reader.finish()?;
        Ok(info)
    }
}

/// `IPAStream`: a stream that the pipeline configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpaStream {
    /// FourCC of the pixel format.
    pub pixel_format: u32,
    /// Size of the frames.
    pub size: Size,
}

impl Value for IpaStream {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        Writer::new(out).u32(self.pixel_format);
        put_field(&self.size, dialect, out)
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let stream = Self { pixel_format: reader.u32()?, size: get_field(&mut reader, dialect)? };
        reader.finish()?;
        Ok(stream)
    }
}
