//! Intel's IPU3 protocol.

use super::Rule;
use super::Stage::{Registered, Requested};

/// See the module.
pub const RULES: &[Rule] = &[
    Rule::must("ipu3.session", Requested).ipu3().says(
        "Set-up, five frames, the commands that no frame needs, and tear-down are answered with status 0; MKN_PREPARE and FACE_* may answer 1, COORDINATE_FACES does.",
        "spec/ipu3-protocol.md, 1.2 and 2",
        "The camera does not work.",
    ),
    Rule::must("ipu3.header", Requested).ipu3().says(
        "A header that is empty or does not begin with 0x56 is answered with status 1.",
        "spec/ipu3-protocol.md, 1.1; platform2 hal/intel/ipu3/psl/ipu3/ipc/server/Intel3AServer.cpp",
        "The HAL waits five seconds for an error that it should hear at once.",
    ),
    Rule::must("ipu3.missing-buffer", Requested).ipu3().says(
        "Every command with the handle -1 is answered with status 1; FACE_UNINIT, which has no buffer, with 0 or 1.",
        "spec/ipu3-protocol.md, 1.1",
        "A buffer that could not be made ends the process.",
    ),
    Rule::must("ipu3.unknown-buffer", Requested).ipu3().says(
        "Every command with a handle that nobody registered is answered with status 1, FACE_UNINIT with 0 or 1.",
        "spec/ipu3-protocol.md, 1.1",
        "A buffer that was let go of ends the process.",
    ),
    Rule::must("ipu3.short-buffer", Requested).ipu3().says(
        "Every command with a buffer of half its payload is answered with status 1, AIC_RUN and AIC_RESET with 0 or 1.",
        "spec/ipu3-protocol.md, 1.1; platform2 hal/intel/ipu3/psl/ipu3/ipc/server/AicLibrary.cpp (which answers for both whatever happens, and looks 4 bytes too short in getAicConfig)",
        "A HAL of another version makes the library read behind the buffer.",
    ),
    Rule::must("ipu3.unknown-commands", Requested).ipu3().says(
        "Commands that do not exist (0, 30, 31, 255, 4294967295) are answered with status 1.",
        "spec/ipu3-protocol.md, 1.1",
        "A newer HAL waits five seconds for each command that this library lacks.",
    ),
    Rule::must("ipu3.order-in-group", Requested).ipu3().says(
        "Requests of one group are answered in the order in which they were made.",
        "spec/ipu3-protocol.md, 1.1 (one thread for each group)",
        "Statistics arrive after the exposure that was to be computed from them.",
    ),
    Rule::must("ipu3.duplicate-command", Requested).ipu3().says(
        "A command on two buffers at once is answered twice, once with each handle.",
        "spec/ipu3-protocol.md, 1.1 (the reply carries number and handle)",
        "Two cameras cannot be told apart.",
    ),
    Rule::should("ipu3.handles-never-reused", Registered).ipu3().says(
        "Handles count up and none is given twice, deregistered or not.",
        "spec/ipu3-protocol.md, 1.1",
        "A late request names a buffer that has taken the place of its own.",
    ),
    Rule::habit("ipu3.zero-payload", Requested).ipu3().says(
        "A payload of zeros, whose objects' handles are 0, is answered with a status by every command.",
        "spec/ipu3-protocol.md, 0.8 (handles are addresses: a wrong one is a crash of Intel's library)",
        "A HAL whose set-up failed goes on to requests that end the process.",
    ),
];
