//! What a frame takes from the heap: nothing.
#![allow(clippy::expect_used, reason = "a test may state what it expects")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use cami_ipu3::encoder::encode;
use cami_ipu3::payload::AicConfig;
use cami_ipu3::statistics::{Grids, convert};
use cami_ipu3::uapi::{Params, Stats3a};
use cami_ipu3::zeroed_box;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what the present thread asks for.
struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged; the counter is a plain cell of
// the thread, which allocates nothing. What grows or is zeroed goes through `alloc`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is this function's own.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(run: impl FnOnce() -> T) -> usize {
    let before = COUNT.with(Cell::get);
    black_box(run());
    COUNT.with(Cell::get) - before
}

#[test]
fn counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
}

#[test]
fn encoding_and_converting_allocate_nothing() {
    let mut config = zeroed_box::<AicConfig>();
    let grid = &mut config.shd_2500_config.shd.grid;
    (grid.grid_width, grid.grid_height) = (73, 55);
    config.af_2500_config.af.grid.grid_width = 16;
    config.awb_fr_2500_config.awb_fr.grid.grid_width = 16;
    let mut params = zeroed_box::<Params>();
    let encoding = || encode(&config, &mut params).expect("a good configuration");
    assert_eq!(allocations(encoding), 0);
    // Nor is a refusal's reason on the heap.
    config.af_2500_config.af.grid.grid_width = 0;
    let refusal = || black_box(encode(&config, &mut params)).expect_err("no columns");
    assert_eq!(allocations(refusal), 0);

    let mut stats = zeroed_box::<Stats3a>();
    let grid = &mut stats.stats_4a_config.awb_config.grid;
    (grid.width, grid.height) = (80, 60);
    stats.stats_3a_status.awb_en = 1;
    let [stripe, _] = &mut stats.stats_3a_bubble_per_stripe.awb;
    (stripe.num_sets, stripe.size_of_set, stripe.bubble_size) = (60, 80, 4);
    let mut grids = Grids::new();
    let converting = || convert(&stats, &mut grids).expect("good statistics");
    assert_eq!(allocations(converting), 0);
    stats.stats_4a_config.awb_config.grid.height = 61;
    let refusal = || black_box(convert(&stats, &mut grids)).expect_err("too many");
    assert_eq!(allocations(refusal), 0);
}
