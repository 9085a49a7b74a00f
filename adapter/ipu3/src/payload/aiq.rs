//! Life of the AIQ, its version and its data: AIQ_INIT, AIQ_DEINIT, AIQ_GET_AIQ_DATA, AIQ_GET_VERSION.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `aiq_init_params`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AiqInitParams {
    /// Aiqb size.
    pub aiqb_size: u32,
    /// Nvm size.
    pub nvm_size: u32,
    /// Aiqd size.
    pub aiqd_size: u32,
    /// Stats max width.
    pub stats_max_width: u32,
    /// Stats max height.
    pub stats_max_height: u32,
    /// Max num stats in.
    pub max_num_stats_in: u32,
    /// Handle of the makernote; 0 for none.
    pub ia_mkn: u64,
    /// Handle of the CMC, from CMC_INIT.
    pub cmc_remote_handle: u64,
    /// The answer.
    pub results: u64,
}
layout!(AiqInitParams, 48, aiqb_size 0, nvm_size 4, aiqd_size 8, stats_max_width 12, stats_max_height 16, max_num_stats_in 20, ia_mkn 24, cmc_remote_handle 32, results 40);

/// `aiq_deinit_params`, 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AiqDeinitParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
}
layout!(AiqDeinitParams, 8, aiq_handle 0);

/// `ia_binary_data_params`, 500016 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct BinaryDataParams {
    /// Handle of the AIQ, from AIQ_INIT.
    pub aiq_handle: u64,
    /// The bytes.
    pub data: [u8; 500000],
    /// Bytes, or cells, in use.
    pub size: u32,
    #[doc(hidden)]
    pub padding_500012: [u8; 4],
}
layout!(BinaryDataParams, 500016, aiq_handle 0, data 8, size 500008);

/// `ia_aiq_version_params`, 104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AiqVersionParams {
    /// The bytes.
    pub data: [u8; 100],
    /// Bytes, or cells, in use.
    pub size: u32,
}
layout!(AiqVersionParams, 104, data 0, size 100);
