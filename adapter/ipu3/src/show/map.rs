//! A grid of numbers as a map of characters, from dark to bright.

use std::fmt;

const SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// Smallest, mean and largest of some numbers; `None` of none.
pub(super) fn summary(values: impl Iterator<Item = i64>) -> Option<(i64, f64, i64)> {
    let (mut count, mut sum) = (0_u32, 0.0);
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for value in values {
        count += 1;
        #[expect(clippy::cast_precision_loss, reason = "numbers of at most 32 bits")]
        {
            sum += value as f64;
        }
        (least, most) = (least.min(value), most.max(value));
    }
    (count > 0).then(|| (least, sum / f64::from(count), most))
}

/// Writes rows of `width` characters; `full` is the brightest.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    values: &[i64],
    width: u16,
    full: i64,
) -> fmt::Result {
    for row in values.chunks(usize::from(width.max(1))) {
        let shade = |value: &i64| {
            let level = (value * 10).checked_div(full.max(1)).unwrap_or(0).clamp(0, 9);
            usize::try_from(level).ok().and_then(|level| SHADES.get(level)).unwrap_or(&' ')
        };
        let text: String = row.iter().map(shade).collect();
        writeln!(f, "  |{text}|")?;
    }
    Ok(())
}
