//! An outer system call filter, as a container or a service manager sets one.

use std::collections::BTreeMap;

use seccompiler::{SeccompAction, SeccompFilter, SeccompRule, apply_filter};

/// What the filter does with the calls that it names.
#[derive(Clone, Copy)]
pub enum Answer {
    Errno(i32),
    Kill,
}

/// Puts this process under a filter that lets everything through but `calls`.
pub fn restrict(answer: Answer, calls: &[i64]) {
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls.iter().map(|call| (*call, Vec::new())).collect();
    let answer = match answer {
        Answer::Errno(errno) => SeccompAction::Errno(errno.cast_unsigned()),
        Answer::Kill => SeccompAction::KillProcess,
    };
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    nix::sys::prctl::set_no_new_privs().unwrap();
    apply_filter(&program).unwrap();
}
