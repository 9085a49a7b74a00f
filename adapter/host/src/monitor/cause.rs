//! The one line that says why the vendor process ended.

use nix::sys::signal::Signal;

use super::output::printable;
use super::trace::{Death, UNKNOWN_STATUS};
use cami_vendor::activity::{ExitReason, Snapshot, Stage};

/// What the monitor knows besides the death itself.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The library's file name.
    pub library: &'a str,
    /// The vendor process's number.
    pub pid: i32,
    /// Why the monitor killed it, if it did.
    pub killed_for: Option<&'a str>,
    /// What it was doing.
    pub snapshot: &'a Snapshot,
    /// The last line that it wrote to standard error, if it died before it loaded the library.
    pub last_line: Option<&'a str>,
}

/// The line.
#[must_use]
pub fn describe(death: &Death, circumstances: &Circumstances<'_>) -> String {
    let Circumstances { library, pid, killed_for, snapshot, last_line } = circumstances;
    let own_start = snapshot.stage == Some(Stage::Starting);
    let subject = format!("vendor process {pid} ({library})");
    let what = match (killed_for, death.signal) {
        (Some(reason), _) => format!("killed: {reason}"),
        (None, _) if death.executed => "killed: the library executed another program".to_owned(),
        (None, 0) if own_start && snapshot.exit_reason == ExitReason::None => {
            format!("could not be set up: {}", last_line.unwrap_or("it did not say why"))
        }
        (None, 0) => exited(death.exit_code, snapshot.exit_reason),
        (None, signal) => {
            let name = Signal::try_from(signal)
                .map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned());
            match &death.fault {
                Some(fault) => match fault.sender {
                    Some(sender) if sender != *pid => {
                        format!("killed by {name} from process {sender}{fault}")
                    }
                    _ => format!("killed by {name}{fault}"),
                },
                None if signal == libc::SIGKILL => {
                    format!("killed by {name} from outside (out of memory, or somebody's kill)")
                }
                None => format!("killed by {name}"),
            }
        }
    };
    // Thread and file names are the library's: they must not break our lines.
    printable(format!("{subject} {what}, {snapshot}").as_bytes())
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
    use crate::monitor::fault::{Fault, Place};
    use crate::monitor::trace::Death;
    use cami_vendor::activity::{Activity, ActivityFile, ExitReason};

    fn line(death: &Death, killed_for: Option<&str>, prepare: impl FnOnce(Activity)) -> String {
        let page = ActivityFile::new().unwrap();
        prepare(Activity::map(page.as_fd()).unwrap());
        let snapshot = page.read();
        let (library, last_line) = ("libfoo.so", Some("no seccomp"));
        let circumstances =
            Circumstances { library, pid: 7, killed_for, snapshot: &snapshot, last_line };
        describe(death, &circumstances)
    }

    #[test]
    fn describe_crash_names_signal_place_thread_and_request() {
        let fault = Fault {
            signal: libc::SIGSEGV,
            address: Some(16),
            system_call: None,
            sender: None,
            place: Some(Place { file: "libfoo.so".to_owned(), offset: 0x1139 }),
            caller: None,
            thread: "A\nIQ".to_owned(),
        };
        let death =
            Death { signal: libc::SIGSEGV, exit_code: 0, fault: Some(fault), executed: false };
        let line = line(&death, None, |activity| activity.request(8, 3));
        let expected = "vendor process 7 (libfoo.so) killed by SIGSEGV accessing 0x10 in \
                        libfoo.so+0x1139 (thread A\\nIQ), in request 8 (buffer 3) for ";
        assert!(line.starts_with(expected), "{line}");
    }

    #[test]
    fn describe_exit_tells_the_library_from_ourselves() {
        let death = Death { signal: 0, exit_code: 3, fault: None, executed: false };
        assert!(line(&death, None, |_| ()).contains("could not be set up: no seccomp"));
        assert!(line(&death, None, Activity::leave).contains("called exit(3)"));
        let line = line(&death, None, |activity| activity.exits(ExitReason::ClientDoesNotRead));
        assert!(line.contains("does not read"), "{line}");
    }

    #[test]
    fn describe_deadline_gives_the_reason_and_not_the_signal() {
        let death = Death { signal: libc::SIGKILL, exit_code: 0, fault: None, executed: false };
        let line = line(&death, Some("register_buffer took more than 5000 ms"), |_| ());
        assert!(line.contains("killed: register_buffer took more than 5000 ms"), "{line}");
    }
}
