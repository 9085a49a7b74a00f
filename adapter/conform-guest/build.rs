//! How `libcam_algo_conform.so` is linked.

fn main() {
    // The library under test calls into it from threads that nobody can stop.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro");
    println!("cargo:rerun-if-changed=build.rs");
}
