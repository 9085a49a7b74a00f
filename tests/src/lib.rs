//! FFI conformance and whole-system tests.
