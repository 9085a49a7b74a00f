//! What a buffer holds that is a dma-buf.
//!
//! A dma-buf cannot be read: it has no `read` (linux drivers/dma-buf/dma-buf.c, `dma_buf_fops`), so `pread` says
//! `ESPIPE` or `EINVAL` (fs/read_write.c), but it can be mapped. Its size never changes; that a device goes and
//! its memory with it cannot be excluded. So nothing here touches the mapping: the kernel copies out of it,
//! in a `pwrite` to memory of ours, and where there is nothing any more that call says `EFAULT`, and no
//! signal comes.
//!
//! Such memory may be uncached, and slow. What is spent on it is bounded as it is for large buffers.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::time::Instant;

use cami_link::{Deadline, Event, Interest, wait};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::statfs::fstatfs;

use super::budget::Budget;

/// The file system of dma-bufs (linux include/uapi/linux/magic.h).
const DMA_BUF_MAGIC: u32 = 0x444d_4142;
/// `DMA_BUF_IOCTL_SYNC` and its flags (linux include/uapi/linux/dma-buf.h).
const SYNC: libc::Ioctl = 0x4008_6200;
const SYNC_READ: u64 = 1;
const SYNC_END: u64 = 1 << 2;
/// How often a call that was interrupted is made again.
const ATTEMPTS: usize = 10;

thread_local! {
    /// The relay's time for dma-bufs.
    static LEFT: Cell<Budget> = Cell::new(Budget::new(Instant::now()));
}

/// Reads a buffer, whatever it is, from one time to the end of it.
#[derive(Debug, Default)]
pub struct Contents {
    dma_buf: Option<DmaBuf>,
}

impl Contents {
    /// Fills all of `part` from the offset `at` of `file`, which is the same until [`Contents::end`].
    ///
    /// # Errors
    /// What the kernel says. Of a dma-buf also `EBUSY`: a device is writing to it, or there is no time left for
    /// such buffers in this second.
    pub fn read(&mut self, file: &File, part: &mut [u8], at: u64) -> io::Result<()> {
        if let Some(dma_buf) = &self.dma_buf {
            return dma_buf.read(part, at);
        }
        let cannot =
            |error: &io::Error| matches!(error.raw_os_error(), Some(libc::ESPIPE | libc::EINVAL));
        match file.read_exact_at(part, at) {
            Err(error) if cannot(&error) && is_dma_buf(file) => {
                self.dma_buf.insert(DmaBuf::begin(file)?).read(part, at)
            }
            read => read,
        }
    }

    /// Devices may write to it again.
    pub fn end(&mut self) {
        self.dma_buf = None;
    }
}

fn is_dma_buf(file: &File) -> bool {
    fstatfs(file).is_ok_and(|found| u32::try_from(found.filesystem_type().0) == Ok(DMA_BUF_MAGIC))
}

/// A dma-buf that is read.
#[derive(Debug)]
struct DmaBuf {
    file: File,
    scratch: File,
    began: Instant,
}

impl DmaBuf {
    /// What a device has written to it is there.
    fn begin(file: &File) -> io::Result<Self> {
        let began = Instant::now();
        if !budget(|budget| budget.is_left(began)) {
            return Err(Errno::EBUSY.into());
        }
        // To begin waits for whoever writes to it, without a bound.
        let mut fds = [(file.as_fd(), Interest::Message, Event::default())];
        wait(&mut fds, Some(Deadline::now()))?;
        let [(.., event)] = fds;
        if !event.readable {
            return Err(Errno::EBUSY.into());
        }
        let begun = Self::unsynchronised(file)?;
        sync(file, SYNC_READ)?;
        Ok(begun)
    }

    fn unsynchronised(file: &File) -> io::Result<Self> {
        let scratch = File::from(memfd_create(c"cami-scratch", MFdFlags::MFD_CLOEXEC)?);
        Ok(Self { file: file.try_clone()?, scratch, began: Instant::now() })
    }

