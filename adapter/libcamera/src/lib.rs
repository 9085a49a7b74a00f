//! What of libcamera a machine has: its libraries and which controls they number how, IPA modules as
//! libcamera itself would choose among them, and its workers.
//!
//! Files are read and nothing of them is run. What is read is bounded, and parsed by `object`, which
//! checks every offset.
#![forbid(unsafe_code)]

mod file;
mod ids;
mod library;
mod module;
mod selection;
mod worker;

pub use ids::control_ids;
pub use library::{Library, folders, installed};
pub use module::{MODULE_NAME, ModuleInfo, OLD_MODULE_NAME, is_ours, read_module};
pub use selection::{SearchPaths, choose_module, choose_worker, listed_pipelines};
pub use worker::{OwnWorker, WORKER, find_own_worker, worker_folders};
