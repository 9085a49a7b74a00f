//! `cami-ipa serve`: a host for each client that connects.

use std::env;
use std::path::PathBuf;

use cami_config::{Config, Environment, log_target};
use cami_service::{EndSignals, Listener, Options};
use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, path, text, usage};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where clients connect; the configured `socket` if not given.
    pub socket: Option<PathBuf>,
    /// Permissions of the socket's file.
    pub mode: u32,
}

/// Permissions unless said otherwise: user and group of the service. Who of them may connect is
/// `service.allow_uids`.
const DEFAULT_MODE: u32 = 0o660;

/// The help text.
pub const SERVE_HELP: &str = "\
usage: cami-ipa serve [OPTION...]

Listens on a socket and runs the closed library for each client that connects, in a host of its
own (cros_ipa_proxy). A HAL's libcam_algo.so connects, in place of starting a host itself, where
CAMI_IPA_SOCKET names the socket.

  --socket PATH   where clients connect (default: the key `socket`); not needed where an init system
                  hands over a listening SOCK_SEQPACKET socket (LISTEN_FDS, systemd's protocol)
  --mode MODE     octal permissions of the socket's file (default: 0660)

The folder of the socket must exist. A socket file that nobody listens on is replaced; the file is
removed at the end. SIGTERM and SIGINT end the service and its hosts; where it is killed, its hosts
end by themselves.

keys of the configuration (/etc/cami-ipa.toml, $CAMI_IPA_CONFIG)
  service.clients        last: a new client takes the place of the one before (default); many
  service.allow_uids     users that may connect (default: the one that the service runs as)
  service.on_disconnect  accept the next client (default), or exit when the last has left
  host                   path of cros_ipa_proxy (default: beside this program, or libexec)
  log                    level and target
All others are read by the host of each client, at its start.

exit codes: 0 ended as asked; 2 wrong usage or environment
";

/// Understands the arguments behind `serve`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut options = ServeOptions { socket: None, mode: DEFAULT_MODE };
    while let Some(argument) = parser.next().map_err(|error| usage(error, "serve"))? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(SERVE_HELP.into())),
            Long("socket") => options.socket = Some(path(&mut parser)?),
            Long("mode") => options.mode = mode(&text(&mut parser, "--mode")?)?,
            other => return Err(usage(other.unexpected(), "serve")),
        }
    }
    Ok(Command::Serve(options))
}

/// Octal digits, as chmod(1) takes them.
fn mode(value: &str) -> Result<u32, Failure> {
    u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| {
        Failure::usage(format!("--mode: \"{value}\" is not an octal mode from 0 to 777, as 0660"))
    })
}

/// Serves until it is told to end.
pub fn serve(options: &ServeOptions) -> Result<(), Failure> {
    let config = Config::read(&Environment::of_process(), None)
        .map_err(|error| Failure::environment(error.to_string()))?;
    log_target::install(config.log_level, &config.log_target);
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    let program = env::current_exe()
        .map_err(|error| Failure::environment(format!("this program's own file: {error}")))?;
    let host = cami_spawn::locate("the key `host`", config.host, &program)
        .map_err(|none| Failure::environment(none.line))?;
    let signals = EndSignals::new().map_err(|error| Failure::environment(error.to_string()))?;
    let failed = |error: cami_service::ListenError| Failure::environment(error.to_string());
    let listener = match Listener::handed_over().map_err(failed)? {
        Some(listener) => listener,
        None => {
            let socket = options.socket.clone().or(config.socket).ok_or_else(|| {
                Failure::usage("serve: where? Name a socket with --socket PATH".into())
            })?;
            Listener::bind(&socket, options.mode).map_err(failed)?
        }
    };
    match listener.path() {
        Some(path) => log::info!("serving on {}", path.display()),
        None => log::info!("serving on the socket that the init system handed over"),
    }
    cami_service::serve(listener, signals, Options { host, settings: config.service })
        .map_err(|error| Failure::environment(error.to_string()))
}
