//! Figures as people say them.

use cami_record::Call;

/// A time in its two largest units: `3.1 ms`, `12 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`.
pub fn time(us: u64) -> String {
    let seconds = us / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ if minutes == 0 => format!("{seconds} s"),
        _ if hours == 0 => format!("{minutes} min {} s", seconds % 60),
        _ if days == 0 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Bytes in the unit that leaves up to four digits.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        10_485_760..10_737_418_240 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// A call of the library: `request 8 (buffer 3)`.
pub fn call(call: &Call) -> String {
    let handle = call.handle.map(|handle| format!(" (buffer {handle})")).unwrap_or_default();
    match call.req_id {
        Some(req_id) => format!("{} {req_id}{handle}", call.name),
        None => call.name.clone(),
    }
}

/// A name from a file, which may hold anything: no control characters, and no end of it.
pub fn name(text: &str, longest: usize) -> String {
    let mut characters = text.chars();
    let mut name: String = characters.by_ref().take(longest).map(visible).collect();
    if characters.next().is_some() {
        name.push('…');
    }
    name
}

/// The same of any length.
pub fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

fn visible(character: char) -> char {
    if character.is_control() { '\u{fffd}' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_two_units_at_most() {
        for (us, expected) in [
            (0, "0 us"),
            (3_149, "3.1 ms"),
            (1_000_000, "1 s"),
            (192_000_000, "3 min 12 s"),
            (7_500_000_000, "2 h 5 min"),
            (273_600_000_000, "3 d 4 h"),
            (u64::MAX, "213503982 d 8 h"),
        ] {
            assert_eq!(time(us), expected);
        }
    }

    #[test]
    fn bytes_have_four_digits_at_most() {
        assert_eq!(bytes(10_000), "10000 B");
        assert_eq!(bytes(2 << 20), "2048 KiB");
        assert_eq!(bytes(2 << 30), "2048 MiB");
        assert_eq!(bytes(20 << 30), "20 GiB");
    }

    #[test]
    fn name_is_cut_and_cannot_paint_the_terminal() {
        assert_eq!(name("a\x1b[31mb", 99), "a\u{fffd}[31mb");
        assert_eq!(name("abcdef", 3), "abc…");
    }
}
