//! Writing files without waiting for a disk: `fsync` has no deadline, and calls have one.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use cami_link::sync::{Condvar, Mutex};

use crate::files::Files;

/// Writes on a thread of its own, which lives as long as there is something to write.
pub struct Keeper {
    shared: Arc<Shared>,
}

struct Shared {
    files: Arc<dyn Files>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is written next: of what comes while the disk is busy only the newest.
    next: Option<(PathBuf, Vec<u8>)>,
    /// The thread runs.
    busy: bool,
    /// How many were asked for, and how many of those are done with.
    asked: u64,
    done: u64,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

impl Keeper {
    /// Writes nothing yet.
    pub fn new(files: Arc<dyn Files>) -> Self {
        let shared = Shared { files, state: Mutex::default(), changed: Condvar::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Writes a file, and waits for that until `until`. False where the disk is not done by then: it
    /// is written all the same, if the process lives that long.
    pub fn write(&self, path: PathBuf, contents: Vec<u8>, until: Instant) -> bool {
        let mut state = self.shared.state.lock();
        state.next = Some((path, contents));
        state.asked = state.asked.saturating_add(1);
        let own = state.asked;
        if !state.busy {
            let shared = Arc::clone(&self.shared);
            match thread::Builder::new().name("cami-aiqd".to_owned()).spawn(move || shared.run()) {
                Ok(_) => state.busy = true,
                Err(error) => {
                    log::warn!("no thread to write with: {error}");
                    state.next = None;
                    state.done = own;
                    return true;
                }
            }
        }
        while state.done < own {
            let late;
            (state, late) = self.shared.changed.wait_until(state, until);
            if late {
                return state.done >= own;
            }
        }
        true
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let mut state = self.state.lock();
            let Some((path, contents)) = state.next.take() else {
                state.busy = false;
                return;
            };
            let with = state.asked;
            drop(state);
            if let Err(error) = self.files.write(&path, &contents) {
                log::warn!("{} cannot be written: {error}", path.display());
            }
            self.state.lock().done = with;
            self.changed.notify_all();
        }
    }
}
