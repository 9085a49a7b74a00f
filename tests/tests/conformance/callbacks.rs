//! Callbacks at any time, from any thread, in any number.

use cami_tests::{Hal, Setup, digest};

fn started(vendor: &str) -> Hal {
    let mut hal = Setup::new(vendor).start();
    assert_eq!(hal.call("init"), "init 0");
    hal
}

#[test]
fn callback_inside_request_arrives_on_another_thread_of_the_hal() {
    let mut hal = started("plain");
    hal.call("req 4294967295 00ff -2147483648");
    let event = hal.event(&format!("return 4294967295 {} -2147483648 ", digest(&[0, 0xff])));
    let (_, thread) = event.rsplit_once("tid=").unwrap();
    let thread: u32 = thread.parse().unwrap();
    assert_ne!(thread, hal.pid(), "the callback ran on the thread that made the request");
    assert!(hal.threads().iter().any(|(number, _)| *number == thread));
    hal.call("req 0 - 0");
    hal.event(&format!("return 0 {} 0 ", digest(&[])));
    hal.finish();
}

#[test]
fn callback_before_initialize_returns_is_delivered() {
    let mut hal = started("callbacks");
    hal.event("return 900 1 -900 ");
    hal.finish();
}

#[test]
fn doubled_callback_is_delivered_twice() {
    let mut hal = started("callbacks");
    hal.call("req 1 aa 7");
    hal.event("return 1 ");
    hal.event("return 1 ");
    hal.finish();
}

#[test]
fn unsolicited_callback_of_unknown_numbers_is_delivered_unchanged() {
    let mut hal = started("callbacks");
    hal.call("req 2 aa 7");
    hal.event("return 4000000000 4000000001 -2000000000 ");
    hal.event("return 2 ");
    hal.finish();
}

#[test]
fn ten_threads_calling_back_at_once_lose_nothing_and_keep_their_order() {
    let mut hal = started("callbacks");
    hal.call("req 3 aa 7");
    hal.event("return 3 ");
    let mut next = [0; 10];
    for _ in 0..1000 {
        let event = hal.event("return 1");
        let fields: Vec<i64> =
            event.split(' ').skip(1).take(3).map(|field| field.parse().unwrap()).collect();
        let thread = usize::try_from(fields[2]).unwrap();
        assert_eq!(fields[0], 1000 + next[thread], "thread {thread} lost its order: {event}");
        assert_eq!(fields[1], next[thread]);
        next[thread] += 1;
    }
    assert_eq!(next, [100; 10]);
    hal.finish();
}

#[test]
fn missing_callback_disturbs_nothing() {
    let mut hal = started("callbacks");
    hal.call("req 4 aa 7");
    hal.call("req 8 aa 7");
    hal.event("return 8 ");
    assert_eq!(hal.count("return 4 "), 0);
    hal.finish();
}

#[test]
fn callback_through_a_copy_of_the_table_is_dropped_and_logged() {
    let mut hal = started("callbacks");
    hal.call("req 5 aa 7");
    hal.event(&format!("return 5 {} 7 ", digest(&[0xaa])));
    assert_eq!(hal.count("return 5 5 5"), 0);
    hal.log.wait(&["dropped a callback", "not the table"]);
    hal.finish();
}

#[test]
fn notify_of_the_vendor_library_does_not_reach_the_hal() {
    let mut hal = started("callbacks");
    hal.call("req 7 aa 7");
    hal.event("return 7 ");
    assert_eq!(hal.count("notify"), 0, "only a lost process is an IPC error");
    hal.finish();
}

#[test]
fn callbacks_after_deinitialize_do_not_reach_the_hal() {
    // Loaded by the HAL itself, the library calls back for ever.
    let mut hal = Setup::new("late").in_process().start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 1 00 0");
    hal.call("deinit");
    hal.event("return 8000 ");
    let at_deinitialize = hal.count("return ");
    for _ in 0..at_deinitialize + 20 {
        hal.event("return 7");
    }
    hal.finish();

    let mut hal = started("late");
    hal.call("req 1 00 0");
    for _ in 0..20 {
        hal.event("return 7");
    }
    hal.call("deinit");
    let at_deinitialize = hal.count("return ");
    hal.log.wait(&["vendor: deinitialized"]);
    // A whole other session passes by: time enough for a callback of the first.
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.count("return "), at_deinitialize);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}
