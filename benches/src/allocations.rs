//! Heap allocations on the request path, in both processes.
//!
//! The HAL's executable defines `malloc` and its kin, which the shim then uses as everybody in that
//! process; in the vendor process a preloaded library does the same. What is counted is every call,
//! not only memory that stays allocated.

use crate::failure::Failure;
use crate::options::Options;
use crate::report::{Report, Row};
use crate::room::Room;

/// Requests after which nothing may be allocated any more.
const WARM_UP: u32 = 1000;

/// Measures both processes over the same requests.
pub(crate) fn measure(room: &Room, options: &Options, report: &mut Report) -> Result<(), Failure> {
    let requests = options.count(50_000, 5_000);
    report.progress(&format!("allocations in {requests} requests"));
    let mut hal = room.counting_hal()?;
    hal.ask("initialize")?;
    hal.ask(&format!("run {WARM_UP}"))?;
    let [hal_new, vendor_new, hal_total, vendor_total] =
        hal.ask_for(&format!("allocations {requests}"))?;
    // The start allocates in either process; a counter that saw nothing of it is not connected.
    for (process, total) in [("HAL's", hal_total), ("vendor", vendor_total)] {
        if total == 0 {
            return Err(Failure::new(format!(
                "allocations in the {process} process are not seen: is the C library not glibc?"
            )));
        }
    }
    let requests = f64::from(requests);
    for (name, text, new) in [
        ("shim", "the HAL's process", hal_new),
        ("vendor_process", "the vendor process", vendor_new),
    ] {
        report.add(
            Row::new(
                format!("{name}_allocations_per_request"),
                format!("allocations per request in {text} (of {requests} requests)"),
                f64::from(new) / requests,
                "",
            )
            .at_most(0.0),
        );
    }
    Ok(())
}
