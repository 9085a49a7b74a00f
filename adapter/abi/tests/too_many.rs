//! A process of its own: it uses up every callback table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may state what it expects of its own set-up"
)]

mod common;

use cami_abi::{LoadError, MAX_LIBRARIES, VendorLibrary};
use common::Workshop;

#[test]
fn the_ninth_library_is_refused_before_its_constructors_run() {
    let workshop = Workshop::new();
    let path = workshop.library("empty", "void *CAMI[6];", &[]);
    for _ in 0..MAX_LIBRARIES {
        VendorLibrary::load(&path).unwrap();
    }
    let source = "#include <stdlib.h>\nvoid *CAMI[6];\
                  __attribute__((constructor)) static void start(void) { abort(); }";
    let last = workshop.library("last", source, &[]);
    let error = VendorLibrary::load(&last).unwrap_err();
    assert!(matches!(error, LoadError::TooMany(_)), "{error}");
    assert!(error.to_string().contains("8 libraries"), "{error}");
}
