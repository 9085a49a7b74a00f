//! What the tests of this crate share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure; not every test uses everything"
)]

pub mod bpf;
pub mod samples;

use cami_seccomp::{BpfProgram, Options, Phase};

/// Options of every kind.
pub fn options() -> [Options; 3] {
    [
        Options::default(),
        Options { ioctls: vec![0x4008_6200, 0xc010_6407], may_truncate: false },
        Options {
            ioctls: (0..200).map(|number| 0x4000_6400 + number).collect(),
            may_truncate: true,
        },
    ]
}

/// All programs that stand in `phase`, in the order of their installation.
pub fn stack(arch: cami_seccomp::Arch, phase: Phase, options: &Options) -> Vec<BpfProgram> {
    let mut programs = cami_seccomp::compile(arch, Phase::Loading, options).unwrap();
    if phase == Phase::Running {
        programs.extend(cami_seccomp::compile(arch, phase, options).unwrap());
    }
    programs
}
