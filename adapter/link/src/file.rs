//! Writing memory files, also where the usual system calls are forbidden.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use crate::restrict::system_calls_are_restricted;

/// Writes `bytes` at `offset`, as [`FileExt::write_all_at`] does.
///
/// Where system calls are restricted there is no `pwrite`: the file's position is moved and put back.
/// Who shares the open file shares its position; nobody who passes buffers uses that.
///
/// # Errors
/// What the kernel says.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    if system_calls_are_restricted() {
        write_with_seek(file, bytes, offset)
    } else {
        file.write_all_at(bytes, offset)
    }
}

/// Gives a new file its length, as [`File::set_len`] does; where that is forbidden, by writing its last
/// byte.
///
/// # Errors
/// What the kernel says.
pub fn set_new_length(file: &File, length: u64) -> io::Result<()> {
    match length.checked_sub(1) {
        Some(last) if system_calls_are_restricted() => write_with_seek(file, &[0], last),
        _ => file.set_len(length),
    }
}

fn write_with_seek(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let before = file.stream_position()?;
    let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
    file.seek(SeekFrom::Start(before))?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};

    #[test]
    fn a_write_that_seeks_leaves_the_position_as_it_was() {
        let mut file = File::from(memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap());
        file.write_all(b"0123456789").unwrap();
        file.seek(SeekFrom::Start(3)).unwrap();
        write_with_seek(&file, b"xy", 7).unwrap();
        assert_eq!(file.stream_position().unwrap(), 3);
        // The last byte of a new length.
        write_with_seek(&file, &[0], 99).unwrap();
        let mut all = [1; 100];
        file.read_exact_at(&mut all, 0).unwrap();
        assert_eq!(&all[..10], b"0123456xy9");
        assert_eq!(all[10..], [0; 90]);
    }
}
