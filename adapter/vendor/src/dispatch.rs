//! From the link to the vendor library: the thread that calls it.

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use cami_abi::{Callbacks, CameraAlgorithm, LoadError, VendorLibrary};
use cami_link::{Framing, Inbox, Malformed, ReceiveError, Received};
use cami_wire::Header;
use cami_wire::WireError;
use cami_wire::cros::{
    DeregisterBuffers, Init, InitReply, LibraryInfo, MAX_HEADER_BYTES, PROTOCOL_VERSION,
    RegisterBuffer, Request, ReturnValue, UpdateReturn, command, decode_empty,
};
use cami_wire::message::EXIT;
use nix::errno::Errno;

use crate::activity::{ExitReason, Stage};
use crate::callbacks::LinkCallbacks;
use crate::{OnInitialized, Shared, SharedRef, buffers};

/// The largest body: a request with the largest header and the sizes and numbers around it.
const MAX_BODY_BYTES: usize = MAX_HEADER_BYTES + 64;

/// Receives from the link and calls the library, in the order of arrival, until the end of the
/// process.
pub struct Dispatcher<'a> {
    shared: SharedRef,
    callbacks: Arc<LinkCallbacks>,
    path: &'a Path,
    needs_st_size: bool,
    library: Option<VendorLibrary>,
    initialized: bool,
    on_initialized: Option<OnInitialized>,
}

impl<'a> Dispatcher<'a> {
    /// A dispatcher that loads the library at `path` when `init` asks for it.
    pub fn new(
        shared: SharedRef,
        path: &'a Path,
        needs_st_size: bool,
        on_initialized: OnInitialized,
    ) -> Self {
        let callbacks = Arc::new(LinkCallbacks::new(shared.clone()));
        Self {
            shared,
            callbacks,
            path,
            needs_st_size,
            library: None,
            initialized: false,
            on_initialized: Some(on_initialized),
        }
    }

    /// The loop.
    pub fn run(mut self) -> ! {
        let mut inbox = Inbox::new(MAX_BODY_BYTES, 1);
        let shared = self.shared.clone();
        loop {
            match shared.link.receive(&mut inbox, None) {
                Ok(message) => self.dispatch(message),
                Err(ReceiveError::Malformed(what))
                    if shared.link.framing() == Framing::OnePacket =>
                {
                    log::error!("dropped a malformed message of the client: {what}");
                }
                Err(ReceiveError::Malformed(what)) => {
                    log::error!("the client's stream is out of step: {what}");
                    shared.end(ExitReason::Protocol);
                }
                Err(ReceiveError::Closed) => shared.end(ExitReason::HangUp),
                Err(ReceiveError::Os(Errno::EBADF | Errno::ENOTSOCK)) => {
                    shared.end(ExitReason::LinkClosed);
                }
                Err(error) => {
                    log::error!("cannot receive from the client: {error}");
                    shared.end(ExitReason::Protocol);
                }
            }
        }
    }

    fn dispatch(&mut self, message: Received<'_>) {
        let header = Header { command: message.command, cookie: message.cookie };
        let result = match message.command {
            EXIT => self.shared.end(ExitReason::HangUp),
            command::INIT => self.init(header, &message),
            command::START => self.start(header, &message),
            command::STOP => self.stop(header, &message),
            command::REGISTER_BUFFER => self.register_buffer(header, message),
            command::DEREGISTER_BUFFERS => self.deregister_buffers(header, &message),
            command::REQUEST => self.request(&message),
            command::UPDATE_RETURN => self.update_return(message),
            other => Err(WireError::UnknownCommand(other)),
        };
        if let Err(error) = result {
            log::error!("dropped command {} of the client: {error}", header.command);
        }
    }

    fn init(&mut self, header: Header, message: &Received<'_>) -> Result<(), WireError> {
        let settings = Init::decode(message.body)?.settings;
        let mut info = LibraryInfo {
            protocol_version: PROTOCOL_VERSION,
            library: self.path.display().to_string(),
            ..LibraryInfo::default()
        };
        let ret = if settings.protocol_version != PROTOCOL_VERSION {
            info.reason = format!(
                "{} speaks version {} of the cros interface, cros_ipa_proxy version \
                 {PROTOCOL_VERSION}; install both from one release",
                settings.client, settings.protocol_version
            );
            -(Errno::EPROTO as i32)
        } else {
            match self.load() {
                Ok(()) => 0,
                Err(error) => {
                    info.reason = error.to_string();
                    -(errno_of(&error) as i32)
                }
            }
        };
        if let Some(library) = &self.library {
            info.table_size = u32::try_from(library.table_size()).unwrap_or(0);
            info.build_id = library.build_id().unwrap_or_default().to_owned();
        }
        let reply = InitReply { ret, info }.encode(header.cookie);
        self.shared.send(&[IoSlice::new(&reply)], &[]);
        Ok(())
    }

    fn load(&mut self) -> Result<(), LoadError> {
        if self.library.is_none() {
            self.shared.activity.enter(Stage::Loading);
            let library = VendorLibrary::load(self.path);
            self.shared.activity.leave();
            self.library = Some(library?);
        }
        Ok(())
    }

