//! From dlopen to `deinitialize`.

use super::Rule;
use super::Stage::{Initialized, Loaded, Nothing, Registered, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("load.survives", Nothing).says(
        "The library can be loaded, and its constructors return.",
        "platform2 common/camera_algorithm_adapter.cc, 89-102",
        "The algorithm's process ends at every start and the camera never opens.",
    ),
    Rule::must("table.required-slots", Loaded).says(
        "CAMI holds initialize, register_buffer, request and deregister_buffers.",
        "platform2 include/cros-camera/camera_algorithm.h; spec/cami-abi.md, 1.5",
        "Hosts call these four without a check: the first use of an empty one is a jump to 0.",
    ),
    Rule::must("table.functions-are-code", Loaded).says(
        "Every function in CAMI lies in a loaded library's code.",
        "spec/cami-abi.md, 1.5",
        "A table that is larger than its revision, or not relocated, is called and the process ends.",
    ),
    Rule::should("table.unchanged", Initialized).says(
        "CAMI holds the same functions before and after initialize.",
        "spec/cami-abi.md, 6.3 (a host copies the table when it loads the library)",
        "A host that copied the table calls functions that the library has replaced since.",
    ),
    Rule::must("initialize.succeeds", Loaded).says(
        "initialize returns 0 or more for a full callback table.",
        "platform2 common/camera_algorithm_bridge_impl.cc, 162-210; spec/cami-abi.md, 2.5",
        "Initialize is tried for three seconds and then the camera is gone.",
    ),
    Rule::should("initialize.in-time", Initialized).says(
        "Loading and initialize together take less than 500 ms.",
        "platform2 common/camera_algorithm_bridge_impl.cc, 57-61; spec/cami-abi.md, 2.6",
        "ChromeOS gives each attempt 500 ms and then starts another process: a slower library never comes up.",
    ),
    Rule::should("initialize.null-table", Initialized).says(
        "initialize without a table is a negative code and not a crash.",
        "include/cami/camera_algorithm.h, initialize; spec/cami-abi.md, 2.5",
        "A HAL's mistake at its start is a crash in a closed library instead of an error code.",
    ),
    Rule::habit("initialize.null-return-callback", Initialized).says(
        "initialize with a table that has no return_callback is a negative code.",
        "include/cami/camera_algorithm.h, initialize; platform2 common/camera_algorithm_bridge_impl.cc, 57-61 (hosts refuse such a table before the library sees it; Intel's takes it)",
        "The library takes the table of a HAL that calls it directly, and the first answer is a jump to 0.",
    ),
    Rule::must("initialize.null-notify", Requested).says(
        "A table without notify is taken, and never called there.",
        "platform2 common/camera_algorithm_ops_impl.cc, 82-84; platform2 f2fb986bf2",
        "ChromeOS's host never sets notify: a library that calls it ends its process.",
    ),
    Rule::should("initialize.null-update", Requested).says(
        "A table without update is taken, and never called there.",
        "include/cami/camera_algorithm.h, update (may be NULL); spec/cami-abi.md, 1.4",
        "HALs that want no updates leave it out: the first one ends the process.",
    ),
    Rule::must("initialize.short-callback-table", Requested).says(
        "A library of revision E reads two slots of the callback table and no further.",
        "spec/cami-abi.md, 1.2 and 1.4",
        "HALs of that revision give 16 bytes (8 on 32 bit): what follows is not theirs.",
    ),
    Rule::should("initialize.again", Requested).says(
        "initialize can be called again, and callbacks go to the table of the last call.",
        "include/cami/camera_algorithm.h, initialize; platform2 7d90e2af94",
        "A HAL that starts anew in the same process waits for answers that go to a table that is gone.",
    ),
    Rule::should("initialize.thread-may-end", Requested).says(
        "The thread that called initialize may end; another makes the requests.",
        "include/cami/camera_algorithm.h, camera_algorithm_ops",
        "HALs open cameras on threads that end: a library bound to one fails with the second session.",
    ),
    Rule::must("deinitialize.returns", Requested).says(
        "deinitialize returns, with the library's threads alive, and the process goes on.",
        "platform2 163c5ff83f; spec/cami-abi.md, 2.7",
        "Closing the camera hangs, or ends in a crash report for a session that was good.",
    ),
    Rule::must("deinitialize.no-callback-after", Requested).says(
        "After deinitialize has returned the library makes no callback.",
        "include/cami/camera_algorithm.h, deinitialize; spec/cami-abi.md, 2.7",
        "ChromeOS's host has let go of its task runner by then: a late callback is a crash.",
    ),
    Rule::must("deinitialize.under-load", Requested).says(
        "deinitialize with requests in flight is survived.",
        "platform2 163c5ff83f; platform2 common/camera_algorithm_adapter.cc, 58-70",
        "A HAL that dies leaves requests in flight: the host calls deinitialize just then.",
    ),
    Rule::should("deinitialize.with-buffers", Registered).says(
        "deinitialize with buffers registered is survived.",
        "platform2 common/camera_algorithm_adapter.cc, 58-70",
        "A HAL that dies deregisters nothing.",
    ),
    Rule::should("deinitialize.twice", Initialized).says(
        "deinitialize may be called twice.",
        "platform2 6825a2d51a, f1ecbdf2cd; spec/cami-abi.md, 6.1",
        "Teardown paths that meet call it twice: a double free after every session.",
    ),
    Rule::should("deinitialize.before-initialize", Initialized).says(
        "deinitialize before initialize does nothing.",
        "platform2 6825a2d51a; spec/cami-abi.md, 6.1",
        "A start that failed half way is cleaned up by a crash.",
    ),
    Rule::should("deinitialize.then-initialize", Requested).says(
        "After deinitialize the library can be initialised and used again.",
        "include/cami/camera_algorithm.h, initialize",
        "The second time that the camera is opened in the same process nothing works.",
    ),
];
