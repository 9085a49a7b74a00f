//! A library that works until it is told not to: the reference library behind a layer that changes,
//! holds back or swallows its answers.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex};

use cam_algo_reference::Server;
use cami_abi::{Callbacks, CameraAlgorithm};
use cami_ipu3::{Command, HEADER};

/// What becomes of the answers to a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The answer's part of the payload is filled with this byte.
    Bytes(u8),
    /// With this number, again and again.
    Floats(f32),
    /// With noise.
    Noise(u64),
    /// The status says that it failed.
    Fails,
    /// It never comes, or not before [`Faulty::release`].
    Held,
    /// The other process dies: `notify(IPC_ERROR)`.
    Dies,
    /// It comes three times.
    Thrice,
    /// The tuning's codes of the analogue gain end with this one: those beyond have a gain of 1, as
    /// Intel's library answers them.
    CodesTo(u16),
}

/// Where the answer begins in a payload (spec/ipu3-protocol.md, 1.2); the rest is the client's.
fn answer_at(command: Command) -> usize {
    match command {
        Command::AeRun => 232,
        Command::AfRun => 96,
        Command::AwbRun => 56,
        Command::GbceRun => 24,
        Command::PaRun => 104,
        Command::SaRun => 72,
        Command::CmcInit => 800_008,
        Command::AiqInit => 40,
        Command::MknInit => 24,
        Command::ExcAnalogGainToSensor | Command::ExcSensorToAnalogGain => 22_572,
        Command::AiqGetData => 8,
        _ => 0,
    }
}

#[derive(Default)]
struct State {
    faults: HashMap<u32, Fault>,
    buffers: HashMap<i32, File>,
    callbacks: Option<Arc<dyn Callbacks>>,
    held: Vec<(u32, u32, i32)>,
    initialized: u32,
    deinitialized: u32,
    /// `initialize` returns this, or waits.
    initialize: Option<i32>,
    hangs: bool,
    dead: bool,
    /// It runs in a process of its own, which can be ended at once.
    apart: bool,
    ended: u32,
    /// `deinitialize` does not return.
    lingers: bool,
    requests: Vec<u32>,
    /// The buffer that each command was asked with last.
    last: HashMap<u32, i32>,
}

/// The library.
#[derive(Default)]
pub struct Faulty {
    inner: Mutex<Option<Arc<Server>>>,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Faulty {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.0.lock().unwrap());
        self.state.1.notify_all();
        changed
    }

    pub fn fault(&self, command: Command, fault: Fault) {
        self.with(|state| state.faults.insert(command.number(), fault));
    }

    pub fn heal(&self) {
        self.with(|state| state.faults.clear());
    }

    /// `initialize` fails with this code; 0 to let it work.
    pub fn refuse(&self, code: i32) {
        self.with(|state| state.initialize = (code < 0).then_some(code));
    }

    /// `initialize` does not return, or does so now.
    pub fn hang(&self, hangs: bool) {
        self.with(|state| state.hangs = hangs);
    }

    /// Runs in a process of its own from now on.
    pub fn live_apart(&self) {
        self.with(|state| state.apart = true);
    }

    /// How often it was ended at once.
    pub fn ended(&self) -> u32 {
        self.with(|state| state.ended)
    }

    /// `deinitialize` does not return, or does so now.
    pub fn linger(&self, lingers: bool) {
        self.with(|state| state.lingers = lingers);
    }

    pub fn initialized(&self) -> u32 {
        self.with(|state| state.initialized)
    }

    pub fn deinitialized(&self) -> u32 {
        self.with(|state| state.deinitialized)
    }

    /// Waits until the library has been ended so many times.
    pub fn wait_deinitialized(&self, times: u32) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        drop(changed.wait_while(state, |state| state.deinitialized < times).unwrap());
    }

    pub fn requests(&self) -> Vec<u32> {
        self.with(|state| std::mem::take(&mut state.requests))
    }

    /// What the buffer of a command's last request holds.
    pub fn payload<T: cami_ipu3::Pod>(&self, command: Command) -> Box<T> {
        let mut payload = cami_ipu3::zeroed_box::<T>();
        self.with(|state| {
            let handle = state.last[&command.number()];
            let file = &state.buffers[&handle];
            file.read_exact_at(cami_ipu3::bytes_of_mut(&mut *payload), 0).unwrap();
        });
        payload
    }

    /// Gives the answers that were held back.
    pub fn release(&self) -> usize {
        let (held, callbacks) =
            self.with(|state| (std::mem::take(&mut state.held), state.callbacks.clone()));
        let callbacks = callbacks.unwrap();
        for (req_id, status, handle) in &held {
            callbacks.returned(*req_id, *status, *handle);
        }
        held.len()
    }
}

/// Between the library and the client.
struct Layer {
    state: Arc<(Mutex<State>, Condvar)>,
    callbacks: Arc<dyn Callbacks>,
}

