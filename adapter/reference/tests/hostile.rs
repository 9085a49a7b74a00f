//! Payloads of a peer that means no good: always answered, never a crash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may state what it expects"
)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use cami_abi::CameraAlgorithm;
use cami_ipu3::{Command, HEADER};
use common::Hal;
use common::camera::{Camera, Scene};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Reproducible noise (xorshift64*, Vigna 2016), each 4 bytes of which are random, a small number,
/// a strange float, or 0.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = vec![0; size];
    for word in bytes.chunks_mut(4) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let value = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        let strange = [f32::NAN, f32::INFINITY, f32::MAX, -1.0, f32::MIN_POSITIVE, 1e9, 0.5, -0.0];
        let value = match value[7] % 6 {
            0 => [0; 4],
            1 => [value[0] & 3, 0, 0, 0],
            2 => [value[0], 0, 0, 0],
            3 => strange[usize::from(value[1] % 8)].to_le_bytes(),
            _ => [value[0], value[1], value[2], value[3]],
        };
        let length = word.len();
        word.copy_from_slice(&value[..length]);
    }
    bytes
}

/// Where a command's payload has the handle that it needs.
fn handle_at(command: Command) -> Option<usize> {
    match command {
        Command::AiqInit => Some(32),
        Command::AicInit => Some(800_008),
        command if (7..=15).contains(&command.number()) => Some(0),
        _ => None,
    }
}

const SCENE: Scene = Scene { brightness: 0.004, r_per_g: 0.6, b_per_g: 0.7, sharp_at: 200 };

/// Noise in a command's buffer, with good handles half of the time so that it is looked at.
fn attack(hal: &Hal, camera: &Camera<'_>, command: Command, seed: u64) -> u32 {
    let size = command.payload_bytes();
    let buffer = hal.buffer(size.max(1) + usize::try_from(seed % 3).unwrap());
    let mut payload = noise(seed, buffer.size);
    if seed.is_multiple_of(2)
        && let Some(at) = handle_at(command)
    {
        let handle = match command {
            Command::AiqInit | Command::AicInit => camera.cmc.handle,
            _ => camera.aiq,
        };
        payload[at..at + 8].copy_from_slice(&handle.to_le_bytes());
    }
    if command == Command::AicInit {
        payload[..4].copy_from_slice(&1_u32.to_le_bytes());
    }
    buffer.fill(&payload);
    let status = hal.status(command, buffer.handle);
    hal.server.deregister_buffers(&[buffer.handle]);
    status
}

#[test]
fn noise_in_every_buffer_is_answered_and_leaves_a_library_that_works() {
    for seed in 0..24 {
        let hal = Hal::new();
        let camera = Camera::open(&hal, &[]);
        for command in Command::ALL {
            let status = attack(&hal, &camera, *command, seed);
            assert!(status <= 1, "{} answered {status}", command.name());
        }
        // Noise may have guessed the handles of the camera that is open; another one works.
        let mut camera = Camera::open(&hal, &[]);
        camera.frame(&SCENE);
        camera.frame(&SCENE);
        camera.close();
    }
}

#[test]
fn what_was_set_by_noise_gives_results_that_can_be_used() {
    // The HAL's own checks of answers (sequence) must hold after any statistics.
    let hal = Hal::new();
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 40, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&any::<u64>(), |seed| {
            let mut camera = Camera::open(&hal, &[]);
            attack(&hal, &camera, Command::StatisticsSet, seed & !1);
            attack(&hal, &camera, Command::AeRun, seed & !1);
            attack(&hal, &camera, Command::AwbRun, seed & !1);
            attack(&hal, &camera, Command::AfRun, seed & !1);
            // Each answer of a frame is unwrapped by the camera.
            camera.frame(&SCENE);
            camera.frame(&SCENE);
            camera.close();
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_buffer_may_change_while_it_is_looked_at() {
    let hal = Hal::new();
    let camera = Camera::open(&hal, &[]);
    let commands =
        [Command::AeRun, Command::StatisticsSet, Command::ExcSensorToAnalogGain, Command::AicRun];
    let buffers: Vec<_> =
        commands.iter().map(|command| (command, hal.buffer(command.payload_bytes()))).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (command, buffer) in &buffers {
            let (done, aiq) = (&done, camera.aiq);
            scope.spawn(move || {
                let mut seed = 0;
                while !done.load(Ordering::Relaxed) {
                    let mut payload = noise(seed, buffer.size.min(25_000));
                    if handle_at(**command) == Some(0) {
                        payload[..8].copy_from_slice(&aiq.to_le_bytes());
                    }
                    buffer.fill(&payload);
                    seed += 1;
                }
            });
        }
        for _ in 0..100 {
            for (command, buffer) in &buffers {
                hal.server.request(command.number(), &HEADER, buffer.handle);
            }
            for _ in &buffers {
                common::wait(&hal.answers);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    camera.close();
}

#[test]
fn more_requests_than_there_is_room_for_are_all_answered() {
    let hal = Hal::new();
    let buffer = hal.buffer(Command::CmcInit.payload_bytes());
    const REQUESTS: usize = 5000;
    for _ in 0..REQUESTS {
        hal.server.request(Command::CmcInit.number(), &HEADER, buffer.handle);
    }
    for _ in 0..REQUESTS {
        common::wait(&hal.answers);
    }
    assert!(hal.answers.try_recv().is_err());
}
