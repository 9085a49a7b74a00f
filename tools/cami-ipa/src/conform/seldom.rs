//! The commands of the IPU3 protocol that no frame needs, with good buffers.

use cami_ipu3::Command;
use cami_ipu3::payload::{
    AicVersionParams, BinaryDataParams, ConvertCoordinatesParams, Coordinate, CoordinateSystem,
    FaceEngineInitParams, MknPrepareParams,
};
use cami_ipu3_requests::{Cause, PayloadBuffer, RequestError, SetUpError};

use crate::hal::engine::Engine;

/// `aicMode`: video, which the engine is set up for (spec/ipu3-protocol.md, 1.2).
const VIDEO: i32 = 1;
/// `data_target`: the makernote's second section (spec/ipu3-protocol.md, 1.2).
const SECTION_2: i32 = 0x10000;
/// `ia_coordinate`'s own system, and a sensor's.
const IA: CoordinateSystem = CoordinateSystem { top: 0, left: 0, bottom: 8192, right: 8192 };
const SENSOR: CoordinateSystem = CoordinateSystem { top: 0, left: 0, bottom: 3136, right: 4224 };
/// A point and the same in [`IA`], as Intel's library has it.
const POINT: Coordinate = Coordinate { x: 1408, y: 627 };
const CONVERTED: Coordinate = Coordinate { x: 2730, y: 1637 };
/// `fd_mode`: simple.
const SIMPLE: i32 = 1;

/// Makes them, on an engine that has driven frames; the first that is not answered as the original
/// answers is the error.
pub fn commands(engine: &mut Engine) -> Result<(), String> {
    let io = |error: std::io::Error| format!("no memory for a buffer: {error}");
    let aiq = engine.ready.aiq;
    let mkn = engine.buffers.mkn_enable.payload.mkn_handle;
    let Engine { requester, buffers, .. } = engine;
    let said = |error: RequestError| error.to_string();

    // The payload of the last AIC_RUN is there.
    buffers.aic.send(requester, Command::AicReset).map_err(said)?;

    let mut version = PayloadBuffer::<AicVersionParams>::new("conform-version").map_err(io)?;
    version.payload.aic_mode = VIDEO;
    let mut data = PayloadBuffer::<BinaryDataParams>::new("conform-data").map_err(io)?;
    data.payload.aiq_handle = aiq;
    let mut makernote = PayloadBuffer::<MknPrepareParams>::new("conform-makernote").map_err(io)?;
    (makernote.payload.mkn_handle, makernote.payload.data_target) = (mkn, SECTION_2);
    let mut point = PayloadBuffer::<ConvertCoordinatesParams>::new("conform-point").map_err(io)?;
    (point.payload.src_system, point.payload.trg_system) = (SENSOR, IA);
    point.payload.src_coordinate = POINT;
    let mut face = PayloadBuffer::<FaceEngineInitParams>::new("conform-face").map_err(io)?;
    (face.payload.max_face_num, face.payload.fd_mode) = (1, SIMPLE);

    let library = requester.library().clone();
    let registered = version
        .register(&*library)
        .and_then(|()| data.register(&*library))
        .and_then(|()| makernote.register(&*library))
        .and_then(|()| point.register(&*library))
        .and_then(|()| face.register(&*library));
    registered.map_err(|error| SetUpError::from(error).to_string())?;

    version.exchange(requester, Command::AicGetVersion).map_err(said)?;
    data.exchange(requester, Command::AiqGetData).map_err(said)?;
    point.exchange(requester, Command::CoordinateConvert).map_err(said)?;
    let Coordinate { x, y } = point.payload.results;
    if (x, y) != (CONVERTED.x, CONVERTED.y) {
        return Err(format!(
            "COORDINATE_COVERT: ({x}, {y}) in place of ({}, {})",
            CONVERTED.x, CONVERTED.y
        ));
    }
    // Status 1 where the makernote is still empty, where there is no face engine, and always for
    // COORDINATE_FACES (spec/ipu3-protocol.md, 1.2).
    for (command, handle) in [
        (Command::MknPrepare, makernote.handle()),
        (Command::CoordinateFaces, point.handle()),
        (Command::FaceInit, face.handle()),
        (Command::FaceUninit, -1),
    ] {
        match requester.request(command, handle) {
            Ok(()) | Err(RequestError { cause: Cause::Status(1), .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    let handles =
        [version.handle(), data.handle(), makernote.handle(), point.handle(), face.handle()];
    library.deregister_buffers(&handles);
    Ok(())
}
