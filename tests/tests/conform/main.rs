//! `cami-ipa conform`: our own library keeps all rules, wrong ones break the one that they are made to
//! break, and what a library does to its process is a result and never an end of the suite.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod faults;
mod outputs;
mod rules;
mod suite;
