//! `aic_config`: what AIC makes of a frame's results, for the encoder of ISP parameters.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{
    CssAeKernelConfig, CssAfKernelConfig, CssAnrKernelConfig, CssAwbFrKernelConfig,
    CssAwbKernelConfig, CssBdsKernelConfig, CssBnrKernelConfig, CssDmKernelConfig,
    CssDpcKernelConfig, CssLinKernelConfig, CssObgridKernelConfig, CssRgbirKernelConfig,
    CssRgbppKernelConfig, CssShdKernelConfig, CssTnr3KernelConfig, CssXnr3Config,
    CssYuvp1B0KernelConfig, CssYuvp1C0KernelConfig, CssYuvp2KernelConfig,
};

/// `aic_config`, 288068 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct AicConfig {
    /// Lin 2500 config.
    pub lin_2500_config: CssLinKernelConfig,
    /// Obgrid 2500 config.
    pub obgrid_2500_config: CssObgridKernelConfig,
    /// Bnr 2500 config.
    pub bnr_2500_config: CssBnrKernelConfig,
    /// Shd 2500 config.
    pub shd_2500_config: CssShdKernelConfig,
    /// Dm 2500 config.
    pub dm_2500_config: CssDmKernelConfig,
    /// Rgbpp 2500 config.
    pub rgbpp_2500_config: CssRgbppKernelConfig,
    /// Yuvp1 2500 config.
    pub yuvp1_2500_config: CssYuvp1B0KernelConfig,
    /// Yuvp1 c0 2500 config.
    pub yuvp1_c0_2500_config: CssYuvp1C0KernelConfig,
    /// Yuvp2 2500 config.
    pub yuvp2_2500_config: CssYuvp2KernelConfig,
    /// Tnr3 2500 config.
    pub tnr3_2500_config: CssTnr3KernelConfig,
    /// Dpc 2500 config.
    pub dpc_2500_config: CssDpcKernelConfig,
    /// Awb 2500 config.
    pub awb_2500_config: CssAwbKernelConfig,
    #[doc(hidden)]
    pub padding_281854: [u8; 2],
    /// Awb fr 2500 config.
    pub awb_fr_2500_config: CssAwbFrKernelConfig,
    /// Anr 2500 config.
    pub anr_2500_config: CssAnrKernelConfig,
    /// Af 2500 config.
    pub af_2500_config: CssAfKernelConfig,
    /// Ae 2500 config.
    pub ae_2500_config: CssAeKernelConfig,
    #[doc(hidden)]
    pub padding_283350: [u8; 2],
    /// Bds 2500 config.
    pub bds_2500_config: CssBdsKernelConfig,
    /// Xnr 2500 config.
    pub xnr_2500_config: CssXnr3Config,
    /// Rgbir 2500 config.
    pub rgbir_2500_config: CssRgbirKernelConfig,
}
layout!(AicConfig, 288068, lin_2500_config 0, obgrid_2500_config 520, bnr_2500_config 129020, shd_2500_config 129148, dm_2500_config 161320, rgbpp_2500_config 161328, yuvp1_2500_config 161900, yuvp1_c0_2500_config 161968, yuvp2_2500_config 162216, tnr3_2500_config 163468, dpc_2500_config 163552, awb_2500_config 281836, awb_fr_2500_config 281856, anr_2500_config 281880, af_2500_config 282484, ae_2500_config 282532, bds_2500_config 283352, xnr_2500_config 286996, rgbir_2500_config 287040);
