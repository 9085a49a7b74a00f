//! Faces: FACE_INIT, FACE_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `face_engine_init_params`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FaceEngineInitParams {
    /// Max face num.
    pub max_face_num: u32,
    /// Fd mode, a value of `face_detection_mode`.
    pub fd_mode: i32,
}
layout!(FaceEngineInitParams, 8, max_face_num 0, fd_mode 4);

/// `face_engine_run_params`, 2458268 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FaceEngineRunParams {
    /// The bytes.
    pub data: [u8; 2457600],
    /// Bytes, or cells, in use.
    pub size: u32,
    /// Columns.
    pub width: i32,
    /// Rows.
    pub height: i32,
    /// Format, a value of `pvl_image_format`.
    pub format: i32,
    /// Stride.
    pub stride: i32,
    /// Rotation.
    pub rotation: i32,
    /// The answer.
    pub results: FaceEngineResult,
}
layout!(FaceEngineRunParams, 2458268, data 0, size 2457600, width 2457604, height 2457608, format 2457612, stride 2457616, rotation 2457620, results 2457624);

/// `FaceEngineResult`, 644 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FaceEngineResult {
    /// Face num.
    pub face_num: i32,
    /// Face results.
    pub face_results: [PvlFaceDetectionResult; 10],
    /// Eye results.
    pub eye_results: [PvlEyeDetectionResult; 10],
    /// Mouth results.
    pub mouth_results: [PvlMouthDetectionResult; 10],
}
layout!(FaceEngineResult, 644, face_num 0, face_results 4, eye_results 324, mouth_results 524);

/// `pvl_face_detection_result`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PvlFaceDetectionResult {
    /// Rect.
    pub rect: PvlRect,
    /// Confidence.
    pub confidence: i32,
    /// Rip angle.
    pub rip_angle: i32,
    /// Rop angle.
    pub rop_angle: i32,
    /// Tracking id.
    pub tracking_id: i32,
}
layout!(PvlFaceDetectionResult, 32, rect 0, confidence 16, rip_angle 20, rop_angle 24, tracking_id 28);

/// `pvl_eye_detection_result`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PvlEyeDetectionResult {
    /// Left eye.
    pub left_eye: PvlPoint,
    /// Right eye.
    pub right_eye: PvlPoint,
    /// Confidence.
    pub confidence: i32,
}
layout!(PvlEyeDetectionResult, 20, left_eye 0, right_eye 8, confidence 16);

/// `pvl_mouth_detection_result`, 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PvlMouthDetectionResult {
    /// Mouth.
    pub mouth: PvlPoint,
    /// Confidence.
    pub confidence: i32,
}
layout!(PvlMouthDetectionResult, 12, mouth 0, confidence 8);

/// `pvl_rect`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PvlRect {
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Right edge.
    pub right: i32,
    /// Bottom edge.
    pub bottom: i32,
}
layout!(PvlRect, 16, left 0, top 4, right 8, bottom 12);

/// `pvl_point`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PvlPoint {
    /// Horizontal position.
    pub x: i32,
    /// Vertical position.
    pub y: i32,
}
layout!(PvlPoint, 8, x 0, y 4);
