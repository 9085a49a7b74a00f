//! What the ISP makes of a colour: the blocks of `ipu3_uapi_params` between the sensor and sRGB.
//!
//! In the order of the ISP: black level (`obgrid_param`), linearisation (`lin_vmem_params`), white
//! balance (`bnr.wb_gains`), colour matrix (`ccm`), gamma. A block whose bit in `use` is not set stays as
//! it was, and is the driver's own before any was set ([`Isp`]). Their units are those of linux `drivers/staging/media/ipu3/include/uapi/intel-ipu3.h`, and
//! of what Intel's library writes: raw pixels have 11 bits there, so that a black level of 64 codes of
//! the 10-bit converter is 128.
//!
//! Left out: what has no meaning on even surfaces behind a lens without shading (shading, noise,
//! demosaic, sharpening), and what follows gamma (conversion to YUV, chroma, total colour correction).

use cami_ipu3::uapi::{Flags, GammaCorrCtrl, Params};
use cami_ipu3::zeroed_box;
use virtual_camera::{BLACK_LEVEL, CODES, Rgb};

/// Largest raw value in the ISP: 11 bits.
const RAW_MAX: f64 = 2047.0;
/// Raw values in a segment of the linearisation.
const SEGMENT: f64 = 32.0;
/// One, of white balance gains and of the colour matrix: 13 bits of fraction.
const ONE: f64 = 8192.0;
/// Largest output of the gamma curve: 13 bits.
const GAMMA_MAX: f64 = 8191.0;

/// How a picture is made of what the sensor gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Black {
    /// The black level of the parameters is subtracted from the sensor's, and the linearisation
    /// follows.
    AsEmitted,
    /// It is exactly the sensor's, whatever the parameters say.
    Ideal,
}

/// The ISP's blocks as the driver holds them from frame to frame.
///
/// linux `ipu3-css-params.c` (`imgu_css_cfg_acc`, `imgu_css_cfg_vmem0`) and `ipu3-css.c`
/// (`imgu_css_set_parameters`): a block is taken from the parameters where its bit in `use` is set; else
/// it stays what it was; and where none was ever set it is the driver's own (`ipu3-tables.c`).
#[derive(Debug)]
pub struct Isp {
    held: Box<Params>,
    /// Columns and rows of the focus grid, once one was asked for.
    focus_grid: Option<(u8, u8)>,
    /// The same of white balance.
    awb_grid: Option<(u8, u8)>,
}

impl Isp {
    /// As a stream begins.
    pub fn new() -> Self {
        let mut held = zeroed_box::<Params>();
        // Those that have a part in the picture: what is held is always in use.
        let used = Flags {
            obgrid_param: 1,
            lin_vmem_params: 1,
            acc_bnr: 1,
            acc_ccm: 1,
            acc_gamma: 1,
            ..Flags::default()
        };
        held.use_flags = used.pack();
        // No black level, and linearisation changes nothing.
        let lin = &mut held.lin_vmem_params;
        let (low, rise) = (
            [
                &mut lin.lin_lutlow_gr,
                &mut lin.lin_lutlow_r,
                &mut lin.lin_lutlow_b,
                &mut lin.lin_lutlow_gb,
            ],
            [
                &mut lin.lin_lutdif_gr,
                &mut lin.lin_lutdif_r,
                &mut lin.lin_lutdif_b,
                &mut lin.lin_lutdif_gb,
            ],
        );
        for table in low {
            table.iter_mut().zip((0_i16..).step_by(32)).for_each(|(entry, value)| *entry = value);
        }
        for table in rise {
            table.fill(32);
        }
        // Gains of 1 + 16/8192.
        let gains = &mut held.acc_param.bnr.wb_gains;
        (gains.gr, gains.r, gains.b, gains.gb) = (16, 16, 16, 16);
        let ccm = &mut held.acc_param.ccm;
        (ccm.coeff_m11, ccm.coeff_m12, ccm.coeff_m13) = (9775, -2671, 1087);
        (ccm.coeff_m21, ccm.coeff_m22, ccm.coeff_m23) = (-1071, 8303, 815);
        (ccm.coeff_m31, ccm.coeff_m32, ccm.coeff_m33) = (-23, -7887, 16103);
        held.acc_param.gamma.gc_ctrl = GammaCorrCtrl { enable: 1 }.pack();
        for (index, entry) in (0_u16..).zip(held.acc_param.gamma.gc_lut.lut.iter_mut()) {
            *entry = default_gamma(index);
        }
        Self { held, focus_grid: None, awb_grid: None }
    }

