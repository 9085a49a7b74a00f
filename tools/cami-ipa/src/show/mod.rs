//! `cami-ipa show`: what stands in a recording.

mod about;
mod extract;
mod fields;
mod filter;
mod json;
mod line;
mod options;

use std::io::{IsTerminal, Write as _};
use std::path::Path;

use cami_recording::PageCache;

use crate::failure::Failure;
use crate::outputs::{Output, STANDARD_OUTPUT};
use crate::recorded::Recorded;
use crate::sink::Sink;
use fields::Decoded;

pub use about::pairs as about;
pub use options::{HELP, ShowOptions, frames, parse};

/// Does it.
pub fn show(options: &ShowOptions) -> Result<(), Failure> {
    let recorded = Recorded::open(&options.file, options.profile.as_deref())?;
    if let Some(content) = options.content {
        return one_content(&recorded, content, options.to.as_deref());
    }
    options.filter.check(&recorded)?;
    let to_stdout = options.json.as_deref() == Some(Path::new(STANDARD_OUTPUT));
    let mut text = if to_stdout { Sink::none() } else { Sink::stdout() };
    let mut data = match options.json.as_deref() {
        Some(_) if to_stdout => Sink::stdout(),
        Some(path) => Sink::file(path)?,
        None => Sink::none(),
    };
    let mut extraction = options.extract.as_deref().map(extract::Extraction::into).transpose()?;
    text.put(&about::text(&recorded, &options.file))?;
    data.line(&json::about(&recorded, &options.file).to_string())?;
    let mut cache = PageCache::default();
    let mut shown: u64 = 0;
    for item in recorded.items().filter(|item| options.filter.takes(item)) {
        shown += 1;
        let decoded = options.fields.then(|| Decoded::of(&recorded, &item, &mut cache));
        if !text.is_gone() {
            let lines = decoded.as_ref().map(Decoded::lines).unwrap_or_default();
            text.line(&line::of(&recorded, &item, &lines))?;
        }
        if !data.is_gone() {
            data.line(&json::of(&recorded, &item, decoded.as_ref()).to_string())?;
        }
        if let Some(extraction) = &mut extraction {
            extraction.take(&recorded, &item, &mut cache)?;
        }
        if text.is_gone() && data.is_gone() && extraction.is_none() {
            return Ok(());
        }
    }
    if shown == 0 && options.filter.is_any() {
        text.line("Nothing in it is what was asked for.")?;
    }
    if let Some(extraction) = extraction {
        text.line(&extraction.summary())?;
    }
    text.flush()?;
    data.flush()
}

/// `--content`.
fn one_content(recorded: &Recorded, number: u64, to: Option<&Path>) -> Result<(), Failure> {
    let bytes = recorded
        .recording
        .content(number)
        .map_err(|error| Failure::falls_short(format!("content {number}: {error}")))?;
    match to {
        Some(path) if path != Path::new(STANDARD_OUTPUT) => Output::write_bytes(path, &bytes),
        None if std::io::stdout().is_terminal() => Err(Failure::usage(
            "--content: bytes are not for a terminal; name a file with --to FILE".into(),
        )),
        _ => {
            // A reader that goes away early is no error.
            let _ = std::io::stdout().write_all(&bytes);
            Ok(())
        }
    }
}
