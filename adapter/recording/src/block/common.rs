//! What many kinds of block have, and where a request's command stands.

use cami_wire::control::command_of;

use super::{Block, ContentId};

/// Accessors of fields that many kinds of block have.
macro_rules! fields_of_many {
    (host: $($with_host:ident)*; at_ns: $($with_time:ident)*; content: $($with_content:ident)*;) => {
        impl Block {
            /// The host of which it tells; `None` for one of the file as a whole.
            #[must_use]
            pub const fn host(&self) -> Option<u32> {
                match self {
                    $( Self::$with_host(block) => Some(block.host), )*
                    _ => None,
                }
            }

            /// The same, to be changed.
            pub const fn host_mut(&mut self) -> Option<&mut u32> {
                match self {
                    $( Self::$with_host(block) => Some(&mut block.host), )*
                    _ => None,
                }
            }

            /// When it happened, in nanoseconds; `None` for what has no time of its own.
            #[must_use]
            pub const fn at_ns(&self) -> Option<u64> {
                match self {
                    $( Self::$with_time(block) => Some(block.at_ns), )*
                    _ => None,
                }
            }

            /// What a buffer held at this event; 0 is none.
            #[must_use]
            pub const fn content(&self) -> ContentId {
                match self {
                    $( Self::$with_content(block) => block.content, )*
                    _ => 0,
                }
            }

            /// The same, to be changed, where this kind of event has one.
            pub const fn content_mut(&mut self) -> Option<&mut ContentId> {
                match self {
                    $( Self::$with_content(block) => Some(&mut block.content), )*
                    _ => None,
                }
            }

            /// Why there is none, to be changed, where this kind of event may have one.
            pub const fn content_errno_mut(&mut self) -> Option<&mut u32> {
                match self {
                    $( Self::$with_content(block) => Some(&mut block.content_errno), )*
                    _ => None,
                }
            }
        }
    };
}

fields_of_many! {
    host: Host Libraries Called Answered Requested Returned Updated UpdateReturned Line Usage Died
        Ended Lost Resumed Counted;
    at_ns: Host Called Answered Requested Returned Updated UpdateReturned Line Usage Died Ended Lost
        Resumed Counted;
    content: Requested Returned Updated;
}

/// The command of a request, where [`super::Host::command_at`] says; `None` where its header is too short to
/// have one.
#[must_use]
pub fn command(command_at: u32, req_id: u32, header: &[u8]) -> Option<u32> {
    command_of(command_at.checked_sub(1), req_id, header)
}
