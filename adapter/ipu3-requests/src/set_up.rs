//! Bringing an engine up: CMC, makernote, AIQ; in steps, because each may take its time.

use std::fmt;
use std::io;
use std::os::unix::fs::FileExt;

use cami_abi::CameraAlgorithm;
use cami_ipu3::sequence::set_up;
use cami_ipu3::{Command, bytes_of, bytes_of_mut};
use cami_link::write_all_at;

use crate::buffer::{RegisterError, SharedBuffer};
use crate::buffers::Buffers;
use crate::request::{Cause, RequestError, Requester, checked};

/// What an engine is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// The tuning file; may be empty.
    pub aiqb: Vec<u8>,
    /// The camera module's own memory; may be empty.
    pub nvm: Vec<u8>,
    /// What an engine of the same camera learnt before; may be empty.
    pub aiqd: Vec<u8>,
}

/// Why an engine is not up.
#[derive(Debug)]
pub enum SetUpError {
    /// A buffer was refused.
    Register(RegisterError),
    /// There is no memory for buffers.
    Memory(io::Error),
    /// A request failed.
    Request(RequestError),
    /// The tuning data are too large.
    Tuning(set_up::TooLarge),
}

impl fmt::Display for SetUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(error) => write!(f, "{error}"),
            Self::Memory(error) => write!(f, "no memory for shared buffers: {error}"),
            Self::Request(error) => write!(f, "{error}"),
            Self::Tuning(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for SetUpError {}

impl From<RequestError> for SetUpError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<RegisterError> for SetUpError {
    fn from(error: RegisterError) -> Self {
        Self::Register(error)
    }
}

/// An engine on its way up. [`SetUp::go_on`] does one step after the other; after a late answer it
/// can be called again and goes on where it was.
#[derive(Debug)]
pub struct SetUp {
    data: Data,
    aiq_init: SharedBuffer,
    cmc: Option<set_up::CmcAnswer>,
    max_code: Option<u16>,
    max_gain: Option<Option<f32>>,
    mkn: Option<u64>,
    collects: bool,
    aiq: Option<u64>,
    version: Option<String>,
}

/// An engine that is up.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The tuning's answer; its handle is the CMC's.
    pub cmc: set_up::CmcAnswer,
    /// The handle for AIQ requests.
    pub aiq: u64,
    /// The makernote's handle.
    pub mkn: u64,
    /// The largest analogue gain of the sensor, if the tuning tells.
    pub max_gain: Option<f32>,
    /// The sensor's code of that gain. Beyond it Intel's library has a gain of 1 for every code.
    pub max_code: Option<u16>,
    /// The engine's version, as it calls it.
    pub version: String,
}

impl SetUp {
    /// Nothing done yet.
    ///
    /// # Errors
    /// There is no memory, or no descriptor for it.
    pub fn new(data: Data) -> io::Result<Self> {
        let room = [&data.aiqb, &data.nvm, &data.aiqd].iter().map(|data| data.len()).sum();
        let header = Command::AiqInit.payload_bytes();
        Ok(Self {
            aiq_init: SharedBuffer::new("cami-ipa-aiq_init", header.saturating_add(room))?,
            data,
            cmc: None,
            max_code: None,
            max_gain: None,
            mkn: None,
            collects: false,
            aiq: None,
            version: None,
        })
    }

    /// The buffer of AIQ_INIT, which is as large as its data. To be registered before the first
    /// step, and of no use after the last.
    pub fn aiq_init(&mut self) -> &mut SharedBuffer {
        &mut self.aiq_init
    }

    /// The tuning data.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Does what is left to do.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn go_on(
        &mut self,
        requester: &mut Requester,
        buffers: &mut Buffers,
    ) -> Result<Engine, SetUpError> {
        let cmc = match &self.cmc {
            Some(cmc) => cmc,
            None => self.cmc.insert(cmc_init(requester, buffers, &self.data.aiqb)?),
        };
        let max_gain = match self.max_gain {
            Some(gain) => gain,
            None if !cmc.converts_gains() => *self.max_gain.insert(None),
            None => {
                let code = match self.max_code {
                    Some(code) => code,
                    None => *self.max_code.insert(max_code(requester, buffers, cmc)?),
                };
                set_up::fill_code_to_gain(&mut buffers.gain.payload, cmc, code);
                let command = Command::ExcSensorToAnalogGain;
                buffers.gain.exchange_or_go_on(requester, command)?;
                let gain = checked(command, set_up::take_gain(&buffers.gain.payload))?;
                *self.max_gain.insert(Some(gain))
            }
        };
        let mkn = match self.mkn {
            Some(mkn) => mkn,
            None => *self.mkn.insert(mkn_init(requester, buffers)?),
        };
        if !self.collects {
            set_up::fill_mkn_enable(&mut buffers.mkn_enable.payload, mkn, true);
            buffers.mkn_enable.exchange_or_go_on(requester, Command::MknEnable)?;
            self.collects = true;
        }
        let aiq = match self.aiq {
            Some(aiq) => aiq,
            None => {
                *self.aiq.insert(aiq_init(requester, &self.aiq_init, &self.data, mkn, cmc.handle)?)
            }
        };
        let version = match &self.version {
            Some(version) => version,
            None => {
                buffers.version.exchange_or_go_on(requester, Command::AiqGetVersion)?;
                let answer = &buffers.version.payload;
                let length = usize::try_from(answer.size).unwrap_or(usize::MAX);
                let text = answer.data.get(..length.min(answer.data.len())).unwrap_or_default();
                self.version.insert(printable(text))
            }
        };
        let (cmc, version, max_code) = (cmc.clone(), version.clone(), self.max_code);
        Ok(Engine { cmc, aiq, mkn, max_gain, max_code, version })
    }
}

