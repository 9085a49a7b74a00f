//! Whose library it is, by the names in it (spec/ipu3-protocol.md, 0 and 7; spec/cami-abi.md, 5.1).

use std::collections::BTreeSet;

use serde::Serialize;

/// A profile that fits, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// Name of the built-in profile.
    pub profile: &'static str,
    /// The names that it was told by.
    pub evidence: Vec<String>,
}

/// Where a mark stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    /// The file name of a library that it needs, or its own.
    File,
    /// The start of a symbol's name.
    Symbol,
    /// Anywhere in a symbol's name: C++ puts numbers before it.
    Mangled,
}

const IPU3: &str = "intel-ipu3";
const IPU6: &str = "intel-ipu6";
const ROCKCHIP: &str = "rockchip";
const MEDIATEK: &str = "mediatek";

/// Marks, those that decide before those that several have: both of Intel's use `libia_*` and
/// `libpvl_*`, and the older one has nothing that the newer has not but its ISP's configurator.
const MARKS: [(&str, In, &str); 21] = [
    (IPU6, In::File, "libia_lard"),
    (IPU6, In::File, "libgcss"),
    (IPU6, In::Symbol, "ia_lard_"),
    (IPU6, In::Symbol, "ia_pal_"),
    (IPU6, In::Mangled, "IntelAlgoServer"),
    (IPU6, In::Mangled, "IntelCPUAlgoServer"),
    (IPU6, In::Mangled, "IntelGPUAlgoServer"),
    (ROCKCHIP, In::File, "librkaiq"),
    (ROCKCHIP, In::File, "librk_aiq"),
    (ROCKCHIP, In::Symbol, "rk_aiq_"),
    (ROCKCHIP, In::Mangled, "Rockchip3AServer"),
    (MEDIATEK, In::File, "lib3a"),
    (MEDIATEK, In::Mangled, "Mediatek3AServer"),
    (IPU3, In::File, "libSkyCamAIC"),
    (IPU3, In::Mangled, "Intel3AServer"),
    (IPU3, In::File, "libia_aiq"),
    (IPU3, In::File, "libia_cmc_parser"),
    (IPU3, In::File, "libpvl_"),
    (IPU3, In::Symbol, "ia_aiq_"),
    (IPU3, In::Symbol, "ia_cmc_parser_"),
    // Our own, which speaks that protocol.
    (IPU3, In::File, "libcam_algo_reference."),
];

/// Names that are told.
const MAX_EVIDENCE: usize = 6;

/// Collects marks.
#[derive(Debug, Default)]
pub struct Marks(BTreeSet<(usize, String)>);

impl Marks {
    /// Looks at a file's name.
    pub fn file(&mut self, name: &str) {
        self.look(name, |place, mark| place == In::File && name.starts_with(mark));
    }

    /// Looks at a symbol's name.
    pub fn symbol(&mut self, name: &[u8]) {
        let Ok(name) = std::str::from_utf8(name) else { return };
        self.look(name, |place, mark| match place {
            In::File => false,
            In::Symbol => name.starts_with(mark),
            In::Mangled => name.contains(mark),
        });
    }

    fn look(&mut self, name: &str, fits: impl Fn(In, &str) -> bool) {
        for (index, (_, place, mark)) in MARKS.iter().enumerate() {
            // One name for each mark.
            if fits(*place, mark) && !self.0.iter().any(|(known, _)| *known == index) {
                self.0.insert((index, name.to_owned()));
            }
        }
    }

    /// The profile that fits, if one does.
    pub fn fingerprint(self) -> Option<Fingerprint> {
        let profile_of = |index: usize| MARKS.get(index).map(|(profile, _, _)| *profile);
        let profile = profile_of(self.0.first()?.0)?;
        let own = self.0.into_iter().filter(|(index, _)| profile_of(*index) == Some(profile));
        let evidence = own.map(|(_, name)| name).take(MAX_EVIDENCE).collect();
        Some(Fingerprint { profile, evidence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(files: &[&str], symbols: &[&str]) -> Option<&'static str> {
        let mut marks = Marks::default();
        files.iter().for_each(|name| marks.file(name));
        symbols.iter().for_each(|name| marks.symbol(name.as_bytes()));
        marks.fingerprint().map(|found| found.profile)
    }

    #[test]
    fn vendors_are_told_by_their_names() {
        for (files, symbols, expected) in [
            (&["libc.so.6", "libia_aiq.so"][..], &["ia_aiq_init"][..], Some(IPU3)),
            (&["libia_aiq.so", "libia_lard.so"], &["ia_aiq_init"], Some(IPU6)),
            (&["libia_aiq.so"], &["ia_lard_init"], Some(IPU6)),
            (&["librkaiq.so"], &[], Some(ROCKCHIP)),
            (&["lib3a.flash.so"], &[], Some(MEDIATEK)),
            (&[], &["_ZN6cros16Mediatek3AServerC1Ev"], Some(MEDIATEK)),
            (&["libc.so.6", "libm.so.6"], &["CAMI", "my_ia_aiq_"], None),
        ] {
            assert_eq!(profile(files, symbols), expected, "{files:?} {symbols:?}");
        }
    }

    #[test]
    fn every_profile_is_a_built_in_one() {
        for (profile, _, mark) in MARKS {
            assert!(cami_config::Profile::text_of(profile).is_some(), "{mark}");
        }
    }
}
