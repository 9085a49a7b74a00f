//! The HAL's calls where a vendor process may be replaced under them (`recovery = "resume"`).

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cami_link::Sent;
use cami_wire::cros::{Request, Returned};

use crate::calls::CallDeadline;
use crate::error::CallError;
use crate::journal::{Buffer, Intent, Journal, Refused, Ticket};
use crate::session::Session;
use crate::supervisor::{SEND_PATIENCE, Supervisor};

/// Vendor processes that a call may lose: the call is made again once, and the second death on it
/// is its answer.
const DEATHS_OF_A_CALL: u32 = 2;

impl Supervisor {
    /// A request that is answered whatever becomes of the vendor process.
    pub(crate) fn request_durably(
        &self,
        mut session: Arc<Session>,
        journal: &Journal,
        request: Request<'_>,
    ) {
        let Request { req_id, header, buffer_handle } = request;
        loop {
            match journal.request(session.generation, req_id, header, buffer_handle) {
                Ticket::Send(id) => return self.send_request(&session, journal, id, request),
                Ticket::Waits => return,
                Ticket::Dropped => return self.dropped("request"),
                Ticket::Stale => match self.usable() {
                    Some(newer) if newer.generation != session.generation => session = newer,
                    _ => return self.dropped("request"),
                },
            }
        }
    }

    fn send_request(&self, session: &Session, journal: &Journal, id: u64, request: Request<'_>) {
        let why = match session.send_request(&request, SEND_PATIENCE) {
            Ok(Sent::Now) => return,
            Ok(Sent::Queued) => return self.reader.wake(),
            // It is in the journal: the next vendor process gets it.
            Err(CallError::Dead) => return,
            Err(CallError::TimedOut | CallError::NotSent) => "the link is full",
            Err(CallError::Os(errno)) => errno.desc(),
        };
        let Request { req_id, buffer_handle, .. } = request;
        let mut answered = false;
        let answer = || answered = self.push_overflow(session, req_id, buffer_handle);
        if journal.withdraw(id, session.generation, answer) {
            self.tell_overflow(req_id, answered, session, why);
        }
    }

    /// A request that cannot be sent to any vendor process, whichever there is.
    pub(crate) fn refuse_durably(
        &self,
        session: &Session,
        journal: &Journal,
        req_id: u32,
        buffer_handle: i32,
        why: &str,
    ) {
        let status = session.limits.overflow_status;
        let mut answered = true;
        let refused = journal.refuse(req_id, buffer_handle, |generation| {
            answered = self.push_answer(generation, Returned { req_id, status, buffer_handle });
        });
        match refused {
            Refused::Now | Refused::Later => self.tell_overflow(req_id, answered, session, why),
            Refused::Never => self.dropped("request"),
        }
    }

    /// `register_buffer`; the buffer stays ours until it is deregistered.
    pub(crate) fn register_durably(
        &self,
        journal: &Journal,
        fd: OwnedFd,
        mut deadline: CallDeadline,
    ) -> i32 {
        let buffer = Buffer::new(fd);
        let intent = || Intent::Register(buffer.clone());
        let called =
            self.call_durably(journal, &mut deadline, intent, |session, cookie, deadline| {
                self.reader.register_buffer(session, cookie, buffer.fd(), deadline)
            });
        called.unwrap_or_else(CallError::code)
    }

    /// `deregister_buffers`, as far as one message goes.
    pub(crate) fn deregister_durably(
        &self,
        journal: &Journal,
        handles: &[i32],
        deadline: &mut CallDeadline,
    ) -> Result<(), CallError> {
        let intent = || Intent::Deregister(handles.to_vec());
        self.call_durably(journal, deadline, intent, |session, cookie, deadline| {
            self.reader.deregister_buffers(session, cookie, handles, deadline)
        })
    }

    /// Makes a call, and makes it again where the vendor process died before its answer. A recovery
    /// that is under way is waited for until the call's own deadline, of which then not all is left.
    fn call_durably<T>(
        &self,
        journal: &Journal,
        deadline: &mut CallDeadline,
        intent: impl Fn() -> Intent,
        make: impl Fn(&Session, u32, CallDeadline) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let mut deaths = 0;
        let until = deadline.map(|time| time.until);
        loop {
            let waited = journal.wait_for_another(None, until)?;
            if let Some(time) = deadline.as_mut() {
                time.whole &= !waited && deaths == 0;
            }
            let session = self.usable().ok_or(CallError::Dead)?;
            let cookie = session.cookie();
            if !journal.expect(session.generation, cookie, intent()) {
                continue;
            }
            let error = match make(&session, cookie, *deadline) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error != CallError::TimedOut {
                journal.expect_no_more(session.generation, cookie);
            }
            if error != CallError::Dead {
                return Err(error);
            }
            deaths += 1;
            if deaths >= DEATHS_OF_A_CALL {
                return Err(CallError::Dead);
            }
            if self.reader.is_current() {
                // Nobody else would bring the next one up.
                self.reader.bury_inside_callback(session);
            } else {
                journal.wait_for_another(Some(session.generation), until)?;
            }
        }
    }
}
