//! `ipu3_uapi_params` as text.

use std::fmt;

use super::map::summary;
use crate::uapi::{Entry, Listed, Params, ShdConfig, Value};

/// All blocks with their values; of the shading tables only what they amount to.
#[derive(Debug, Clone, Copy)]
pub struct ParamsText<'a>(pub &'a Params);

impl fmt::Display for ParamsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.0;
        let acc = &params.acc_param;
        let flags = params.use_flags.unpack();
        let blocks: [(&str, u32, &dyn Listed); 27] = [
            ("obgrid_param", flags.obgrid_param, &params.obgrid_param),
            ("lin_vmem_params", flags.lin_vmem_params, &params.lin_vmem_params),
            ("acc_bnr", flags.acc_bnr, &acc.bnr),
            ("acc_green_disparity", flags.acc_green_disparity, &acc.green_disparity),
            ("acc_dm", flags.acc_dm, &acc.dm),
            ("acc_ccm", flags.acc_ccm, &acc.ccm),
            ("acc_gamma", flags.acc_gamma, &acc.gamma),
            ("acc_csc", flags.acc_csc, &acc.csc),
            ("acc_cds", flags.acc_cds, &acc.cds),
            ("acc_shd", flags.acc_shd, &acc.shd.shd),
            ("acc_iefd", flags.acc_iefd, &acc.iefd),
            ("acc_yds_c0", flags.acc_yds_c0, &acc.yds_c0),
            ("acc_chnr_c0", flags.acc_chnr_c0, &acc.chnr_c0),
            ("acc_y_ee_nr", flags.acc_y_ee_nr, &acc.y_ee_nr),
            ("acc_yds", flags.acc_yds, &acc.yds),
            ("acc_chnr", flags.acc_chnr, &acc.chnr),
            ("acc_yds2", flags.acc_yds2, &acc.yds2),
            ("acc_tcc", flags.acc_tcc, &acc.tcc),
            ("acc_anr", flags.acc_anr, &acc.anr),
            ("acc_awb_fr", flags.acc_awb_fr, &acc.awb_fr),
            ("acc_ae", flags.acc_ae, &acc.ae),
            ("acc_af", flags.acc_af, &acc.af),
            ("acc_awb", flags.acc_awb, &acc.awb),
            ("tnr3_vmem_params", flags.tnr3_vmem_params, &params.tnr3_vmem_params),
            ("tnr3_dmem_params", flags.tnr3_dmem_params, &params.tnr3_dmem_params),
            ("xnr3_vmem_params", flags.xnr3_vmem_params, &params.xnr3_vmem_params),
            ("xnr3_dmem_params", flags.xnr3_dmem_params, &params.xnr3_dmem_params),
        ];
        let used = blocks.iter().filter(|(_, used, _)| *used == 1).count();
        writeln!(f, "ipu3_uapi_params: {used} of {} blocks are used", blocks.len())?;
        for (name, used, block) in blocks {
            let used = if used == 1 { "" } else { " (not used: the driver keeps what it has)" };
            writeln!(f, "\n{name}{used}")?;
            let mut entries = Vec::new();
            block.list("", &mut entries);
            for entry in &entries {
                write_entry(f, entry)?;
            }
            if name == "acc_shd" {
                shading(f, &acc.shd)?;
            }
        }
        Ok(())
    }
}

fn write_entry(f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
    let path = &entry.path;
    match &entry.value {
        Value::Number(number) => writeln!(f, "  {path:<36} {number}"),
        Value::Table(numbers) => {
            writeln!(f, "  {path}")?;
            for row in numbers.chunks(16) {
                write!(f, "   ")?;
                for number in row {
                    write!(f, " {number:>6}")?;
                }
                writeln!(f)?;
            }
            Ok(())
        }
    }
}

/// Each colour's gains over the cells that the grid has.
fn shading(f: &mut fmt::Formatter<'_>, shd: &ShdConfig) -> fmt::Result {
    let grid = &shd.shd.grid;
    let width = usize::from(grid.width);
    let set = width * usize::from(grid.grid_height_per_slice);
    let cells = width * usize::from(grid.height);
    let gains = |gain: fn(&crate::uapi::ShdSet, usize) -> Option<u16>| {
        let sets = shd.shd_lut.sets.iter();
        let all = sets.flat_map(move |table| (0..set).map_while(move |cell| gain(table, cell)));
        summary(all.take(cells).map(i64::from))
    };
    for (colour, gains) in [
        ("r", gains(|set, cell| set.r_and_gr.get(cell).map(|gains| gains.r))),
        ("gr", gains(|set, cell| set.r_and_gr.get(cell).map(|gains| gains.gr))),
        ("gb", gains(|set, cell| set.gb_and_b.get(cell).map(|gains| gains.gb))),
        ("b", gains(|set, cell| set.gb_and_b.get(cell).map(|gains| gains.b))),
    ] {
        if let Some((least, mean, most)) = gains {
            let what = format!("{colour} of {cells} cells");
            writeln!(f, "  {what:<36} {least} to {most}, mean {mean:.1}")?;
        }
    }
    Ok(())
}
