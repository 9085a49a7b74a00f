//! Rules that the guest looks at: what is asked of it, and what its end means.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cami_abi::{Callbacks, CameraAlgorithm};
use cami_client::{Options, Supervisor};
use cami_conform::{TELL_ID, Tell, Verdict};
use parking_lot::{Condvar, Mutex};

use super::job::{Done, Job};
use super::log::take_cause;

/// What the monitor takes to end what is beyond its deadline.
const ALLOWANCE: Duration = Duration::from_secs(5);

/// What came from the guest.
#[derive(Debug, Default)]
struct Heard {
    blame: Option<(String, String)>,
    verdict: Option<Verdict>,
    lost: bool,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Heard>,
    changed: Condvar,
}

impl Callbacks for Ear {
    fn returned(&self, _req_id: u32, _status: u32, _buffer_handle: i32) {}

    fn notify(&self, _message: u32) {
        self.heard.lock().lost = true;
        self.changed.notify_all();
    }

    fn update(&self, upd_id: u32, header: &[u8], _fd: Option<OwnedFd>) {
        let Some(tell) = Tell::decode(header).filter(|_| upd_id == TELL_ID) else { return };
        let mut heard = self.heard.lock();
        match tell {
            Tell::Blame { rule, doing } => heard.blame = Some((rule, doing)),
            Tell::Verdict(verdict) => {
                heard.verdict.get_or_insert(verdict);
                self.changed.notify_all();
            }
        }
    }
}

/// A client of a host with that module.
pub fn client(module: &std::path::Path) -> Supervisor {
    Supervisor::new(Options {
        module: module.to_path_buf(),
        environment_trusted: true,
        socket: None,
        host: None,
    })
}

/// Lets the guest look, and says what it saw, or of what its process died.
pub fn look(job: &Job) -> Done {
    let ear = Arc::new(Ear::default());
    let guest = client(&job.guest);
    let code = guest.initialize(Arc::<Ear>::clone(&ear));
    if code >= 0 && ear.heard.lock().verdict.is_none() {
        guest.request(0, &[], -1);
        let until = Instant::now() + job.deadline + ALLOWANCE;
        let mut heard = ear.heard.lock();
        while heard.verdict.is_none() && !heard.lost {
            if ear.changed.wait_until(&mut heard, until).timed_out() {
                break;
            }
        }
    }
    let heard = std::mem::take(&mut *ear.heard.lock());
    let done = match (heard.verdict, heard.blame) {
        (Some(verdict), _) => Done::Verdict(verdict),
        (None, Some((rule, doing))) if code < 0 || heard.lost => {
            let detail = format!("{doing}: {}", take_cause());
            Done::Verdict(Verdict::blame(&rule, &job.ask.rule, detail))
        }
        (None, _) if code < 0 => {
            Done::Environment(format!("no host came up ({code}): {}", take_cause()))
        }
        (None, _) => Done::Environment("the guest said nothing".to_owned()),
    };
    guest.deinitialize();
    done
}
