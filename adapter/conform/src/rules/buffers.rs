//! `register_buffer` and `deregister_buffers`.

use super::Rule;
use super::Stage::{Initialized, Registered, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("register.accepts", Initialized).says(
        "A memory file with a size is registered: the handle is 0 or more.",
        "platform2 common/camera_algorithm_ops_impl.cc, 90-104; spec/cami-abi.md, 2.5",
        "No buffer, no request: the HAL's set-up fails.",
    ),
    Rule::must("register.distinct-handles", Registered).says(
        "Buffers that are registered at the same time have different handles.",
        "spec/cami-abi.md, 0.3 and 5.1",
        "A request runs on another request's buffer.",
    ),
    Rule::must("register.many", Registered).says(
        "64 buffers can be registered at the same time.",
        "spec/cami-abi.md, 5.2 (IPU3 registers 25 to 30, IPU6 more)",
        "The last of a HAL's buffers are refused and one feature is dead.",
    ),
    Rule::must("register.cycles", Registered).says(
        "A buffer can be registered and deregistered 1200 times.",
        "spec/cami-abi.md, 5.1 (IPU6 refuses the 1025th live handle) and 5.2 (buffers per frame)",
        "HALs that register per frame stop after a minute.",
    ),
    Rule::must("register.number-again", Registered).says(
        "A descriptor's number can be registered again once it was deregistered and closed.",
        "spec/cami-abi.md, 2.4 (tables by number: \"already registered\" is -EINVAL)",
        "The kernel gives the lowest number again: the next buffer is refused.",
    ),
    Rule::should("register.closed-number", Initialized).says(
        "The number of no open file is a negative code.",
        "include/cami/camera_algorithm.h, register_buffer; spec/cami-abi.md, 2.5",
        "A HAL's mistake becomes a handle, and the first request on it a crash.",
    ),
    Rule::should("register.empty-file", Initialized).says(
        "A memory file of size 0 is refused with a negative code.",
        "spec/cami-abi.md, 2.4 (four of five known servers take it for good)",
        "The library has a handle to nothing: the first request on it is a crash.",
    ),
    Rule::should("register.unmappable-file", Initialized).says(
        "What cannot be mapped (a pipe, a file opened for reading) is refused with a negative code.",
        "spec/cami-abi.md, 2.4 (`!addr` is tested in place of MAP_FAILED)",
        "The library keeps the address -1: the first request on it is a crash.",
    ),
    Rule::must("deregister.closes-descriptor", Registered).says(
        "deregister_buffers closes the descriptor that register_buffer took.",
        "spec/cami-abi.md, 0.6 and 2.4 (all known servers do)",
        "Each buffer leaks a descriptor until no file can be opened.",
    ),
    Rule::must("deregister.closes-once", Registered).says(
        "A handle that is deregistered twice does not close a stranger's descriptor.",
        "spec/cami-abi.md, 2.4; platform2 9485833725",
        "The number belongs to somebody else by then: another buffer, or the link, is closed.",
    ),
    Rule::must("deregister.unmaps", Registered).outside().says(
        "deregister_buffers unmaps the buffer.",
        "spec/cami-abi.md, 2.4",
        "The memory of every buffer stays in use: the machine runs out of it.",
    ),
    Rule::must("deregister.keeps-others", Registered).says(
        "Deregistering one buffer leaves the descriptors of the others open.",
        "spec/cami-abi.md, 5.2 (buffers are used after requests have completed)",
        "Another buffer's memory is gone in mid-stream.",
    ),
    Rule::must("deregister.unknown-handles", Registered).says(
        "Handles that nobody registered, -1, 0, the extremes, and one twice in a list, are ignored.",
        "platform2 9485833725; include/cami/camera_algorithm.h, deregister_buffers",
        "HALs deregister handles that were never set: the process ends.",
    ),
    Rule::must("deregister.empty-list", Registered).says(
        "deregister_buffers(NULL, 0) does nothing.",
        "include/cami/camera_algorithm.h (an array of size 0 may be NULL)",
        "A HAL that closes without buffers ends the process.",
    ),
    Rule::should("deregister.under-load", Requested).says(
        "A buffer can be deregistered while requests on it are in flight.",
        "spec/cami-abi.md, 6.2 (7)",
        "After a timeout the HAL lets go of a buffer that a worker still writes to: use after unmap.",
    ),
    Rule::must("deregister.then-request", Requested).says(
        "A request that names a deregistered buffer is survived.",
        "spec/cami-abi.md, 0.3",
        "A request that crossed the deregistration ends the process.",
    ),
];
