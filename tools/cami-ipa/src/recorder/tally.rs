//! What is in a recording, in a few words.

use std::fmt;

use cami_ipu3::Command;
use cami_recording::session::Event;
use cami_recording::{Recording, RecordingError, Session, Source};

/// The figures.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    hosts: usize,
    deaths: usize,
    requests: u64,
    /// Runs of an IPU3 library's AE: one for each frame.
    frames: u64,
    unanswered: u64,
    without_contents: u64,
    dropped: u64,
    bytes: u64,
    ending: String,
}

impl Tally {
    /// Counts.
    pub fn of<S: Source>(recording: &Recording<S>) -> Result<Self, RecordingError> {
        let session = Session::of(recording)?;
        let mut tally = Self {
            hosts: session.hosts.len(),
            deaths: session.hosts.iter().filter(|host| host.died.is_some()).count(),
            dropped: session.dropped.0,
            bytes: recording.good_bytes(),
            ending: match recording.ending() {
                cami_recording::Ending::Complete => String::new(),
                other => format!("; the file {other}"),
            },
            ..Self::default()
        };
        for event in &session.events {
            let Event::Exchange { requested, returned } = event else { continue };
            tally.requests += 1;
            tally.unanswered += u64::from(returned.is_none());
            let errno = |errno: u32| errno == nix::errno::Errno::ENOSPC as u32;
            let left_out = errno(requested.content_errno)
                || returned.as_ref().is_some_and(|returned| errno(returned.content_errno));
            tally.without_contents += u64::from(left_out);
            let host = session.host(requested.host);
            let is_ipu3 = host.is_some_and(|host| host.host.profile == "intel-ipu3");
            tally.frames += u64::from(is_ipu3 && requested.req_id == Command::AeRun.number());
        }
        Ok(tally)
    }

    /// Whether anything is in it.
    pub fn is_empty(&self) -> bool {
        self.hosts == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count: u64, one: &str, more: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {more}"),
        };
        write!(f, "{}", many(self.hosts as u64, "host", "hosts"))?;
        if self.deaths > 0 {
            write!(f, " ({} died)", self.deaths)?;
        }
        write!(f, ", {}", many(self.requests, "request", "requests"))?;
        if self.unanswered > 0 {
            write!(f, " ({} without an answer)", self.unanswered)?;
        }
        if self.frames > 0 {
            write!(f, ", {}", many(self.frames, "frame", "frames"))?;
        }
        write!(f, ", {} KiB", self.bytes.div_ceil(1024))?;
        if self.without_contents > 0 {
            write!(f, "; contents of {} are missing", self.without_contents)?;
        }
        if self.dropped > 0 {
            write!(f, "; {} older events were left out", self.dropped)?;
        }
        f.write_str(&self.ending)
    }
}
