//! What both sides of a link remember of each other's control info maps.
//!
//! Source: libcamera `src/libcamera/control_serializer.cpp` (`ControlSerializer`).

use std::collections::BTreeMap;

use super::{ControlInfo, ControlInfoMap, ControlList, IdMap, InfoMapPacket, ListPacket};
use crate::WireError;

/// Most info maps that a [`ControlSerializer`] keeps between two resets, so that a peer cannot make
/// it grow for ever. An IPU3 session has four.
pub const MAX_INFO_MAPS: usize = 256;

/// Which end of the link this is. It decides which handles are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// libcamera's own process: odd handles.
    Proxy,
    /// The process with the IPA: even handles.
    Worker,
}

impl Role {
    const fn first_handle(self) -> u32 {
        match self {
            Self::Proxy => 1,
            Self::Worker => 2,
        }
    }
}

#[derive(Clone, Debug)]
struct KnownMap {
    map: ControlInfoMap,
    /// Whether the peer has it.
    shared: bool,
}

/// The info maps that a list may refer to, by handle, whichever side they came from.
///
/// libcamera keeps one such table on each side and forgets both on `configure`. Unlike libcamera's,
/// this one never sends a packet of zeros, for which no reader has a use.
#[derive(Clone, Debug)]
pub struct ControlSerializer {
    role: Role,
    next_handle: u32,
    maps: BTreeMap<u32, KnownMap>,
}

impl ControlSerializer {
    /// An empty table.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self { role, next_handle: role.first_handle(), maps: BTreeMap::new() }
    }

    /// Forgets every map and begins again with the first handle. Both sides do this before the
    /// arguments of `configure` are serialised.
    pub fn reset(&mut self) {
        *self = Self::new(self.role);
    }

    /// The map with that handle.
    #[must_use]
    pub fn map(&self, handle: u32) -> Option<&ControlInfoMap> {
        self.maps.get(&handle).map(|known| &known.map)
    }

    /// Adds a map of ours and returns its handle. The peer learns of it through
    /// [`Self::send_map`] or with the first list that uses it.
    ///
    /// # Errors
    /// [`WireError::TooManyMaps`].
    pub fn add_map(&mut self, id_map: IdMap, controls: Vec<ControlInfo>) -> Result<u32, WireError> {
        // A peer that uses our half of the numbers must not make two maps into one.
        while self.maps.contains_key(&self.next_handle) {
            self.next_handle = self.next_handle.wrapping_add(2);
        }
        let handle = self.next_handle;
        self.insert(ControlInfoMap { handle, id_map, controls }, false)?;
        self.next_handle = handle.wrapping_add(2);
        Ok(handle)
    }

    /// The packet that gives the peer the map with that handle.
    ///
    /// # Errors
    /// [`WireError::UnknownHandle`].
    pub fn send_map(&mut self, handle: u32) -> Result<InfoMapPacket, WireError> {
        let known = self.maps.get_mut(&handle).ok_or(WireError::UnknownHandle(handle))?;
        known.shared = true;
        Ok(InfoMapPacket::Map(known.map.clone()))
    }

    /// The packet of a list, with its info map if the peer does not have that yet.
    ///
    /// # Errors
    /// [`WireError::UnknownHandle`], also for a list of V4L2 controls without a map, even an empty
    /// one: libcamera up to 0.5.1 aborts when it reads one (fixed by e0fcbea4).
    pub fn send_list(&mut self, list: ControlList) -> Result<ListPacket, WireError> {
        if list.handle == 0 && list.id_map != IdMap::V4l2 {
            return Ok(list.into());
        }
        let unknown = WireError::UnknownHandle(list.handle);
        let shared = self.maps.get(&list.handle).ok_or(unknown)?.shared;
        let info = if shared { None } else { Some(self.send_map(list.handle)?) };
        Ok(ListPacket { info, list })
    }

    /// Takes in a map of the peer. A handle that is known already keeps its content, as in
    /// libcamera. `None` is returned for a packet of zeros, which brings nothing.
    ///
    /// # Errors
    /// [`WireError::UnknownHandle`] for handle 0, which stands for "no map";
    /// [`WireError::TooManyMaps`].
    pub fn receive_map(
        &mut self,
        packet: InfoMapPacket,
    ) -> Result<Option<&ControlInfoMap>, WireError> {
        let InfoMapPacket::Map(map) = packet else { return Ok(None) };
        let handle = map.handle;
        if handle == 0 {
            return Err(WireError::UnknownHandle(0));
        }
        if !self.maps.contains_key(&handle) {
            self.insert(map, true)?;
        }
        Ok(self.map(handle))
    }

    /// Takes in a list of the peer, and the map that may come with it.
    ///
    /// # Errors
    /// Those of [`Self::receive_map`]; [`WireError::UnknownHandle`] for a list whose map is not
    /// known. A list without a map is fine if its ids are libcamera's own, or if it is empty.
    pub fn receive_list(&mut self, packet: ListPacket) -> Result<ControlList, WireError> {
        if let Some(info) = packet.info {
            self.receive_map(info)?;
        }
        let list = packet.list;
        let needs_no_map =
            list.handle == 0 && (list.id_map != IdMap::V4l2 || list.controls.is_empty());
        if needs_no_map || self.maps.contains_key(&list.handle) {
            Ok(list)
        } else {
            Err(WireError::UnknownHandle(list.handle))
        }
    }

    fn insert(&mut self, map: ControlInfoMap, shared: bool) -> Result<(), WireError> {
        if self.maps.len() >= MAX_INFO_MAPS {
            return Err(WireError::TooManyMaps);
        }
        self.maps.insert(map.handle, KnownMap { map, shared });
        Ok(())
    }
}
