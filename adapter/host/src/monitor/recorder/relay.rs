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

    /// Moves up to `most` messages; `look` sees each before its receiver does, and whether descriptors
    /// of it were lost.
    fn run(
        &mut self,
        from: BorrowedFd<'_>,
        mut send: impl FnMut(&[u8], &[BorrowedFd<'_>]) -> Result<(), Errno>,
        most: usize,
        mut look: impl FnMut(&[u8], &[OwnedFd], bool),
    ) -> Moved {
        for _ in 0..most {
            let (bytes, fds) = match self.held.take() {
                Some(held) => held,
                None => match receive_packet(from, &mut self.buffer) {
                    Ok(Some(packet)) => {
                        let fds = packet.fds.into_vec();
                        let message = self.buffer.get(..packet.bytes).unwrap_or_default();
                        look(message, &fds, packet.fds_lost);
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
            match send(message, &borrowed) {
                Ok(()) => {}
                Err(Errno::EAGAIN) => {
                    self.held = Some((bytes, fds));
                    return Moved::Full;
                }
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN | Errno::ECONNREFUSED) => {
                    return Moved::ReceiverGone;
                }
                // The kernel has no memory for it now, or no place for its descriptors beside those that
                // others have not taken yet: it is the next again.
                Err(errno @ (Errno::ENOMEM | Errno::ENOBUFS | Errno::ETOOMANYREFS)) => {
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

/// Passes messages on until one side ends, and entries that had to wait.
///
/// # Errors
/// What waiting says.
pub fn run(ends: &Ends, tap: &mut Tap, queue: &Queue, ear: &Ear) -> io::Result<Ended> {
    let (client, vendor) = (ends.client.as_fd(), ends.vendor.as_fd());
    let (mut up, mut down) = (Lane::new(), Lane::new());
    let mut vendor_ended = false;
    let mut is_deaf = false;
    let pipe = queue.pipe();
    loop {
        let interest = |reads: bool, writes: bool| match (reads, writes) {
            (true, true) => Interest::MessageOrRoom,
            (true, false) => Interest::Message,
            (false, true) => Interest::RoomToSend,
            (false, false) => Interest::HangUp,
        };
        let of_client = match (is_deaf, down.held.is_some()) {
            (false, is_held) => interest(up.held.is_none() && !vendor_ended, is_held),
            // Of a client that is not read from any more the control socket tells the end.
            (true, true) => Interest::RoomToSend,
            (true, false) => Interest::None,
        };
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
        let says = up.held.is_some() || from_client.readable || from_client.hung_up;
        if !vendor_ended && !is_deaf && says {
            let most = most(from_client.hung_up);
            let see = |message: &[u8], fds: &[OwnedFd], lost| tap.client_says(message, fds, lost);
            let to_vendor =
                |message: &[u8], fds: &[BorrowedFd<'_>]| send_packet(vendor, message, fds);
            match up.run(client, to_vendor, most, see) {
                Moved::SenderEnded => return Ok(Ended::Client),
                Moved::ReceiverGone => {
                    // A library that has shut its receiving side down still says something. The client
                    // gets EPIPE, as it does where nothing stands between them.
                    let _ = shutdown(client.as_raw_fd(), Shutdown::Read);
                    is_deaf = true;
                }
                Moved::All | Moved::Full => {}
            }
        }
        if from_client.hung_up && !is_deaf {
            return Ok(Ended::Client);
        }
        vendor_ended |= from_vendor.hung_up;
        if down.held.is_some() || from_vendor.readable || vendor_ended {
            let see = |message: &[u8], fds: &[OwnedFd], lost| tap.vendor_says(message, fds, lost);
            let to_client =
                |message: &[u8], fds: &[BorrowedFd<'_>]| send_packet(client, message, fds);
            match down.run(vendor, to_client, most(vendor_ended), see) {
                // The client hears it, and whatever it still says is for nobody.
                Moved::SenderEnded | Moved::ReceiverGone => return Ok(Ended::Vendor),
                Moved::All if vendor_ended => return Ok(Ended::Vendor),
                Moved::All | Moved::Full => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use cami_config::Profile;
    use cami_link::seqpacket_pair;

    use super::*;

    /// A relay between a client and a library, in a thread.
    struct Between {
        client: OwnedFd,
        library: OwnedFd,
        relay: std::thread::JoinHandle<Ended>,
    }

    fn between() -> Between {
        let (client, near_client) = seqpacket_pair().unwrap();
        let (near_vendor, library) = seqpacket_pair().unwrap();
        let ends = Ends { client: near_client, vendor: near_vendor };
        let relay = std::thread::spawn(move || {
            let null = File::options().write(true).open("/dev/null").unwrap();
            let queue = Arc::new(Queue::new(null, None, 1 << 20).unwrap());
            let mut tap = Tap::new(queue.clone(), Profile::generic(), 0);
            let ended = run(&ends, &mut tap, &queue, &Ear::new(None)).unwrap();
            ends.end(ended, None);
            ended
        });
        Between { client, library, relay }
    }

    fn comes(socket: &OwnedFd) -> Option<Vec<u8>> {
        let mut fds = [(socket.as_fd(), Interest::Message, Event::default())];
        assert_eq!(wait(&mut fds, Some(Deadline::after(Duration::from_secs(20)))), Ok(1));
        let mut buffer = [0; 64];
        let packet = receive_packet(socket.as_fd(), &mut buffer).unwrap()?;
        Some(buffer[..packet.bytes].to_vec())
    }

    #[test]
    fn a_library_that_receives_no_more_is_told_to_the_client_and_still_says_something() {
        let Between { client, library, relay } = between();
        send_packet(client.as_fd(), b"0", &[]).unwrap();
        assert_eq!(comes(&library).unwrap(), b"0");
        shutdown(library.as_raw_fd(), Shutdown::Read).unwrap();
        // What is under way then is lost, as what nobody has received is without us.
        let deadline = Deadline::after(Duration::from_secs(20));
        let refused = loop {
            assert!(!deadline.has_passed(), "the client is never told");
            match send_packet(client.as_fd(), b"1", &[]) {
                Ok(()) | Err(Errno::EAGAIN) => std::thread::yield_now(),
                Err(errno) => break errno,
            }
        };
        assert_eq!(refused, Errno::EPIPE);
        for _ in 0..3 {
            send_packet(library.as_fd(), b"2", &[]).unwrap();
            assert_eq!(comes(&client).unwrap(), b"2");
        }
        drop(library);
        assert_eq!(comes(&client), None);
        assert_eq!(relay.join().unwrap(), Ended::Vendor);
    }

    #[test]
    fn what_the_kernel_has_no_memory_for_is_sent_later_in_its_order() {
        let (far, near) = seqpacket_pair().unwrap();
        let (of_file, file) = nix::unistd::pipe().unwrap();
        send_packet(far.as_fd(), b"first", &[file.as_fd()]).unwrap();
        send_packet(far.as_fd(), b"second", &[]).unwrap();
        let mut lane = Lane::new();
        let mut refusals = vec![Errno::ETOOMANYREFS, Errno::ENOBUFS, Errno::ENOMEM];
        let (mut sent, mut seen) = (Vec::new(), 0);
        for turn in 0..4 {
            let moved = lane.run(
                near.as_fd(),
                |message, fds| match refusals.pop() {
                    Some(errno) => Err(errno),
                    None => {
                        sent.push((message.to_vec(), fds.len()));
                        Ok(())
                    }
                },
                usize::MAX,
                |_, _, _| seen += 1,
            );
            assert_eq!(moved, if turn < 3 { Moved::Full } else { Moved::All });
        }
        assert_eq!(sent, [(b"first".to_vec(), 1), (b"second".to_vec(), 0)]);
        assert_eq!(seen, 2, "each is looked at once");
        // The descriptor went with it, and none is left here.
        drop((file, lane));
        let mut fds = [(of_file.as_fd(), Interest::HangUp, Event::default())];
        assert_eq!(wait(&mut fds, Some(Deadline::now())), Ok(1));
        // Any other error ends the link, since what follows would not be what was sent.
        send_packet(far.as_fd(), b"third", &[]).unwrap();
        let refuse = |_: &[u8], _: &[BorrowedFd<'_>]| Err(Errno::EBADF);
        assert_eq!(Lane::new().run(near.as_fd(), refuse, 1, |_, _, _| {}), Moved::SenderEnded);
    }
}
