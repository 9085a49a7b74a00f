//! What libcamera itself says to its isolated IPA modules: values, control packets, and the `ipu3`
//! and `vimc` interfaces, for every version from 0.0.3 to 0.7.2.
//!
//! Messages and values are stateless here; [`ControlSerializer`] holds what both sides remember
//! between messages.

mod control_packet;
mod control_value;
mod dialect;
mod geometry;
mod info_packet;
pub mod ipu3;
mod list_packet;
mod serializer;
mod structs;
mod value;
pub mod vimc;

pub use control_packet::IdMap;
pub use control_value::{ControlElement, ControlType, ControlValue};
pub use dialect::Dialect;
pub use geometry::{Point, Rectangle, Size, SizeRange};
pub use info_packet::{ControlInfo, ControlInfoMap, InfoMapPacket};
pub use list_packet::{Control, ControlList, ListPacket};
pub use serializer::{ControlSerializer, MAX_INFO_MAPS, Role};
pub use structs::{IpaBuffer, IpaCameraSensorInfo, IpaSettings, IpaStream, Plane, SharedFd};
pub use value::{Map, Value};
