//! Nothing is allocated per request.

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use cami_abi::{Callbacks, CameraAlgorithm};
use nix::sys::uio::{pread, pwrite};

use crate::Scenario;
use crate::fake_host::{ADDRESS, KEEP, MAKE, OWNER};
use crate::hal::{buffer, next_host, supervisor};

pub const SCENARIOS: &[Scenario] = &[("allocations_per_request", allocations_per_request)];

/// Counts allocations of all threads.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts answers without allocating.
#[derive(Default)]
struct Counter {
    answers: Mutex<u32>,
    changed: Condvar,
}

impl Counter {
    fn wait_for(&self, answers: u32) {
        let guard = self.answers.lock().unwrap();
        drop(self.changed.wait_while(guard, |count| *count < answers).unwrap());
    }
}

impl Callbacks for Counter {
    fn returned(&self, _: u32, _: u32, _: i32) {
        *self.answers.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn notify(&self, _: u32) {}

    fn update(&self, _: u32, _: &[u8], _: Option<OwnedFd>) {}
}

/// The same where every request is kept for the next vendor process, and every second one leaves a
/// state behind: its header, its buffer and the address that it names take the place of the last.
pub fn none_per_request_with_a_journal() {
    next_host("resume");
    let supervisor = supervisor();
    let counter = Arc::new(Counter::default());
    assert_eq!(supervisor.initialize(counter.clone()), 0);
    let shared = buffer(1 << 20);
    assert_eq!(supervisor.register_buffer(shared.try_clone().unwrap()), 1);
    supervisor.request(MAKE, b"make", 1);
    counter.wait_for(1);
    let mut address = [0; 8];
    assert_eq!(pread(&shared, &mut address, i64::from(ADDRESS)), Ok(8));
    assert_eq!(pwrite(&shared, &address, i64::from(OWNER)), Ok(8));
    let round = |first: u32| {
        for n in first + 1..=first + 100 {
            if n % 2 == 0 {
                supervisor.request(KEEP, b"keep", 1);
            } else {
                supervisor.request(1000, &[], 1);
            }
            counter.wait_for(n);
        }
    };
    round(1);
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    round(101);
    assert_eq!(ALLOCATIONS.load(Ordering::SeqCst) - before, 0);
}

fn allocations_per_request() {
    let supervisor = supervisor();
    let counter = Arc::new(Counter::default());
    assert_eq!(supervisor.initialize(counter.clone()), 0);
    let header = [0x56; 1024];
    let round = |first: u32| {
        for n in first + 1..=first + 100 {
            supervisor.request(n, &header, 1);
            counter.wait_for(n);
        }
    };
    round(0);
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    round(100);
    assert_eq!(ALLOCATIONS.load(Ordering::SeqCst) - before, 0);
    assert!(before > 0, "the counter counts");
}
