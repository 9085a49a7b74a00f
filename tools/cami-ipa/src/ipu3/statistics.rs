//! Statistics: conversion and display.

use std::path::Path;

use cami_ipu3::show::StatsText;
use cami_ipu3::statistics::{AeHistogram, Grids, Text, convert};
use cami_ipu3::uapi::Stats3a;
use serde::Serialize;

use super::{files, picture};
use crate::failure::Failure;
use crate::outputs::{self, Output};

const NAME: &str = "ipu3_uapi_stats_3a";

/// The grids as data.
#[derive(Debug, Serialize)]
struct Document {
    rgbs: Rgbs,
    af: Af,
    ae_histogram: Histogram,
}

/// Cells row by row, each red, green in red rows, green in blue rows, blue, share of saturated
/// pixels.
#[derive(Debug, Serialize)]
struct Rgbs {
    width: u16,
    height: u16,
    cells: Vec<[u8; 5]>,
}

/// Filter responses row by row.
#[derive(Debug, Serialize)]
struct Af {
    width: u16,
    height: u16,
    block_width: u16,
    block_height: u16,
    response_1: Vec<i32>,
    response_2: Vec<i32>,
}

#[derive(Debug, Serialize)]
struct Histogram {
    r: Vec<u32>,
    g: Vec<u32>,
    b: Vec<u32>,
    y: Vec<u32>,
}

/// Converts a file.
pub fn convert_file(from: &Path, to: &Path, json: Option<&Path>) -> Result<(), Failure> {
    let stats = files::read::<Stats3a>(from, NAME)?;
    let mut grids = Grids::new();
    convert(&stats, &mut grids).map_err(|error| files::refused(from, &error))?;
    Output::write_all(to, &Text { stats: &stats, grids: &grids }.to_string())?;
    match json {
        Some(json) => Output::write_all(json, &outputs::json(&document(&stats, &grids))?),
        None => Ok(()),
    }
}

/// Prints a file. Where its grids are refused, the rest is printed nevertheless.
pub fn show(path: &Path, png: Option<&Path>) -> Result<(), Failure> {
    let stats = files::read::<Stats3a>(path, NAME)?;
    let mut grids = Grids::new();
    let converted = convert(&stats, &mut grids);
    // A picture on standard output is alone there.
    if png != Some(Path::new(outputs::STANDARD_OUTPUT)) {
        let shown = converted.is_ok().then_some(&grids);
        Output::print(&StatsText { stats: &stats, grids: shown }.to_string())?;
    }
    converted.map_err(|error| files::refused(path, &error))?;
    match png {
        Some(png) => {
            let picture = picture::of(&grids).map_err(|error| {
                Failure::environment(format!("{}: no picture: {error}", png.display()))
            })?;
            Output::write_bytes(png, &picture)
        }
        None => Ok(()),
    }
}

fn document(stats: &Stats3a, grids: &Grids) -> Document {
    let (rgbs, af) = (grids.rgbs(), grids.af());
    let cell = |cell: &cami_ipu3::payload::RgbsGridBlock| {
        [cell.avg_r, cell.avg_gr, cell.avg_gb, cell.avg_b, cell.sat]
    };
    let [r, g, b, y] = AeHistogram::decode(stats).colours.map(Vec::from);
    Document {
        rgbs: Rgbs {
            width: rgbs.width,
            height: rgbs.height,
            cells: rgbs.cells.iter().map(cell).collect(),
        },
        af: Af {
            width: af.width,
            height: af.height,
            block_width: af.block.0,
            block_height: af.block.1,
            response_1: af.response_1.to_vec(),
            response_2: af.response_2.to_vec(),
        },
        ae_histogram: Histogram { r, g, b, y },
    }
}
