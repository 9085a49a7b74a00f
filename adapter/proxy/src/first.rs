//! Which interface a client speaks.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use cami_link::{Deadline, Event, Interest, peek, wait};
use nix::errno::Errno;

use crate::door::Refusal;

/// An interface that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Our own.
    Cros,
    /// libcamera's.
    Ipu3,
}

/// Frame header, message header, and three words.
const PEEKED: usize = 28;
/// Between two looks at a message that has come in part.
const STEP: Duration = Duration::from_millis(2);

/// Looks at the first message, which stays in the socket; waits for it as long as the client takes.
///
/// Both interfaces begin with `init`, command 1. `ipu3`'s has three arguments, whose sizes stand
/// first and add up to the body; `cros`'s begins with a protocol version and a name's length
/// (spec/libcamera-ipa.md, 2.3). What is neither is left to `cros`, which refuses it.
pub fn interface(stream: BorrowedFd<'_>) -> Result<Interface, Refusal> {
    let failed = |errno: Errno| Refusal::new(errno, format!("the stream: {errno}"));
    let mut last = 0;
    loop {
        let mut bytes = [0; PEEKED];
        match peek(stream, &mut bytes) {
            Ok(PEEKED) => return Ok(of(&bytes)),
            // Its end, or a first message that has less: what it is does not matter.
            Ok(count) if count == 0 || is_whole(bytes.get(..count).unwrap_or_default()) => {
                return Ok(Interface::Cros);
            }
            // The rest is on its way; the socket stays readable meanwhile.
            Ok(count) => {
                let mut watched = [(stream, Interest::HangUp, Event::default())];
                wait(&mut watched, Some(Deadline::after(STEP))).map_err(failed)?;
                let [(.., event)] = watched;
                if event.hung_up && count == last {
                    return Ok(Interface::Cros);
                }
                last = count;
            }
            Err(Errno::EAGAIN) => {
                let mut watched = [(stream, Interest::Message, Event::default())];
                wait(&mut watched, None).map_err(failed)?;
            }
            Err(Errno::EINTR) => {}
            // The one who serves it says what it is.
            Err(_) => return Ok(Interface::Cros),
        }
    }
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let (_, rest) = bytes.split_at_checked(index.checked_mul(4)?)?;
    Some(u32::from_le_bytes(*rest.first_chunk()?))
}

/// Whether a message is there that ends before what is looked at.
fn is_whole(bytes: &[u8]) -> bool {
    let data = word(bytes, 0).and_then(|data| usize::try_from(data).ok());
    data.is_some_and(|data| data.saturating_add(8) <= bytes.len())
}

fn of(bytes: &[u8]) -> Interface {
    const INIT: u32 = 1;
    let words: Option<Vec<u32>> = (0..7).map(|index| word(bytes, index)).collect();
    let is_ipu3 = words.is_some_and(|words| match *words.as_slice() {
        [data, _, INIT, _, one, two, three] => {
            // Message header, three sizes, and what they are of.
            [8, 12, one, two, three].into_iter().try_fold(0_u32, u32::checked_add) == Some(data)
        }
        _ => false,
    });
    if is_ipu3 { Interface::Ipu3 } else { Interface::Cros }
}
