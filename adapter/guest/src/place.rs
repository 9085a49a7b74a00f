//! Where this library is, and whom it may believe.

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// An address inside this library.
static ANCHOR: u8 = 0;

/// The path that this library was loaded from, absolute, links not followed: a section of the
/// configuration is named after it.
#[must_use]
pub fn module_path(environment_trusted: bool) -> PathBuf {
    let path = loaded_from();
    if cami_spawn::service_socket(environment_trusted).is_some() {
        // The service is told the file's name only, and `getcwd` is a system call that a HAL which
        // connects may not be allowed (spec/cami-abi.md, 3.2).
        return path;
    }
    // A relative path is relative to what the working directory was at dlopen, which is gone.
    std::path::absolute(&path).unwrap_or(path)
}

/// The name of the file that this library was loaded from. No system call is made.
#[must_use]
pub fn module_name() -> String {
    loaded_from().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The loader's name of this library.
fn loaded_from() -> PathBuf {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for, and `info` is writable.
    let found = unsafe { libc::dladdr((&raw const ANCHOR).cast(), info.as_mut_ptr()) };
    // SAFETY: all zeroes are a valid Dl_info, and dladdr writes none that is not.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return PathBuf::from("cami-ipa.so");
    }
    // SAFETY: the loader's name of this library, which is never unloaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    PathBuf::from(OsStr::from_bytes(name.to_bytes()))
}

/// Whether the environment is the process's own. A process that gained privileges at its start
/// got its environment from somebody with fewer.
#[must_use]
pub fn environment_is_trusted() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and takes any type.
    unsafe { libc::getauxval(libc::AT_SECURE) == 0 }
}
