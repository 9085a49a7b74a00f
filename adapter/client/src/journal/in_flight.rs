//! Requests without their callback.

use std::collections::VecDeque;
use std::sync::Arc;

use cami_wire::control::CommandRule;

use super::buffers::Buffer;

/// Addresses in one request's buffer; what is known has two.
pub(crate) const MAX_WORDS: usize = 4;

/// A virtual address in a request's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Where it stands.
    pub(crate) offset: u32,
    /// The one that the request names.
    pub(crate) address: u64,
    /// The one that the HAL wrote there last, which may be that of a later request.
    pub(crate) last: u64,
}

/// All of them.
pub(crate) type Words = [Option<Word>; MAX_WORDS];

/// One request that the HAL made and that has not been answered yet.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// Counts entries.
    pub(crate) id: u64,
    pub(crate) req_id: u32,
    pub(crate) handle: i32,
    /// The buffer that had this handle when the request was made: the number may be another's since.
    pub(crate) buffer: Option<Buffer>,
    pub(crate) header: Vec<u8>,
    /// Generation of the session that it was sent on; 0: none yet.
    pub(crate) sent_on: u64,
    /// Vendor processes that died with it in flight.
    pub(crate) deaths: u32,
    pub(crate) rule: Option<Arc<CommandRule>>,
    /// Where virtual addresses stand in the buffer, which holds the real ones meanwhile.
    pub(crate) words: Words,
    pub(crate) instance: Option<u32>,
    /// What the buffer held, where that is kept.
    pub(crate) payload: Vec<u8>,
    pub(crate) has_payload: bool,
    /// Bytes that are just being copied into it.
    copying: usize,
}

/// Requests that are remembered; no HAL has more than 44 in flight (spec/cami-abi.md, 5.1).
const MAX_IN_FLIGHT: usize = 4096;

impl Entry {
    /// Its virtual addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = u64> {
        self.words.iter().flatten().map(|word| word.address)
    }
}

/// The requests in flight, in the order in which they were made. Entries are used again, so that a
/// request costs no allocation once there have been as many at a time.
#[derive(Debug)]
pub(crate) struct InFlight {
    entries: VecDeque<Entry>,
    free: Vec<Entry>,
    /// Memory for payloads, apart from the entries: few requests have one.
    payloads: Vec<Vec<u8>>,
    ids: u64,
    /// Bytes that are being copied for requests that are not here yet.
    copying: usize,
}

/// Entries that are kept to be used again.
const MAX_FREE: usize = 64;
/// The same of payloads: three groups of threads have one each in flight (spec/ipu3-protocol.md, 1.1).
const MAX_FREE_PAYLOADS: usize = 8;

impl Default for InFlight {
    fn default() -> Self {
        // At once: a list of this size that grows is moved by mremap, which ChromeOS's filters do not
        // know (spec/cami-abi.md, 3.2).
        Self {
            entries: VecDeque::with_capacity(MAX_IN_FLIGHT),
            free: Vec::with_capacity(MAX_FREE),
            payloads: Vec::with_capacity(MAX_FREE_PAYLOADS),
            ids: 0,
            copying: 0,
        }
    }
}

impl InFlight {
    /// Bytes of all payloads, those that are being copied too.
    pub(crate) fn payload_bytes(&self) -> usize {
        let held = self.entries.iter().filter(|entry| entry.has_payload);
        held.map(|entry| entry.payload.len()).sum::<usize>().saturating_add(self.copying)
    }

    /// So many bytes are going to be copied into `entry`, while others may ask for room.
    pub(crate) fn will_copy(&mut self, entry: &mut Entry, bytes: usize) {
        // The least that is enough. None is made to grow: see `kept::copy`.
        let enough = (0..).zip(&self.payloads).filter(|(_, payload)| payload.capacity() >= bytes);
        if let Some((index, _)) = enough.min_by_key(|(_, payload)| payload.capacity()) {
            entry.payload = self.payloads.swap_remove(index);
        }
        entry.copying = bytes;
        self.copying = self.copying.saturating_add(bytes);
    }

    /// They have been.
    pub(crate) fn copied(&mut self, entry: &mut Entry) {
        self.copying = self.copying.saturating_sub(std::mem::take(&mut entry.copying));
    }

    /// The word at `offset` of the newest request with this buffer that has one, and the request's
    /// number.
    pub(crate) fn word_at(&mut self, buffer: &Buffer, offset: u32) -> Option<(u64, &mut Word)> {
        self.entries.iter_mut().rev().find_map(|entry| {
            let is_it = entry.buffer.as_ref().is_some_and(|other| other.is_same(buffer));
            let mut words = entry.words.iter_mut().flatten();
            let word = words.find(|word| is_it && word.offset == offset)?;
            Some((entry.id, word))
        })
    }

