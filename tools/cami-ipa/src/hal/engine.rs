//! The 3A engine behind a library: set up, and asked for one step after the other.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use cami_abi::CameraAlgorithm;
use cami_ipu3::Command;
use cami_ipu3::sequence::aic;
use cami_ipu3::sequence::aic::AicSetup;
use cami_ipu3_requests::{
    Answers, Buffers, Data, Patience, RequestError, Requester, SetUp, SetUpError,
};

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
    engine: cami_ipu3_requests::Engine,
}

/// Why an engine is not ready.
#[derive(Debug)]
pub enum EngineError {
    /// The library's `initialize` failed.
    Initialize(io::Error),
    /// A step of the set-up failed.
    SetUp(SetUpError),
    /// Neither the tuning nor the user tells the sensor's size.
    NoSize,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initialize(error) => write!(f, "the library's initialize failed: {error}"),
            Self::SetUp(error) => write!(f, "{error}"),
            Self::NoSize => {
                write!(f, "the tuning does not tell the sensor's size; name a sensor with --sensor")
            }
        }
    }
}

impl<T: Into<SetUpError>> From<T> for EngineError {
    fn from(error: T) -> Self {
        Self::SetUp(error.into())
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
        let mut buffers = Buffers::new().map_err(SetUpError::Memory)?;
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
        ready.engine.end(requester, buffers)?;
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
    buffers.register(&**requester.library())?;
    let data = Data { aiqb: setup.tuning.clone(), ..Data::default() };
    let mut set_up = SetUp::new(data).map_err(SetUpError::Memory)?;
    set_up.aiq_init().register(&**requester.library())?;
    let engine = set_up.go_on(requester, buffers)?;
    requester.library().deregister_buffers(&[set_up.aiq_init().handle()]);

    let sensor_size = engine.cmc.size.or(setup.sensor_size).ok_or(EngineError::NoSize)?;
    let aic = AicSetup {
        mode: aic::AicMode::Video,
        frame_use: 0,
        geometry: aic::Geometry::full(sensor_size, setup.bds),
        adjustments: aic::Adjustments::default(),
    };
    aic::fill_init(&mut buffers.aic.payload, engine.cmc.handle, &setup.tuning, &aic)
        .map_err(SetUpError::Tuning)?;
    buffers.aic.send(requester, Command::AicInit)?;
    Ok(Ready {
        aiq: engine.aiq,
        max_gain: engine.max_gain,
        version: engine.version.clone(),
        sensor_size,
        aic,
        engine,
    })
}
