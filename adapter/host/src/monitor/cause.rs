//! The one line that says why the vendor process ended.

use nix::sys::signal::Signal;

use super::fault::is_fault;
use super::output::printable;
use super::trace::{Death, UNKNOWN_STATUS};
use cami_vendor::activity::{ExitReason, Snapshot, Stage};

/// What the monitor knows besides the death itself.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The library's file name.
    pub library: &'a str,
    /// Its build-id.
    pub build_id: Option<&'a str>,
    /// The vendor process's number.
    pub pid: i32,
    /// Why the monitor killed it, if it did.
    pub killed_for: Option<&'a str>,
    /// What it was doing.
    pub snapshot: &'a Snapshot,
    /// The last line that it wrote to standard error, if it died before it loaded the library.
    pub last_line: Option<&'a str>,
    /// How often the client had started a host anew before this one.
    pub restarts: u32,
}

/// The line.
#[must_use]
pub fn describe(death: &Death, circumstances: &Circumstances<'_>) -> String {
    let Circumstances { library, pid, killed_for, snapshot, last_line, restarts, .. } =
        circumstances;
    let own_start = snapshot.stage == Some(Stage::Starting);
    let subject = match circumstances.build_id.filter(|_| !names_library(death, library)) {
        Some(id) => format!("vendor process {pid} ({library}, build-id {id})"),
        None => format!("vendor process {pid} ({library})"),
    };
    let what = match (killed_for, death.signal) {
        (Some(reason), _) => {
            // Where a deadline met it is a hint at what it waits for.
            let at = death.fault.as_ref().map(|fault| format!(",{fault}"));
            format!("killed: {reason}{}", at.unwrap_or_default())
        }
        (None, _) if death.executed => "killed: the library executed another program".to_owned(),
        (None, 0) if own_start && snapshot.exit_reason == ExitReason::None => {
            format!("could not be set up: {}", last_line.unwrap_or("it did not say why"))
        }
        (None, 0) => exited(death.exit_code, snapshot.exit_reason),
        (None, signal) => {
            let name = signal_name(signal);
            match &death.fault {
                Some(fault) if is_fault(signal) => match fault.info.sender {
                    Some(sender) if sender != *pid => {
                        format!("killed by {name} from process {sender}{fault}")
                    }
                    _ => format!("killed by {name}{fault}"),
                },
                _ if signal == libc::SIGKILL => {
                    format!("killed by {name} from outside (out of memory, or somebody's kill)")
                }
                _ if signal == libc::SIGSYS => {
                    format!("killed by {name} for a system call that its filter does not allow")
                }
                _ => format!("killed by {name}"),
            }
        }
    };
    let restarts = if *restarts > 0 { format!(", restart {restarts}") } else { String::new() };
    // Thread and file names are the library's: they must not break our lines.
    printable(format!("{subject} {what}, {snapshot}{restarts}").as_bytes())
}

/// A signal's name, as `SIGSEGV`.
#[must_use]
pub fn signal_name(signal: i32) -> String {
    Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned())
}

/// Whether the place of the death is one in the library, so that its build-id stands there.
fn names_library(death: &Death, library: &str) -> bool {
    let fault = death.fault.iter().filter(|_| death.signal != 0);
    fault
        .flat_map(|fault| [&fault.place, &fault.caller])
        .flatten()
        .any(|place| place.file == library && place.build_id.is_some())
}

fn exited(code: i32, reason: ExitReason) -> String {
    match reason {
        ExitReason::None if code == UNKNOWN_STATUS => {
            "ended: its exit status was taken by somebody else".to_owned()
        }
        ExitReason::None => format!("ended: something in it called exit({code})"),
        ExitReason::HangUp => "ended: the client hung up".to_owned(),
        ExitReason::Protocol => "ended: the client broke the protocol".to_owned(),
        ExitReason::ClientDoesNotRead => "ended: the client does not read its callbacks".to_owned(),
        ExitReason::Filter => "ended: the tighter system call filter could not be installed, and \
                               sandbox.require asks for seccomp"
            .to_owned(),
        ExitReason::LinkClosed => {
            "ended: the library closed descriptors that are not its own, the link among them"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Circumstances, describe};
    use crate::monitor::fault::{Fault, Image, SignalInfo};
    use crate::monitor::maps::Place;
    use crate::monitor::trace::Death;
    use cami_vendor::activity::{Activity, ActivityFile, ExitReason};

    fn line(death: &Death, killed_for: Option<&str>, prepare: impl FnOnce(Activity)) -> String {
        let page = ActivityFile::new().unwrap();
        prepare(Activity::map(page.as_fd()).unwrap());
        let snapshot = page.read();
        let circumstances = Circumstances {
            library: "libfoo.so",
            build_id: Some("1f2e"),
            pid: 7,
            killed_for,
            snapshot: &snapshot,
            last_line: Some("no seccomp"),
            restarts: 3,
        };
        describe(death, &circumstances)
    }

    fn death(signal: i32, exit_code: i32, fault: Option<Fault>) -> Death {
        Death { signal, exit_code, fault, image: Image::default(), executed: false }
    }

    fn fault(info: SignalInfo) -> Fault {
        let build_id = Some("1f2e".to_owned());
        Fault {
            info,
            place: Some(Place { file: "libfoo.so".to_owned(), offset: 0x1139, build_id }),
            caller: None,
            thread_name: "A\nIQ".to_owned(),
        }
    }

    #[test]
    fn describe_crash_names_signal_place_thread_request_and_restarts() {
        let info = SignalInfo { address: Some(16), ..SignalInfo::bare(7, libc::SIGSEGV) };
        let death = death(libc::SIGSEGV, 0, Some(fault(info)));
        let line = line(&death, None, |activity| activity.request(8, 3));
        let expected = "vendor process 7 (libfoo.so) killed by SIGSEGV accessing 0x10 in \
                        libfoo.so+0x1139 (build-id 1f2e) (thread A\\nIQ), in request 8 (buffer 3) \
                        for ";
        assert!(line.starts_with(expected), "{line}");
        assert!(line.ends_with("1 requests and 0 callbacks in all, restart 3"), "{line}");
    }

    #[test]
    fn describe_sigsys_names_the_system_call() {
        let number = Some(libc::SYS_ftruncate);
        let info = SignalInfo { system_call: number, ..SignalInfo::bare(7, libc::SIGSYS) };
        let line = line(&death(libc::SIGSYS, 0, Some(fault(info))), None, |_| ());
        assert!(line.contains("killed by SIGSYS for system call ftruncate ("), "{line}");
    }

    #[test]
    fn describe_untraced_crash_names_the_library_with_its_build_id() {
        let line = line(&death(libc::SIGSYS, 0, None), None, |_| ());
        let expected = "vendor process 7 (libfoo.so, build-id 1f2e) killed by SIGSYS for a system";
        assert!(line.starts_with(expected), "{line}");
    }

    #[test]
    fn describe_exit_tells_the_library_from_ourselves() {
        let death = death(0, 3, None);
        assert!(line(&death, None, |_| ()).contains("could not be set up: no seccomp"));
        assert!(line(&death, None, Activity::leave).contains("called exit(3)"));
        let line = line(&death, None, |activity| activity.exits(ExitReason::ClientDoesNotRead));
        assert!(line.contains("does not read"), "{line}");
    }

    #[test]
    fn describe_deadline_gives_the_reason_and_not_the_signal() {
        let death = death(libc::SIGKILL, 0, None);
        let line = line(&death, Some("register_buffer took more than 5000 ms"), |_| ());
        assert!(line.contains("killed: register_buffer took more than 5000 ms"), "{line}");
    }
}
