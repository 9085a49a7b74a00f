//! Build script of `adapter/abi` (it names this file as its `build`).
fn main() {}
