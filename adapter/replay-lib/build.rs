//! How `libcam_algo_replay.so` is linked.

fn main() {
    // Its thread runs its code until `deinitialize`, which hosts of older revisions never call:
    // a dlclose without it must not unmap the code.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro");
    println!("cargo:rerun-if-changed=build.rs");
}
