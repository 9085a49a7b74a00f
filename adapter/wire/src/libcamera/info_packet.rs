//! Control info maps: which controls there are, and their limits.

use super::control_packet::{HEADER_BYTES, Packet, PacketWriter, ValueEntry};
use super::{ControlType, ControlValue, Dialect, IdMap, Value};
use crate::WireError;
use crate::reader::Reader;
use crate::writer::Writer;

/// A control and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlInfo {
    /// The control's id, known or not.
    pub id: u32,
    /// The control's type. Its limits are usually of the same one, and need not be.
    pub kind: ControlType,
    /// 1 in, 2 out, 3 both; on the wire where [`Dialect::has_direction`], otherwise decoded as 0
    /// and not encoded.
    pub direction: u8,
    /// Smallest value.
    pub min: ControlValue,
    /// Largest value.
    pub max: ControlValue,
    /// Default value.
    pub def: ControlValue,
}

/// `ControlInfoMap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlInfoMap {
    /// Number by which lists name this map. The proxy's are odd, the worker's even.
    pub handle: u32,
    /// Where the ids come from.
    pub id_map: IdMap,
    /// The controls, in the order of the wire, which means nothing.
    pub controls: Vec<ControlInfo>,
}

/// A control info map as messages carry it: `u32 size`, then the packet.
///
/// Where a message has `Option<InfoMapPacket>`, `None` is no bytes at all: what libcamera sends for
/// an empty map in a struct, and for one that it could not serialise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InfoMapPacket {
    /// The map.
    Map(ControlInfoMap),
    /// A packet of so many zero bytes: libcamera's way of saying that it has sent the map before.
    /// It does not say which.
    AlreadySent {
        /// Size of the packet, which is that of the map.
        bytes: usize,
    },
}

/// Bytes of an entry. Version 1: id, type, offset, direction and padding. Version 2: id, type,
/// direction and padding, three value descriptions.
fn entry_bytes(dialect: Dialect) -> usize {
    if dialect.packet_version() > 1 { 64 } else { 16 }
}

/// Bytes that 0.6.0 leaves unused behind the entries, for each of them: it counts their value
/// descriptions twice (mended in 0.7.0, libcamera 5e59969d). Its reader needs none, as every libcamera's
/// goes by the header's offset.
fn unused_bytes(dialect: Dialect) -> usize {
    if dialect.packet_version() > 1 { 48 } else { 0 }
}

impl ControlInfo {
    fn encode(&self, packet: &mut PacketWriter, dialect: Dialect) -> Result<(), WireError> {
        let values = [&self.min, &self.max, &self.def];
        let kind = u32::from(self.kind.number(dialect)?);
        let direction = if dialect.has_direction() { u32::from(self.direction) } else { 0 };
        let offset = packet.offset();
        let mut entry = Writer::new(&mut packet.entries);
        entry.u32(self.id);
        entry.u32(kind);
        if dialect.packet_version() > 1 {
            entry.u32(direction);
            entry.u32(0);
            for value in values {
                ValueEntry::of(value, packet.offset()).encode(dialect, &mut packet.entries)?;
                packet.value(value)?;
            }
        } else {
            entry.u32(offset);
            entry.u32(direction);
            for value in values {
                // Version 1 has no place for a number of elements, and libcamera's reader assumes
                // one: an array would make it drop the map.
                if value.is_array() {
                    return Err(WireError::ControlValue);
                }
                packet.value(value)?;
            }
        }
        Ok(())
    }

    fn decode(packet: &mut Packet<'_>, dialect: Dialect) -> Result<Self, WireError> {
        let id = packet.entries.u32()?;
        let kind = ControlType::from_number(packet.entries.u32()?, dialect)?;
        if dialect.packet_version() > 1 {
            let direction = direction(&mut packet.entries)?;
            packet.entries.u32()?;
            let [min, max, def] = [
                ValueEntry::decode(&mut packet.entries, dialect)?.read(&mut packet.data)?,
                ValueEntry::decode(&mut packet.entries, dialect)?.read(&mut packet.data)?,
                ValueEntry::decode(&mut packet.entries, dialect)?.read(&mut packet.data)?,
            ];
            Ok(Self { id, kind, direction, min, max, def })
        } else {
            packet.data.at(packet.entries.u32()?)?;
            let found = direction(&mut packet.entries)?;
            let direction = if dialect.has_direction() { found } else { 0 };
            let [min, max, def] = [
                packet.data.value(None, false, 1)?,
                packet.data.value(None, false, 1)?,
                packet.data.value(None, false, 1)?,
            ];
            Ok(Self { id, kind, direction, min, max, def })
        }
    }
}

/// The direction byte and the three bytes of padding behind it.
fn direction(entries: &mut Reader<'_>) -> Result<u8, WireError> {
    let [direction, ..] = entries.array::<4>()?;
    Ok(direction)
}

impl Value for ControlInfoMap {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut packet = PacketWriter::new(dialect);
        for control in &self.controls {
            control.encode(&mut packet, dialect)?;
        }
        packet.finish(self.handle, self.id_map, self.controls.len(), out);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut packet =
            Packet::decode(bytes, entry_bytes(dialect), unused_bytes(dialect), dialect)?;
        let mut controls = Vec::new();
        for _ in 0..packet.count {
            controls.push(ControlInfo::decode(&mut packet, dialect)?);
        }
        packet.data.finish()?;
        Ok(Self { handle: packet.handle, id_map: packet.id_map, controls })
    }
}

impl InfoMapPacket {
    /// Appends the bare packet.
    pub(super) fn encode_packet(
        &self,
        dialect: Dialect,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        match self {
            Self::Map(map) => map.encode(dialect, out),
            Self::AlreadySent { bytes } => {
                out.resize(out.len().saturating_add(*bytes), 0);
                Ok(())
            }
        }
    }

    /// Reads a bare packet.
    pub(super) fn decode_packet(packet: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        if packet.len() >= HEADER_BYTES && packet.iter().all(|&byte| byte == 0) {
            return Ok(Self::AlreadySent { bytes: packet.len() });
        }
        ControlInfoMap::decode(packet, dialect).map(Self::Map)
    }
}

impl Value for Option<InfoMapPacket> {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let Some(map) = self else { return Ok(()) };
        let mut packet = Vec::new();
        map.encode_packet(dialect, &mut packet)?;
        let mut writer = Writer::new(out);
        writer.size(packet.len());
        writer.bytes(&packet);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(bytes);
        let size = reader.size()?;
        let packet = reader.bytes(size)?;
        reader.finish()?;
        InfoMapPacket::decode_packet(packet, dialect).map(Some)
    }
}
