//! `return_callback`, `notify`, `update`, and `update_return`.

use super::Rule;
use super::Stage::{Initialized, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("callback.own-table", Requested).says(
        "The first argument of every callback is the table's own address.",
        "platform2 common/camera_algorithm_ops_impl.cc, 153-215; spec/cami-abi.md, 2.2",
        "Hosts find themselves by that address and drop a callback with another: no answer arrives.",
    ),
    Rule::must("callback.table-not-written", Requested).says(
        "The callback table is not written to.",
        "include/cami/camera_algorithm.h, initialize (a pointer to const)",
        "The table lies in memory that cannot be written: the process ends.",
    ),
    Rule::should("callback.names-its-request", Requested).says(
        "Of the answers to a request one bears its number and its handle.",
        "include/cami/camera_algorithm.h, return_callback; platform2 3a76d459f1",
        "The HAL cannot tell which of its requests is done.",
    ),
    Rule::should("callback.once", Requested).says(
        "A request is answered once.",
        "spec/cami-abi.md, 6.2 (6)",
        "The second answer is taken for the next request's, which then reads stale results.",
    ),
    Rule::should("callback.no-notify", Requested).says(
        "notify is left to whoever stands between library and HAL.",
        "include/cami/camera_algorithm.h, notify; spec/cami-abi.md, 0.10",
        "The HAL takes it for the death of the process and closes the camera.",
    ),
    Rule::habit("callback.may-call-back", Requested).says(
        "A callback may make a request before it returns.",
        "spec/cami-abi.md, 2.2",
        "A HAL in the same process that asks for the next step in the callback waits for ever.",
    ),
    Rule::must("update.descriptor-is-given", Requested).says(
        "The descriptor of an update is open, and the library does not close it afterwards.",
        "platform2 common/camera_algorithm_ops_impl.cc, 184-215; spec/cami-abi.md, 0.6",
        "The host sends a number that is somebody else's by then, or closes it a second time.",
    ),
    Rule::must("update-return.takes-back", Requested).says(
        "update_return with the descriptor of an update is survived.",
        "platform2 common/camera_algorithm_ops_impl.cc, 128-141",
        "The first buffer that comes back ends the process.",
    ),
    Rule::should("update-return.unknown-id", Initialized).says(
        "update_return for an update that never was is survived, with and without a descriptor.",
        "spec/cami-abi.md, 0.3 and 6.2 (2)",
        "A HAL's mistake ends the process.",
    ),
];
