//! The commands: from a payload's bytes to the algorithms and back.
//!
//! Each reads the parts of its payload that it needs, once, and writes its answer. Payloads are
//! those of spec/ipu3-protocol.md, 1.2 to 1.4; what the original does is said where it matters.

pub mod aic;
pub mod aiq;
pub mod cmc;
mod coordinate;
mod exc;
mod face;
mod handles;
mod makernote;
mod part;
mod statistics;
mod target;

mod ae;
mod af;
mod awb;
mod gbce;
mod pa;
mod sa;

use cami_ipu3::Command;
use cami_ipu3::payload::Rectangle;
use parking_lot::Mutex;

use crate::algorithm::Window;
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;
use handles::{Handles, Numbers};

/// Everything that lives between requests.
///
/// Each field is used by the thread of one group; what another group's commands look up in it is
/// only whether a handle is valid.
#[derive(Debug)]
pub struct Session {
    numbers: Numbers,
    cmcs: Mutex<Handles<cmc::Cmc>>,
    makernotes: Mutex<Handles<makernote::Makernote>>,
    aiqs: Mutex<Handles<aiq::Aiq>>,
    aics: Mutex<aic::Aics>,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// No objects.
    #[must_use]
    pub fn new() -> Self {
        Self {
            numbers: Numbers::default(),
            cmcs: Mutex::new(Handles::new("CMC")),
            makernotes: Mutex::new(Handles::new("makernote")),
            aiqs: Mutex::new(Handles::new("AIQ")),
            aics: Mutex::new(aic::Aics::default()),
        }
    }

    /// Carries out a request and writes its answer into its buffer.
    pub fn run(&self, command: Command, memory: Option<&SharedMemory>) -> Result<(), Refusal> {
        match (command, memory) {
            (Command::FaceUninit, _) => return Ok(()),
            (Command::CoordinateFaces, _) => return Err(Refusal::NotImplemented),
            _ => {}
        }
        let memory = memory.ok_or(Refusal::NoBuffer)?;
        if memory.size() < command.payload_bytes() {
            return Err(Refusal::Short);
        }
        match command {
            Command::AicInit => self.aic_init(memory),
            Command::AicRun | Command::AicReset => self.aic_run(memory),
            Command::AicGetVersion => aic::get_version(memory),
            Command::AicGetConfig => self.aic_get_config(memory),
            Command::AiqInit => self.aiq_init(memory),
            Command::AiqDeinit => self.aiq_deinit(memory),
            Command::AeRun => self.ae_run(memory),
            Command::AfRun => self.af_run(memory),
            Command::AwbRun => self.awb_run(memory),
            Command::GbceRun => self.gbce_run(memory),
            Command::PaRun => self.pa_run(memory),
            Command::SaRun => self.sa_run(memory),
            Command::AiqGetData => self.aiq_get_data(memory),
            Command::StatisticsSet => self.statistics_set(memory),
            Command::AiqGetVersion => aiq::get_version(memory),
            Command::CmcInit => self.cmc_init(memory),
            Command::CmcDeinit => self.cmc_deinit(memory),
            Command::ExcAnalogGainToSensor => exc::gain_to_code(memory),
            Command::ExcSensorToAnalogGain => exc::code_to_gain(memory),
            Command::MknInit => self.mkn_init(memory),
            Command::MknUninit => self.mkn_uninit(memory),
            Command::MknPrepare => self.mkn_prepare(memory),
            Command::MknEnable => self.mkn_enable(memory),
            Command::CoordinateConvert => coordinate::convert(memory),
            Command::FaceInit => Ok(()),
            Command::FaceRun => face::run(memory),
            Command::CoordinateFaces | Command::FaceUninit => Err(Refusal::NotImplemented),
        }
    }
}

/// A pointer word that says that its sibling struct is filled in. Its value means nothing to the
/// client, so no address ever leaves the process (spec/ipu3-protocol.md, 1.4).
const PRESENT: u64 = 1;
/// A pointer word that says that it is not.
const ABSENT: u64 = 0;

/// A value if the pointer word of its sibling says that it is there.
fn present<T>(word: u64, read: impl FnOnce() -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    if word == ABSENT { Ok(None) } else { read().map(Some) }
}

/// A result of the algorithms, which is always finite, in the protocol's precision.
#[expect(clippy::cast_possible_truncation, reason = "results lie far inside the range of f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// A result of the algorithms as a whole number; casts of floats keep to the type's limits.
#[expect(clippy::cast_possible_truncation, reason = "out of range it is the type's limit")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// A rectangle of a payload as the algorithms take it.
fn window(rectangle: Option<Rectangle>) -> Window {
    rectangle.map_or_else(Window::default, |rectangle| Window {
        left: rectangle.left,
        top: rectangle.top,
        right: rectangle.right,
        bottom: rectangle.bottom,
    })
}
