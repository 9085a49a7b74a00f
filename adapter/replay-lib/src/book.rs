//! What a request is answered with.

use std::ops::Range;
use std::time::Duration;

use cami_ipu3::fields::Direction;
use cami_recording::{ContentId, Image, PageCache, Recording};
use cami_replay::addresses::word;
use cami_replay::{Exchange, Protocol, Side, Tolerances, compare};

use crate::patch::Patch;
use crate::settings::Mode;

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// It is answered.
    Answer {
        /// The recorded status.
        status: u32,
        /// Where its buffer was changed.
        changed: Vec<Range<usize>>,
        /// The time that the recorded answer took.
        after: Duration,
        /// A difference between this request and the recorded one, which was let pass.
        unlike: Option<String>,
    },
    /// It is answered with this status, for this reason.
    Refuse {
        /// The profile's error status.
        status: u32,
        /// Why, for the log.
        why: String,
    },
    /// It is not answered, as the recorded one was not.
    Silence {
        /// Which, for the log.
        why: String,
    },
}

/// What an answer is made of.
#[derive(Debug)]
pub struct Book<'a> {
    /// What is known of the commands.
    pub protocol: &'a Protocol,
    /// What becomes of requests that are unlike the recorded ones.
    pub mode: Mode,
    /// The recording.
    pub recording: &'a Recording,
}

impl Book<'_> {
    /// The reply to a request, whose buffer is changed to what it is to hold; an error is why it is
    /// refused. `image` is what the recorded buffer held last.
    pub fn reply(
        &self,
        exchange: &Exchange,
        image: &mut Image,
        cache: &mut PageCache,
        buffer: Option<&mut [u8]>,
    ) -> Result<Reply, String> {
        let title = || exchange.title(self.protocol);
        let mut is_recorded = false;
        let unlike = match exchange.content {
            0 => None,
            content => {
                self.show(image, content, cache, |_, _, _| {})?;
                let (recorded, now) = (image.contents(), buffer.as_deref());
                // With the results of earlier requests too: nearly always.
                is_recorded = now.and_then(|now| now.get(..recorded.len())) == Some(recorded);
                if is_recorded { None } else { self.unlike(exchange, recorded, now)? }
            }
        };
        let Some(answer) = exchange.answer else {
            let mut why = format!("{} has no answer in the recording", title());
            if let Some(unlike) = unlike {
                why.push_str("; it is not the recorded one: ");
                why.push_str(&unlike);
            }
            return Ok(Reply::Silence { why });
        };
        if let (Some(unlike), Mode::Strict) = (&unlike, self.mode) {
            return Err(unlike.clone());
        }
        let changed = match (answer.content, buffer) {
            (0, _) | (_, None) => Vec::new(),
            (content, Some(buffer)) => {
                self.answer(exchange, content, image, cache, buffer, is_recorded)?
            }
        };
        Ok(Reply::Answer {
            status: answer.status,
            changed,
            after: Duration::from_nanos(answer.at_ns.saturating_sub(exchange.at_ns)),
            unlike: unlike.map(|unlike| format!("{}: {unlike}", title())),
        })
    }

    fn show(
        &self,
        image: &mut Image,
        content: ContentId,
        cache: &mut PageCache,
        changed: impl FnMut(usize, &[u8], &[u8]),
    ) -> Result<(), String> {
        let shown = image.show(self.recording, content, cache, changed);
        shown.map_err(|error| format!("the recording {error}"))
    }

    /// How a request differs from the recorded one, in words.
    fn unlike(
        &self,
        exchange: &Exchange,
        recorded: &[u8],
        buffer: Option<&[u8]>,
    ) -> Result<Option<String>, String> {
        let Some(buffer) = buffer else {
            return Err("its buffer is not registered, or cannot be read".to_owned());
        };
        let buffer =
            buffer.get(..recorded.len()).ok_or_else(|| too_small(buffer.len(), recorded.len()))?;
        let tolerances = Tolerances::default();
        let side = Side::Request;
        let differences =
            compare(self.protocol, exchange.command, side, &tolerances, recorded, buffer);
        let more = differences.len().saturating_sub(1);
        Ok(differences.first().map(|first| {
            let mut text = format!(
                "{} is {}, and was {} when it was recorded",
                first.place, first.now, first.recorded
            );
            if more > 0 {
                text.push_str(&format!("; {more} more differ"));
            }
            text
        }))
    }

    /// What the buffer is to hold at the callback: the recorded results, and what else the recorded
    /// library changed; but the addresses that a request names are the HAL's own. `is_recorded`: it holds
    /// what the recorded one held, byte by byte. Returns where it changes.
    fn answer(
        &self,
        exchange: &Exchange,
        content: ContentId,
        image: &mut Image,
        cache: &mut PageCache,
        buffer: &mut [u8],
        is_recorded: bool,
    ) -> Result<Vec<Range<usize>>, String> {
        let takes = self.protocol.takes(exchange.command);
        let own: Vec<_> = takes.iter().map(|&at| (at, word(buffer, at))).collect();
        // What the request held is the image's; where it is not recorded, all of the answer counts.
        let request = if exchange.content == 0 { 0 } else { image.contents().len() };
        let mut patch = Patch::of(buffer);
        self.show(image, content, cache, |at, old, new| {
            patch.take_changes(at, request, old, new);
        })?;
        let answer = image.contents();
        if patch.bytes().len() < answer.len() {
            return Err(too_small(patch.bytes().len(), answer.len()));
        }
        patch.copy(answer, request.min(answer.len())..answer.len());
        // Where the buffer held what the recorded one held, it holds all of the answer now.
        let fields = self.protocol.fields(exchange.command, Direction::Answer);
        for field in fields.iter().filter(|_| !is_recorded) {
            let bytes = field.kind.bytes();
            let whole = field.count() * bytes;
            let last = field.count().checked_sub(1).and_then(|last| field.offset_of(last));
            if last == Some(field.offset + whole - bytes) {
                patch.copy(answer, field.offset..field.offset + whole);
                continue;
            }
            for at in (0..field.count()).map_while(|index| field.offset_of(index)) {
                patch.copy(answer, at..at + bytes);
            }
        }
        for (at, own) in own {
            if let (Some(own), Ok(at)) = (own, usize::try_from(at)) {
                patch.put(at, &own.to_le_bytes());
            }
        }
        Ok(patch.ranges())
    }
}

fn too_small(bytes: usize, recorded: usize) -> String {
    format!("its buffer has {bytes} bytes, the recorded one {recorded}")
}
