//! The link in two halves, with the monitor between them.
//!
//! Nothing is lost and nothing changes its order. What one side does not take is not read from the
//! other. Ends are passed on: the client's at once, as a link's hang-up is seen, and the vendor
//! process's when all that it had sent is with the client.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use std::time::Duration;

use cami_link::{Deadline, Event, Interest, ProcessFd, receive_packet, send_packet, wait};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::socket::{Shutdown, SockType, getsockopt, shutdown, sockopt};

use super::Ear;
use super::queue::Queue;
use super::tap::Tap;

/// Larger than any message that either end takes: what is cut is refused there as what was not.
const PACKET_BYTES: usize = 128 << 10;
/// Our descriptors stand above this, so that those which the vendor process inherits, and all that it
/// opens, have the numbers that they have without us.
const ABOVE: [i32; 2] = [512, 64];

/// Our ends.
#[derive(Debug)]
pub struct Ends {
    client: OwnedFd,
    vendor: OwnedFd,
}

/// How long a vendor process whose link has ended may take to end itself: it is dying, or leaves. One
/// that only shut its link down is not waited for longer.
const GONE_PATIENCE: Duration = Duration::from_millis(100);

/// Which side has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client's.
    Client,
    /// The vendor process's, and all that it had sent is with the client.
    Vendor,
}

impl Ends {
    /// The client's link.
    pub fn client(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }

    /// The numbers of both.
    pub fn numbers(&self) -> [RawFd; 2] {
        [self.client.as_raw_fd(), self.vendor.as_raw_fd()]
    }

    /// Passes an end on. The client takes its link's end for that of the vendor process, as it is where
    /// nothing stands between them, so it comes no sooner.
    pub fn end(self, ended: Ended, vendor: Option<&ProcessFd>) {
        let Self { client, vendor: link } = self;
        drop(link);
        if ended == Ended::Vendor {
            if let Some(vendor) = vendor {
                let mut fds = [(vendor.as_fd(), Interest::Message, Event::default())];
                let _ = wait(&mut fds, Some(Deadline::after(GONE_PATIENCE)));
            }
            // The writer still holds it.
            let _ = shutdown(client.as_raw_fd(), Shutdown::Both);
        }
    }
}

/// Puts us between: what is under the number of `link` then is the vendor process's end.
///
/// # Errors
/// `EPROTOTYPE` where the link is not a `SOCK_SEQPACKET` socket, and what the kernel says. `link` is
/// as it was.
pub fn divert(link: &mut OwnedFd) -> Result<Ends, Errno> {
    if getsockopt(&*link, sockopt::SockType)? != SockType::SeqPacket {
        return Err(Errno::EPROTOTYPE);
    }
    let client = above(link.as_fd())?;
    let (near, far) = cami_link::seqpacket_pair()?;
    let vendor = above(near.as_fd())?;
    nix::unistd::dup2(&far, link)?;
    // As `far` was: the vendor process inherits it by a copy of its own.
    fcntl(&*link, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
    Ok(Ends { client, vendor })
}

/// A duplicate with a high number, where the limit allows one.
fn above(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    use std::os::fd::FromRawFd;
    let high = |number| fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(number));
    let [first, second] = ABOVE;
    let number = high(first).or_else(|_| high(second)).or_else(|_| high(3))?;
    // SAFETY: F_DUPFD_CLOEXEC just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// What is on its way in one direction.
#[derive(Debug)]
struct Lane {
    buffer: Box<[u8]>,
    /// Bytes and descriptors of the one that its receiver had no room for.
    held: Option<(usize, Vec<OwnedFd>)>,
}

/// What came of moving messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    /// All that was there.
    All,
    /// Until the receiver had no room.
    Full,
    /// The sender is at its end, and all that it had sent is delivered.
    SenderEnded,
    /// The receiver is gone.
    ReceiverGone,
}

impl Lane {
    fn new() -> Self {
        Self { buffer: vec![0; PACKET_BYTES].into_boxed_slice(), held: None }
    }

