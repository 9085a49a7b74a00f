//! Compiles the programs and libraries of `programs/` into OUT_DIR; `cami-bench` carries them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Whether it is a program or a library that is loaded.
#[derive(PartialEq)]
enum Kind {
    Program,
    Library,
}

/// What is built: its name, its kind, its sources.
const OUTPUTS: &[(&str, Kind, &[&str])] = &[
    ("hal", Kind::Program, &["hal.c", "allocations.c"]),
    ("ping_pong", Kind::Program, &["ping_pong.c"]),
    ("libcamera_call", Kind::Program, &["libcamera_call.cpp"]),
    ("vendor.so", Kind::Library, &["vendor.c"]),
    ("allocations.so", Kind::Library, &["allocations.c"]),
];

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
    let out = directory("OUT_DIR")?;
    let programs = package.join("programs");
    let include = package.join("../include");
    println!("cargo::rerun-if-changed={}", programs.display());
    println!("cargo::rerun-if-changed={}", include.display());
    for (name, kind, sources) in OUTPUTS {
        let cpp = sources.iter().any(|source| source.ends_with(".cpp"));
        compile(cpp, kind, &include, &programs, sources, &out.join(name))?;
    }
    Ok(())
}

fn compile(
    cpp: bool,
    kind: &Kind,
    include: &Path,
    folder: &Path,
    sources: &[&str],
    output: &Path,
) -> Result<(), String> {
    let compiler = cc::Build::new().cpp(cpp).try_get_compiler().map_err(|error| {
        format!("the benchmark needs a C and a C++ compiler (Debian: apt install g++): {error}")
    })?;
    let mut command = compiler.to_command();
    // Whatever the profile of the Rust code: the other side of a comparison is always optimised.
    command.args(["-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"]).arg(include);
    if *kind == Kind::Library {
        command.arg("-shared");
    }
    command.arg("-o").arg(output).args(sources.iter().map(|source| folder.join(source)));
    command.arg("-ldl");
    run(&mut command)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run the C compiler: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn directory(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is unset: this is a build script, run by cargo"))
}
