//! Which library is served.

use std::fs::File;
use std::path::PathBuf;

use cami_config::Config;
use nix::errno::Errno;

use crate::door::Refusal;

/// The configured `vendor_library`; a bare name is searched in `library_path`. What its file says is
/// looked at when the client's `init` asks for it, whose answer then tells.
pub fn find(config: &Config) -> Result<PathBuf, Refusal> {
    let Some(path) = &config.vendor_library else {
        return Err(Refusal::new(
            Errno::ENOENT,
            "no vendor library is configured: set `vendor_library` in /etc/cami-ipa.toml to the \
             path of the closed library",
        ));
    };
    let found = if path.components().count() > 1 {
        path.clone()
    } else {
        let mut candidates = config.library_path.iter().map(|folder| folder.join(path));
        // Opened and not asked for: `stat` of std is `statx`, which is forbidden here.
        candidates.find(|candidate| File::open(candidate).is_ok()).ok_or_else(|| {
            Refusal::new(
                Errno::ENOENT,
                format!(
                    "`vendor_library` {} is in none of the folders of `library_path`: give its path",
                    path.display()
                ),
            )
        })?
    };
    if cami_abi::inspect(&found).is_ok_and(|table| table.is_shim()) {
        return Err(Refusal::new(
            Errno::ELOOP,
            format!(
                "`vendor_library` {} is cami-ipa's own libcam_algo.so: name the vendor's file",
                found.display()
            ),
        ));
    }
    Ok(found)
}