    /// Moves up to `most` messages; `look` sees each before its receiver does.
    fn run(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        most: usize,
        mut look: impl FnMut(&[u8], &[OwnedFd]),
    ) -> Moved {
        for _ in 0..most {
            let (bytes, fds) = match self.held.take() {
                Some(held) => held,
                None => match receive_packet(from, &mut self.buffer) {
                    Ok(Some(packet)) => {
                        let fds = packet.fds.into_vec();
                        look(self.buffer.get(..packet.bytes).unwrap_or_default(), &fds);
                        (packet.bytes, fds)
                    }
                    Ok(None) => return Moved::SenderEnded,
                    Err(Errno::EAGAIN) => return Moved::All,
                    Err(errno) => {
                        log::error!("cannot receive from the link: {errno}");
                        return Moved::SenderEnded;
                    }
                },
            };
            let message = self.buffer.get(..bytes).unwrap_or_default();
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            match send_packet(to, message, &borrowed) {
                Ok(()) => {}
                Err(Errno::EAGAIN) => {
                    self.held = Some((bytes, fds));
                    return Moved::Full;
                }
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN | Errno::ECONNREFUSED) => {
                    return Moved::ReceiverGone;
                }
                // The kernel has no memory for it now: it is the next again.
                Err(errno @ (Errno::ENOMEM | Errno::ENOBUFS)) => {
                    log::debug!("a message of {bytes} bytes waits: {errno}");
                    self.held = Some((bytes, fds));
                    std::thread::sleep(MEMORY_PAUSE);
                    return Moved::Full;
                }
                // Without it what follows is not what was sent.
                Err(errno) => {
                    log::error!("the link ends here: a message of {bytes} bytes is lost: {errno}");
                    return Moved::SenderEnded;
                }
            }
        }
        Moved::All
    }
}

/// Until memory is asked for again.
const MEMORY_PAUSE: Duration = Duration::from_millis(2);

/// Messages of one side before the other has its turn.
const TURN: usize = 64;

/// Passes messages on until one side ends, and entries on that had to wait.
///
/// # Errors
/// What waiting says.
pub fn run(ends: &Ends, tap: &mut Tap, queue: &Queue, ear: &Ear) -> io::Result<Ended> {
    let (client, vendor) = (ends.client.as_fd(), ends.vendor.as_fd());
    let (mut up, mut down) = (Lane::new(), Lane::new());
    let mut vendor_ended = false;
    let pipe = queue.pipe();
    loop {
        let interest = |reads: bool, writes: bool| match (reads, writes) {
            (true, true) => Interest::MessageOrRoom,
            (true, false) => Interest::Message,
            (false, true) => Interest::RoomToSend,
            (false, false) => Interest::HangUp,
        };
        let of_client = interest(up.held.is_none() && !vendor_ended, down.held.is_some());
        let of_vendor = interest(down.held.is_none(), up.held.is_some());
        let of_vendor = if vendor_ended { Interest::None } else { of_vendor };
        let waits = if queue.is_waiting() { Interest::RoomToSend } else { Interest::None };
        let (voice, listens) = match ear.pipe() {
            Some(voice) => (voice.as_fd(), Interest::Message),
            None => (pipe.as_fd(), Interest::None),
        };
        let mut fds = [
            (client, of_client, Event::default()),
            (vendor, of_vendor, Event::default()),
            (pipe.as_fd(), waits, Event::default()),
            (queue.waker().as_fd(), Interest::Message, Event::default()),
            (voice, listens, Event::default()),
        ];
        wait(&mut fds, None)?;
        let [(.., from_client), (.., from_vendor), (.., room), (.., woken), (.., said)] = fds;
        if room.writable || room.hung_up || woken.readable {
            queue.flush();
        }
        if said.readable || said.hung_up {
            ear.hear();
        }
        // What had been sent before an end comes before the end, as far as it is taken at once.
        let most = |ended| if ended { usize::MAX } else { TURN };
        if !vendor_ended && (up.held.is_some() || from_client.readable || from_client.hung_up) {
            let most = most(from_client.hung_up);
            let see = |message: &[u8], fds: &[OwnedFd]| tap.client_says(message, fds);
            if up.run(client, vendor, most, see) == Moved::SenderEnded {
                return Ok(Ended::Client);
            }
        }
        if from_client.hung_up {
            return Ok(Ended::Client);
        }
        vendor_ended |= from_vendor.hung_up;
        if down.held.is_some() || from_vendor.readable || vendor_ended {
            let see = |message: &[u8], fds: &[OwnedFd]| tap.vendor_says(message, fds);
            match down.run(vendor, client, most(vendor_ended), see) {
                // The client hears it, and whatever it still says is for nobody.
                Moved::SenderEnded | Moved::ReceiverGone => return Ok(Ended::Vendor),
                Moved::All if vendor_ended => return Ok(Ended::Vendor),
                Moved::All | Moved::Full => {}
            }
        }
    }
}
