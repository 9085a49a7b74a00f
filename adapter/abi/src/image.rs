//! The build-id of an ELF file that a process has mapped, read from that process's memory.
//!
//! Memory and not the file: the path may by now be another file, or lie in another mount namespace,
//! and opening what a hostile process chose as a name is nothing for a trusted one. Memory is as
//! hostile as a file: all reads are of bounded size, and every loop is bounded.

use std::fs::File;

use cami_elf::{MAX_BUILD_ID, hex, offset, read_array, read_pod, read_vec};
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::endian::{Endian, Endianness};
use object::read::elf::{FileHeader, ProgramHeader};

/// Loaded files have about ten.
const MAX_PROGRAM_HEADERS: u16 = 64;
/// Notes of a segment that are looked at; loaded files have about three.
const MAX_NOTES: usize = 32;

/// The build-id, in lower-case hexadecimal digits, of the ELF file whose first mapping starts at
/// `base` of `memory`, which is a process's `/proc/PID/mem`. `None` where there is none, or no ELF
/// file.
#[must_use]
pub fn image_build_id(memory: &File, base: u64) -> Option<String> {
    let header: FileHeader64<Endianness> = read_pod(memory, base).ok()?;
    if header.e_ident().magic != elf::ELFMAG || !header.is_type_64() {
        return None;
    }
    let endian = header.endian().ok()?;
    let table = offset(base, 1, header.e_phoff(endian)).ok()?;
    let count = header.e_phnum(endian).min(MAX_PROGRAM_HEADERS);
    let mut lowest = None;
    let mut notes = Vec::new();
    for index in 0..u64::from(count) {
        let entry = size_of::<ProgramHeader64<Endianness>>() as u64;
        let segment: ProgramHeader64<Endianness> =
            read_pod(memory, offset(table, index, entry).ok()?).ok()?;
        let address = segment.p_vaddr(endian);
        match segment.p_type(endian) {
            // The first one has the headers: it is what `base` is the address of.
            elf::PT_LOAD if lowest.is_none() => lowest = Some(address),
            elf::PT_NOTE => notes.push((address, segment.p_memsz(endian))),
            _ => {}
        }
    }
    let loaded_by = base.wrapping_sub(lowest?);
    notes.into_iter().find_map(|(address, size)| {
        build_id_in(memory, endian, loaded_by.wrapping_add(address), size)
    })
}

fn build_id_in(memory: &File, endian: Endianness, start: u64, size: u64) -> Option<String> {
    const HEADER: u64 = 12;
    let mut at: u64 = 0;
    for _ in 0..MAX_NOTES {
        if at.checked_add(HEADER)? > size {
            return None;
        }
        let header: [u8; 12] = read_array(memory, start.checked_add(at)?).ok()?;
        let [name_size, desc_size, kind] = header.as_chunks::<4>().0 else { return None };
        let [name_size, desc_size, kind] =
            [name_size, desc_size, kind].map(|word| endian.read_u32(*word));
        let desc = at.checked_add(HEADER + u64::from(name_size).next_multiple_of(4))?;
        let end = desc.checked_add(u64::from(desc_size))?;
        if end > size {
            return None;
        }
        let length = usize::try_from(desc_size).ok()?;
        if kind == elf::NT_GNU_BUILD_ID.0 && name_size == 4 && (1..=MAX_BUILD_ID).contains(&length)
        {
            let name: [u8; 4] = read_array(memory, start.checked_add(at + HEADER)?).ok()?;
            if name == *b"GNU\0" {
                let id = read_vec(memory, start.checked_add(desc)?, u64::from(desc_size)).ok()?;
                return Some(hex(&id));
            }
        }
        at = end.next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::image_build_id;

    fn memory() -> File {
        File::open("/proc/self/mem").unwrap()
    }

    #[test]
    fn build_id_of_the_c_library_in_memory_is_that_of_its_file() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| line.contains("/libc.so.6")).unwrap();
        let base = u64::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
        let path = line.split_whitespace().last().unwrap();
        let notes = std::process::Command::new("readelf").args(["-n", path]).output().unwrap();
        let notes = String::from_utf8(notes.stdout).unwrap();
        let expected = notes.split("Build ID: ").nth(1).unwrap().lines().next().unwrap();
        assert_eq!(image_build_id(&memory(), base).as_deref(), Some(expected));
    }

    #[test]
    fn hostile_images_have_none() {
        let mut page = vec![0xff_u8; 4096];
        assert_eq!(image_build_id(&memory(), page.as_ptr() as u64), None);
        page[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
        assert_eq!(image_build_id(&memory(), page.as_ptr() as u64), None);
        assert_eq!(image_build_id(&memory(), 1), None);
        assert_eq!(image_build_id(&memory(), u64::MAX - 8), None);
        // Every byte of a real image spoilt in turn: whatever comes out, nothing breaks.
        let file = File::open("/proc/self/exe").unwrap();
        file.read_exact_at(&mut page, 0).unwrap();
        for index in 0..1024 {
            for value in [0, 0x7f, 0xff] {
                let good = std::mem::replace(&mut page[index], value);
                let _ = image_build_id(&memory(), page.as_ptr() as u64);
                page[index] = good;
            }
        }
    }
}
