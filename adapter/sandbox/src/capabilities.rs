//! The end of all capabilities.

use nix::errno::Errno;

use crate::layer::LayerError;

/// `_LINUX_CAPABILITY_VERSION_3` (linux include/uapi/linux/capability.h): sets of 64 bits, in two
/// halves.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Empties all sets of this thread: the ambient and bounding ones too, where that is allowed.
pub fn drop_all() -> Result<Option<String>, LayerError> {
    let ambient = (libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL);
    // Kernels before 4.3 have no ambient set.
    let _ = option(ambient.0, arg(ambient.1));
    let bounding = drop_bounding();
    let bits = libc::SECBIT_NOROOT
        | libc::SECBIT_NOROOT_LOCKED
        | libc::SECBIT_NO_SETUID_FIXUP
        | libc::SECBIT_NO_SETUID_FIXUP_LOCKED
        | libc::SECBIT_KEEP_CAPS_LOCKED
        | libc::SECBIT_NO_CAP_AMBIENT_RAISE
        | libc::SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    // Needs CAP_SETPCAP, as the bounding set does.
    let secured = option(libc::PR_SET_SECUREBITS, arg(bits));
    let header = Header { version: VERSION, pid: 0 };
    let none = [Half::default(); 2];
    let (header, none) = (&raw const header, &raw const none);
    // SAFETY: both are of the layout that the version names, and live during the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, header, none) };
    if result != 0 {
        return Err(LayerError::new("capset", Errno::last()));
    }
    match bounding.and(secured) {
        Ok(()) => Ok(None),
        // Nothing can be gained from it under no_new_privs.
        Err(_) => Ok(Some("bounding set kept: no CAP_SETPCAP to empty it".to_owned())),
    }
}

fn drop_bounding() -> Result<(), Errno> {
    // The kernel knows its last capability by EINVAL for the next.
    for capability in 0..64 {
        match option(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            Err(Errno::EINVAL) if capability > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn arg(value: i32) -> libc::c_ulong {
    libc::c_ulong::from(value.cast_unsigned())
}

fn option(option: i32, value: libc::c_ulong) -> Result<(), Errno> {
    const ZERO: libc::c_ulong = 0;
    // SAFETY: these options take numbers only.
    let result = unsafe { libc::prctl(option, value, ZERO, ZERO, ZERO) };
    if result == 0 { Ok(()) } else { Err(Errno::last()) }
}