    /// Takes a frame's parameters; what the ISP works with then.
    pub fn take(&mut self, params: &Params) -> &Params {
        let used = params.use_flags.unpack();
        let (held, given) = (&mut self.held, &params.acc_param);
        if used.obgrid_param != 0 {
            held.obgrid_param = params.obgrid_param;
        }
        if used.lin_vmem_params != 0 {
            held.lin_vmem_params = params.lin_vmem_params;
        }
        if used.acc_bnr != 0 {
            held.acc_param.bnr = given.bnr;
        }
        if used.acc_ccm != 0 {
            held.acc_param.ccm = given.ccm;
        }
        if used.acc_gamma != 0 {
            held.acc_param.gamma = given.gamma;
        }
        if used.acc_af != 0 {
            let grid = &given.af.grid_cfg;
            self.focus_grid = Some((grid.width, grid.height));
        }
        if used.acc_awb != 0 {
            let grid = &given.awb.config.grid;
            self.awb_grid = Some((grid.width, grid.height));
        }
        held
    }

    /// Columns and rows of the focus grid that was asked for last.
    pub fn focus_grid(&self) -> Option<(u8, u8)> {
        self.focus_grid
    }

    /// The same of white balance.
    pub fn awb_grid(&self) -> Option<(u8, u8)> {
        self.awb_grid
    }
}

/// The driver's own gamma: three straight lines, which meet at entries 128 and 192.
fn default_gamma(index: u16) -> u16 {
    match index {
        0..=128 => 63 + 16 * index,
        129..=192 => 2111 + 32 * (index - 128),
        _ => 4159 + 64 * index.saturating_sub(192),
    }
}

/// The gains of the white balance: red, green, blue.
pub fn gains(params: &Params) -> Rgb {
    if params.use_flags.unpack().acc_bnr == 0 {
        return Rgb { r: 1.0, g: 1.0, b: 1.0 };
    }
    let gains = &params.acc_param.bnr.wb_gains;
    // The ISP adds one (intel-ipu3.h, ipu3_uapi_bnr_static_config_wb_gains_config).
    let gain = |value: u16| 1.0 + f64::from(value) / ONE;
    Rgb { r: gain(gains.r), g: (gain(gains.gr) + gain(gains.gb)) / 2.0, b: gain(gains.b) }
}

/// A colour of the sensor, signal above black as a share of the largest, as the ISP shows it: the three
/// values of an sRGB picture, 0 to 1.
pub fn develop(params: &Params, black: Black, colour: &Rgb) -> Rgb {
    let used = params.use_flags.unpack();
    let [r, g, b] = match black {
        Black::Ideal => [colour.r, colour.g, colour.b],
        Black::AsEmitted => raw(params, &used, colour),
    };
    let gains = gains(params);
    let balanced = [r * gains.r, g * gains.g, b * gains.b].map(|value| value.clamp(0.0, 1.0));
    let [r, g, b] = matrix(params, &used, balanced).map(|value| gamma(params, &used, value));
    Rgb { r, g, b }
}

/// Black level and linearisation.
fn raw(params: &Params, used: &Flags, colour: &Rgb) -> [f64; 3] {
    let level = &params.obgrid_param;
    let lin = &params.lin_vmem_params;
    let mean = |one: u16, other: u16| (f64::from(one) + f64::from(other)) / 2.0;
    [
        (colour.r, f64::from(level.r), &lin.lin_lutlow_r, &lin.lin_lutdif_r),
        (colour.g, mean(level.gr, level.gb), &lin.lin_lutlow_gr, &lin.lin_lutdif_gr),
        (colour.b, f64::from(level.b), &lin.lin_lutlow_b, &lin.lin_lutdif_b),
    ]
    .map(|(signal, level, low, rise)| {
        let code = BLACK_LEVEL + signal.clamp(0.0, 1.0) * (CODES - BLACK_LEVEL);
        let level = if used.obgrid_param == 0 { 0.0 } else { level };
        let value = (code / CODES * RAW_MAX - level).clamp(0.0, RAW_MAX);
        let linear = if used.lin_vmem_params == 0 { value } else { segment(value, low, rise) };
        (linear / RAW_MAX).clamp(0.0, 1.0)
    })
}

/// The curve of 64 segments at a raw value.
fn segment(value: f64, low: &[i16; 64], rise: &[i16; 64]) -> f64 {
    let index = place(value / SEGMENT, low.len());
    let at = |table: &[i16; 64]| table.get(index).copied().map_or(0.0, f64::from);
    at(low) + at(rise) * (value / SEGMENT - index as f64)
}

