//! How `libcam_algo.so` is linked.
//!
//! That `CAMI` is its only exported symbol needs no word here: rustc gives the linker a version
//! script that makes everything else of a cdylib local.

fn main() {
    // The reader thread runs this library's code until the process ends, so a HAL's dlclose must
    // not unmap it (spec/anchors.md, 2.3: SIGSEGV otherwise).
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // All symbols are resolved by dlopen, which fails then, and not in the middle of a frame; and
    // the tables that it fills are read-only afterwards.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro");
    println!("cargo:rerun-if-changed=build.rs");
}
