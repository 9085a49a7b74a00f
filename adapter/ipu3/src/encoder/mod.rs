//! From `aic_config`, what AIC makes of a frame's results, to `ipu3_uapi_params`, what the driver
//! configures the ISP by: all 27 blocks of the ChromeOS IPU3 HAL's encoder.
//!
//! Equal to the HAL's (platform2 `camera/hal/intel/ipu3/psl/ipu3/workers/IPU3AicToFwEncoder.cpp` at
//! `ba9afa5e84~1`) byte for byte, on a buffer of zeros, wherever that has a defined result: what is
//! wider than its register field loses its upper bits, as there. Where the HAL would divide by zero,
//! read outside of a table or overflow a number, the value is refused instead, with its name: see
//! [`encode`].

mod bayer;
mod check;
mod colour;
mod error;
mod luma;
mod measuring;
mod noise;
mod shading;

use std::mem::offset_of;

use zerocopy::FromZeros;

use crate::payload::{AicConfig, CssObgridKernelConfig};
use crate::sequence::{Parts, items};
use crate::uapi::{Flags, Params};

pub use error::{Block, EncodeError};

/// Encodes a frame's configuration. Allocates nothing.
///
/// `params` is written as a whole: what was there before does not matter, and what the HAL's encoder
/// never writes is 0. After an error it is untouched.
///
/// Refused are, as the HAL's encoder has no defined result for them (vectors, README: "only defined
/// for"):
///
/// * `acc_shd`: `grid_width` outside of 1 to 146; more cells than the 4015 of a table, or than 28
///   sets of whole rows hold; `block_height` above 31; a `y_start` of −2³¹;
/// * `acc_af`, `acc_awb_fr`: a `grid_width` of 0;
/// * `tnr3_vmem_params`: knees so far out that a slope or its product does not fit 32 bits;
/// * `xnr3_dmem_params`: `coring` and `blending` of which 2048 times do not fit 32 bits.
///
/// A configuration in memory that somebody else may write to must be copied first.
pub fn encode(config: &AicConfig, params: &mut Params) -> Result<(), EncodeError> {
    let checked = check::check(config)?;
    params.zero();
    params.use_flags = USED.pack();

    let acc = &mut params.acc_param;
    acc.bnr = bayer::bnr(&config.bnr_2500_config.bnr);
    acc.green_disparity = bayer::green_disparity(&config.bnr_2500_config.green_disparity);
    acc.dm = bayer::dm(&config.dm_2500_config.dm);
    acc.ccm = colour::ccm(&config.rgbpp_2500_config.ccm);
    acc.gamma = colour::gamma(&config.rgbpp_2500_config.gamma);
    acc.csc = colour::csc(&config.rgbpp_2500_config.csc);
    acc.cds = colour::cds(&config.rgbpp_2500_config.cds);
    shading::write(&mut acc.shd, &config.shd_2500_config.shd, checked.shading);
    acc.iefd = luma::iefd(&config.yuvp1_c0_2500_config.iefd);
    acc.yds_c0 = colour::yds(&config.yuvp1_c0_2500_config.yds_c0);
    acc.chnr_c0 = luma::chnr(&config.yuvp1_c0_2500_config.chnr_c0);
    acc.y_ee_nr = luma::y_ee_nr(&config.yuvp1_2500_config.y_ee_nr);
    acc.yds = colour::yds(&config.yuvp1_2500_config.yds);
    acc.chnr = luma::chnr(&config.yuvp1_2500_config.chnr);
    acc.yds2 = colour::yds2(&config.yuvp2_2500_config.yds2);
    acc.tcc = colour::tcc(&config.yuvp2_2500_config.tcc);
    acc.anr = noise::anr(&config.anr_2500_config.anr);
    acc.awb_fr = measuring::awb_fr(&config.awb_fr_2500_config.awb_fr, checked.awb_fr_rows);
    acc.ae = measuring::ae(&config.ae_2500_config.ae);
    acc.af = measuring::af(&config.af_2500_config.af, checked.af_rows);
    acc.awb = measuring::awb(&config.awb_2500_config.awb);

    bayer::lin(&mut params.lin_vmem_params, &config.lin_2500_config);
    params.tnr3_vmem_params = noise::tnr3_vmem(&checked.tnr3);
    params.xnr3_vmem_params = noise::XNR3_VMEM;
    params.tnr3_dmem_params = noise::tnr3_dmem(&config.tnr3_2500_config);
    params.xnr3_dmem_params = checked.xnr3;
    params.obgrid_param = bayer::obgrid(&config.obgrid_2500_config);
    Ok(())
}

/// The bytes of the configuration that [`encode`] looks at: a seventh of it. Of each table of black
/// levels it is the first entry, and of the defect pixels nothing.
#[must_use]
pub fn used() -> Parts {
    let obgrid = offset_of!(AicConfig, obgrid_2500_config);
    let level = |table: usize| items::<u16>(obgrid + table, 1);
    vec![
        0..obgrid,
        level(offset_of!(CssObgridKernelConfig, table_gr)),
        level(offset_of!(CssObgridKernelConfig, table_r)),
        level(offset_of!(CssObgridKernelConfig, table_b)),
        level(offset_of!(CssObgridKernelConfig, table_gb)),
        offset_of!(AicConfig, bnr_2500_config)..offset_of!(AicConfig, dpc_2500_config),
        offset_of!(AicConfig, awb_2500_config)..size_of::<AicConfig>(),
    ]
}

/// The blocks that are encoded: always the same ones.
const USED: Flags = Flags {
    gdc: 0,
    obgrid: 1,
    acc_bnr: 1,
    acc_green_disparity: 1,
    acc_dm: 1,
    acc_ccm: 1,
    acc_gamma: 1,
    acc_csc: 1,
    acc_cds: 1,
    acc_shd: 1,
    acc_iefd: 1,
    acc_yds_c0: 1,
    acc_chnr_c0: 1,
    acc_y_ee_nr: 1,
    acc_yds: 1,
    acc_chnr: 1,
    acc_ytm: 0,
    acc_yds2: 1,
    acc_tcc: 1,
    acc_dpc: 0,
    acc_bds: 0,
    acc_anr: 1,
    acc_awb_fr: 1,
    acc_ae: 1,
    acc_af: 1,
    acc_awb: 1,
    lin_vmem_params: 1,
    tnr3_vmem_params: 1,
    xnr3_vmem_params: 1,
    tnr3_dmem_params: 1,
    xnr3_dmem_params: 1,
    obgrid_param: 1,
};

/// A signed value on its way into a field: sign-extended, so that any width can be cut from it.
fn wide(value: i16) -> u32 {
    i32::from(value).cast_unsigned()
}

/// The lower half, as C stores a wide number in a short one.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is dropped on purpose")]
fn low_u16(value: u32) -> u16 {
    value as u16
}

/// The lower half of a signed number.
fn low_i16(value: i32) -> i16 {
    low_u16(value.cast_unsigned()).cast_signed()
}

/// The lowest byte.
#[expect(clippy::cast_possible_truncation, reason = "the upper bytes are dropped on purpose")]
fn low_u8(value: u32) -> u8 {
    value as u8
}