impl Layer {
    /// Overwrites the answer in a shared buffer.
    fn spoil(&self, req_id: u32, handle: i32, mut byte: impl FnMut(usize) -> u8) {
        let Ok(command) = Command::try_from(req_id) else { return };
        let state = self.state.0.lock().unwrap();
        let Some(file) = state.buffers.get(&handle) else { return };
        let begin = answer_at(command);
        let end = usize::try_from(file.metadata().unwrap().len()).unwrap();
        let bytes: Vec<u8> = (begin..end).map(|at| byte(at - begin)).collect();
        file.write_all_at(&bytes, begin as u64).unwrap();
    }
}

/// The two conversions of gains: a number in, a number out.
impl Layer {
    fn convert(&self, req_id: u32, handle: i32, last: u16) {
        let state = self.state.0.lock().unwrap();
        let Some(file) = state.buffers.get(&handle) else { return };
        let mut words = [0; 8];
        file.read_exact_at(&mut words, 22_568).unwrap();
        let [low, high, _, _, code_low, code_high, ..] = words;
        if req_id == Command::ExcAnalogGainToSensor.number() {
            let code = u16::from_le_bytes([code_low, code_high]).min(last);
            file.write_all_at(&code.to_le_bytes(), 22_572).unwrap();
        } else if u16::from_le_bytes([low, high]) > last {
            file.write_all_at(&1.0_f32.to_le_bytes(), 22_572).unwrap();
        }
    }
}

impl Callbacks for Layer {
    fn returned(&self, req_id: u32, status: u32, handle: i32) {
        let fault = self.state.0.lock().unwrap().faults.get(&req_id).copied();
        match fault {
            Some(Fault::Bytes(byte)) => self.spoil(req_id, handle, |_| byte),
            Some(Fault::Floats(number)) => {
                self.spoil(req_id, handle, |at| number.to_le_bytes()[at % 4]);
            }
            Some(Fault::Noise(seed)) => {
                let mut state = seed | 1;
                self.spoil(req_id, handle, |_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 24) as u8
                });
            }
            Some(Fault::Fails) => return self.callbacks.returned(req_id, 1, handle),
            Some(Fault::Held) => {
                self.state.0.lock().unwrap().held.push((req_id, status, handle));
                self.state.1.notify_all();
                return;
            }
            Some(Fault::Dies) => {
                self.state.0.lock().unwrap().dead = true;
                return self.callbacks.notify(1);
            }
            Some(Fault::Thrice) => {
                self.callbacks.returned(req_id, status, handle);
                self.callbacks.returned(req_id, status, handle);
            }
            Some(Fault::CodesTo(last)) => self.convert(req_id, handle, last),
            None => {}
        }
        self.callbacks.returned(req_id, status, handle);
    }
    fn notify(&self, message: u32) {
        self.callbacks.notify(message);
    }
    fn update(&self, upd_id: u32, header: &[u8], fd: Option<OwnedFd>) {
        self.callbacks.update(upd_id, header, fd);
    }
}

impl CameraAlgorithm for Faulty {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let (state, changed) = &*self.state;
        let now = state.lock().unwrap();
        // A call into a process that was ended meanwhile does nothing in the one that follows.
        let ended = now.ended;
        let mut now = changed.wait_while(now, |state| state.hangs && state.ended == ended).unwrap();
        if now.ended != ended {
            return -32; // EPIPE
        }
        now.initialized += 1;
        if let Some(code) = now.initialize {
            return code;
        }
        now.dead = false;
        now.held.clear();
        now.buffers.clear();
        now.callbacks = Some(Arc::clone(&callbacks));
        drop(now);
        let server = Arc::new(Server::new());
        let layer = Layer { state: Arc::clone(&self.state), callbacks };
        let code = server.initialize(Arc::new(layer));
        if let Some(old) = self.inner.lock().unwrap().replace(server) {
            old.deinitialize();
        }
        code
    }
    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        let twin = File::from(fd.try_clone().unwrap());
        let server = self.inner.lock().unwrap().clone().unwrap();
        let handle = server.register_buffer(fd);
        self.with(|state| state.buffers.insert(handle, twin));
        handle
    }
    fn request(&self, req_id: u32, header: &[u8], handle: i32) {
        assert_eq!(header, HEADER);
        let dead = self.with(|state| {
            state.requests.push(req_id);
            state.last.insert(req_id, handle);
            state.dead
        });
        if dead {
            return;
        }
        let server = self.inner.lock().unwrap().clone();
        server.unwrap().request(req_id, header, handle);
    }
    fn deregister_buffers(&self, handles: &[i32]) {
        self.inner.lock().unwrap().clone().unwrap().deregister_buffers(handles);
    }
    fn update_return(&self, _: u32, _: u32, _: Option<OwnedFd>) {}
    fn deinitialize(&self) {
        if let Some(server) = self.inner.lock().unwrap().take() {
            server.deinitialize();
        }
        let (state, changed) = &*self.state;
        let mut now = changed.wait_while(state.lock().unwrap(), |state| state.lingers).unwrap();
        now.deinitialized += 1;
        changed.notify_all();
    }
    fn end_now(&self) -> bool {
        let apart = self.with(|state| state.apart);
        if apart {
            drop(self.inner.lock().unwrap().take());
            self.with(|state| {
                state.ended += 1;
                state.held.clear();
            });
        }
        apart
    }
}
