//! V4L2 control ids (Linux `include/uapi/linux/v4l2-controls.h`), which do not change.

/// `V4L2_CID_EXPOSURE`: lines.
pub const EXPOSURE: u32 = 0x0098_0911;
/// `V4L2_CID_VBLANK`: lines.
pub const VBLANK: u32 = 0x009e_0901;
/// `V4L2_CID_ANALOGUE_GAIN`: the sensor's code.
pub const ANALOGUE_GAIN: u32 = 0x009e_0903;
/// `V4L2_CID_FOCUS_ABSOLUTE`: steps.
pub const FOCUS_ABSOLUTE: u32 = 0x009a_090a;
