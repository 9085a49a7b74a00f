//! FACE_RUN: this library finds no faces.

use cami_ipu3::payload::FaceEngineRunParams;

use super::part::write;
use crate::refusal::Refusal;
use crate::shared_memory::SharedMemory;

/// Answers that there are none; the picture is not looked at.
pub fn run(memory: &SharedMemory) -> Result<(), Refusal> {
    write!(memory, FaceEngineRunParams, results.face_num, &0)
}
