//! An outer system call filter, as a container or a service manager sets one.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, apply_filter};

/// What the filter does with the calls that it names.
#[derive(Clone, Copy)]
pub enum Answer {
    Errno(i32),
    Kill,
}

/// A filter that lets everything through but some calls.
pub struct Program(BpfProgram);

impl Program {
    pub fn new(answer: Answer, calls: &[i64]) -> Self {
        let rules: BTreeMap<i64, Vec<SeccompRule>> =
            calls.iter().map(|call| (*call, Vec::new())).collect();
        let answer = match answer {
            Answer::Errno(errno) => SeccompAction::Errno(errno.cast_unsigned()),
            Answer::Kill => SeccompAction::KillProcess,
        };
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
        Self(filter.try_into().unwrap())
    }

    /// Puts this process under it.
    pub fn install(&self) -> std::io::Result<()> {
        apply_filter(&self.0).map_err(std::io::Error::other)
    }
}
