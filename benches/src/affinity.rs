//! On which CPUs the measured programs run.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::failure::Failure;

/// Runs `start` with this thread on one CPU, which is inherited by the processes that it starts.
/// It is the highest that this process may use: interrupts are mostly served by the lowest.
pub(crate) fn on_one_cpu<T>(start: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this).map_err(Failure::at("sched_getaffinity"))?;
    let last = (0..CpuSet::count()).rev().find(|&cpu| before.is_set(cpu).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.unwrap_or(0)).map_err(Failure::at("a set of CPUs"))?;
    sched_setaffinity(this, &one).map_err(Failure::at("sched_setaffinity"))?;
    let result = start();
    sched_setaffinity(this, &before).map_err(Failure::at("sched_setaffinity"))?;
    result
}
