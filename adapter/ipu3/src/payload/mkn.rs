//! Makernote: MKN_INIT, MKN_UNINIT, MKN_PREPARE, MKN_ENABLE.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::BinaryDataMod;

/// `mkn_init_params`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct MknInitParams {
    /// Mkn config bits, a value of `ia_mkn_config_bits`.
    pub mkn_config_bits: i32,
    #[doc(hidden)]
    pub padding_4: [u8; 4],
    /// Mkn section 1 size.
    pub mkn_section_1_size: u64,
    /// Mkn section 2 size.
    pub mkn_section_2_size: u64,
    /// The answer.
    pub results: u64,
}
layout!(MknInitParams, 32, mkn_config_bits 0, mkn_section_1_size 8, mkn_section_2_size 16, results 24);

/// `mkn_uninit_params`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct MknUninitParams {
    /// Handle of the makernote, from MKN_INIT.
    pub mkn_handle: u64,
}
layout!(MknUninitParams, 8, mkn_handle 0);

/// `mkn_prepare_params`, 800016 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct MknPrepareParams {
    /// Handle of the makernote, from MKN_INIT.
    pub mkn_handle: u64,
    /// Data target, a value of `ia_mkn_trg`.
    pub data_target: i32,
    /// The answer.
    pub results: BinaryDataMod,
}
layout!(MknPrepareParams, 800016, mkn_handle 0, data_target 8, results 12);

/// `mkn_enable_params`, 16 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct MknEnableParams {
    /// Handle of the makernote, from MKN_INIT.
    pub mkn_handle: u64,
    /// Enable data collection.
    pub enable_data_collection: u8,
    #[doc(hidden)]
    pub padding_9: [u8; 7],
}
layout!(MknEnableParams, 16, mkn_handle 0, enable_data_collection 8);
