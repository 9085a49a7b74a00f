//! What decoding and encoding take from the heap: nothing by a peer's claim, and nothing at all on
//! the hot path.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "the helpers of tests may state what they expect; this file needs some of them"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use cami_wire::Header;
use cami_wire::cros::{DeregisterBuffers, Request, Returned, UpdateReturn, Updated};

mod common;

use common::captures::{CAPTURES, messages};
use common::decoders;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what the present thread asks for.
struct Counting;

fn note(size: usize) {
    COUNT.with(|count| count.set(count.get() + 1));
    LARGEST.with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call is passed to the system's allocator unchanged; the counters are plain cells of
// the thread, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Number of allocations that `work` made, and the size of the largest.
fn measured(work: impl FnOnce()) -> (usize, usize) {
    COUNT.with(|count| count.set(0));
    LARGEST.with(|largest| largest.set(0));
    work();
    (COUNT.with(Cell::get), LARGEST.with(Cell::get))
}

#[test]
fn counting_allocator_sees_allocations() {
    let (count, largest) = measured(|| drop(black_box(vec![0_u8; 12345])));
    assert_eq!((count, largest), (1, 12345));
}

#[test]
fn hot_path_encoded_and_decoded_allocates_nothing() {
    let header = [7_u8; 1024];
    let (count, _) = measured(|| {
        let request = Request { req_id: 1, header: &header, buffer_handle: 2 };
        let parts = black_box(request.parts(3));
        let mut message = [0_u8; 24 + 1024 + 4];
        message[..24].copy_from_slice(&parts.head);
        message[24..1048].copy_from_slice(parts.header);
        message[1048..].copy_from_slice(&parts.tail);
        let (_, body) = Header::decode(&message).unwrap();
        assert_eq!(Request::decode(body), Ok(request));

        let returned = Returned { req_id: 1, status: 2, buffer_handle: 3 };
        let message = black_box(returned.encode());
        assert_eq!(Returned::decode(&message[8..]), Ok(returned));

        let answer = UpdateReturn { upd_id: 1, status: 2, has_fd: true };
        let message = black_box(answer.encode(9));
        assert_eq!(UpdateReturn::decode(&message[8..]), Ok(answer));

        let updated = Updated { upd_id: 1, header: &[], has_fd: true };
        let parts = black_box(updated.parts());
        let mut message = [0_u8; 24];
        message[..20].copy_from_slice(&parts.head[8..]);
        message[20..].copy_from_slice(&parts.tail);
        assert_eq!(Updated::decode(&message), Ok(updated));
    });
    assert_eq!(count, 0);
}

#[test]
fn refused_message_of_hot_path_allocates_nothing() {
    let junk = [0xff_u8; 64];
    let (count, _) = measured(|| {
        assert!(Request::decode(&junk).is_err());
        assert!(Returned::decode(&junk).is_err());
        assert!(Updated::decode(&junk).is_err());
        assert!(UpdateReturn::decode(&junk).is_err());
        assert!(DeregisterBuffers::decode(&junk).is_err());
    });
    assert_eq!(count, 0);
}

/// Puts 0xffffffff, and a large number that a 32-bit multiplication would wrap, over every word of
/// every captured message. Whatever a decoder then reserves must be in proportion to the bytes that
/// are there: the largest element in memory per byte of the smallest on the wire is below 16.
#[test]
fn false_counts_and_sizes_reserve_no_more_than_the_message_warrants() {
    for (file, _, _) in CAPTURES {
        for message in messages(file) {
            let body = &message.bytes[8..];
            for at in 0..body.len().saturating_sub(3) {
                for claim in [u32::MAX, 0x4000_0001] {
                    let mut false_body = body.to_vec();
                    false_body[at..at + 4].copy_from_slice(&claim.to_le_bytes());
                    let (_, largest) = measured(|| decode_as_all(&false_body));
                    let limit = 16 * body.len() + 1024;
                    assert!(largest <= limit, "{file}: {largest} bytes for {} at {at}", body.len());
                }
            }
        }
    }
}

fn decode_as_all(bytes: &[u8]) {
    for (_, decoder) in decoders::all() {
        decoder(bytes);
    }
}
