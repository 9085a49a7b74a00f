//! Automatic focus: AIQ_AF_RUN.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Rectangle;

/// `af_run_params`, 120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfRunParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The inputs or results themselves; their pointer words say which parts below are present.
    pub base: AfInputParams,
    /// Focus rect.
    pub focus_rect: Rectangle,
    /// Focus parameters to be kept, where the inputs say that it is present.
    pub manual_focus_parameters: ManualFocusParameters,
    /// The answer.
    pub results: AfResults,
    #[doc(hidden)]
    pub padding_116: [u8; 4],
}
layout!(AfRunParams, 120, aiq_handle 0, base 8, focus_rect 64, manual_focus_parameters 80, results 96);

/// `ia_aiq_af_input_params`, 56 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfInputParams {
    /// `ia_aiq_frame_use`: 0 preview, 1 still, 2 continuous, 3 video.
    pub frame_use: i32,
    /// Position of the lens, actuator steps.
    pub lens_position: i32,
    /// When the lens began to move, µs.
    pub lens_movement_start_timestamp: u64,
    /// `ia_aiq_af_operation_mode`: 0 automatic, 1 infinity, 2 hyperfocal, 3 manual.
    pub focus_mode: i32,
    /// Focus range, a value of `ia_aiq_af_range`.
    pub focus_range: i32,
    /// Focus metering mode, a value of `ia_aiq_af_metering_mode`.
    pub focus_metering_mode: i32,
    /// `ia_aiq_flash_mode`: 0 automatic, 1 on, 2 off.
    pub flash_mode: i32,
    /// Whether there is a `focus_rect`: not 0 if there is.
    pub focus_rect: u64,
    /// Whether there is a `manual_focus_parameters`: not 0 if there is.
    pub manual_focus_parameters: u64,
    /// Whether to search again, 0 or 1.
    pub trigger_new_search: u8,
    #[doc(hidden)]
    pub padding_49: [u8; 7],
}
layout!(AfInputParams, 56, frame_use 0, lens_position 4, lens_movement_start_timestamp 8, focus_mode 16, focus_range 20, focus_metering_mode 24, flash_mode 28, focus_rect 32, manual_focus_parameters 40, trigger_new_search 48);

/// `ia_aiq_manual_focus_parameters`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct ManualFocusParameters {
    /// Focus distance to be kept, where the inputs say that it is present.
    pub manual_focus_distance: u32,
    /// Lens position to be kept, where the inputs say that it is present.
    pub manual_lens_position: i32,
    /// Focal distance to be kept, where the inputs say that it is present.
    pub manual_focal_distance: u32,
    /// Manual focus action, a value of `ia_aiq_manual_focus_action`.
    pub manual_focus_action: i32,
}
layout!(ManualFocusParameters, 16, manual_focus_distance 0, manual_lens_position 4, manual_focal_distance 8, manual_focus_action 12);

/// `ia_aiq_af_results`, 20 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AfResults {
    /// `ia_aiq_af_status`: 0 idle, 1 local search, 2 extended search, 3 success, 4 fail.
    pub status: i32,
    /// Focus distance, mm.
    pub current_focus_distance: u16,
    #[doc(hidden)]
    pub padding_6: [u8; 2],
    /// Where to move the lens, actuator steps.
    pub next_lens_position: i32,
    /// `ia_aiq_lens_driver_action`: 0 none, 1 move to, 2 move by.
    pub lens_driver_action: i32,
    /// Use af assist.
    pub use_af_assist: u8,
    /// Whether the search has ended, 0 or 1.
    pub final_lens_position_reached: u8,
    #[doc(hidden)]
    pub padding_18: [u8; 2],
}
layout!(AfResults, 20, status 0, current_focus_distance 4, next_lens_position 8, lens_driver_action 12, use_af_assist 16, final_lens_position_reached 17);
