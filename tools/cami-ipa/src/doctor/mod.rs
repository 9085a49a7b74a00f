//! `cami-ipa doctor`: what works here, what does not, and what to do.

mod findings;
mod libcamera;
pub mod needed;
mod overrides;
mod recording;
mod text;

use std::path::Path;

use crate::failure::Failure;
use crate::options::DoctorOptions;
use findings::Findings;

/// Looks, and tells.
pub fn doctor(options: &DoctorOptions) -> Result<(), Failure> {
    let findings = Findings::gather(options);
    match options.json.as_deref() {
        Some(path) => {
            let json = serde_json::to_string_pretty(&findings)
                .map_err(|error| Failure::environment(format!("the findings: {error}")))?;
            let text = format!("{json}\n");
            if path == Path::new("-") {
                print(&text);
            } else {
                std::fs::write(path, text).map_err(|error| {
                    Failure::environment(format!("{} cannot be written: {error}", path.display()))
                })?;
                print(&text::render(&findings));
            }
        }
        None => print(&text::render(&findings)),
    }
    match findings.problems.len() {
        0 => Ok(()),
        1 => Err(Failure::falls_short("one thing falls short".to_owned())),
        count => Err(Failure::falls_short(format!("{count} things fall short"))),
    }
}

/// A reader that goes away early is no error.
fn print(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}