    /// An empty entry, to be filled and given to [`Self::push`].
    pub(crate) fn blank(&mut self) -> Entry {
        self.ids = self.ids.wrapping_add(1);
        let mut entry = self.free.pop().unwrap_or_default();
        entry.header.clear();
        Entry { id: self.ids, header: std::mem::take(&mut entry.header), ..Entry::default() }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// The oldest request on `session` that this callback answers. A callback that answers none is
    /// the library's own doing, and nothing that we keep.
    ///
    /// `newest`: of several of the same number and buffer the newest, because the library drops some.
    pub(crate) fn answered(
        &mut self,
        session: u64,
        (req_id, handle): (u32, i32),
        newest: bool,
    ) -> Option<Entry> {
        let is_it = |entry: &Entry| {
            entry.sent_on == session && entry.req_id == req_id && entry.handle == handle
        };
        let found = if newest {
            self.entries.iter().rposition(is_it)?
        } else {
            self.entries.iter().position(is_it)?
        };
        self.entries.remove(found)
    }

    /// Drops the requests on `session` that were made before `answered` with the same number and
    /// buffer: the library has dropped them. `restore` gives each one's buffer back.
    pub(crate) fn drop_before(
        &mut self,
        session: u64,
        answered: &Entry,
        restore: impl Fn(&Entry, &mut Self),
    ) {
        let is_dropped = |entry: &Entry| {
            entry.sent_on == session
                && entry.req_id == answered.req_id
                && entry.handle == answered.handle
        };
        for entry in self.take(is_dropped) {
            restore(&entry, self);
            self.recycle(entry);
        }
    }

    /// Makes room where a library answers nothing at all; what was dropped is answered by nobody.
    pub(crate) fn make_room(&mut self) -> Option<Entry> {
        if self.entries.len() >= MAX_IN_FLIGHT { self.entries.pop_front() } else { None }
    }

    /// Takes an entry away that could not be sent, if it is still that of `session`.
    pub(crate) fn withdraw(&mut self, id: u64, session: u64) -> Option<Entry> {
        let found =
            self.entries.iter().position(|entry| entry.id == id && entry.sent_on == session)?;
        self.entries.remove(found)
    }

    /// Takes the entries for which `which` is true.
    pub(crate) fn take(&mut self, which: impl Fn(&Entry) -> bool) -> VecDeque<Entry> {
        let count = self.entries.iter().filter(|entry| which(entry)).count();
        let mut taken = VecDeque::with_capacity(count);
        for _ in 0..self.entries.len() {
            match self.entries.pop_front() {
                Some(entry) if which(&entry) => taken.push_back(entry),
                Some(entry) => self.entries.push_back(entry),
                None => break,
            }
        }
        taken
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub(crate) fn recycle(&mut self, mut entry: Entry) {
        entry.buffer = None;
        let payload = std::mem::take(&mut entry.payload);
        if payload.capacity() > 0 {
            if self.payloads.len() >= MAX_FREE_PAYLOADS {
                // The newest sizes are those that are in use.
                self.payloads.remove(0);
            }
            self.payloads.push(payload);
        }
        if self.free.len() < MAX_FREE {
            self.free.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InFlight;

    #[test]
    fn answer_takes_the_oldest_of_its_request_and_buffer() {
        let mut in_flight = InFlight::default();
        for (req_id, handle) in [(8, 1), (8, 2), (8, 1)] {
            let mut entry = in_flight.blank();
            (entry.req_id, entry.handle) = (req_id, handle);
            in_flight.push(entry);
        }
        assert_eq!(in_flight.answered(0, (8, 1), false).unwrap().id, 1);
        assert_eq!(in_flight.answered(0, (8, 1), false).unwrap().id, 3);
        assert!(in_flight.answered(0, (8, 1), false).is_none());
        assert!(in_flight.answered(7, (8, 2), false).is_none());
        assert_eq!(in_flight.answered(0, (8, 2), false).unwrap().id, 2);
    }

    #[test]
    fn answer_of_a_library_that_drops_requests_is_the_newest_ones() {
        let mut in_flight = InFlight::default();
        for handle in [1, 2, 1] {
            let mut entry = in_flight.blank();
            entry.handle = handle;
            in_flight.push(entry);
        }
        let answered = in_flight.answered(0, (0, 1), true).unwrap();
        assert_eq!(answered.id, 3);
        in_flight.drop_before(0, &answered, |_, _| ());
        assert!(in_flight.answered(0, (0, 1), true).is_none());
        assert!(in_flight.answered(0, (0, 2), true).is_some());
    }

    #[test]
    fn requests_that_nobody_answers_are_bounded() {
        let mut in_flight = InFlight::default();
        for _ in 0..super::MAX_IN_FLIGHT {
            assert!(in_flight.make_room().is_none());
            let entry = in_flight.blank();
            in_flight.push(entry);
        }
        assert_eq!(in_flight.make_room().unwrap().id, 1);
    }

    #[test]
    fn only_the_session_that_could_not_send_withdraws() {
        let mut in_flight = InFlight::default();
        let mut entry = in_flight.blank();
        (entry.sent_on, entry.req_id) = (5, 1);
        let id = entry.id;
        in_flight.push(entry);
        assert!(in_flight.withdraw(id, 4).is_none());
        assert!(in_flight.withdraw(id, 5).is_some());
    }
}
