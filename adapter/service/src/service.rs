//! The loop.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use cami_config::{OnDisconnect, ServiceClients};
use cami_link::{Deadline, Inbox, Link, Listener, Peer};
use cami_wire::control::{FromMonitor, Refused};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::geteuid;

use crate::client::{Client, State};
use crate::end_signals::EndSignals;
use crate::hello::{self, Heard};
use crate::refusals::Refusals;
use crate::{HELLO_LIMIT, LEAVING_LIMIT, MAX_CONNECTIONS, Options, ServeError, descendants};

/// Events taken at once.
const EVENTS: usize = 32;
/// Connections accepted before the clients that are there are looked at again.
const ACCEPTED_IN_A_ROW: usize = 16;
/// How long accepting rests where no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether what a library left has ended.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);
/// How long hosts may take to end on SIGKILL when the service ends.
const END_LIMIT: Duration = Duration::from_secs(2);

/// What an event is about: the number of a client, times four, and one of these; or the last two.
const CONNECTION: u64 = 0;
const MONITOR: u64 = 1;
const PROCESS: u64 = 2;
const KINDS: u64 = 4;
const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;

struct Service {
    listener: Listener,
    options: Options,
    epoll: Epoll,
    clients: BTreeMap<u64, Client>,
    next: u64,
    hello: Inbox,
    refusals: Refusals,
    /// Accepting rests until then.
    resumes: Option<Deadline>,
    /// Processes of a dead host have not ended yet.
    sweeps: Option<Deadline>,
    /// A client has been served.
    has_served: bool,
    /// The service ends, at the latest then.
    ends: Option<Deadline>,
}

/// Serves clients until a signal ends it, or until the last has left where
/// `service.on_disconnect` is `exit`.
///
/// # Errors
/// What the kernel refuses before the first client; nothing that a client does.
pub fn serve(listener: Listener, signals: EndSignals, options: Options) -> Result<(), ServeError> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(ServeError::of("epoll"))?;
    epoll
        .add(listener.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))
        .map_err(ServeError::of("epoll"))?;
    epoll
        .add(signals.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))
        .map_err(ServeError::of("epoll"))?;
    descendants::adopt();
    let service = Service {
        listener,
        options,
        epoll,
        clients: BTreeMap::new(),
        next: 0,
        hello: hello::inbox(),
        refusals: Refusals::new(),
        resumes: None,
        sweeps: None,
        has_served: false,
        ends: None,
    };
    service.run(&signals)
}

