//! The two calls on buffers that have an answer, as messages.

use std::os::fd::BorrowedFd;

use cami_wire::cros::{DeregisterBuffers, RegisterBuffer, command};

use crate::calls::{Answer, CallDeadline, Time};
use crate::error::CallError;
use crate::pump::Call;
use crate::reader::Reader;
use crate::session::Session;

impl Session {
    /// The deadline of a call on buffers that begins now.
    pub(crate) fn register_deadline(&self) -> CallDeadline {
        self.limits.register.map(Time::of)
    }
}

impl Reader {
    /// `register_buffer`, under a cookie of the session's: the library's own answer, a handle or a negative errno.
    pub(crate) fn register_buffer(
        &self,
        session: &Session,
        cookie: u32,
        fd: BorrowedFd<'_>,
        deadline: CallDeadline,
    ) -> Result<i32, CallError> {
        let call = Call {
            name: "register_buffer",
            command: command::REGISTER_BUFFER,
            cookie,
            message: &RegisterBuffer { has_fd: true }.encode(cookie),
            fd: Some(fd),
            deadline,
        };
        match self.call(session, &call)? {
            Answer::Value(handle) => Ok(handle),
            Answer::Init(_) | Answer::Done => Err(CallError::Dead),
        }
    }

    /// `deregister_buffers`, of as many handles as one message holds.
    pub(crate) fn deregister_buffers(
        &self,
        session: &Session,
        cookie: u32,
        handles: &[i32],
        deadline: CallDeadline,
    ) -> Result<(), CallError> {
        let call = Call {
            name: "deregister_buffers",
            command: command::DEREGISTER_BUFFERS,
            cookie,
            message: &DeregisterBuffers::encode(handles, cookie),
            fd: None,
            deadline,
        };
        self.call(session, &call).map(drop)
    }
}
