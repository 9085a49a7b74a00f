//! The 3A engine behind a library: set up, and asked for one step after the other.

use std::fmt;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use cami_abi::CameraAlgorithm;
use cami_ipu3::sequence::aic::AicSetup;
use cami_ipu3::sequence::{aic, set_up};
use cami_ipu3::{Command, bytes_of, bytes_of_mut};
use cami_ipu3_requests::{
    Answers, Cause, Patience, RegisterError, RequestError, Requester, SharedBuffer, checked,
};

use super::buffers::Buffers;
use super::stopwatch::Stopwatch;

/// How long the HAL waits for an answer (spec/ipu3-protocol.md, 1.1).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// What the engine is set up with.
#[derive(Debug, Clone)]
pub struct EngineSetup {
    /// The tuning file; may be empty.
    pub tuning: Vec<u8>,
    /// Size of the sensor if the tuning does not tell.
    pub sensor_size: Option<(u16, u16)>,
    /// Size behind the ISP's scaler.
    pub bds: (u16, u16),
}

/// An engine that is ready.
#[derive(Debug)]
pub struct Engine {
    /// Makes the requests.
    pub requester: Requester,
    /// The shared buffers.
    pub buffers: Buffers,
    /// What became of the set-up.
    pub ready: Ready,
    setup: EngineSetup,
}

/// What an engine is known by after its set-up.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The handle for AIQ requests.
    pub aiq: u64,
    /// The largest analogue gain of the sensor, if the tuning tells.
    pub max_gain: Option<f32>,
    /// The engine's version, as it calls it.
    pub version: String,
    /// Size of the sensor.
    pub sensor_size: (u16, u16),
    /// What the ISP's configurator was set up with.
    pub aic: AicSetup,
    mkn: u64,
    cmc: u64,
}

/// Why an engine is not ready.
#[derive(Debug)]
pub enum EngineError {
    /// The library's `initialize` failed.
    Initialize(io::Error),
    /// A buffer was refused.
    Register(RegisterError),
    /// There is no memory for buffers.
    Memory(io::Error),
    /// A request failed.
    Request(RequestError),
    /// The tuning file is too large.
    Tuning(set_up::TooLarge),
    /// Neither the tuning nor the user tells the sensor's size.
    NoSize,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initialize(error) => write!(f, "the library's initialize failed: {error}"),
            Self::Register(error) => write!(f, "{error}"),
            Self::Memory(error) => write!(f, "no memory for shared buffers: {error}"),
            Self::Request(error) => write!(f, "{error}"),
            Self::Tuning(error) => write!(f, "{error}"),
            Self::NoSize => {
                write!(f, "the tuning does not tell the sensor's size; name a sensor with --sensor")
            }
        }
    }
}

impl From<RequestError> for EngineError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Engine {
    /// Initialises a library and sets its engine up.
    pub fn start(
        library: Arc<dyn CameraAlgorithm>,
        setup: EngineSetup,
        stopwatch: Stopwatch,
    ) -> Result<Self, EngineError> {
        let patience = Patience::Each(ANSWER_TIMEOUT);
        let mut requester = Requester::new(library, Answers::new(), patience);
        requester.observe(Box::new(stopwatch));
        let mut buffers = Buffers::new().map_err(EngineError::Memory)?;
        let ready = bring_up(&mut requester, &mut buffers, &setup)?;
        Ok(Self { requester, buffers, ready, setup })
    }

    /// What a HAL does after `notify(IPC_ERROR)`: everything again.
    pub fn restart(&mut self) -> Result<(), EngineError> {
        self.requester.forget();
        self.ready = bring_up(&mut self.requester, &mut self.buffers, &self.setup)?;
        Ok(())
    }

    /// Ends the library without another request.
    pub fn abandon(&mut self) {
        self.requester.library().deinitialize();
    }

    /// Ends the engine and the library.
    pub fn stop(&mut self) -> Result<(), RequestError> {
        let Self { requester, buffers, ready, .. } = self;
        set_up::fill_aiq_deinit(&mut buffers.aiq_deinit.payload, ready.aiq);
        buffers.aiq_deinit.send(requester, Command::AiqDeinit)?;
        set_up::fill_mkn_uninit(&mut buffers.mkn_uninit.payload, ready.mkn);
        buffers.mkn_uninit.send(requester, Command::MknUninit)?;
        set_up::fill_cmc_deinit(&mut buffers.cmc_deinit.payload, ready.cmc);
        buffers.cmc_deinit.send(requester, Command::CmcDeinit)?;
        requester.library().deregister_buffers(&buffers.handles());
        requester.library().deinitialize();
        Ok(())
    }
}