/// The colour matrix, and its offsets.
fn matrix(params: &Params, used: &Flags, [r, g, b]: [f64; 3]) -> [f64; 3] {
    if used.acc_ccm == 0 {
        return [r, g, b];
    }
    let m = &params.acc_param.ccm;
    [
        [m.coeff_m11, m.coeff_m12, m.coeff_m13, m.coeff_o_r],
        [m.coeff_m21, m.coeff_m22, m.coeff_m23, m.coeff_o_g],
        [m.coeff_m31, m.coeff_m32, m.coeff_m33, m.coeff_o_b],
    ]
    .map(|row| {
        let [from_r, from_g, from_b, offset] = row.map(|value| f64::from(value) / ONE);
        (from_r * r + from_g * g + from_b * b + offset).clamp(0.0, 1.0)
    })
}

/// The gamma curve, between its entries straight: entry i belongs to (i + 1) / 256, and 0 stays 0.
fn gamma(params: &Params, used: &Flags, value: f64) -> f64 {
    let gamma = &params.acc_param.gamma;
    if used.acc_gamma == 0 || gamma.gc_ctrl.unpack().enable == 0 {
        return value;
    }
    let lut = &gamma.gc_lut.lut;
    let scaled = value.clamp(0.0, 1.0) * lut.len() as f64;
    let index = place(scaled, lut.len());
    let entry = |index: Option<usize>| {
        index.and_then(|index| lut.get(index)).map_or(0.0, |entry| f64::from(*entry))
    };
    let (from, to) = (entry(index.checked_sub(1)), entry(Some(index)));
    ((from + (to - from) * (scaled - index as f64)) / GAMMA_MAX).clamp(0.0, 1.0)
}

