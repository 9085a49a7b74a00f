//! The buffers that are registered at one time, as a recording is gone through.

use std::collections::HashMap;

/// By host and handle, the answer that gave the handle and whether something that stays names it.
#[derive(Debug, Default)]
pub(crate) struct Registered(HashMap<(u32, i32), (usize, bool)>);

impl Registered {
    pub(crate) fn begin(&mut self, host: u32, handle: i32, answer: usize) {
        if handle >= 0 {
            self.0.insert((host, handle), (answer, false));
        }
    }

    pub(crate) fn name(&mut self, host: u32, handle: i32) {
        if let Some((_, named)) = self.0.get_mut(&(host, handle)) {
            *named = true;
        }
    }

    /// These end; the answers of those that something names.
    pub(crate) fn end(&mut self, host: u32, handles: &[i32]) -> Vec<usize> {
        let ended = handles.iter().filter_map(|&handle| self.0.remove(&(host, handle)));
        ended.filter(|&(_, named)| named).map(|(answer, _)| answer).collect()
    }

    /// The answers of those that are still there.
    pub(crate) fn answers(self) -> impl Iterator<Item = usize> {
        self.0.into_values().map(|(answer, _)| answer)
    }
}
