//! `--extract`: what buffers held, as files.

use std::path::{Path, PathBuf};

use cami_ipu3::Command;
use cami_ipu3::payload::AicConfig;
use cami_recording::{ContentId, PageCache};

use crate::failure::Failure;
use crate::outputs::Output;
use crate::recorded::{Exchange, Item, Recorded};
use crate::status::human;

/// A folder, and what went there.
#[derive(Debug)]
pub struct Extraction {
    folder: PathBuf,
    files: u64,
    bytes: u64,
    unreadable: u64,
}

impl Extraction {
    /// Into a folder, which is made if only its last part is missing.
    pub fn into(folder: &Path) -> Result<Self, Failure> {
        match std::fs::create_dir(folder) {
            Err(error) if !folder.is_dir() => {
                Err(Failure::environment(format!("{} cannot be made: {error}", folder.display())))
            }
            _ => Ok(Self { folder: folder.to_owned(), files: 0, bytes: 0, unreadable: 0 }),
        }
    }

    /// Writes the buffers of a request.
    pub fn take(
        &mut self,
        recorded: &Recorded,
        item: &Item<'_>,
        cache: &mut PageCache,
    ) -> Result<(), Failure> {
        let Item::Request(exchange) = item else { return Ok(()) };
        let before = exchange.requested.content;
        self.write(recorded, exchange, before, "in.bin", u64::MAX, cache)?;
        let Some(answer) = exchange.returned else { return Ok(()) };
        self.write(recorded, exchange, answer.content, "out.bin", u64::MAX, cache)?;
        if exchange.protocol.ipu3(exchange.command) == Some(Command::AicGetConfig) {
            let bytes = u64::try_from(size_of::<AicConfig>()).unwrap_or(0);
            self.write(recorded, exchange, answer.content, "aic_config.bin", bytes, cache)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        recorded: &Recorded,
        exchange: &Exchange<'_>,
        content: ContentId,
        kind: &str,
        most: u64,
        cache: &mut PageCache,
    ) -> Result<(), Failure> {
        if content == 0 {
            return Ok(());
        }
        let Ok(bytes) = recorded.recording.part(content, 0..most, cache) else {
            self.unreadable += 1;
            return Ok(());
        };
        let name = format!("{:06}_{}_{kind}", exchange.requested.number, exchange.name());
        Output::write_bytes(&self.folder.join(name), &bytes)?;
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// What was done.
    pub fn summary(&self) -> String {
        let missing = match self.unreadable {
            0 => String::new(),
            count => format!("; {count} contents are not in the recording"),
        };
        let bytes = human::bytes(self.bytes);
        format!("{} files, {bytes}, in {}{missing}", self.files, self.folder.display())
    }
}
