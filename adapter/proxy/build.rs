//! How `libcamera_ipa_proxy.so` is linked. That `ipaRun` is its only exported symbol needs no word
//! here: rustc gives the linker a version script that makes everything else of a cdylib local.

fn main() {
    // Its threads, and the vendor library's, run to the end of the process, so the service's
    // dlclose must not unmap it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // All symbols are resolved by dlopen, which fails then and not later.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro");
    println!("cargo:rerun-if-changed=build.rs");
}
