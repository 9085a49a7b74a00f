//! Structs in files.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use cami_ipu3::{Pod, bytes_of_mut, zeroed_box};

use crate::failure::Failure;

/// Reads a file that is one struct, which is called `name`.
pub fn read<T: Pod>(path: &Path, name: &str) -> Result<Box<T>, Failure> {
    let failed =
        |error| Failure::environment(format!("{} cannot be read: {error}", path.display()));
    let size = size_of::<T>();
    let mut bytes = Vec::new();
    let most = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let mut value = zeroed_box::<T>();
    let target = bytes_of_mut(&mut *value);
    if target.len() == bytes.len() {
        target.copy_from_slice(&bytes);
        return Ok(value);
    }
    let found = if bytes.len() > size { "more".to_owned() } else { bytes.len().to_string() };
    let message =
        format!("{} is no {name}, which has {size} bytes: it has {found}", path.display());
    Err(Failure::falls_short(message))
}

/// What a file holds is refused.
pub fn refused(path: &Path, reason: &impl fmt::Display) -> Failure {
    Failure::falls_short(format!("{} is refused: {reason}", path.display()))
}
