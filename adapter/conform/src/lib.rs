//! The conformance suite's rules, and the language between `cami-ipa conform` and its guest.
//!
//! A rule is looked at in one of three places ([`Seen`]): **beside** the library, by the guest
//! `libcam_algo_conform.so`, which a host loads as if it were the vendor library and which loads the
//! library under test itself; **outside**, by a client of a host that holds the library; or in its
//! **file**. What the guest is to do stands in an [`Ask`]; what it sees comes back as [`Tell`]s.
//!
//! The library under test shares the guest's memory and may write into it: a library that wants to
//! look better than it is can. The suite helps vendors; it proves nothing about an enemy.
#![forbid(unsafe_code)]

mod ask;
mod rules;
mod tell;

pub use ask::{Ask, BadAsk, Sample, VARIABLE};
pub use rules::{Level, Profile, Rule, Seen, Stage, find, rules};
pub use tell::{State, TELL_ID, Tell, Verdict};
