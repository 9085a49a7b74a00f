//! What the guest is asked.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The environment variable of the vendor process that holds an [`Ask`]. The configuration's
/// `environment` puts it there; the library under test sees it too.
pub const VARIABLE: &str = "CAMI_CONFORM_ASK";

/// A request that the library is expected to survive, whatever it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number.
    pub req_id: u32,
    /// Its header.
    pub header: Vec<u8>,
    /// Size of the buffer that it names, in bytes; the buffer holds zeros.
    pub buffer_bytes: u64,
    /// Whether it is known that the library answers it.
    pub is_answered: bool,
}

/// One rule to look at, in one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The library under test: an absolute path.
    pub library: PathBuf,
    /// The rule.
    pub rule: String,
    /// What to request of it.
    pub sample: Sample,
    /// How long an answer is waited for that is known to come: less than the deadline of the guest.
    pub patience: Duration,
}

/// A text that is no [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAsk(String);

impl fmt::Display for BadAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VARIABLE}: {}", self.0)
    }
}

impl std::error::Error for BadAsk {}

impl Ask {
    /// As the variable has it: hexadecimal digits, because the configuration's lists know `:` and `=`.
    #[must_use]
    pub fn encode(&self) -> String {
        // Strings, numbers and lists: there is nothing that JSON could refuse.
        let json = serde_json::to_vec(self).unwrap_or_default();
        json.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The opposite.
    ///
    /// # Errors
    /// [`BadAsk`].
    pub fn decode(text: &str) -> Result<Self, BadAsk> {
        let bytes = from_hex(text).ok_or_else(|| BadAsk("not hexadecimal".to_owned()))?;
        serde_json::from_slice(&bytes).map_err(|error| BadAsk(error.to_string()))
    }
}

impl Sample {
    /// What every known vendor's header begins with (spec/ipu3-protocol.md, 0.10).
    const KEY: u8 = 0x56;

    /// For a library of which nothing is known: the first command of no group. Whether it is answered
    /// is not known: Rockchip's library drops what it does not know (spec/cami-abi.md, 0.4).
    #[must_use]
    pub fn generic() -> Self {
        Self { req_id: 0, header: vec![Self::KEY, 0], buffer_bytes: 4096, is_answered: false }
    }

    /// For IPU3: AIQ_GET_VERSION, which needs no set-up (spec/ipu3-protocol.md, 1.2).
    #[must_use]
    pub fn intel_ipu3() -> Self {
        Self { req_id: 16, header: vec![Self::KEY], buffer_bytes: 4096, is_answered: true }
    }
}

/// Bytes of an even number of hexadecimal digits.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_comes_back_as_it_was_and_has_no_colon() {
        let ask = Ask {
            library: "/a:b=c/libx.so".into(),
            rule: "request.survives".into(),
            sample: Sample::intel_ipu3(),
            patience: Duration::from_millis(1500),
        };
        let text = ask.encode();
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
        assert_eq!(Ask::decode(&text), Ok(ask));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "7", "zz", "7b7d", "5b5d", "ff"] {
            assert!(Ask::decode(text).is_err(), "{text}");
        }
    }
}
