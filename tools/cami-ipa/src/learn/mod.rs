//! `cami-ipa learn`: runs a library without a sandbox, and tells what it used of the system.

mod files;
pub mod marks;
mod observe;
mod report;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use cami_config::{Config, Environment};
use cami_seccomp::{Arch, Options, Phase};
use lexopt::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use system_call_trace::{End, trace};

use crate::failure::Failure;
use crate::options::{Command, ioctl_number, number, usage_of};
use crate::outputs::{Output, STANDARD_OUTPUT};
use observe::Watcher;

/// What to learn from.
#[derive(Debug, Clone)]
pub struct LearnOptions {
    library: PathBuf,
    /// Drive the IPU3 sequence, with these arguments of `cami-ipa run`.
    drive: Option<Vec<OsString>>,
    ioctls: Vec<u32>,
    limit: Duration,
    output: Option<PathBuf>,
    json: Option<PathBuf>,
}

/// Frames that a library is driven for: each of its calls comes many times.
const FRAMES: &str = "20";
/// A library that is traced takes its time, and one that hangs is to be seen.
const LIMIT_S: u64 = 60;

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa learn LIBRARY [OPTION...] [-- RUN-OPTION...]

Loads a vendor library, calls initialize and deinitialize, and lists the system calls, ioctls and
files that it used, those marked that its sandbox would refuse; and the lines of the configuration
that it would need. The library runs WITHOUT A SANDBOX while it is learnt from: use one that you
trust, or a container.

  --drive           drive the whole IPU3 sequence too, as `cami-ipa run --in-process` does
  -- RUN-OPTION...  options for that run, as --tuning FILE.aiqb or --frames N (default: 20 frames)
  --ioctl N         judge as if this number were in sandbox.ioctl; may be given again
  --timeout SECONDS end the library after so long (default: 60)
  -o, --output FILE where the list goes (default: standard output)
  --json FILE       the same as data (\"-\" for standard output, in place of the list)

Needs ptrace, so no debugger, and a container that allows it.

exit codes: 0 done; 1 the library could not be initialised or driven, or did what ends its process
in the sandbox; 2 wrong usage or environment
";

/// Understands the arguments behind `learn`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("learn");
    let mut library = None;
    let mut drive = false;
    let mut run_options = Vec::new();
    let mut options = LearnOptions {
        library: PathBuf::new(),
        drive: None,
        ioctls: Vec::new(),
        limit: Duration::from_secs(LIMIT_S),
        output: None,
        json: None,
    };
    loop {
        // What follows "--" is for the run, and looks like options.
        if let Some(mut rest) = parser.try_raw_args()
            && rest.next_if(|argument| argument == "--").is_some()
        {
            run_options.extend(rest);
            break;
        }
        let Some(argument) = parser.next().map_err(&usage)? else { break };
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("drive") => drive = true,
            Long("ioctl") => options.ioctls.push(ioctl_number(&mut parser)?),
            Long("timeout") => {
                options.limit = Duration::from_secs(number(&mut parser, "--timeout", 1, 86_400)?);
            }
            Long("output") | Short('o') => {
                options.output = Some(parser.value().map_err(&usage)?.into());
            }
            Long("json") => options.json = Some(parser.value().map_err(&usage)?.into()),
            Value(path) if library.is_none() => library = Some(PathBuf::from(path)),
            other => return Err(usage(other.unexpected())),
        }
    }
    if !drive && !run_options.is_empty() {
        return Err(Failure::usage("options behind -- are for --drive".into()));
    }
    options.drive = drive.then_some(run_options);
    options.library = library
        .ok_or_else(|| Failure::usage("learn: which library? See cami-ipa help learn".into()))?;
    Ok(Command::Learn(options))
}

