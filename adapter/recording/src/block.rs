//! The kinds of block, and what each says.
//!
//! Times are nanoseconds of the monotonic clock of the machine that recorded; a [`Host`] says what
//! the real-time clock showed at one of them. Handles, request numbers, statuses and headers are
//! what passed the `CAMI` interface, unchanged.

mod call;
mod common;

use cami_wire::WireError;
use cami_wire::reader::Reader;

use crate::field::Field;

pub use self::call::Call;
pub use self::common::command;
pub use crate::field::Bytes;

/// Number of a [`Content`] in its file, from 1; 0 is none.
pub type ContentId = u64;

/// Number of a request, an update or an answer in its file, from 1, in the order in which they came.
pub type Number = u64;

macro_rules! blocks {
    ($(
        $(#[$about:meta])*
        $name:ident = $kind:literal {
            $( $(#[$said:meta])* $field:ident: $type:ty, )*
        }
    )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name {
                $( $(#[$said])* pub $field: $type, )*
            }

            impl $name {
                /// The number of this kind of block.
                pub const KIND: u32 = $kind;

                fn put(&self, out: &mut Vec<u8>) {
                    $( self.$field.put(out); )*
                }

                fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                    Ok(Self { $( $field: Field::take_or_default(reader)?, )* })
                }
            }

            impl From<$name> for Block {
                fn from(block: $name) -> Self {
                    Self::$name(block)
                }
            }
        )*

        /// Any block.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Block {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        impl Block {
            /// The number of its kind.
            #[must_use]
            pub const fn kind(&self) -> u32 {
                match self {
                    $( Self::$name(_) => $kind, )*
                }
            }

            /// Appends its payload.
            pub fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $( Self::$name(block) => block.put(out), )*
                }
            }

            /// Reads a payload; `None` for a kind that this release does not know.
            ///
            /// # Errors
            /// Any [`WireError`] that says how the payload is not one of this kind.
            pub fn decode(kind: u32, payload: &[u8]) -> Result<Option<Self>, WireError> {
                let mut reader = Reader::new(payload);
                match kind {
                    $( $kind => $name::take(&mut reader).map(Self::$name).map(Some), )*
                    _ => Ok(None),
                }
            }
        }
    };
}

