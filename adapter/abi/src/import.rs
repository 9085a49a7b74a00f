//! A vendor's library as a [`CameraAlgorithm`].

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::fd;
use crate::rarely::Rarely;
use crate::revision::{InspectError, Revision, TableSymbol, inspect};
use crate::slots::{MAX_LIBRARIES, Slot};
use crate::sys::{CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR, camera_algorithm_ops_t};
use crate::table::copy_table;
use crate::{Callbacks, CameraAlgorithm};

/// `dladdr1` shall give the symbol's ELF entry (glibc `dlfcn.h`; not in the libc crate).
const RTLD_DL_SYMENT: libc::c_int = 1;

#[cfg(target_pointer_width = "64")]
type ElfSymbol = libc::Elf64_Sym;
#[cfg(target_pointer_width = "32")]
type ElfSymbol = libc::Elf32_Sym;

/// Why a library could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// Its file is not a library that can be called.
    Inspect(PathBuf, InspectError),
    /// The dynamic loader refused it; the text is the loader's.
    Open(PathBuf, String),
    /// It was loaded, and it is not what was inspected: the file was replaced in between, or
    /// the loader found `CAMI` in another library.
    Changed(PathBuf),
    /// [`MAX_LIBRARIES`] are loaded already.
    TooMany(PathBuf),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inspect(path, error) => write!(f, "{} {error}", path.display()),
            Self::Open(path, error) => write!(f, "{} cannot be loaded: {error}", path.display()),
            Self::Changed(path) => write!(
                f,
                "{} was loaded with another CAMI than its file has; was it replaced just now?",
                path.display()
            ),
            Self::TooMany(path) => write!(
                f,
                "{} cannot be loaded: this process has {MAX_LIBRARIES} libraries already",
                path.display()
            ),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Inspect(_, error) => Some(error),
            _ => None,
        }
    }
}

/// A vendor's library, loaded for the rest of the process's life.
///
/// It is never unloaded: vendor libraries have threads that cannot be stopped and destructors
/// that crash (spec/cami-abi.md, 0.9). Its callbacks go to the target of the last `initialize`.
///
/// Calls are made on the calling thread and may block for as long as the library likes.
#[derive(Debug)]
pub struct VendorLibrary {
    path: PathBuf,
    symbol: TableSymbol,
    table: camera_algorithm_ops_t,
    /// Where the library has it, in this process.
    address: usize,
    slot: Slot,
}

impl VendorLibrary {
    /// Inspects the file, loads it with its constructors, and copies its table.
    ///
    /// A `path` without a slash is a file in the current folder, not one to search for.
    ///
    /// # Errors
    /// See [`LoadError`]. Once the loader took the library, an error leaves it loaded.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let symbol =
            inspect(path).map_err(|error| LoadError::Inspect(path.to_path_buf(), error))?;
        let slot = Slot::take().ok_or_else(|| LoadError::TooMany(path.to_path_buf()))?;
        let address = Self::open(path, &symbol).inspect_err(|_| slot.release())?;
        // SAFETY: `find` confirmed that the symbol there has `size` bytes; that they are the
        // functions of the ABI is what the library says by exporting the symbol.
        let table = unsafe { copy_table(address.as_ptr(), symbol.size) };
        let address = address.as_ptr().expose_provenance();
        Ok(Self { path: path.to_path_buf(), symbol, table, address, slot })
    }

    fn open(path: &Path, symbol: &TableSymbol) -> Result<NonNull<c_void>, LoadError> {
        let handle = open(path).map_err(|error| LoadError::Open(path.to_path_buf(), error))?;
        find(handle, symbol).ok_or_else(|| LoadError::Changed(path.to_path_buf()))
    }

    /// The revision of the library's table.
    pub fn revision(&self) -> Revision {
        self.symbol.revision
    }

    /// Bytes of the library's table.
    pub fn table_size(&self) -> usize {
        self.symbol.size
    }

    /// The copy of the table that was made when the library was loaded; slots that the library's
    /// revision lacks are NULL. For whoever calls the functions himself, with what no host would give
    /// them.
    pub fn table(&self) -> &camera_algorithm_ops_t {
        &self.table
    }

    /// What the library's own table holds now.
    pub fn table_now(&self) -> camera_algorithm_ops_t {
        let address = std::ptr::with_exposed_provenance::<c_void>(self.address);
        // SAFETY: as in `load`; the library is never unloaded.
        unsafe { copy_table(address, self.symbol.size) }
    }

    /// The library's build-id in hexadecimal digits.
    pub fn build_id(&self) -> Option<&str> {
        self.symbol.build_id.as_deref()
    }

    /// The path that it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Turns all later callbacks of the library into no-ops, until the next `initialize`.
    ///
    /// Callbacks that are running when this is called may still reach the target.
    pub fn detach(&self) {
        self.slot.set(None);
    }
}