/// Does it; in the process that is traced, calls the library.
pub fn learn(options: &LearnOptions) -> Result<(), Failure> {
    if marks::active() {
        return marks::exercise(&options.library);
    }
    let library = options.library.canonicalize().map_err(|error| {
        Failure::environment(format!("the library, {}: {error}", options.library.display()))
    })?;
    let with = Options { ioctls: options.ioctls.clone(), may_truncate: false };
    cami_seccomp::compile(Arch::current(), Phase::Loading, &with)
        .map_err(|error| Failure::usage(error.to_string()))?;

    let mut child = start(&library, options.drive.as_deref())?;
    let mut watcher = Watcher::new(with);
    let end = follow(&mut child, &mut watcher, options.limit)?;

    let learnt = &watcher.learnt;
    let standard = PathBuf::from(STANDARD_OUTPUT);
    let text = report::text(&library, learnt, end);
    if let Some(path) = &options.output {
        Output::write_all(path, &text)?;
    } else if options.json.as_ref() != Some(&standard) {
        Output::write_all(&standard, &text)?;
    }
    if let Some(path) = &options.json {
        Output::write_all(path, &crate::outputs::json(&report::data(&library, learnt, end))?)?;
    }
    verdict(watcher, end, options)
}

/// The process that is learnt from: this program again. It waits for a byte before it loads.
fn start(library: &std::path::Path, drive: Option<&[OsString]>) -> Result<Child, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::environment(format!("this program's own file: {error}")))?;
    let mut process = Process::new(&program);
    match drive {
        None => process.arg("learn").arg(library),
        Some(options) => process
            .args(["run", "--in-process", "--frames", FRAMES, "--vendor-library"])
            .arg(library)
            .args(options),
    };
    // As the host sets it for the vendor process.
    let config = Config::read(&Environment::of_process(), None)
        .map_err(|error| Failure::usage(error.to_string()))?;
    if !config.library_path.is_empty() {
        let path = std::env::join_paths(&config.library_path)
            .map_err(|error| Failure::usage(error.to_string()))?;
        process.env("LD_LIBRARY_PATH", path);
    }
    process
        .env(marks::LEARNING, "1")
        .stdin(Stdio::piped())
        // Standard output is the report's.
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| Failure::environment(format!("{}: {error}", program.display())))
}

/// Traces the process until it ends, or time is up.
fn follow(child: &mut Child, watcher: &mut Watcher, limit: Duration) -> Result<End, Failure> {
    let pid = i32::try_from(child.id())
        .map_err(|_| Failure::environment(format!("{} is no process", child.id())))?;
    let mut stdin: Option<ChildStdin> = child.stdin.take();
    let (done, wait) = mpsc::channel::<()>();
    let ended = std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        });
        let ready = || {
            // A process that is gone already is seen by its end.
            let _ = stdin.as_mut().map(|stdin| stdin.write_all(b"\n"));
        };
        let ended = trace(pid, ready, watcher);
        drop(done);
        ended
    });
    if ended.is_err() {
        let _ = child.kill();
    }
    // Of a process that was followed the tracer has taken the status.
    let _ = child.wait();
    ended.map_err(|error| Failure::environment(format!("the library cannot be traced: {error}")))
}

fn verdict(watcher: Watcher, end: End, options: &LearnOptions) -> Result<(), Failure> {
    let learnt = watcher.learnt;
    match end {
        // The run itself says on standard error what went wrong.
        End::Exited(2) if !learnt.initialized => {
            return Err(Failure::environment("the library could not be loaded".into()));
        }
        End::Signaled(signal) if signal == Signal::SIGKILL as i32 && !learnt.initialized => {
            return Err(Failure::falls_short(format!(
                "initialize did not return within {} s: {}",
                options.limit.as_secs(),
                report::ending(end)
            )));
        }
        _ if !learnt.initialized => {
            return Err(Failure::falls_short(format!(
                "initialize did not succeed: {}",
                report::ending(end)
            )));
        }
        End::Signaled(_) => {
            return Err(Failure::falls_short(format!(
                "the library was not seen to its end: {}",
                report::ending(end)
            )));
        }
        _ => {}
    }
    match learnt.kills() {
        0 => Ok(()),
        count => Err(Failure::falls_short(format!(
            "{count} system calls would have ended the library's process"
        ))),
    }
}
