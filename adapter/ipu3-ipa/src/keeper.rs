//! Writing files without waiting for a disk: `fsync` has no deadline, and calls have one.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
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
    /// What is written next: of what comes for a file while the disk is busy only the newest.
    next: VecDeque<(PathBuf, Vec<u8>)>,
    /// What is being written.
    writing: Option<PathBuf>,
    /// The thread runs.
    busy: bool,
}

/// Files that wait. A machine has a few sensors, each with one.
const MAX_FILES: usize = 16;

impl State {
    fn is_done(&self, path: &Path) -> bool {
        self.writing.as_deref() != Some(path) && self.next.iter().all(|(other, _)| other != path)
    }
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
        state.next.retain(|(other, _)| *other != path);
        if state.next.len() >= MAX_FILES
            && let Some((oldest, _)) = state.next.pop_front()
        {
            log::warn!("{} is not written: the disk is too slow", oldest.display());
        }
        state.next.push_back((path.clone(), contents));
        if !state.busy {
            let shared = Arc::clone(&self.shared);
            match thread::Builder::new().name("cami-aiqd".to_owned()).spawn(move || shared.run()) {
                Ok(_) => state.busy = true,
                Err(error) => {
                    log::warn!("no thread to write with: {error}");
                    state.next.clear();
                    return true;
                }
            }
        }
        while !state.is_done(&path) {
            let late;
            (state, late) = self.shared.changed.wait_until(state, until);
            if late {
                return state.is_done(&path);
            }
        }
        true
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let mut state = self.state.lock();
            let Some((path, contents)) = state.next.pop_front() else {
                state.busy = false;
                return;
            };
            state.writing = Some(path.clone());
            drop(state);
            if let Err(error) = self.files.write(&path, &contents) {
                log::warn!("{} cannot be written: {error}", path.display());
            }
            self.state.lock().writing = None;
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A disk that writes one file for each word it is given.
    #[derive(Debug)]
    struct Disk {
        go: std::sync::Mutex<mpsc::Receiver<()>>,
        written: mpsc::Sender<(PathBuf, Vec<u8>)>,
    }

    impl Files for Disk {
        fn read(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn list(&self, _: &Path) -> io::Result<Vec<String>> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
            let _ = self.written.send((path.to_owned(), contents.to_owned()));
            let _ = self.go.lock().unwrap().recv();
            Ok(())
        }
    }

    #[test]
    fn files_that_wait_do_not_replace_each_other() {
        let ((go, stop), (written, seen)) = (mpsc::channel(), mpsc::channel());
        let keeper = Keeper::new(Arc::new(Disk { go: std::sync::Mutex::new(stop), written }));
        let write =
            |path: &str, contents: u8| keeper.write(path.into(), vec![contents], Instant::now());
        assert!(!write("busy", 0));
        assert_eq!(seen.recv(), Ok(("busy".into(), vec![0])));
        // Two sensors while the disk is busy, one of them twice.
        for (path, contents) in [("one", 1), ("other", 2), ("one", 3)] {
            assert!(!write(path, contents));
        }
        for expected in [("other", 2), ("one", 3)] {
            go.send(()).unwrap();
            assert_eq!(seen.recv(), Ok((expected.0.into(), vec![expected.1])));
        }
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert!(keeper.write("last".into(), vec![4], Instant::now() + Duration::from_secs(60)));
    }
}