    fn read(&self, part: &mut [u8], at: u64) -> io::Result<()> {
        // In the middle of one too: what was read of it is of no use, and the camera waits.
        if self.began.elapsed() > Budget::MOST {
            return Err(Errno::EBUSY.into());
        }
        let too_far = |_| io::Error::from(Errno::EOVERFLOW);
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)?
            .and_then(|page| u64::try_from(page).ok())
            .unwrap_or(4096);
        let lead = usize::try_from(at % page).map_err(too_far)?;
        let start = libc::off_t::try_from(at - at % page).map_err(too_far)?;
        let Some(length) = NonZeroUsize::new(lead + part.len()) else { return Ok(()) };
        let (read, shared) = (ProtFlags::PROT_READ, MapFlags::MAP_SHARED);
        // SAFETY: a new mapping in a place of the kernel's choice, which nobody else knows of.
        let mapped = unsafe { mmap(None, length, read, shared, &self.file, start) }?;
        let copied = self.copy(mapped, lead, part);
        // SAFETY: all of the mapping that was made above; `copy` keeps no address of it.
        unsafe { munmap(mapped, length.get()) }?;
        copied
    }

    /// `part.len()` bytes that stand `lead` bytes behind `mapped`.
    fn copy(&self, mapped: NonNull<libc::c_void>, lead: usize, part: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < part.len() {
            let from = mapped.as_ptr().wrapping_byte_add(lead + done);
            let offset = libc::off_t::try_from(done).map_err(io::Error::other)?;
            // SAFETY: the kernel alone reads there, `part.len() - done` bytes at most, and says EFAULT where
            // nothing is mapped or the mapping has nothing behind it.
            let count =
                unsafe { libc::pwrite(self.scratch.as_raw_fd(), from, part.len() - done, offset) };
            match usize::try_from(count) {
                Ok(0) => return Err(Errno::EIO.into()),
                Ok(count) => done += count,
                Err(_) if Errno::last() == Errno::EINTR => {}
                Err(_) => return Err(io::Error::last_os_error()),
            }
        }
        self.scratch.read_exact_at(part, 0)
    }
}

impl Drop for DmaBuf {
    fn drop(&mut self) {
        // Nothing was written, so that an error costs nothing.
        let _ = sync(&self.file, SYNC_READ | SYNC_END);
        budget(|budget| budget.spend(Instant::now(), self.began.elapsed()));
    }
}

fn sync(file: &File, flags: u64) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        // SAFETY: the kernel reads a `dma_buf_sync`, which is one u64.
        if unsafe { libc::ioctl(file.as_raw_fd(), SYNC, &raw const flags) } == 0 {
            return Ok(());
        }
        // Both are to be tried again (linux drivers/dma-buf/dma-buf.c, above `dma_buf_begin_cpu_access`).
        if !matches!(Errno::last(), Errno::EINTR | Errno::EAGAIN) {
            return Err(io::Error::last_os_error());
        }
    }
    Err(Errno::EBUSY.into())
}

