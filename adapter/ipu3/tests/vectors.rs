//! Encoder and statistics against what the HAL's own code made (folder in `CAMI_IPA_VECTORS`).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod support;

use cami_ipu3::encoder::{encode, used as used_parts};
use cami_ipu3::payload::AicConfig;
use cami_ipu3::statistics::{Grids, Text, convert};
use cami_ipu3::uapi::{Entry, Listed, Params, Stats3a};
use cami_ipu3::{bytes_of, bytes_of_mut, zeroed_box};
use support::{folder, names, of, unpacked};

/// Lists the values that differ, for a failure that can be read.
fn differences(ours: &Params, theirs: &Params) -> Vec<String> {
    let listed = |params: &Params| {
        let mut entries: Vec<Entry> = Vec::new();
        params.list("", &mut entries);
        entries
    };
    let pairs = listed(ours).into_iter().zip(listed(theirs));
    let differ = pairs.filter(|(ours, theirs)| ours != theirs);
    differ.map(|(ours, theirs)| format!("{ours:?}, expected {:?}", theirs.value)).collect()
}

#[test]
fn encoded_parameters_are_the_hals_byte_for_byte() {
    let Some(folder) = folder("encoder") else { return };
    let names = names(&folder, ".aic_config.bin.xz");
    assert_eq!(names.len(), 14, "all vectors are there: {names:?}");
    for name in names {
        let config = of::<AicConfig>(&unpacked(&folder.join(format!("{name}.aic_config.bin.xz"))));
        let expected = of::<Params>(&unpacked(&folder.join(format!("{name}.params.bin.xz"))));
        // Whatever the buffer held before.
        for fill in [0, 0xff] {
            let mut params = zeroed_box::<Params>();
            bytes_of_mut(&mut *params).fill(fill);
            encode(&config, &mut params).expect(&name);
            let same = bytes_of(&*params) == bytes_of(&*expected);
            assert!(same, "{name}: {:#?}", differences(&params, &expected));
        }
        // And whatever is in the bytes that are not used.
        let mut used = zeroed_box::<AicConfig>();
        bytes_of_mut(&mut *used).fill(0x5a);
        for part in used_parts() {
            bytes_of_mut(&mut *used)[part.clone()].copy_from_slice(&bytes_of(&*config)[part]);
        }
        let mut params = zeroed_box::<Params>();
        encode(&used, &mut params).expect(&name);
        assert!(bytes_of(&*params) == bytes_of(&*expected), "{name}");
    }
}

#[test]
fn converted_statistics_are_the_hals_to_the_last_line() {
    let Some(folder) = folder("stats") else { return };
    let names = names(&folder, ".stats3a.bin.xz");
    assert_eq!(names.len(), 12, "all vectors are there: {names:?}");
    // One after the other in the same grids: nothing of a frame is left in the next one.
    let mut grids = Grids::new();
    for name in names {
        let stats = of::<Stats3a>(&unpacked(&folder.join(format!("{name}.stats3a.bin.xz"))));
        let expected = unpacked(&folder.join(format!("{name}.grids.txt.xz")));
        let expected = String::from_utf8(expected).expect("text");
        convert(&stats, &mut grids).expect(&name);
        let text = Text { stats: &stats, grids: &grids }.to_string();
        for (number, (ours, theirs)) in text.lines().zip(expected.lines()).enumerate() {
            assert_eq!(ours, theirs, "{name}, line {}", number + 1);
        }
        assert_eq!(text, expected, "{name}");
    }
}
