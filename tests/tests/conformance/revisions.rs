//! Tables of 32, 40 and 48 bytes.

use cami_tests::{Hal, Setup};

/// What every revision can do; returns the HAL after `deinitialize`.
fn go_through(vendor: &str) -> Hal {
    let mut hal = Setup::new(vendor).start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call("req 11 010203 1");
    hal.event(&format!("return 11 {} 1 ", cami_tests::digest(&[1, 2, 3])));
    assert_eq!(hal.call("peek 0 0 1"), "peek 01", "the vendor did not write the HAL's buffer");
    hal.call("updret 70 71 none");
    hal.call("dereg 1");
    hal.call("req 12 00 1");
    hal.event("return 12 ");
    hal.call("deinit");
    hal
}

/// Nothing was called that is not in the table, and the HAL can go on.
fn went_well(mut hal: Hal) {
    assert_eq!(hal.log.count(&["called behind the table"]), 0, "{}", hal.log.text());
    assert_eq!(hal.log.count(&["killed by"]), 0, "{}", hal.log.text());
    assert_eq!(hal.count("notify"), 0);
    assert_eq!(hal.call("init"), "init 0");
    hal.finish();
}

#[test]
fn revision_e_has_neither_update_return_nor_deinitialize() {
    let mut hal = go_through("revision_e");
    assert_eq!(hal.count("return 70"), 0);
    went_well(hal);
}

#[test]
fn revision_f_has_update_return() {
    let mut hal = go_through("revision_f");
    hal.event("return 70 71 -44 ");
    went_well(hal);
}

#[test]
fn revision_g_has_deinitialize() {
    let mut hal = go_through("revision_g");
    hal.event("return 70 71 -44 ");
    hal.log.wait(&["vendor: deinitialized"]);
    went_well(hal);
}

#[test]
fn the_log_names_library_and_revision() {
    let mut hal = Setup::new("revision_f").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.log.wait(&["libvendor.so", "(F"]);
    hal.finish();
}