/// What this thread has left for dma-bufs.
fn budget<T>(of: impl FnOnce(&mut Budget) -> T) -> T {
    let mut budget = LEFT.get();
    let told = of(&mut budget);
    LEFT.set(budget);
    told
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A file that is mapped as a dma-buf is; these tests run where there may be none.
    fn memory(contents: &[u8]) -> File {
        let file = File::from(memfd_create(c"buffer", MFdFlags::MFD_CLOEXEC).unwrap());
        file.write_all_at(contents, 0).unwrap();
        file
    }

    #[test]
    fn what_is_mapped_is_read_at_any_offset() {
        let contents: Vec<u8> = (0..300_000_u32).map(|at| (at * 7 / 3).to_le_bytes()[0]).collect();
        let file = memory(&contents);
        let dma_buf = DmaBuf::unsynchronised(&file).unwrap();
        for (at, length) in [(0, 4096), (65_536, 65_536), (5, 100), (4090, 20_000), (299_999, 1)] {
            let mut part = vec![0; length];
            dma_buf.read(&mut part, at as u64).unwrap();
            assert!(part == contents[at..at + length], "{length} bytes at {at}");
        }
        dma_buf.read(&mut [], 7).unwrap();
    }

    #[test]
    fn memory_that_is_gone_is_an_error_and_no_signal() {
        let file = memory(&[1; 100_000]);
        let dma_buf = DmaBuf::unsynchronised(&file).unwrap();
        let mut part = [0; 8192];
        dma_buf.read(&mut part, 8192).unwrap();
        file.set_len(4096).unwrap();
        let gone = dma_buf.read(&mut part, 8192).unwrap_err();
        assert_eq!(gone.raw_os_error(), Some(libc::EFAULT));
    }

    #[test]
    fn what_is_no_dma_buf_is_not_mapped() {
        let file = memory(b"plain");
        assert!(!is_dma_buf(&file));
        let mut part = [0; 5];
        Contents::default().read(&file, &mut part, 0).unwrap();
        assert_eq!(&part, b"plain");
        let (reader, _writer) = nix::unistd::pipe().unwrap();
        let pipe = File::from(reader);
        let error = Contents::default().read(&pipe, &mut part, 0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ESPIPE));
        // And none is begun to be read.
        assert_eq!(DmaBuf::begin(&file).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
    }

    /// A dma-buf over this memory; `None`, which is said, where the kernel makes none.
    fn dma_buf_of(memory: &File, bytes: u64) -> Option<File> {
        use std::io::Write as _;
        use std::os::fd::FromRawFd;
        // linux include/uapi/linux/udmabuf.h: UDMABUF_CREATE takes memfd, flags (1: close-on-exec), offset,
        // size, and wants a size that cannot become less.
        const CREATE: libc::Ioctl = 0x4018_7542;
        let Ok(device) = File::options().read(true).write(true).open("/dev/udmabuf") else {
            let _ = writeln!(io::stderr(), "SKIPPED: there is no /dev/udmabuf");
            return None;
        };
        let seal = nix::fcntl::SealFlag::F_SEAL_SHRINK;
        nix::fcntl::fcntl(memory, nix::fcntl::FcntlArg::F_ADD_SEALS(seal)).unwrap();
        let memory = u64::from(memory.as_raw_fd().cast_unsigned());
        let create = [memory | 1 << 32, 0, bytes];
        // SAFETY: the kernel reads the three words.
        let fd = unsafe { libc::ioctl(device.as_raw_fd(), CREATE, create.as_ptr()) };
        assert!(fd >= 0, "{}", io::Error::last_os_error());
        // SAFETY: just made, and nobody else's.
        Some(unsafe { File::from_raw_fd(fd) })
    }

    #[test]
    fn a_dma_buf_is_read() {
        let bytes = 2 << 16;
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let memory = File::from(memfd_create(c"buffer", flags).unwrap());
        memory.write_all_at(&vec![3; bytes], 0).unwrap();
        let Some(file) = dma_buf_of(&memory, bytes as u64) else { return };
        assert!(is_dma_buf(&file));
        for round in 0..3 {
            memory.write_all_at(&[round; 5], 70_000).unwrap();
            let (mut contents, mut part) = (Contents::default(), vec![0; 1 << 16]);
            contents.read(&file, &mut part, 0).unwrap();
            assert!(part.iter().all(|&byte| byte == 3));
            contents.read(&file, &mut part, 1 << 16).unwrap();
            assert_eq!(part[70_000 - (1 << 16)..][..6], [round, round, round, round, round, 3]);
        }
    }

    #[test]
    fn what_is_spent_is_bounded() {
        let began = Instant::now();
        let has_time = |now| budget(|budget| budget.is_left(now));
        let spend = |time| budget(|budget| budget.spend(Instant::now(), time));
        assert!(has_time(began));
        spend(Budget::MOST / 2);
        assert!(has_time(began));
        spend(Budget::MOST / 2);
        assert!(!has_time(Instant::now()));
        let file = memory(b"x");
        assert_eq!(DmaBuf::begin(&file).unwrap_err().raw_os_error(), Some(libc::EBUSY));
        assert!(has_time(Instant::now() + Duration::from_secs(1)));
    }
}
