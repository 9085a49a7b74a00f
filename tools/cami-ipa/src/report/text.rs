//! Text inside HTML.

use std::fmt;

/// Displays a value with the characters escaped that mean something in HTML.
pub struct Escaped<T>(pub T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(Escaped("<b a=\"1\">&'").to_string(), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
    }
}