blocks! {
    /// Something to know about the recording: who made it, with what, on what. Keys are in
    /// snake_case, with units.
    Annotation = 1 {
        /// What is told, such as `tool_version`, `kernel`, `machine`.
        key: String,
        /// What it is.
        value: String,
    }

    /// A host began to serve: a new vendor process. Events name it by its number.
    Host = 2 {
        /// Its number in this file, from 1.
        host: u32,
        /// When.
        at_ns: u64,
        /// The same on the real-time clock, in nanoseconds since 1970.
        real_ns: u64,
        /// Process id of the monitor.
        monitor_pid: i32,
        /// Process id of the vendor process.
        vendor_pid: i32,
        /// How often its client had started a host anew before.
        restarts: u32,
        /// Path of the vendor library.
        library: String,
        /// Its build-id in hexadecimal digits; empty if it has none.
        build_id: String,
        /// Its revision of the ABI: a letter.
        revision: String,
        /// The profile's name.
        profile: String,
        /// Where a request's command stands: 0: the request number is the command; n: byte n - 1 of
        /// the header.
        command_at: u32,
        /// The status of a request that was carried out.
        ok_status: u32,
    }

    /// What the vendor process had loaded, once `initialize` had returned.
    Libraries = 3 {
        /// The host.
        host: u32,
        /// Each library.
        libraries: Vec<LoadedLibrary>,
    }

    /// New pages.
    Pages = 4 {
        /// Number of the first; the others follow it.
        first: u64,
        /// How many.
        count: u32,
        /// 0: as they are; 1: an LZ4 block.
        packing: u32,
        /// The pages one behind the other, packed.
        packed: Bytes,
    }

    /// What a buffer held.
    Content = 5 {
        /// Its number.
        content: ContentId,
        /// Its bytes; the last page's rest is zeros.
        bytes: u64,
        /// Its pages, in order.
        runs: Vec<Run>,
    }

    /// A call that is answered.
    Called = 6 {
        /// The host.
        host: u32,
        /// When it came to the host.
        at_ns: u64,
        /// Tells it from the others of this host; its [`Answered`] has the same.
        cookie: u32,
        /// Which: [`Call`].
        call: u32,
        /// `register_buffer`: the buffer's bytes, as its descriptor says.
        buffer_bytes: u64,
        /// `deregister_buffers`: the handles.
        handles: Vec<i32>,
    }

    /// The answer to a call.
    Answered = 7 {
        /// The host.
        host: u32,
        /// When it left the host.
        at_ns: u64,
        /// Of its [`Called`].
        cookie: u32,
        /// Which: [`Call`].
        call: u32,
        /// What the function returned: 0, a handle, or a negative errno. 0 where it returns nothing.
        value: i32,
    }

    /// A request, with what its buffer held before the library saw it.
    Requested = 8 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// Its number in this file.
        number: Number,
        /// The HAL's number.
        req_id: u32,
        /// The buffer.
        handle: i32,
        /// What it means for a process that takes over: the numbers of `cami_wire::control::Role`.
        role: u32,
        /// What the buffer held; 0: see `content_errno`.
        content: ContentId,
        /// Why there is no content: an errno (EBADF: no such buffer; ENOSPC: left out for want of room
        /// in the queue); 0 where there is one.
        content_errno: u32,
        /// The header.
        header: Bytes,
    }

    /// The library called `return_callback`; with what the buffer held before the HAL saw it.
    Returned = 9 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// The request that it answers: its number in this file; 0: none that is known.
        request: Number,
        /// The number that the library named.
        req_id: u32,
        /// The library's status.
        status: u32,
        /// The buffer that the library named.
        handle: i32,
        /// As for a request.
        content: ContentId,
        /// As for a request.
        content_errno: u32,
    }

    /// The library called `update`.
    Updated = 10 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// The library's number.
        upd_id: u32,
        /// What its buffer held.
        content: ContentId,
        /// As for a request.
        content_errno: u32,
        /// The header.
        header: Bytes,
    }

    /// The HAL called `update_return`.
    UpdateReturned = 11 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// The library's number.
        upd_id: u32,
        /// The HAL's status.
        status: u32,
    }

    /// A line of the library, or of ours in its process.
    Line = 12 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// 1: standard output; 2: standard error; 3: our own log.
        stream: u32,
        /// The line.
        text: String,
    }

    /// What the vendor process uses.
    Usage = 13 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// CPU time since its start, in microseconds.
        cpu_us: u64,
        /// Resident memory in bytes.
        resident_bytes: u64,
        /// Threads.
        threads: u32,
    }

    /// The vendor process died.
    Died = 14 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// The signal; 0: it exited.
        signal: i32,
        /// Its exit code, if it exited.
        exit_code: i32,
        /// The cause in words.
        cause: String,
        /// 1: the host killed it, for a deadline, the client's word, or another program that it became.
        /// 0: it ended by itself, or somebody else ended it, or that is not known: what was recorded with
        /// minor version 0 does not say, whatever the file's header says now.
        by_host: u32,
    }

    /// The client left, and the host ended.
    Ended = 15 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
    }

    /// Events are missing here.
    Lost = 16 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
        /// How many.
        events: u64,
        /// Why.
        reason: String,
    }

    /// The ring was full: events up to here were dropped, but for set-up.
    Dropped = 17 {
        /// The time of the last that was dropped.
        until_ns: u64,
        /// How many, since the file was begun.
        events: u64,
    }

    /// Events of one kind that came in such floods that they were only counted: those that the library
    /// sends without being asked. Since version 1.1; a reader of 1.0 skips it.
    Counted = 19 {
        /// The host.
        host: u32,
        /// When the first came.
        at_ns: u64,
        /// When the last came; others may stand in between.
        until_ns: u64,
        /// The kind of block that each would have had: [`Returned`] of no request, [`Answered`] of no
        /// call, [`Updated`].
        of_kind: u32,
        /// How many.
        events: u64,
    }

    /// The client's recovery is over: what came to this host before was said again by it, not by the
    /// HAL.
    Resumed = 18 {
        /// The host.
        host: u32,
        /// When.
        at_ns: u64,
    }
}

/// A library in the vendor process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LoadedLibrary {
    /// Its path.
    pub path: String,
    /// Its build-id in hexadecimal digits; empty if it has none.
    pub build_id: String,
}

impl Field for LoadedLibrary {
    fn put(&self, out: &mut Vec<u8>) {
        self.path.put(out);
        self.build_id.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { path: Field::take(reader)?, build_id: Field::take(reader)? })
    }
}

/// Pages whose numbers follow each other. `first` 0 is a run of zero pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Run {
    /// The first page's number.
    pub first: u64,
    /// How many.
    pub count: u32,
}

impl Field for Run {
    fn put(&self, out: &mut Vec<u8>) {
        self.first.put(out);
        self.count.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { first: Field::take(reader)?, count: Field::take(reader)? })
    }
}
