//! The HAL's calls where a vendor process may be replaced under them (`recovery = "resume"`).

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cami_link::Sent;
use cami_wire::cros::Request;

use crate::buffer_calls::CallDeadline;
use crate::error::CallError;
use crate::journal::{Buffer, Journal, Ticket};
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
            Err(CallError::TimedOut) => "the link is full",
            Err(CallError::Os(errno)) => errno.desc(),
        };
        let Request { req_id, buffer_handle, .. } = request;
        let mut answered = false;
        let answer = || answered = self.push_overflow(session, req_id, buffer_handle);
        if journal.withdraw(id, session.generation, answer) {
            self.tell_overflow(req_id, answered, session, why);
        }
    }

    /// `register_buffer`; the buffer stays ours until it is deregistered.
    pub(crate) fn register_durably(
        &self,
        journal: &Journal,
        fd: OwnedFd,
        deadline: CallDeadline,
    ) -> i32 {
        let buffer = Buffer::new(fd);
        let called = self.call_durably(journal, deadline, |session| {
            let handle = self.reader.register_buffer(session, buffer.fd(), deadline)?;
            let counts = handle < 0 || journal.registered(session.generation, handle, &buffer);
            Ok((handle, counts))
        });
        called.unwrap_or_else(CallError::code)
    }

    /// `deregister_buffers`, as far as one message goes.
    pub(crate) fn deregister_durably(
        &self,
        journal: &Journal,
        handles: &[i32],
        deadline: CallDeadline,
    ) -> Result<(), CallError> {
        self.call_durably(journal, deadline, |session| {
            self.reader.deregister_buffers(session, handles, deadline)?;
            Ok(((), journal.deregistered(session.generation, handles)))
        })
    }

    /// Makes a call, and makes it again where the vendor process died before its answer counted
    /// (`false` beside it: another vendor process has taken over meanwhile, which knows nothing of
    /// this call). A recovery that is under way is waited for until the call's own deadline.
    fn call_durably<T>(
        &self,
        journal: &Journal,
        deadline: CallDeadline,
        mut make: impl FnMut(&Session) -> Result<(T, bool), CallError>,
    ) -> Result<T, CallError> {
        let mut deaths = 0;
        let until = deadline.map(|(until, _)| until);
        loop {
            journal.wait_for_another(None, until)?;
            let session = self.usable().ok_or(CallError::Dead)?;
            match make(&session) {
                Ok((value, true)) => return Ok(value),
                Ok((_, false)) => {}
                Err(CallError::Dead) => {
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
                Err(error) => return Err(error),
            }
        }
    }
}
