//! The IPA behind the door.

use std::time::Instant;

use cami_config::Config;
use cami_door::IpaMaker;
use cami_ipu3_ipa::{Ipa, IpaError, Mode, Processed, SensorSettings};
use cami_wire::libcamera::{ControlInfo, ControlList, IpaCameraSensorInfo, IpaSettings};

/// What is behind the door.
#[derive(Debug)]
pub enum Behind {
    /// A vendor library in a host's process.
    Host(Box<Config>),
    /// Nothing, and why: `init` says so.
    Nothing { errno: i32, reason: String },
}

/// Makes the IPA once it is known what libcamera speaks.
pub fn maker(behind: Behind) -> IpaMaker {
    IpaMaker::new(move |_dialect| match behind {
        Behind::Host(_config) => Box::new(Refusing { errno: -libc::ENOSYS, reason: String::new() }),
        Behind::Nothing { errno, reason } => Box::new(Refusing { errno, reason }),
    })
}

/// An IPA whose `init` fails: libcamera then offers no camera, and its log says why.
#[derive(Debug)]
struct Refusing {
    errno: i32,
    reason: String,
}

impl Refusing {
    fn error(&self) -> IpaError {
        IpaError { errno: self.errno, text: self.reason.clone() }
    }
}

impl Ipa for Refusing {
    fn init(
        &mut self,
        _: &IpaSettings,
        _: &IpaCameraSensorInfo,
        _: &[ControlInfo],
        _: Instant,
    ) -> Result<Vec<ControlInfo>, IpaError> {
        Err(self.error())
    }

    fn configure(&mut self, _: &Mode, _: Instant) -> Result<Vec<ControlInfo>, IpaError> {
        Err(self.error())
    }

    fn start(&mut self, _: Instant) -> Result<SensorSettings, IpaError> {
        Err(self.error())
    }

    fn stop(&mut self, _: Instant) {}

    fn queue_request(&mut self, _: u32, _: &ControlList) {}

    fn process_stats(
        &mut self,
        _: u32,
        _: i64,
        _: &[u8],
        _: &ControlList,
        _: Instant,
    ) -> Processed {
        Processed::default()
    }

    fn compute_params(&mut self, _: u32, _: Instant) -> Option<&[u8]> {
        None
    }
}
