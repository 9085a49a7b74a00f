//! The files in `packaging/`, each read by the parser that will read it in the field. A parser that
//! is not installed is a line with SKIPPED; where none can be installed from Debian, a strict one of
//! our own reads the file too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may state what it expects"
)]

mod install;
mod minijail;
mod seccomp_policy;
mod selinux;
mod shell;
mod systemd;
mod tool;
mod upstart;
