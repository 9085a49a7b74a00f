//! What control info maps and control lists have in common on the wire: the packet header and the
//! description of a value.
//!
//! Source: libcamera `include/libcamera/ipa/ipa_controls.h` and
//! `src/libcamera/control_serializer.cpp`. libcamera leaves reserved and padding bytes
//! uninitialised; here they are ignored on read and zero on write.

use super::{ControlType, ControlValue, Dialect};
use crate::WireError;
use crate::reader::Reader;
use crate::writer::{Writer, announced};

/// Size of a packet header in bytes.
pub(super) const HEADER_BYTES: usize = 32;

/// The set of control ids that a map or a list draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdMap {
    /// `libcamera::controls`.
    Controls,
    /// `libcamera::properties`.
    Properties,
    /// V4L2 control ids, or any other that libcamera has no global table of.
    V4l2,
}

impl IdMap {
    const fn number(self) -> u32 {
        match self {
            Self::Controls => 0,
            Self::Properties => 1,
            Self::V4l2 => 2,
        }
    }

    const fn from_number(number: u32) -> Result<Self, WireError> {
        match number {
            0 => Ok(Self::Controls),
            1 => Ok(Self::Properties),
            2 => Ok(Self::V4l2),
            other => Err(WireError::IdMap(other)),
        }
    }
}

/// A packet without its header.
pub(super) struct Packet<'a> {
    pub handle: u32,
    pub id_map: IdMap,
    /// Number of entries; `entries` has room for exactly so many.
    pub count: usize,
    pub entries: Reader<'a>,
    pub data: DataReader<'a>,
}

impl<'a> Packet<'a> {
    /// Splits a packet whose entries have `entry_bytes` each. Behind them there may be `unused_bytes`
    /// for each of them, or none.
    pub fn decode(
        packet: &'a [u8],
        entry_bytes: usize,
        unused_bytes: usize,
        dialect: Dialect,
    ) -> Result<Self, WireError> {
        let mut reader = Reader::new(packet);
        let version = reader.u32()?;
        if version != dialect.packet_version() {
            return Err(WireError::PacketVersion(version));
        }
        let handle = reader.u32()?;
        let count = reader.size()?;
        reader.exact_size(announced(packet.len()))?;
        let data_offset = reader.u32()?;
        let id_map = IdMap::from_number(reader.u32()?)?;
        reader.bytes(8)?;
        let entries_bytes = count
            .checked_mul(entry_bytes)
            .filter(|&bytes| bytes <= reader.remaining())
            .ok_or(WireError::BadCount(announced(count)))?;
        let entries_end = HEADER_BYTES.saturating_add(entries_bytes);
        let unused = count.saturating_mul(unused_bytes);
        let unused = if data_offset == announced(entries_end) {
            0
        } else if data_offset == announced(entries_end.saturating_add(unused)) {
            unused
        } else {
            return Err(WireError::DataOffset(data_offset));
        };
        let entries = Reader::new(reader.bytes(entries_bytes)?);
        reader.bytes(unused)?;
        let data = DataReader { offset: 0, reader, dialect };
        Ok(Self { handle, id_map, count, entries, data })
    }
}

/// The data section of a packet that is being read. Values must follow each other in the order of
/// their entries, without gaps.
pub(super) struct DataReader<'a> {
    offset: usize,
    reader: Reader<'a>,
    dialect: Dialect,
}

impl DataReader<'_> {
    /// Checks that an entry's value is the next one.
    pub fn at(&self, offset: u32) -> Result<(), WireError> {
        if announced(self.offset) == offset { Ok(()) } else { Err(WireError::DataOffset(offset)) }
    }

    /// Reads a value; version 1 packets have its type in front of it, and `described` must agree.
    pub fn value(
        &mut self,
        described: Option<ControlType>,
        is_array: bool,
        count: u16,
    ) -> Result<ControlValue, WireError> {
        let before = self.reader.remaining();
        let kind = if self.dialect.packet_version() == 1 {
            let kind = ControlType::from_number(self.reader.u32()?, self.dialect)?;
            if described.is_some_and(|described| described != kind) {
                return Err(WireError::ControlValue);
            }
            kind
        } else {
            described.ok_or(WireError::ControlValue)?
        };
        let data = self.reader.bytes(ControlValue::byte_length(kind, count))?;
        self.offset = self.offset.saturating_add(before.saturating_sub(self.reader.remaining()));
        ControlValue::from_parts(kind, is_array, count, data)
    }

    /// Declares the section complete.
    pub fn finish(self) -> Result<(), WireError> {
        self.reader.finish()
    }
}

/// A packet that is being written.
pub(super) struct PacketWriter {
    dialect: Dialect,
    pub entries: Vec<u8>,
    data: Vec<u8>,
}

impl PacketWriter {
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, entries: Vec::new(), data: Vec::new() }
    }

    /// Offset at which the next value goes.
    pub fn offset(&self) -> u32 {
        announced(self.data.len())
    }

    /// Appends a value to the data section.
    pub fn value(&mut self, value: &ControlValue) -> Result<(), WireError> {
        if self.dialect.packet_version() == 1 {
            let number = value.kind().number(self.dialect)?;
            Writer::new(&mut self.data).u32(u32::from(number));
        }
        self.data.extend_from_slice(value.data());
        Ok(())
    }

    /// Appends the packet of `count` entries to `out`.
    pub fn finish(self, handle: u32, id_map: IdMap, count: usize, out: &mut Vec<u8>) {
        let data_offset = HEADER_BYTES.saturating_add(self.entries.len());
        let mut writer = Writer::new(out);
        writer.u32(self.dialect.packet_version());
        writer.u32(handle);
        writer.size(count);
        writer.size(data_offset.saturating_add(self.data.len()));
        writer.size(data_offset);
        writer.u32(id_map.number());
        writer.u64(0);
        writer.bytes(&self.entries);
        writer.bytes(&self.data);
    }
}

/// Description of a value: `u8 type, u8 is_array, u16 count, u32 offset`, and reserved bytes: 4 in
/// version 1 packets, 8 in version 2.
pub(super) struct ValueEntry {
    pub kind: ControlType,
    pub is_array: bool,
    pub count: u16,
    pub offset: u32,
}

impl ValueEntry {
    /// Describes `value`, which stands at `offset`.
    pub const fn of(value: &ControlValue, offset: u32) -> Self {
        Self { kind: value.kind(), is_array: value.is_array(), count: value.count(), offset }
    }

    pub fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.u8(self.kind.number(dialect)?);
        writer.u8(u8::from(self.is_array));
        writer.u16(self.count);
        writer.u32(self.offset);
        writer.u32(0);
        if dialect.packet_version() > 1 {
            writer.u32(0);
        }
        Ok(())
    }

    pub fn decode(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self, WireError> {
        let kind = ControlType::from_number(u32::from(reader.u8()?), dialect)?;
        let is_array = match reader.u8()? {
            0 => false,
            1 => true,
            other => return Err(WireError::BadFlag(u32::from(other))),
        };
        let count = reader.u16()?;
        let offset = reader.u32()?;
        reader.u32()?;
        if dialect.packet_version() > 1 {
            reader.u32()?;
        }
        Ok(Self { kind, is_array, count, offset })
    }

    /// Reads the value that this describes, which must be the next one.
    pub fn read(&self, data: &mut DataReader<'_>) -> Result<ControlValue, WireError> {
        data.at(self.offset)?;
        data.value(Some(self.kind), self.is_array, self.count)
    }
}
