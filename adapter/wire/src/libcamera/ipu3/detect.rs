//! What the first message tells of the peer's version.

use super::super::{Dialect, IpaCameraSensorInfo};
use crate::WireError;
use crate::arguments::split;
use crate::reader::Reader;

/// `V4L2_CID_EXPOSURE` (`linux/v4l2-controls.h`), an `i32` that every sensor of the IPU3 pipeline
/// has.
const V4L2_CID_EXPOSURE: u32 = 0x0098_0911;

/// `ControlType` of an `i32` up to 0.3.x; since 0.4.0 it is 5.
const INTEGER32_V0_0: u32 = 3;

/// Finds the dialect in the body of `init`: from the length of the sensor information, the version
/// of the control packet, and the type number of the exposure control in it. `init` does not tell
/// 0.6.0 from later releases, and the `ipu3` interface does not differ between them:
/// [`Dialect::V0_6`] stands for all.
///
/// # Errors
/// [`WireError::PacketVersion`] for a packet that is none of these, so also for a control map that
/// was sent before; [`WireError::ControlValue`]
/// without an exposure control to tell by; any [`WireError`] that names a wrong size.
pub fn detect_dialect(init: &[u8]) -> Result<Dialect, WireError> {
    let [_, sensor_info, sensor_controls] = split(init, [false; 3])?.bytes;

    let mut sensor_info = Reader::new(sensor_info);
    let model_bytes = sensor_info.size()?;
    sensor_info.bytes(model_bytes)?;
    let has_cfa_pattern = sensor_info.remaining() > IpaCameraSensorInfo::BYTES_AFTER_MODEL;

    let mut packet = Reader::new(sensor_controls);
    packet.size()?;
    match packet.u32()? {
        2 => Ok(Dialect::V0_6),
        1 if !has_cfa_pattern => Ok(Dialect::V0_0),
        1 => {
            packet.u32()?;
            let count = packet.u32()?;
            packet.bytes(20)?;
            for _ in 0..count {
                let id = packet.u32()?;
                let number = packet.u32()?;
                packet.u64()?;
                if id == V4L2_CID_EXPOSURE {
                    return Ok(if number == INTEGER32_V0_0 {
                        Dialect::V0_1
                    } else {
                        Dialect::V0_4
                    });
                }
            }
            Err(WireError::ControlValue)
        }
        other => Err(WireError::PacketVersion(other)),
    }
}