impl Service {
    fn run(mut self, signals: &EndSignals) -> Result<(), ServeError> {
        let mut events = [EpollEvent::empty(); EVENTS];
        while !self.is_done() {
            let count = match self.epoll.wait(&mut events, self.timeout()) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(ServeError::of("epoll_wait")(errno)),
            };
            for event in events.iter().take(count) {
                match event.data() {
                    LISTENER => self.accept(),
                    SIGNALS => self.signalled(signals),
                    token => self.happened(token, event.events()),
                }
            }
            self.look_at_the_time();
        }
        Ok(())
    }

    /// The service has ended its hosts, or has nothing to do any more.
    fn is_done(&mut self) -> bool {
        if let Some(limit) = self.ends {
            return self.sweeps.is_none() && self.clients.is_empty() || limit.has_passed();
        }
        let unused = self.clients.is_empty() && self.has_served;
        if !unused || self.options.settings.on_disconnect == OnDisconnect::Accept {
            return false;
        }
        // Somebody may have connected meanwhile.
        self.accept();
        let done = self.clients.is_empty() && self.sweeps.is_none();
        if done {
            log::info!("the last client has left (service.on_disconnect is exit)");
        }
        done
    }

    fn timeout(&self) -> EpollTimeout {
        let clients = self.clients.values().filter_map(|client| match &client.state {
            State::Greeting(until) => Some(*until),
            State::Served(host) => host.ends_by,
        });
        let due = clients.chain(self.resumes).chain(self.sweeps).chain(self.ends).min();
        let Some(due) = due else { return EpollTimeout::NONE };
        let left = due.remaining() + Duration::from_micros(999);
        EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX)
    }

    /// What is due is done.
    fn look_at_the_time(&mut self) {
        if self.resumes.is_some_and(Deadline::has_passed) {
            self.resumes = None;
            let event = &mut EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
            if let Err(errno) = self.epoll.modify(self.listener.as_fd(), event) {
                log::error!("no more clients are accepted: {errno}");
            }
        }
        if self.sweeps.is_some_and(Deadline::has_passed) {
            self.sweep();
        }
        let mut late = Vec::new();
        for (id, client) in &mut self.clients {
            match &mut client.state {
                State::Greeting(until) if until.has_passed() => late.push(*id),
                State::Served(host) if host.ends_by.is_some_and(Deadline::has_passed) => {
                    // Its end is the next event.
                    host.ends_by = None;
                    host.killed = true;
                    host.monitor.kill();
                    log::warn!("{client}: its host did not end with it and is killed");
                }
                _ => {}
            }
        }
        for id in late {
            let limit = HELLO_LIMIT.as_millis();
            self.refuse(id, Errno::ETIMEDOUT, &format!("it said nothing within {limit} ms"));
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTED_IN_A_ROW {
            match self.listener.accept() {
                Ok(connection) => {
                    if let Err(error) = self.admit(connection) {
                        log::warn!("a client was lost: {error}");
                    }
                }
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR | Errno::ECONNABORTED) => {}
                Err(errno) => {
                    log::error!("no client can be accepted for now: {}", errno.desc());
                    self.resumes = Some(Deadline::after(ACCEPT_PAUSE));
                    let event = &mut EpollEvent::new(EpollFlags::empty(), LISTENER);
                    let _ = self.epoll.modify(self.listener.as_fd(), event);
                    return;
                }
            }
        }
    }

    /// A new connection: whether it may be here.
    fn admit(&mut self, connection: OwnedFd) -> Result<(), ServeError> {
        let peer = Peer::of(connection.as_fd()).map_err(ServeError::of("SO_PEERCRED"))?;
        // Without a backlog: what the socket does not take at once is not sent.
        let connection = Link::with_backlog(connection, 0, 0)
            .map_err(|_| ServeError::of("the connection")(Errno::EPROTO))?;
        let process = peer.process(connection.as_fd());
        let state = State::Greeting(Deadline::after(HELLO_LIMIT));
        let client = Client { peer, connection, process, state };
        if !self.may_connect(peer.uid) {
            let reason = format!(
                "user {} may not connect; service.allow_uids names the users that may",
                peer.uid
            );
            client.refuse(Errno::EACCES, &reason, self.refusals.may_be_told());
            return Ok(());
        }
        if self.clients.len() >= MAX_CONNECTIONS && !self.make_room() {
            let reason = format!("the service has {MAX_CONNECTIONS} clients already");
            client.refuse(Errno::EBUSY, &reason, self.refusals.may_be_told());
            return Ok(());
        }
        let id = self.next;
        self.next += 1;
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
        self.watch(client.connection.as_fd(), flags, id * KINDS + CONNECTION)?;
        if let Some(process) = &client.process {
            self.watch(process.as_fd(), EpollFlags::EPOLLIN, id * KINDS + PROCESS)?;
        }
        log::debug!("{client}: connected");
        self.clients.insert(id, client);
        Ok(())
    }

    /// Lets go of whoever has waited longest to say who it is: silent clients shall not keep others
    /// out. False where all are served.
    fn make_room(&mut self) -> bool {
        let silent = self.clients.iter().find(|(_, c)| matches!(c.state, State::Greeting(_)));
        let Some(id) = silent.map(|(id, _)| *id) else { return false };
        self.refuse(id, Errno::EBUSY, "it said nothing, and others want its place");
        true
    }

    fn may_connect(&self, uid: u32) -> bool {
        match self.options.settings.allow_uids.as_slice() {
            [] => uid == geteuid().as_raw(),
            allowed => allowed.contains(&uid),
        }
    }

    fn watch(
        &self,
        fd: std::os::fd::BorrowedFd<'_>,
        flags: EpollFlags,
        token: u64,
    ) -> Result<(), ServeError> {
        self.epoll.add(fd, EpollEvent::new(flags, token)).map_err(ServeError::of("epoll"))
    }

    fn happened(&mut self, token: u64, flags: EpollFlags) {
        let id = token / KINDS;
        // An earlier event of the same round may have ended it.
        let Some(client) = self.clients.get_mut(&id) else { return };
        let greeting = matches!(client.state, State::Greeting(_));
        match token % KINDS {
            MONITOR => self.host_ended(id),
            // What a client of its own process says before it ends is not of interest.
            CONNECTION if greeting && flags.contains(EpollFlags::EPOLLIN) => self.greeted(id),
            CONNECTION | PROCESS if greeting => self.forget(id),
            CONNECTION | PROCESS => self.left(id),
            _ => {}
        }
    }

    /// There is something to read of a client that has not said who it is.
    fn greeted(&mut self, id: u64) {
        let Some(client) = self.clients.get(&id) else { return };
        match hello::hear(&client.connection, &mut self.hello) {
            Heard::Nothing => {}
            Heard::Gone => self.forget(id),
            Heard::Nonsense(errno, reason) => self.refuse(id, errno, &reason),
            Heard::Module(module) => self.start(id, &module),
        }
    }

    fn start(&mut self, id: u64, module: &str) {
        if self.options.settings.clients == ServiceClients::Last {
            let peer = self.clients.get(&id).map(|client| client.peer);
            let reason = peer.map_or_else(String::new, |peer| {
                format!("another client took its place ({peer}; service.clients is last)")
            });
            for (other, client) in &mut self.clients {
                if *other != id {
                    client.end(&reason);
                }
            }
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        if let Err((errno, reason)) = client.start(&self.options.host, module) {
            self.refuse(id, errno, &reason);
            return;
        }
        self.has_served = true;
        let Some(client) = self.clients.get(&id) else { return };
        let State::Served(host) = &client.state else { return };
        // From here on its messages are the monitor's to read.
        let hang_up = &mut EpollEvent::new(EpollFlags::EPOLLRDHUP, id * KINDS + CONNECTION);
        let watched = self.epoll.modify(client.connection.as_fd(), hang_up).and_then(|()| {
            let end = EpollEvent::new(EpollFlags::EPOLLIN, id * KINDS + MONITOR);
            self.epoll.add(host.monitor.as_fd(), end)
        });
        if let Err(errno) = watched {
            // Its end would not be seen.
            log::error!("{client}: its host cannot be watched: {errno}");
            host.monitor.kill();
            self.host_ended(id);
        }
    }

    /// A client with a host has hung up, or its process has ended.
    fn left(&mut self, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        // Both stay as they are and would be reported for ever.
        let _ = self.epoll.delete(client.connection.as_fd());
        if let Some(process) = client.process.take() {
            let _ = self.epoll.delete(process.as_fd());
        }
        // Also where a forked child keeps copies of its sockets open.
        client.connection.shutdown();
        if let Some(host) = client.host() {
            host.ends_by = Some(Deadline::after(LEAVING_LIMIT));
        }
        log::debug!("{client}: left");
    }

    fn host_ended(&mut self, id: u64) {
        if let Some(client) = self.clients.get(&id) {
            client.bury();
        }
        self.forget(id);
        self.sweep();
    }

    /// Ends what killed hosts have left.
    fn sweep(&mut self) {
        let monitors: Vec<i32> = self
            .clients
            .values_mut()
            .filter_map(|client| client.host().map(|host| host.monitor.pid()))
            .collect();
        let left = descendants::end_all_but(&monitors, &self.options.host);
        self.sweeps = left.then(|| Deadline::after(SWEEP_PAUSE));
    }

    fn refuse(&mut self, id: u64, errno: Errno, reason: &str) {
        if let Some(client) = self.clients.get(&id) {
            client.refuse(errno, reason, self.refusals.may_be_told());
        }
        self.forget(id);
    }

    /// Closes a connection. Before, it is taken from the kernel's set: the monitor may have it too.
    fn forget(&mut self, id: u64) {
        let Some(client) = self.clients.remove(&id) else { return };
        let _ = self.epoll.delete(client.connection.as_fd());
        log::debug!("{client}: closed");
    }

    fn signalled(&mut self, signals: &EndSignals) {
        let Some(name) = signals.take() else { return };
        let reason = format!("the service was ended by {name}");
        log::info!("{reason}");
        self.ends = Some(Deadline::after(END_LIMIT));
        let _ = self.epoll.delete(self.listener.as_fd());
        self.clients.retain(|_, client| {
            let refused = Refused { errno: -(Errno::ECONNRESET as i32), reason: reason.clone() };
            match client.state {
                State::Served(_) => true,
                State::Greeting(_) => {
                    client.tell(&FromMonitor::Refused(refused), None);
                    false
                }
            }
        });
        for client in self.clients.values_mut() {
            client.end(&reason);
        }
    }
}
