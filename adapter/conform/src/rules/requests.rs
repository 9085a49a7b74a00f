//! `request` and its header.

use super::Rule;
use super::Stage::{Registered, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("request.survives", Registered).says(
        "request returns, and the process goes on.",
        "platform2 common/camera_algorithm_ops_impl.cc; spec/cami-abi.md, 0.5",
        "Nothing works.",
    ),
    Rule::should("request.is-answered", Requested).says(
        "A request is answered by return_callback.",
        "spec/cami-abi.md, 0.4 (some servers drop what they do not understand)",
        "The HAL waits five seconds for each request and then gives up.",
    ),
    Rule::must("request.unknown-handle", Requested).says(
        "A request that names a buffer that nobody registered is survived.",
        "spec/cami-abi.md, 0.3 (the upstream test suite makes one)",
        "A HAL's mistake ends the process.",
    ),
    Rule::must("request.no-buffer", Requested).says(
        "A request with the handle -1 is survived.",
        "spec/cami-abi.md, 0.3 and 5.1 (IPU3 and IPU6 have such commands)",
        "A request without a buffer ends the process.",
    ),
    Rule::must("request.empty-header", Requested).says(
        "A request with a header of 0 bytes is survived.",
        "include/cami/camera_algorithm.h (an array of size 0); spec/cami-abi.md, 6.3",
        "The library reads a command from memory that is not its own.",
    ),
    Rule::should("request.any-header", Requested).says(
        "1000 headers of random bytes, without a buffer, are survived.",
        "spec/cami-abi.md, 5.1 (MediaTek indexes an array with header[1] and does not check it)",
        "A newer HAL's command takes the camera down instead of being refused.",
    ),
    Rule::should("request.unknown-ids", Requested).says(
        "Request numbers that no protocol uses, without a buffer, are survived.",
        "spec/cami-abi.md, 0.3 and 5.1 (an out-of-range group is dropped)",
        "A newer HAL's command takes the camera down instead of being refused.",
    ),
    Rule::habit("request.returns-soon", Requested).says(
        "request returns within 100 ms.",
        "platform2 939c9b0069; spec/cami-abi.md, 0.5 (Rockchip's does all its work in it)",
        "Nothing else is delivered meanwhile, not even the end of the camera.",
    ),
    Rule::should("request.burst", Requested).says(
        "256 requests that follow each other at once are all answered.",
        "spec/cami-abi.md, 5.1 (in flight) and 2.3 (one queue)",
        "A HAL that catches up after a stall waits for answers that never come.",
    ),
    Rule::should("request.from-another-thread", Requested).says(
        "Requests may come from another thread than initialize.",
        "include/cami/camera_algorithm.h, camera_algorithm_ops",
        "In a HAL each stream has a thread of its own.",
    ),
    Rule::must("header.not-read-after-return", Requested).says(
        "The header is not read once request has returned.",
        "platform2 151a7ab4e8 (2020-03-18)",
        "The command that is carried out is whatever lies there by then; now and then a crash.",
    ),
    Rule::must("header.not-read-behind-its-end", Requested).says(
        "The header is read no further than its size.",
        "include/cami/camera_algorithm.h, request",
        "A header at the end of a page ends the process, rarely and at no time that can be repeated.",
    ),
    Rule::must("header.not-written", Requested).says(
        "The header is not written to.",
        "platform2 include/cros-camera/camera_algorithm.h (`const uint8_t`)",
        "A HAL's constant lies in memory that cannot be written: the process ends.",
    ),
];
