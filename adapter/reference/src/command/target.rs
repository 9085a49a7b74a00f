//! Another AE target than the reference library's own, for whoever wants to see what a changed library
//! looks like to the tools that compare: `CAMI_REFERENCE_AE_TARGET_PERCENT`.

use std::env;
use std::sync::OnceLock;

use crate::algorithm::AE_TARGET;
use crate::log;

const VARIABLE: &str = "CAMI_REFERENCE_AE_TARGET_PERCENT";
/// The scale of [`AE_TARGET`].
const FULL_SCALE: f64 = 255.0;

/// How far the target is from the library's own, in stops; read once.
pub fn shift() -> f64 {
    static SHIFT: OnceLock<f64> = OnceLock::new();
    *SHIFT.get_or_init(|| {
        let Some(value) = env::var_os(VARIABLE) else { return 0.0 };
        shift_of(value.to_str()).unwrap_or_else(|| {
            log::line(format_args!("{VARIABLE} is no number from 1 to 60; left as it is"));
            0.0
        })
    })
}

fn shift_of(percent: Option<&str>) -> Option<f64> {
    let percent: f64 = percent?.parse().ok()?;
    let target = percent / 100.0 * FULL_SCALE;
    (1.0..=60.0).contains(&percent).then(|| (target / AE_TARGET).log2())
}

#[cfg(test)]
mod tests {
    use super::shift_of;

    #[test]
    fn a_target_is_told_in_stops() {
        assert_eq!(shift_of(Some("18")), Some(0.0));
        assert_eq!(shift_of(Some("36")), Some(1.0));
        for wrong in [None, Some(""), Some("0"), Some("61"), Some("nan"), Some("x")] {
            assert_eq!(shift_of(wrong), None, "{wrong:?}");
        }
    }
}
