//! Which addresses are code.

use std::ffi::c_void;

struct Search {
    address: u64,
    found: bool,
}

/// Whether an address lies in an executable segment of a loaded object.
pub fn is_code(address: usize) -> bool {
    let mut search = Search { address: address as u64, found: false };
    // SAFETY: the callback fits; its argument outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

#[allow(clippy::useless_conversion, reason = "the fields have 32 bits on ILP32")]
unsafe extern "C" fn look(
    object: *mut libc::dl_phdr_info,
    _size: usize,
    search: *mut c_void,
) -> i32 {
    // SAFETY: the argument of `is_code`, which is not used elsewhere meanwhile.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the loader passes a description of an object, valid during the call.
    let object = unsafe { &*object };
    // SAFETY: the object has so many program headers at that address.
    let headers =
        unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    search.found |= headers.iter().any(|header| {
        let start = u64::from(object.dlpi_addr).wrapping_add(u64::from(header.p_vaddr));
        header.p_type == libc::PT_LOAD
            && header.p_flags & libc::PF_X != 0
            && search.address.wrapping_sub(start) < u64::from(header.p_memsz)
    });
    i32::from(search.found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_code_and_data_is_not() {
        assert!(is_code(is_code as fn(usize) -> bool as usize));
        assert!(is_code(libc::malloc as *const () as usize));
        let local = 0_u8;
        assert!(!is_code((&raw const local).addr()));
        assert!(!is_code(1));
        static TEXT: &str = "data";
        assert!(!is_code((&raw const TEXT).addr()));
    }
}
