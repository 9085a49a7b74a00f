//! Build script of `adapter/abi` (which names this file as its `build`).
//!
//! bindgen makes Rust types of `include/cami/camera_algorithm.h`, and the C compiler checks the
//! same header: `adapter/abi/src/layout.c` asserts the ABI's sizes and offsets, and exports them
//! for a test that compares them with bindgen's.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HEADER: &str = "include/cami/camera_algorithm.h";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            for line in reason.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let package = directory("CARGO_MANIFEST_DIR")?;
    let root = package
        .ancestors()
        .nth(2)
        .ok_or_else(|| format!("{} is not two folders below the root", package.display()))?;
    let header = root.join(HEADER);
    println!("cargo::rerun-if-changed={}", header.display());
    println!("cargo::rerun-if-changed={}", package.join("src/layout.c").display());

    bind(&header, &directory("OUT_DIR")?.join("camera_algorithm.rs"))?;
    cc::Build::new()
        .file(package.join("src/layout.c"))
        .include(root.join("include"))
        .flag_if_supported("-fvisibility=hidden")
        .warnings_into_errors(true)
        .try_compile("cami_layout")
        .map_err(|e| {
            format!("the C compiler does not accept {HEADER} (Debian: apt install gcc): {e}")
        })
}

/// Generates the bindings; the layout assertions in them are evaluated at compile time.
fn bind(header: &Path, output: &Path) -> Result<(), String> {
    let builder = bindgen::Builder::default()
        .header(header.to_string_lossy())
        .allowlist_file(header.to_string_lossy())
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(true)
        .merge_extern_blocks(true)
        .use_core();
    let bindings = without_libclang_panic(move || builder.generate())?
        .map_err(|e| format!("bindgen does not accept {HEADER}: {e}"))?;
    bindings.write_to_file(output).map_err(|e| format!("cannot write {}: {e}", output.display()))
}

/// bindgen loads libclang at run time and panics where there is none. Says what to install.
fn without_libclang_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    result.map_err(|payload| {
        let why = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("unknown reason");
        format!(
            "bindgen found no usable libclang. Install it (Debian, Ubuntu: apt install \
             libclang-dev) or name its folder in LIBCLANG_PATH.\nbindgen says: {why}"
        )
    })
}

fn directory(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is unset: this is a build script, run by cargo"))
}