    fn start(&mut self, header: Header, message: &Received<'_>) -> Result<(), WireError> {
        decode_empty(message.body)?;
        let ret = match &self.library {
            Some(library) => {
                let callbacks: Arc<dyn Callbacks> = self.callbacks.clone();
                called(&self.shared, Stage::Initialize, || library.initialize(callbacks))
            }
            None => -(Errno::ENOTCONN as i32),
        };
        self.initialized |= ret >= 0;
        if self.initialized
            && let Some(act) = self.on_initialized.take()
            && let Err(reason) = act()
        {
            log::error!("the second system call filter: {reason}");
            self.shared.end(ExitReason::Filter);
        }
        self.reply(header, ret);
        Ok(())
    }

    fn stop(&mut self, header: Header, message: &Received<'_>) -> Result<(), WireError> {
        decode_empty(message.body)?;
        if let Some(library) = self.initialized() {
            called(&self.shared, Stage::Deinitialize, || library.deinitialize());
            // Callbacks after the end reach nobody (spec/cami-abi.md, 0.9).
            library.detach();
        }
        // Nobody waits for those any more.
        self.shared.activity.forget_requests();
        self.initialized = false;
        self.shared.send(&[IoSlice::new(&header.encode())], &[]);
        Ok(())
    }

    fn register_buffer(&mut self, header: Header, message: Received<'_>) -> Result<(), WireError> {
        let wanted = RegisterBuffer::decode(message.body)?.expected_fds();
        let ret = match self.take_fd(message, wanted) {
            Err(errno) => -(errno as i32),
            Ok(None) => -(Errno::EBADF as i32),
            Ok(Some(fd)) => match self.initialized() {
                None => -(Errno::ENOTCONN as i32),
                Some(library) => {
                    called(&self.shared, Stage::RegisterBuffer, || library.register_buffer(fd))
                }
            },
        };
        self.reply(header, ret);
        Ok(())
    }

    /// The message's descriptor, checked as a buffer.
    fn take_fd(&self, message: Received<'_>, wanted: usize) -> Result<Option<OwnedFd>, Errno> {
        use std::os::fd::AsFd;
        let fd = claimed_fd(message, wanted)?;
        if let Some(fd) = &fd {
            buffers::check(fd.as_fd(), self.needs_st_size)?;
        }
        Ok(fd)
    }

    fn deregister_buffers(
        &mut self,
        header: Header,
        message: &Received<'_>,
    ) -> Result<(), WireError> {
        let handles = DeregisterBuffers::decode(message.body)?.handles;
        if let Some(library) = self.initialized() {
            called(&self.shared, Stage::DeregisterBuffers, || library.deregister_buffers(&handles));
        }
        self.shared.send(&[IoSlice::new(&header.encode())], &[]);
        Ok(())
    }

    fn request(&mut self, message: &Received<'_>) -> Result<(), WireError> {
        let Request { req_id, header, buffer_handle } = Request::decode(message.body)?;
        match self.initialized() {
            // ChromeOS's server drops it with a log line and no callback (spec/cami-abi.md, 2.5).
            None => log::warn!("dropped request {req_id}: the library is not initialized"),
            Some(library) => {
                self.shared.activity.request(req_id, buffer_handle);
                library.request(req_id, header, buffer_handle);
                self.shared.activity.leave();
            }
        }
        Ok(())
    }

    fn update_return(&mut self, message: Received<'_>) -> Result<(), WireError> {
        let UpdateReturn { upd_id, status, has_fd } = UpdateReturn::decode(message.body)?;
        let fd = match claimed_fd(message, usize::from(has_fd)) {
            Ok(fd) => fd.map(|fd| self.callbacks.lent().restore(upd_id, fd)),
            Err(errno) => {
                log::error!("update_return {upd_id}: its descriptor was lost: {errno}");
                None
            }
        };
        if let Some(library) = self.initialized() {
            called(&self.shared, Stage::UpdateReturn, || library.update_return(upd_id, status, fd));
        }
        Ok(())
    }

    /// The library, once `initialize` succeeded.
    fn initialized(&self) -> Option<&VendorLibrary> {
        self.library.as_ref().filter(|_| self.initialized)
    }

    fn reply(&self, header: Header, ret: i32) {
        let message = ReturnValue(ret).encode(header);
        self.shared.send(&[IoSlice::new(&message)], &[]);
    }
}

/// Runs a call of the library with its stage on the activity page.
fn called<T>(shared: &Shared, stage: Stage, call: impl FnOnce() -> T) -> T {
    shared.activity.enter(stage);
    let result = call();
    shared.activity.leave();
    result
}

/// The descriptor that a message claims to carry: `EMFILE` if this process had no slot for it,
/// `EBADF` if claim and arrival differ.
fn claimed_fd(message: Received<'_>, wanted: usize) -> Result<Option<OwnedFd>, Errno> {
    if message.fds_lost {
        return Err(Errno::EMFILE);
    }
    if message.fds.len() != wanted {
        let claim = Malformed::FdCount { claimed: wanted, received: message.fds.len() };
        log::error!("a message of the client {claim}");
        return Err(Errno::EBADF);
    }
    Ok(message.fds.take_one())
}

/// What `init` answers for a library that cannot be loaded.
fn errno_of(error: &LoadError) -> Errno {
    match error {
        LoadError::Inspect(_, cami_abi::InspectError::Io(error)) => {
            error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
        }
        LoadError::Inspect(..) | LoadError::Changed(_) => Errno::ENOEXEC,
        // The loader gives text and no number; its most common reason is a missing library.
        LoadError::Open(..) => Errno::ELIBACC,
        LoadError::TooMany(_) => Errno::EMFILE,
    }
}
