//! Compiles the C and C++ hosts and the vendor libraries of the tests into OUT_DIR.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cc::Tool;

/// Executables in `hosts/`: the name that tests use, and the source.
const HOSTS: &[(&str, &str)] = &[
    ("hal", "hal.c"),
    ("clients", "clients.c"),
    ("calls", "calls.c"),
    ("algo_service", "algo_service.c"),
    ("hal_cpp", "hal.cpp"),
];

/// Shared libraries in `vendors/`: the name that tests use, the source, and its definitions.
const VENDORS: &[(&str, &str, &[&str])] = &[
    ("plain", "plain.c", &[]),
    ("callbacks", "callbacks.c", &[]),
    ("closes_fds", "closes_fds.c", &[]),
    ("fault", "fault.c", &[]),
    ("floods", "floods.c", &[]),
    ("forges", "forges.c", &[]),
    ("forks", "forks.c", &[]),
    ("late", "late.c", &[]),
    ("refuses_initialize", "refuses.c", &["AT=INITIALIZE"]),
    ("refuses_register", "refuses.c", &["AT=REGISTER"]),
    ("replays", "replays.c", &[]),
    ("shrinks", "shrinks.c", &[]),
    ("updates", "updates.c", &[]),
    ("updates_at_end", "updates.c", &["AT_END=1"]),
    ("revision_e", "revision.c", &["SLOTS=4"]),
    ("revision_f", "revision.c", &["SLOTS=5"]),
    ("revision_g", "revision.c", &["SLOTS=6"]),
    ("ipu3", "ipu3.c", &[]),
    ("ipu6_cpu", "ipu6.c", &["GPU=0"]),
    ("ipu6_gpu", "ipu6.c", &["GPU=1"]),
    ("rockchip", "rockchip.c", &[]),
    ("mediatek", "mediatek.c", &[]),
    ("google_gpu", "google_gpu.c", &[]),
    ("conforms", "wrong.c", &["WRONG=NOTHING"]),
    ("leaks_descriptor", "wrong.c", &["WRONG=LEAKS_DESCRIPTOR"]),
    ("leaks_mapping", "wrong.c", &["WRONG=LEAKS_MAPPING"]),
    ("closes_twice", "wrong.c", &["WRONG=CLOSES_TWICE"]),
    ("trusts_handles", "wrong.c", &["WRONG=TRUSTS_HANDLES"]),
    ("keeps_header", "wrong.c", &["WRONG=KEEPS_HEADER"]),
    ("copies_table", "wrong.c", &["WRONG=COPIES_TABLE"]),
    ("calls_back_late", "wrong.c", &["WRONG=CALLS_BACK_LATE"]),
    ("sets_handler", "wrong.c", &["WRONG=SETS_HANDLER"]),
    ("writes_header", "wrong.c", &["WRONG=WRITES_HEADER"]),
    ("rounds_up", "wrong.c", &["WRONG=ROUNDS_UP"]),
    ("crash_constructor", "crash.c", &["AT=CONSTRUCTOR", "BY=SEGV"]),
    ("crash_initialize", "crash.c", &["AT=INITIALIZE", "BY=SEGV"]),
    ("crash_register", "crash.c", &["AT=REGISTER", "BY=SEGV"]),
    ("crash_request", "crash.c", &["AT=REQUEST", "BY=SEGV"]),
    ("crash_callback", "crash.c", &["AT=CALLBACK", "BY=SEGV"]),
    ("crash_update", "crash.c", &["AT=UPDATE", "BY=SEGV"]),
    ("crash_update_return", "crash.c", &["AT=UPDATE_RETURN", "BY=SEGV"]),
    ("crash_deregister", "crash.c", &["AT=DEREGISTER", "BY=SEGV"]),
    ("crash_deinitialize", "crash.c", &["AT=DEINITIALIZE", "BY=SEGV"]),
    ("abort_constructor", "crash.c", &["AT=CONSTRUCTOR", "BY=ABORT"]),
    ("abort_request", "crash.c", &["AT=REQUEST", "BY=ABORT"]),
    ("exit_constructor", "crash.c", &["AT=CONSTRUCTOR", "BY=EXIT"]),
    ("exit_initialize", "crash.c", &["AT=INITIALIZE", "BY=EXIT"]),
    ("exit_request", "crash.c", &["AT=REQUEST", "BY=EXIT"]),
    ("exit_now_register", "crash.c", &["AT=REGISTER", "BY=EXIT_NOW"]),
    ("exit_now_request", "crash.c", &["AT=REQUEST", "BY=EXIT_NOW"]),
    ("stack_request", "crash.c", &["AT=REQUEST", "BY=STACK"]),
    ("bus_request", "crash.c", &["AT=REQUEST", "BY=BUS"]),
    ("kill_request", "crash.c", &["AT=REQUEST", "BY=KILL"]),
    ("kill_parent_request", "crash.c", &["AT=REQUEST", "BY=PARENT"]),
    ("hang_constructor", "hang.c", &["AT=CONSTRUCTOR"]),
    ("hang_initialize", "hang.c", &["AT=INITIALIZE"]),
    ("hang_register", "hang.c", &["AT=REGISTER"]),
    ("hang_request", "hang.c", &["AT=REQUEST"]),
    ("hang_deregister", "hang.c", &["AT=DEREGISTER"]),
    ("hang_update_return", "hang.c", &["AT=UPDATE_RETURN"]),
    ("hang_deinitialize", "hang.c", &["AT=DEINITIALIZE"]),
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
    let here = directory("CARGO_MANIFEST_DIR")?;
    let out = directory("OUT_DIR")?;
    let include = here.join("../include");
    for watched in ["hosts", "vendors", "digest.h", "../include/cami"] {
        println!("cargo::rerun-if-changed={}", here.join(watched).display());
    }
    let c = compiler(false)?;
    let cpp = compiler(true)?;
    for (name, source) in HOSTS {
        let compiler = if source.ends_with(".cpp") { &cpp } else { &c };
        let source = here.join("hosts").join(source);
        run(command(compiler, &include, &source, &out.join(name)).arg("-ldl"))?;
    }
    for (name, source, definitions) in VENDORS {
        let source = here.join("vendors").join(source);
        let mut command = command(&c, &include, &source, &out.join(format!("{name}.so")));
        command.args(["-shared", "-fPIC"]);
        // After the sources, whose functions of <fenv.h> it defines.
        command.arg("-lm");
        command.args(definitions.iter().map(|definition| format!("-D{definition}")));
        run(&mut command)?;
    }
    Ok(())
}

fn compiler(cpp: bool) -> Result<Tool, String> {
    cc::Build::new().cpp(cpp).try_get_compiler().map_err(|error| {
        format!("the tests need a C and a C++ compiler (Debian: apt install g++): {error}")
    })
}

fn command(compiler: &Tool, include: &Path, source: &Path, output: &Path) -> Command {
    let mut command = compiler.to_command();
    command.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"]);
    command.arg(include).arg("-o").arg(output).arg(source);
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run the C compiler: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // Not the command's Debug text, which lists the whole environment.
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    Err(format!("{}\n{}", words.join(" "), String::from_utf8_lossy(&output.stderr)))
}

fn directory(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is unset: this is a build script, run by cargo"))
}
