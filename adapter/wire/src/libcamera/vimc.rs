//! The `vimc` interface: libcamera's pipeline handler for the kernel's virtual camera, which needs
//! no hardware.
//!
//! Source: libcamera `include/libcamera/ipa/vimc.mojom`. Numbers are the same from 0.0.3 to 0.7.2;
//! the names are those since 0.4.0.

mod call;
mod event_message;
mod reply;

pub use call::Call;
pub use event_message::Event;
pub use reply::Reply;

/// Command numbers.
pub mod command {
    /// See [`super::Call::Init`].
    pub const INIT: u32 = 1;
    /// See [`super::Call::Configure`].
    pub const CONFIGURE: u32 = 2;
    /// See [`super::Call::Start`].
    pub const START: u32 = 3;
    /// See [`super::Call::Stop`].
    pub const STOP: u32 = 4;
    /// See [`super::Call::MapBuffers`].
    pub const MAP_BUFFERS: u32 = 5;
    /// See [`super::Call::UnmapBuffers`].
    pub const UNMAP_BUFFERS: u32 = 6;
    /// See [`super::Call::QueueRequest`].
    pub const QUEUE_REQUEST: u32 = 7;
    /// See [`super::Call::ComputeParams`].
    pub const COMPUTE_PARAMS: u32 = 8;
}

/// Event numbers.
pub mod event {
    /// See [`super::Event`].
    pub const PARAMS_COMPUTED: u32 = 1;
}