impl Engine {
    /// Ends the engine: AIQ, makernote, CMC.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn end(
        &self,
        requester: &mut Requester,
        buffers: &mut Buffers,
    ) -> Result<(), RequestError> {
        set_up::fill_aiq_deinit(&mut buffers.aiq_deinit.payload, self.aiq);
        buffers.aiq_deinit.send(requester, Command::AiqDeinit)?;
        set_up::fill_mkn_uninit(&mut buffers.mkn_uninit.payload, self.mkn);
        buffers.mkn_uninit.send(requester, Command::MknUninit)?;
        set_up::fill_cmc_deinit(&mut buffers.cmc_deinit.payload, self.cmc.handle);
        buffers.cmc_deinit.send(requester, Command::CmcDeinit)
    }

    /// The gain of a sensor's code; `None` where the tuning does not tell.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn gain_of(
        &self,
        requester: &mut Requester,
        buffers: &mut Buffers,
        code: u16,
    ) -> Result<Option<f32>, RequestError> {
        if !self.cmc.converts_gains() {
            return Ok(None);
        }
        set_up::fill_code_to_gain(&mut buffers.gain.payload, &self.cmc, code);
        buffers.gain.exchange(requester, Command::ExcSensorToAnalogGain)?;
        checked(Command::ExcSensorToAnalogGain, set_up::take_gain(&buffers.gain.payload)).map(Some)
    }
}

/// Registers one buffer after the other: what somebody does who may be kept waiting.
pub fn register_all(library: &dyn CameraAlgorithm, fds: Vec<std::os::fd::OwnedFd>) -> Vec<i32> {
    let mut handles = Vec::with_capacity(fds.len());
    for fd in fds {
        let handle = library.register_buffer(fd);
        handles.push(handle);
        if handle < 0 {
            break;
        }
    }
    handles
}

fn cmc_init(
    requester: &mut Requester,
    buffers: &mut Buffers,
    aiqb: &[u8],
) -> Result<set_up::CmcAnswer, SetUpError> {
    set_up::fill_cmc_init(&mut buffers.cmc_init.payload, aiqb).map_err(SetUpError::Tuning)?;
    buffers.cmc_init.exchange_or_go_on(requester, Command::CmcInit)?;
    Ok(checked(Command::CmcInit, set_up::CmcAnswer::take(&buffers.cmc_init.payload))?)
}

/// The code of the largest analogue gain: that of an unreachable one.
fn max_code(
    requester: &mut Requester,
    buffers: &mut Buffers,
    cmc: &set_up::CmcAnswer,
) -> Result<u16, RequestError> {
    set_up::fill_gain_to_code(&mut buffers.gain.payload, cmc, set_up::UNREACHABLE_GAIN);
    buffers.gain.exchange_or_go_on(requester, Command::ExcAnalogGainToSensor)?;
    Ok(set_up::take_code(&buffers.gain.payload))
}

fn mkn_init(requester: &mut Requester, buffers: &mut Buffers) -> Result<u64, RequestError> {
    set_up::fill_mkn_init(&mut buffers.mkn_init.payload);
    buffers.mkn_init.exchange_or_go_on(requester, Command::MknInit)?;
    let mkn = buffers.mkn_init.payload.results;
    checked(Command::MknInit, set_up::take_handle("the handle", mkn))
}

fn aiq_init(
    requester: &mut Requester,
    buffer: &SharedBuffer,
    data: &Data,
    mkn: u64,
    cmc: u64,
) -> Result<u64, SetUpError> {
    let (mut header, tail) = set_up::aiq_init(&data.aiqb, &data.nvm, &data.aiqd, mkn, cmc)
        .map_err(SetUpError::Tuning)?;
    let io = |error| RequestError { command: Command::AiqInit, cause: Cause::Buffer(error) };
    if requester.awaits(Command::AiqInit, buffer.handle()) {
        requester.settle_with_success()?;
    } else {
        requester.settle()?;
        write_all_at(buffer.file(), bytes_of(&header), 0).map_err(io)?;
        write_all_at(buffer.file(), &tail, size_of_val(&header) as u64).map_err(io)?;
        requester.request(Command::AiqInit, buffer.handle())?;
    }
    buffer.file().read_exact_at(bytes_of_mut(&mut header), 0).map_err(io)?;
    Ok(checked(Command::AiqInit, set_up::take_handle("the handle", header.results))?)
}

/// Text up to the first NUL, without control characters.
fn printable(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default())
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn versions_are_shown_without_tricks() {
        assert_eq!(printable(b"N/A\0rest"), "N/A");
        assert_eq!(printable(b"1\x1b[31m.2\n"), "1[31m.2");
        assert_eq!(printable(b""), "");
    }
}
