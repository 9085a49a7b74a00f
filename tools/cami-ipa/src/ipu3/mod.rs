//! `cami-ipa ipu3`: conversions between what an IPU3 3A library gives and takes, and the driver's
//! structs, for people who tune and debug.

mod files;
mod options;
mod picture;
pub mod png;
mod statistics;

use cami_ipu3::encoder::encode;
use cami_ipu3::payload::AicConfig;
use cami_ipu3::show::ParamsText;
use cami_ipu3::uapi::Params;
use cami_ipu3::{bytes_of, zeroed_box};

use crate::failure::Failure;
use crate::outputs::Output;

pub use options::{HELP, Ipu3Options, parse};

/// Does it.
pub fn ipu3(options: &Ipu3Options) -> Result<(), Failure> {
    match options {
        Ipu3Options::EncodeParams { config, params } => {
            let aic = files::read::<AicConfig>(config, "aic_config")?;
            let mut encoded = zeroed_box::<Params>();
            encode(&aic, &mut encoded).map_err(|error| files::refused(config, &error))?;
            Output::write_bytes(params, bytes_of(&*encoded))
        }
        Ipu3Options::ShowParams { params } => {
            let shown = files::read::<Params>(params, "ipu3_uapi_params")?;
            Output::print(&ParamsText(&shown).to_string())
        }
        Ipu3Options::ConvertStats { stats, grids, json } => {
            statistics::convert_file(stats, grids, json.as_deref())
        }
        Ipu3Options::ShowStats { stats, png } => statistics::show(stats, png.as_deref()),
    }
}
