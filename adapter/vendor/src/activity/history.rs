//! The last requests, answered or not, for the crash record.
//!
//! A ring of fixed entries in the activity page: the thread that calls the library begins them, any
//! thread that calls back ends them, without locks or allocation. Layout of an entry (native
//! endian, offsets in bytes): 0 `u64` start in ns of `CLOCK_MONOTONIC` (0: never used); 8 `u64`
//! duration in ns (0: no callback yet); 16 `u32` req_id; 20 `i32` handle; 24 `u32` status.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Requests that are remembered.
pub const LAST_REQUESTS: usize = 64;

/// Bytes of the ring.
pub(super) const BYTES: usize = LAST_REQUESTS * size_of::<Entry>();

#[derive(Debug)]
#[repr(C)]
struct Entry {
    start_ns: AtomicU64,
    duration_ns: AtomicU64,
    req_id: AtomicU32,
    handle: AtomicI32,
    status: AtomicU32,
    unused: u32,
}

const _: () = assert!(size_of::<Entry>() == 32);

/// The ring.
#[derive(Debug)]
#[repr(C)]
pub(super) struct History([Entry; LAST_REQUESTS]);

impl History {
    fn entry(&self, number: u64) -> Option<&Entry> {
        let index = number % LAST_REQUESTS as u64;
        usize::try_from(index).ok().and_then(|index| self.0.get(index))
    }

    /// The library gets request `number`, counted from 0.
    pub fn begin(&self, number: u64, now_ns: u64, req_id: u32, handle: i32) {
        let Some(entry) = self.entry(number) else { return };
        // A callback that still means the request before finds no entry in flight meanwhile.
        entry.duration_ns.store(u64::MAX, Ordering::Relaxed);
        entry.req_id.store(req_id, Ordering::Relaxed);
        entry.handle.store(handle, Ordering::Relaxed);
        entry.status.store(0, Ordering::Relaxed);
        entry.start_ns.store(now_ns, Ordering::Relaxed);
        entry.duration_ns.store(0, Ordering::Release);
    }

    /// A callback came for the request that began at `start_ns`. `requests` is how many there were
    /// so far: the one that is looked for is mostly the last.
    pub fn end(&self, requests: u64, start_ns: u64, now_ns: u64, req_id: u32, status: u32) {
        let remembered = requests.min(LAST_REQUESTS as u64);
        let begun = (requests - remembered..requests)
            .rev()
            .filter_map(|number| self.entry(number))
            .find(|entry| {
                entry.start_ns.load(Ordering::Relaxed) == start_ns
                    && entry.req_id.load(Ordering::Relaxed) == req_id
                    && entry.duration_ns.load(Ordering::Acquire) == 0
            });
        if let Some(entry) = begun {
            let duration = now_ns.saturating_sub(start_ns).max(1);
            entry.status.store(status, Ordering::Relaxed);
            entry.duration_ns.store(duration, Ordering::Release);
        }
    }
}

/// One remembered request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRequest {
    /// Its number.
    pub req_id: u32,
    /// Its buffer.
    pub handle: i32,
    /// How long ago the library got it.
    pub age: Duration,
    /// How long until its callback, and the status that came with it; `None` while in flight.
    pub answer: Option<(Duration, u32)>,
}

/// Reads the ring's bytes, which may be nonsense, oldest first.
pub(super) fn read(bytes: &[u8], now_ns: u64) -> Vec<PastRequest> {
    let mut requests: Vec<PastRequest> = bytes
        .as_chunks::<32>()
        .0
        .iter()
        .take(LAST_REQUESTS)
        .filter_map(|e| one(e, now_ns))
        .collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.age));
    requests
}

fn one(entry: &[u8; 32], now_ns: u64) -> Option<PastRequest> {
    let (longs, words) = entry.split_at_checked(16)?;
    let [start, duration] = longs.as_chunks::<8>().0 else { return None };
    let [req_id, handle, status, _] = words.as_chunks::<4>().0 else { return None };
    let (start, duration) = (u64::from_ne_bytes(*start), u64::from_ne_bytes(*duration));
    let duration = (duration != 0).then(|| Duration::from_nanos(duration));
    (start != 0).then(|| PastRequest {
        req_id: u32::from_ne_bytes(*req_id),
        handle: i32::from_ne_bytes(*handle),
        age: Duration::from_nanos(now_ns.saturating_sub(start)),
        answer: duration.map(|duration| (duration, u32::from_ne_bytes(*status))),
    })
}

#[cfg(test)]
mod tests {
    use super::LAST_REQUESTS;
    use crate::activity::{Activity, ActivityFile};

    #[test]
    fn history_keeps_the_last_requests_in_order_with_their_answers() {
        let file = ActivityFile::new().unwrap();
        let activity = Activity::map(file.as_fd()).unwrap();
        for id in 0..100 {
            activity.request(id, -1);
            if id % 2 == 0 {
                activity.returned(id, id + 7);
            }
        }
        let last = file.read().last_requests;
        assert_eq!(last.len(), LAST_REQUESTS);
        for (request, id) in last.iter().zip(36..) {
            assert_eq!((request.req_id, request.handle), (id, -1));
            assert_eq!(request.answer.map(|(_, status)| status), (id % 2 == 0).then_some(id + 7));
        }
    }

    #[test]
    fn history_answer_ends_the_oldest_of_its_number_and_strangers_end_none() {
        let file = ActivityFile::new().unwrap();
        let activity = Activity::map(file.as_fd()).unwrap();
        activity.returned(3, 9);
        activity.request(3, 1);
        activity.request(3, 2);
        activity.returned(3, 5);
        activity.returned(4, 6);
        let last = file.read().last_requests;
        let answers: Vec<_> = last.iter().map(|r| (r.handle, r.answer.map(|(_, s)| s))).collect();
        assert_eq!(answers, [(1, Some(5)), (2, None)]);
    }
}
