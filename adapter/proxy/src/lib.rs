//! `libcamera_ipa_proxy.so`: the service's door.
//!
//! ChromeOS's `cros_camera_algo` accepts a connection, forks, loads this library and calls
//! `ipaRun(fd)` with the connected stream socket, which is ours from then on (platform2
//! `camera/common/camera_algorithm_adapter_libcamera.cc`). The child serves one client and ends.
//!
//! That child *is* the dedicated, sandboxed process: minijail has given it namespaces and a system
//! call filter before this library was loaded. So the vendor library runs right here, served by
//! `cami-vendor` as in our own vendor process; only calls that ChromeOS's filter allows are made
//! (spec/cami-abi.md, 3.2). There is no monitor here: nobody names the cause of a death, and the
//! deadlines are the client's alone. Where the key `socket` names our service, the child is a pump
//! between its stream and a host that the service keeps, with monitor and our own sandbox.
//!
//! The client speaks `cros`, or, if it is a libcamera with an IPU3, libcamera's own `ipu3` interface:
//! its first message tells. That one is `cami-door`'s, as in `ipu3_ipa_proxy`.
//!
//! Of the configuration it reads `vendor_library`, `library_path` (where a bare `vendor_library` is
//! searched; the libraries that it needs are found as the loader finds them, since this process runs
//! already), `profile`, `socket` and `log`. The section of a library is the name of this file, so
//! that `libcamera_ipa_gpu_proxy.so` can be a copy of it.

mod door;
mod first;
mod ipa;
mod libcamera;
mod library;
mod pump;

use std::ffi::c_int;
use std::panic::catch_unwind;

/// Serves the client at the other end of `fd`, a connected `SOCK_STREAM` socket, which belongs to
/// this function from now on. Ends the process when the client leaves, with 0; returns only if the
/// client cannot be served: a negative errno.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "the name that cros_camera_algo looks up")]
pub extern "C" fn ipaRun(fd: c_int) -> c_int {
    // A panic must not unwind into C; the hook has logged it.
    match catch_unwind(|| door::run(fd)) {
        Ok(Ok(never)) => match never {},
        Ok(Err(refusal)) => {
            log::error!("{}", refusal.line);
            refusal.code
        }
        Err(_) => -libc::EIO,
    }
}