fn bring_up(
    requester: &mut Requester,
    buffers: &mut Buffers,
    setup: &EngineSetup,
) -> Result<Ready, EngineError> {
    let answers: Arc<Answers> = Arc::clone(requester.answers());
    let result = requester.library().initialize(answers);
    if result < 0 {
        return Err(EngineError::Initialize(io::Error::from_raw_os_error(-result)));
    }
    buffers.register(&**requester.library()).map_err(EngineError::Register)?;

    set_up::fill_cmc_init(&mut buffers.cmc_init.payload, &setup.tuning)
        .map_err(EngineError::Tuning)?;
    buffers.cmc_init.exchange(requester, Command::CmcInit)?;
    let cmc = checked(Command::CmcInit, set_up::CmcAnswer::take(&buffers.cmc_init.payload))?;
    let max_gain = max_gain(requester, buffers, &cmc)?;

    set_up::fill_mkn_init(&mut buffers.mkn_init.payload);
    buffers.mkn_init.exchange(requester, Command::MknInit)?;
    let mkn = buffers.mkn_init.payload.results;
    let mkn = checked(Command::MknInit, set_up::take_handle("the handle", mkn))?;
    set_up::fill_mkn_enable(&mut buffers.mkn_enable.payload, mkn, true);
    buffers.mkn_enable.send(requester, Command::MknEnable)?;

    let aiq = aiq_init(requester, &setup.tuning, mkn, cmc.handle)?;
    buffers.version.exchange(requester, Command::AiqGetVersion)?;
    let version = &buffers.version.payload;
    let length = usize::try_from(version.size).unwrap_or(usize::MAX).min(version.data.len());
    let version = printable(version.data.get(..length).unwrap_or_default());

    let sensor_size = cmc.size.or(setup.sensor_size).ok_or(EngineError::NoSize)?;
    let aic = AicSetup {
        mode: aic::AicMode::Video,
        frame_use: 0,
        geometry: aic::Geometry::full(sensor_size, setup.bds),
        adjustments: aic::Adjustments::default(),
    };
    aic::fill_init(&mut buffers.aic.payload, cmc.handle, &setup.tuning, &aic)
        .map_err(EngineError::Tuning)?;
    buffers.aic.send(requester, Command::AicInit)?;
    Ok(Ready { aiq, max_gain, version, sensor_size, aic, mkn, cmc: cmc.handle })
}

/// The largest analogue gain: what the code of an unreachable one gives.
fn max_gain(
    requester: &mut Requester,
    buffers: &mut Buffers,
    cmc: &set_up::CmcAnswer,
) -> Result<Option<f32>, RequestError> {
    if !cmc.converts_gains() {
        return Ok(None);
    }
    let gain = &mut buffers.gain;
    set_up::fill_gain_to_code(&mut gain.payload, cmc, set_up::UNREACHABLE_GAIN);
    gain.exchange(requester, Command::ExcAnalogGainToSensor)?;
    let code = set_up::take_code(&gain.payload);
    set_up::fill_code_to_gain(&mut gain.payload, cmc, code);
    gain.exchange(requester, Command::ExcSensorToAnalogGain)?;
    checked(Command::ExcSensorToAnalogGain, set_up::take_gain(&gain.payload)).map(Some)
}

/// AIQ_INIT, whose buffer is as large as its tuning data and lives only for the request.
fn aiq_init(
    requester: &mut Requester,
    tuning: &[u8],
    mkn: u64,
    cmc: u64,
) -> Result<u64, EngineError> {
    let (mut header, data) =
        set_up::aiq_init(tuning, &[], &[], mkn, cmc).map_err(EngineError::Tuning)?;
    let size = size_of_val(&header);
    let mut buffer =
        SharedBuffer::new("cami-ipa-aiq_init", size + data.len()).map_err(EngineError::Memory)?;
    let io = |error| RequestError { command: Command::AiqInit, cause: Cause::Buffer(error) };
    buffer.file().write_all_at(bytes_of(&header), 0).map_err(io)?;
    buffer.file().write_all_at(&data, size as u64).map_err(io)?;
    buffer.register(&**requester.library()).map_err(EngineError::Register)?;
    requester.request(Command::AiqInit, buffer.handle())?;
    buffer.file().read_exact_at(bytes_of_mut(&mut header), 0).map_err(io)?;
    requester.library().deregister_buffers(&[buffer.handle()]);
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
