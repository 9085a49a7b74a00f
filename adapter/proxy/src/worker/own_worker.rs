//! Giving way to libcamera's own worker.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cami_config::Config;
use cami_libcamera::{OwnWorker, WORKER, find_own_worker, worker_folders};

/// Says that this process was started by a worker that gave way: a copy of this program in
/// libcamera's folder, which is no file that we could know ourselves by.
const GAVE_WAY: &str = "CAMI_IPA_GAVE_WAY";

/// Becomes libcamera's worker for `module`, with the same arguments and descriptors. Returns only if
/// that is not possible: the reason.
pub fn become_it(module: &Path, config: Option<&Config>) -> String {
    let what = if module.exists() { "is not ours" } else { "is not there" };
    let module = module.display();
    if std::env::var_os(GAVE_WAY).is_some() {
        return format!(
            "{module} {what}, and what stands for libcamera's own worker is a copy of this one: \
             remove the copy, or set libcamera.proxy_dir"
        );
    }
    let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    let folders = worker_folders(config.and_then(|config| config.libcamera.proxy_dir.as_deref()));
    match find_own_worker(WORKER, folders, &own) {
        OwnWorker::Found(path) => {
            let error =
                Command::new(&path).args(std::env::args_os().skip(1)).env(GAVE_WAY, "1").exec();
            format!("{module} {what}, and {} cannot be executed: {error}", path.display())
        }
        OwnWorker::Missing(folders) => {
            let folders: Vec<String> =
                folders.iter().map(|folder| folder.display().to_string()).collect();
            format!(
                "{module} {what}, and libcamera's own {WORKER} is in none of {}: set \
                 libcamera.proxy_dir to its folder",
                folders.join(", ")
            )
        }
    }
}