/// The whole part of a value that is not negative, below `count`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate")]
fn place(value: f64, count: usize) -> usize {
    (value.floor() as usize).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use cami_ipu3::uapi::GammaCorrCtrl;
    use cami_ipu3::zeroed_box;

    use super::*;

    fn near(found: Rgb, expected: [f64; 3]) {
        let close = |found: f64, expected: f64| (found - expected).abs() < 2e-3;
        let [r, g, b] = expected;
        assert!(close(found.r, r) && close(found.g, g) && close(found.b, b), "{found:?}");
    }

    const COLOUR: Rgb = Rgb { r: 0.1, g: 0.2, b: 0.3 };

    #[test]
    fn a_block_that_is_not_used_stays_as_it_was() {
        let mut isp = Isp::new();
        let mut params = zeroed_box::<Params>();
        params.use_flags =
            Flags { acc_bnr: 1, obgrid_param: 1, acc_ccm: 1, ..Flags::default() }.pack();
        params.acc_param.bnr.wb_gains.r = 8192;
        params.obgrid_param.r = 128;
        params.acc_param.ccm.coeff_m11 = 8192;
        assert_eq!(gains(isp.take(&params)), Rgb { r: 2.0, g: 1.0, b: 1.0 });
        let shown = develop(isp.take(&params), Black::AsEmitted, &COLOUR);
        // Nothing is used, and other values stand there.
        params.use_flags = Flags::default().pack();
        params.acc_param.bnr.wb_gains.r = 0;
        params.obgrid_param.r = 0;
        params.acc_param.ccm.coeff_m11 = 0;
        let held = isp.take(&params);
        assert_eq!(gains(held), Rgb { r: 2.0, g: 1.0, b: 1.0 });
        assert_eq!(develop(held, Black::AsEmitted, &COLOUR), shown);
    }

    #[test]
    fn what_was_never_set_is_the_driver_s() {
        let mut isp = Isp::new();
        let held = isp.take(&zeroed_box::<Params>());
        let one = 1.0 + 16.0 / 8192.0;
        assert_eq!(gains(held), Rgb { r: one, g: one, b: one });
        let lut = &held.acc_param.gamma.gc_lut.lut;
        assert_eq!(
            [0, 1, 128, 129, 192, 193, 255].map(|i| lut[i]),
            [63, 79, 2111, 2143, 4159, 4223, 8191]
        );
        // Its matrix keeps neither white nor saturation: rows of 8191, 8047 and 8193.
        let [r, g, b] = [8191.0, 8047.0, 8193.0].map(|row| 0.25 * one * row / 8192.0);
        let curve = |value: f64| {
            let at = value * 256.0;
            (63.0 + 16.0 * (at - 1.0)) / 8191.0
        };
        let grey = Rgb { r: 0.25, g: 0.25, b: 0.25 };
        near(develop(held, Black::Ideal, &grey), [r, g, b].map(curve));
        // No black level is taken away, and no line bends.
        let dark = develop(held, Black::AsEmitted, &Rgb { r: 0.0, g: 0.0, b: 0.0 });
        assert!(dark.g > 0.01, "{dark:?}");
        assert_eq!(isp.focus_grid(), None);
    }

    #[test]
    fn blocks_that_are_not_used_do_nothing() {
        let mut params = zeroed_box::<Params>();
        params.acc_param.bnr.wb_gains.r = 8192;
        params.acc_param.ccm.coeff_m11 = 100;
        params.acc_param.gamma.gc_ctrl = GammaCorrCtrl { enable: 1 }.pack();
        near(develop(&params, Black::Ideal, &COLOUR), [0.1, 0.2, 0.3]);
    }

    #[test]
    fn gains_matrix_and_gamma_follow_each_other() {
        let mut params = zeroed_box::<Params>();
        let used = Flags { acc_bnr: 1, acc_ccm: 1, acc_gamma: 1, ..Flags::default() };
        params.use_flags = used.pack();
        // Gains of 2, 1 and 1.5.
        params.acc_param.bnr.wb_gains.r = 8192;
        params.acc_param.bnr.wb_gains.b = 4096;
        // Red from red and green, green from green, blue from red.
        let ccm = &mut params.acc_param.ccm;
        (ccm.coeff_m11, ccm.coeff_m12) = (4096, 4096);
        (ccm.coeff_m22, ccm.coeff_m31, ccm.coeff_o_b) = (8192, 8192, 819);
        params.acc_param.gamma.gc_ctrl = GammaCorrCtrl { enable: 1 }.pack();
        // A curve that halves.
        for (index, entry) in (1_u16..).zip(params.acc_param.gamma.gc_lut.lut.iter_mut()) {
            *entry = index * 16;
        }
        near(develop(&params, Black::Ideal, &COLOUR), [0.1, 0.1, 0.15]);
        assert_eq!(gains(&params), Rgb { r: 2.0, g: 1.0, b: 1.5 });
        // The curve is used only where it is enabled.
        params.acc_param.gamma.gc_ctrl = GammaCorrCtrl { enable: 0 }.pack();
        near(develop(&params, Black::Ideal, &COLOUR), [0.2, 0.2, 0.3]);
    }

    #[test]
    fn white_balance_saturates() {
        let mut params = zeroed_box::<Params>();
        params.use_flags = Flags { acc_bnr: 1, ..Flags::default() }.pack();
        params.acc_param.bnr.wb_gains.b = 65535;
        near(develop(&params, Black::Ideal, &COLOUR), [0.1, 0.2, 1.0]);
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "0 to 2047")]
    fn a_black_level_that_fits_and_its_line_give_the_signal_back() {
        let mut params = zeroed_box::<Params>();
        let used = Flags { obgrid_param: 1, lin_vmem_params: 1, ..Flags::default() };
        params.use_flags = used.pack();
        let level = &mut params.obgrid_param;
        (level.gr, level.r, level.b, level.gb) = (128, 128, 128, 128);
        let lin = &mut params.lin_vmem_params;
        let slope = 2047.0 / (2047.0 - 128.0);
        let at = |index: i16| (f64::from(index) * 32.0 * slope).min(2047.0).round() as i16;
        for (index, low, rise) in [
            (&mut lin.lin_lutlow_gr, &mut lin.lin_lutdif_gr),
            (&mut lin.lin_lutlow_r, &mut lin.lin_lutdif_r),
            (&mut lin.lin_lutlow_b, &mut lin.lin_lutdif_b),
        ]
        .into_iter()
        .flat_map(|(low, rise)| (0_i16..).zip(low).zip(rise).map(|((i, low), rise)| (i, low, rise)))
        {
            (*low, *rise) = (at(index), at(index + 1) - at(index));
        }
        near(develop(&params, Black::AsEmitted, &COLOUR), [0.1, 0.2, 0.3]);
        // Half of the level leaves the other half in the picture.
        let level = &mut params.obgrid_param;
        (level.gr, level.r, level.b, level.gb) = (64, 64, 64, 64);
        let left = 64.0 * slope / 2047.0;
        near(develop(&params, Black::AsEmitted, &COLOUR), [0.1 + left, 0.2 + left, 0.3 + left]);
        near(develop(&params, Black::Ideal, &COLOUR), [0.1, 0.2, 0.3]);
    }
}
