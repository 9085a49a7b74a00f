//! Control lists: controls and their values.

use super::control_packet::{Packet, PacketWriter, ValueEntry};
use super::{ControlValue, Dialect, IdMap, InfoMapPacket, Value};
use crate::WireError;
use crate::reader::Reader;
use crate::writer::Writer;

/// A control and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The control's id, known or not.
    pub id: u32,
    /// Its value.
    pub value: ControlValue,
}

/// `ControlList`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlList {
    /// Handle of the info map that the list was made for; 0 for none.
    pub handle: u32,
    /// Where the ids come from.
    pub id_map: IdMap,
    /// The controls, in the order of the wire, which means nothing.
    pub controls: Vec<Control>,
}

impl ControlList {
    /// The value of a control.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&ControlValue> {
        self.controls.iter().find_map(|control| (control.id == id).then_some(&control.value))
    }
}

/// A control list as messages carry it: `u32 info_size, u32 list_size`, the packet of its info map
/// if the peer may not know that yet, and the packet of the list.
///
/// Where a message has `Option<ListPacket>`, `None` is no bytes at all: what libcamera sends for an
/// empty list in a struct, and for one that it could not serialise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPacket {
    /// The info map, the first time that it is used.
    pub info: Option<InfoMapPacket>,
    /// The list.
    pub list: ControlList,
}

impl From<ControlList> for ListPacket {
    fn from(list: ControlList) -> Self {
        Self { info: None, list }
    }
}

/// Bytes of an entry: version 1 lacks the last reserved word.
fn entry_bytes(dialect: Dialect) -> usize {
    if dialect.packet_version() > 1 { 20 } else { 16 }
}

impl Value for ControlList {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut packet = PacketWriter::new(dialect);
        for control in &self.controls {
            Writer::new(&mut packet.entries).u32(control.id);
            ValueEntry::of(&control.value, packet.offset()).encode(dialect, &mut packet.entries)?;
            packet.value(&control.value)?;
        }
        packet.finish(self.handle, self.id_map, self.controls.len(), out);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut packet = Packet::decode(bytes, entry_bytes(dialect), 0, dialect)?;
        let mut controls = Vec::new();
        for _ in 0..packet.count {
            let id = packet.entries.u32()?;
            let entry = ValueEntry::decode(&mut packet.entries, dialect)?;
            controls.push(Control { id, value: entry.read(&mut packet.data)? });
        }
        packet.data.finish()?;
        Ok(Self { handle: packet.handle, id_map: packet.id_map, controls })
    }
}

impl Value for Option<ListPacket> {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let Some(packet) = self else { return Ok(()) };
        let mut info = Vec::new();
        if let Some(map) = &packet.info {
            map.encode_packet(dialect, &mut info)?;
        }
        let mut list = Vec::new();
        packet.list.encode(dialect, &mut list)?;
        let mut writer = Writer::new(out);
        writer.size(info.len());
        writer.size(list.len());
        writer.bytes(&info);
        writer.bytes(&list);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(bytes);
        let info_size = reader.size()?;
        let list_size = reader.size()?;
        let info = match reader.bytes(info_size)? {
            [] => None,
            packet => Some(InfoMapPacket::decode_packet(packet, dialect)?),
        };
        let list = ControlList::decode(reader.bytes(list_size)?, dialect)?;
        reader.finish()?;
        Ok(Some(ListPacket { info, list }))
    }
}
