//! How `libcamera_ipa_proxy.so` is linked, and the IPA modules, which hold no Rust.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The files, and what the pipeline handler is called that each is for: 0.3.0 and later, and 0.0.3 to
/// 0.2.x (libcamera 5ed35fca).
const MODULES: [(&str, &str); 2] =
    [("ipa_cami_ipu3.so", "ipu3"), ("ipa_cami_ipu3_0.so", "PipelineHandlerIPU3")];

fn main() -> ExitCode {
    // That `ipaRun` is its only exported symbol needs no word here: rustc gives the linker a version
    // script that makes everything else of a cdylib local.
    //
    // Its threads, and the vendor library's, run to the end of the process, so the service's
    // dlclose must not unmap it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // All symbols are resolved by dlopen, which fails then and not later.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=module.c");
    for (file, pipeline) in MODULES {
        if let Err(reason) = module(file, pipeline) {
            println!("cargo::error={file}: {reason}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Builds a module into the target folder, beside what cargo builds: cargo itself makes no library
/// whose name does not begin with `lib`, and libcamera takes the first module by name.
fn module(file: &str, pipeline: &str) -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is unset")?);
    // …/target/release/build/cami-proxy-0123456789abcdef/out
    let folder = out.ancestors().nth(3).ok_or("OUT_DIR is not in a target folder")?;
    let target = folder.join(file);
    println!("cargo:rerun-if-changed={}", target.display());
    let built = out.join(file);
    let compiler = cc::Build::new().try_get_compiler().map_err(|error| error.to_string())?;
    let mut command = compiler.to_command();
    command
        .args(["-shared", "-fPIC", "-nostdlib", "-O2", "-g0", "-Wall", "-Wextra", "-Werror"])
        // Without code there is nothing to unwind, to link, or to start. Section headers stay.
        .args(["-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", "-Wl,-z,noexecstack"])
        .arg(format!("-DPIPELINE_NAME=\"{pipeline}\""))
        .arg("-o")
        .arg(&built)
        .arg("module.c");
    run(&mut command)?;
    put(&built, &target)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("no C compiler: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).replace('\n', " "))
}

/// Under a new inode: a test may have the old one open.
fn put(from: &Path, to: &Path) -> Result<(), String> {
    let aside = to.with_extension("new");
    std::fs::copy(from, &aside)
        .and_then(|_| std::fs::rename(&aside, to))
        .map_err(|error| format!("{}: {error}", to.display()))
}
