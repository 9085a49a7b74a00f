//! `cros_ipa_proxy MODULE FD [--control FD]`: runs a closed `CAMI` library in a process of its own.
//!
//! The command line is libcamera's convention for IPA workers: the module, and a connected socket.
//! This program is two: the **monitor**, and its child the **vendor process**, in which the library
//! lives; and while it records a third, the **writer**. See ARCHITECTURE.md.

mod module;
mod monitor;
mod setup_line;
mod vendor_process;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use monitor::{MonitorArguments, RECORDER_ROLE, RecorderArguments, VENDOR_ROLE};
use vendor_process::{StartError, VendorArguments};

const USAGE: &str = "\
Usage: cros_ipa_proxy MODULE FD [--control FD]

Runs a closed ChromeOS camera algorithm library in a process of its own, and serves
it on the connected Unix socket FD. Clients start it; it is of little use by hand.

  MODULE        a library that exports CAMI: run that one; or libcam_algo.so of
                cami-ipa, or a libcamera module: run the configured vendor_library;
                or a file name alone: the same, with the section of that name
  FD            the link (SOCK_SEQPACKET, SOCK_DGRAM or SOCK_STREAM), inherited
  --control FD  a second socket: tells the client the deadlines and causes of death
  --help        this text, with the keys of the configuration
  --version     the version

Exit status: 0 the client left, 1 the library died, 2 it could not be started.

The configuration is $CAMI_IPA_CONFIG or /etc/cami-ipa.toml; every key is also an
environment variable (timeouts.register_ms is CAMI_IPA_TIMEOUTS__REGISTER_MS),
which wins. A section [\"libcam_algo_x.so\"] holds for that MODULE only.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let result = match arguments.as_slice() {
        [role, rest @ ..] if role == VENDOR_ROLE => {
            vendor_arguments(rest).and_then(vendor_process::run).map(|never| match never {})
        }
        [role, rest @ ..] if role == RECORDER_ROLE => {
            RecorderArguments::of(rest).map(monitor::write_recording)
        }
        [help] if help == "--help" || help == "-h" => return print(&help_text()),
        [version] if version == "--version" || version == "-V" => {
            return print(concat!("cros_ipa_proxy ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        rest => monitor_arguments(rest).map(monitor::run),
    };
    result.unwrap_or_else(|error| {
        // In the vendor process standard error is the monitor's log.
        let text = format!("cros_ipa_proxy: {error}\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        ExitCode::from(2)
    })
}

fn print(text: &str) -> ExitCode {
    match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

fn help_text() -> String {
    let mut text = format!("{USAGE}\nKeys:\n");
    for (key, _, meaning) in cami_config::KEYS {
        text.push_str(&format!("  {key:<24} {meaning}\n"));
    }
    text
}

fn text(argument: &OsStr) -> Result<&str, StartError> {
    argument.to_str().ok_or_else(|| StartError::new("an argument is not UTF-8"))
}

fn monitor_arguments(arguments: &[OsString]) -> Result<MonitorArguments, StartError> {
    let (module, link, control) = match arguments {
        [module, link] => (module, link, None),
        [module, link, option, control] if option == "--control" => (module, link, Some(control)),
        _ => return Err(StartError::new("expected MODULE FD [--control FD]; see --help")),
    };
    if control == Some(link) {
        return Err(StartError::new("FD and --control FD are the same descriptor"));
    }
    let control = control.map(|fd| vendor_process::inherited(text(fd)?)).transpose()?;
    Ok(MonitorArguments {
        module: PathBuf::from(module),
        link: vendor_process::inherited(text(link)?)?,
        control,
    })
}

fn vendor_arguments(arguments: &[OsString]) -> Result<VendorArguments, StartError> {
    let [link, activity, log, line, monitor, size, library] = arguments else {
        return Err(StartError::new("the vendor process is started by the monitor only"));
    };
    Ok(VendorArguments {
        link: vendor_process::inherited(text(link)?)?,
        activity: vendor_process::inherited(text(activity)?)?,
        log: vendor_process::inherited(text(log)?)?,
        line: vendor_process::inherited(text(line)?)?,
        monitor: text(monitor)?
            .parse()
            .map_err(|_| StartError::new("the monitor's pid is no number"))?,
        library: PathBuf::from(library),
        needs_st_size: size == "st-size",
    })
}