impl CameraAlgorithm for VendorLibrary {
    fn initialize(&self, callbacks: Arc<dyn Callbacks>) -> i32 {
        let Some(function) = self.table.initialize else { return -libc::ENOSYS };
        // Before the call, because the library may call back from inside it; and it stays there
        // when the library refuses, as upstream's server does (spec/cami-abi.md, 2.6).
        self.slot.set(Some(callbacks));
        // SAFETY: the library's own function; the table is static.
        unsafe { function(self.slot.table()) }
    }

    fn register_buffer(&self, fd: OwnedFd) -> i32 {
        let Some(function) = self.table.register_buffer else { return -libc::ENOSYS };
        // SAFETY: the library's own function; the fd is open and becomes the library's.
        unsafe { function(fd.into_raw_fd()) }
    }

    fn request(&self, req_id: u32, header: &[u8], buffer_handle: i32) {
        static TOO_LONG: Rarely = Rarely::new();
        let Some(function) = self.table.request else { return };
        let Ok(size) = u32::try_from(header.len()) else {
            TOO_LONG.warn("dropped a request: its header is longer than 4 GiB");
            return;
        };
        // Libraries look at the first byte before they look at the size (section 6.3).
        let start = if header.is_empty() { (&0u8) as *const u8 } else { header.as_ptr() };
        // SAFETY: the library's own function; `size` bytes, and one at least, at `start`.
        unsafe { function(req_id, start, size, buffer_handle) }
    }

    fn deregister_buffers(&self, buffer_handles: &[i32]) {
        let Some(function) = self.table.deregister_buffers else { return };
        let Ok(size) = u32::try_from(buffer_handles.len()) else { return };
        // SAFETY: the library's own function; `size` handles at the pointer.
        unsafe { function(buffer_handles.as_ptr(), size) }
    }

    fn update_return(&self, upd_id: u32, status: u32, fd: Option<OwnedFd>) {
        let Some(function) = self.table.update_return else { return };
        // SAFETY: the library's own function; an fd becomes the library's.
        unsafe { function(upd_id, status, fd::surrender(fd)) }
    }

    fn deinitialize(&self) {
        let Some(function) = self.table.deinitialize else { return };
        // SAFETY: the library's own function.
        unsafe { function() }
    }
}

/// dlopen, without a search for the path.
fn open(path: &Path) -> Result<NonNull<c_void>, String> {
    let mut name = Vec::new();
    if !path.as_os_str().as_bytes().contains(&b'/') {
        name.extend_from_slice(b"./");
    }
    name.extend_from_slice(path.as_os_str().as_bytes());
    let name = CString::new(name).map_err(|_| "its path contains a NUL".to_string())?;
    // SAFETY: a NUL-terminated path. The library's constructors run: that is what loading means.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    NonNull::new(handle).ok_or_else(|| {
        // SAFETY: no arguments; the text is this thread's own until its next dl call.
        let text = unsafe { libc::dlerror() };
        text_of(text).unwrap_or_else(|| "for no reason that the loader names".to_string())
    })
}

/// A copy of a C string, or `None` for NULL.
fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, and the loader's texts are NUL-terminated.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// The address of `CAMI`, if it is the symbol that was inspected.
fn find(handle: NonNull<c_void>, expected: &TableSymbol) -> Option<NonNull<c_void>> {
    let name = CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR.as_ptr().cast::<c_char>();
    // SAFETY: a handle of dlopen and a NUL-terminated name.
    let address = NonNull::new(unsafe { libc::dlsym(handle.as_ptr(), name) })?;
    is_expected(address, expected).then_some(address)
}

#[allow(clippy::useless_conversion, reason = "the fields have 32 bits on ILP32")]
/// Compares the loader's view of the symbol at `address` with the file's.
fn is_expected(address: NonNull<c_void>, expected: &TableSymbol) -> bool {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let mut entry: *mut c_void = std::ptr::null_mut();
    // SAFETY: both results are written to locals of the right types; any address may be asked.
    let found =
        unsafe { libc::dladdr1(address.as_ptr(), &raw mut info, &raw mut entry, RTLD_DL_SYMENT) };
    if found == 0 || entry.is_null() {
        return false;
    }
    // SAFETY: with RTLD_DL_SYMENT the entry is a symbol of the loaded library, never unloaded.
    let symbol = unsafe { entry.cast::<ElfSymbol>().read_unaligned() };
    // Another name may stand for the same object, with a size of its own; its address will do.
    let is_table = text_of(info.dli_sname).as_deref() == Some(crate::TABLE_SYMBOL);
    u64::from(symbol.st_value) == expected.address
        && (!is_table || u64::from(symbol.st_size) == expected.size as u64)
}
