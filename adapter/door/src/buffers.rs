//! Buffers by their number.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use cami_wire::libcamera::IpaBuffer;

use crate::limits::BUFFERS;
use crate::memory::{Memory, MemoryError};
use crate::seldom::Seldom;

/// What `mapBuffers` has brought and `unmapBuffers` has not taken away.
///
/// Neither call can say that something failed. A buffer that cannot be had is told in the log, and is
/// then as unknown as one that was never brought: what should come from it does not, what should go
/// into it is dropped, and the frame is answered all the same.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    known: BTreeMap<u32, Memory>,
    missing: Seldom,
}

impl Buffers {
    /// Takes in buffers; a number that is known already means the new one from now on.
    pub(crate) fn map(&mut self, buffers: &[IpaBuffer], fds: Vec<OwnedFd>) {
        let mut fds = fds.into_iter();
        for buffer in buffers {
            // The descriptors of all planes, so that the next buffer gets its own.
            let planes: Vec<_> = buffer
                .planes
                .iter()
                .map(|plane| (plane, if plane.fd.valid { fds.next() } else { None }))
                .collect();
            // Parameters and statistics are V4L2 metadata buffers, which have one plane.
            let Some((plane, Some(fd))) = planes.into_iter().next() else {
                log::error!("buffer {} came without memory", buffer.id);
                continue;
            };
            if self.known.len() >= BUFFERS && !self.known.contains_key(&buffer.id) {
                log::error!("buffer {} is one too many: {BUFFERS} are mapped", buffer.id);
                continue;
            }
            match Memory::open(fd, plane.offset, plane.length) {
                Ok(memory) => drop(self.known.insert(buffer.id, memory)),
                Err(error) => {
                    self.known.remove(&buffer.id);
                    log::error!("buffer {} cannot be used: it {error}", buffer.id);
                }
            }
        }
    }

    /// Lets go of buffers; unknown numbers are let be.
    pub(crate) fn unmap(&mut self, ids: &[u32]) {
        for id in ids {
            self.known.remove(id);
        }
    }

    /// Reads the start of a buffer; false where it cannot be read.
    pub(crate) fn read(&mut self, id: u32, into: &mut [u8]) -> bool {
        let result = self.known.get(&id).map(|memory| memory.read(into));
        self.told(id, result)
    }

    /// Writes the start of a buffer; false where it cannot be written.
    pub(crate) fn write(&mut self, id: u32, bytes: &[u8]) -> bool {
        let result = self.known.get(&id).map(|memory| memory.write(bytes));
        self.told(id, result)
    }

    fn told(&mut self, id: u32, result: Option<Result<(), MemoryError>>) -> bool {
        let why = match result {
            Some(Ok(())) => return true,
            Some(Err(error)) => error.to_string(),
            None => "was not mapped".to_owned(),
        };
        if let Some(total) = self.missing.count() {
            log::error!("buffer {id} {why}; {total} so far");
        }
        false
    }
}
