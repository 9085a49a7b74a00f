//! How long requests took.

use std::sync::Arc;
use std::time::Instant;

use cami_ipu3_requests::Observer;
use parking_lot::Mutex;

use super::kills::KillClock;
use crate::latency::Latencies;

/// From request to callback, and kills that the answers are to tell of.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch {
    latencies: Arc<Mutex<Latencies>>,
    /// Hears of every answer.
    pub kills: Arc<KillClock>,
}

impl Stopwatch {
    /// A watch whose answers are told to `kills` too.
    pub fn new(kills: Arc<KillClock>) -> Self {
        Self { latencies: Arc::default(), kills }
    }

    /// All times so far.
    pub fn take(&self) -> Latencies {
        std::mem::take(&mut *self.latencies.lock())
    }
}

impl Observer for Stopwatch {
    fn answered(&mut self, made: Instant, answered: Instant) {
        self.latencies.lock().push(answered.saturating_duration_since(made));
        self.kills.answered(made, answered);
    }
}
