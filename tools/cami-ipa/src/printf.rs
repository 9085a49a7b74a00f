//! Numbers as C's printf writes them, for traces that are compared digit by digit.

/// `%.9g`: nine significant digits, without trailing zeros.
pub fn g9(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan".into() } else { "nan".into() };
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf".into() } else { "inf".into() };
    }
    // Rounded to nine digits first: the exponent that decides is that of the rounded value.
    let scientific = format!("{value:.8e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..9).contains(&exponent) {
        let decimals = usize::try_from(8 - exponent).unwrap_or(0);
        without_zeros(&format!("{value:.decimals$}")).into()
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
    }
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::g9;

    #[test]
    fn numbers_look_as_in_c() {
        // Made with printf("%.9g").
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-5.0, "-5"),
            (0.0008, "0.0008"),
            (0.00005, "5e-05"),
            (0.0001, "0.0001"),
            (f64::from(0.637_191_9_f32), "0.637191892"),
            (f64::from(1.004_882_8_f32), "1.00488281"),
            (123_456_789.0, "123456789"),
            (1_234_567_890.0, "1.23456789e+09"),
            (999_999_999.6, "1e+09"),
            (0.000_099_999_999_99, "0.0001"),
            (1e100, "1e+100"),
            (1.5e-300, "1.5e-300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(g9(value), expected);
        }
    }
}
