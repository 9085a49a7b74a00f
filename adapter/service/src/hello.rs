//! What a client says first: hostile until it is understood.

use cami_link::{Deadline, Inbox, Link, ReceiveError};
use cami_wire::control::{Hello, MAX_MODULE_BYTES, from_client};
use cami_wire::cros::PROTOCOL_VERSION;
use nix::errno::Errno;

/// The body of the largest hello: sizes, version and name. No descriptors.
const HELLO_BYTES: usize = 16 + MAX_MODULE_BYTES;

/// What came of looking.
#[derive(Debug)]
pub enum Heard {
    /// A client of our own version, loaded from a file of this name.
    Module(String),
    /// Nothing yet.
    Nothing,
    /// It is gone.
    Gone,
    /// It is not to be served, and why.
    Nonsense(Errno, String),
}

/// A buffer for it.
pub fn inbox() -> Inbox {
    Inbox::new(HELLO_BYTES, 0)
}

/// Looks whether the client has said who it is, without waiting.
pub fn hear(connection: &Link, inbox: &mut Inbox) -> Heard {
    let nonsense = |what: String| {
        Heard::Nonsense(Errno::EPROTO, format!("the client's first message makes no sense: {what}"))
    };
    let message = match connection.receive(inbox, Some(Deadline::now())) {
        Ok(message) => message,
        Err(ReceiveError::TimedOut) => return Heard::Nothing,
        Err(ReceiveError::Closed) => return Heard::Gone,
        Err(error) => return nonsense(error.to_string()),
    };
    if message.command != from_client::HELLO {
        return nonsense(format!("command {} in place of a hello", message.command));
    }
    match Hello::decode(message.body) {
        Err(error) => nonsense(error.to_string()),
        Ok(hello) if hello.protocol != PROTOCOL_VERSION => Heard::Nonsense(
            Errno::EPROTO,
            format!(
                "the client speaks version {} of the link and the service version \
                 {PROTOCOL_VERSION}; install both from the same release",
                hello.protocol
            ),
        ),
        Ok(hello) if !is_file_name(&hello.module) => {
            nonsense("its name is not that of a file".to_owned())
        }
        Ok(hello) => Heard::Module(hello.module),
    }
}

/// It becomes an argument of the host: a name, no path, and no option.
fn is_file_name(name: &str) -> bool {
    let plain = |character: char| character != '/' && !character.is_control();
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.starts_with('-')
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::is_file_name;

    #[test]
    fn module_is_a_file_name_that_can_be_no_option_and_no_path() {
        for good in ["libcam_algo.so", "x", "ü.so", "a-b.so"] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in ["", ".", "..", "/lib/x.so", "a/b.so", "--vendor-process", "-h", "a\nb", "a\0b"]
        {
            assert!(!is_file_name(bad), "{bad:?}");
        }
    }
}
