//! What is asked for, and what a library is surrounded by.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use cami_config::{Config, Environment};
use cami_conform::{Profile, Rule, Sample, Seen, find, rules};
use cami_sandbox::Files;
use cami_spawn::locate;
use lexopt::prelude::*;

use crate::failure::Failure;
use crate::options::{Command, number, path, text, usage_of};

/// What to look at, and where the results go.
#[derive(Debug, Clone)]
pub struct ConformOptions {
    /// The library; none with `list`.
    pub library: PathBuf,
    /// Print the rules and look at nothing.
    pub list: Option<Listing>,
    /// The protocol.
    pub profile: Profile,
    /// The rules that were picked; all if empty.
    pub picked: Vec<String>,
    /// Those that were left out.
    pub left_out: Vec<String>,
    /// Broken shoulds count too.
    pub strict: bool,
    /// The request that is made where any will do.
    pub sample: Option<Sample>,
    /// The tuning file of a session.
    pub tuning: Option<PathBuf>,
    /// The deadline of each of the library's calls.
    pub deadline: Duration,
    /// In place of the configured `library_path`.
    pub library_path: Option<Vec<PathBuf>>,
    /// Whose section of the configuration holds.
    pub section: Option<String>,
    /// `libcam_algo_conform.so`, if it is elsewhere.
    pub guest: Option<PathBuf>,
    /// Where the results go; "-" is standard output.
    pub tap: Option<PathBuf>,
    /// The same as JUnit XML.
    pub junit: Option<PathBuf>,
    /// The same as JSON.
    pub json: Option<PathBuf>,
}

/// How the rules are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// For a terminal.
    Text,
    /// As docs/conformance.md has them.
    Markdown,
}

/// A call that takes longer hangs. Answers are waited for half as long, which is as long as HALs wait
/// (spec/cami-abi.md, 0.8).
const DEADLINE_S: u64 = 10;
/// A sample's buffer; the payloads of the largest known commands have 2.5 MB.
const MAX_BUFFER_BYTES: u64 = 64 << 20;
/// A header that libraries are known to take has up to 24 bytes.
const MAX_HEADER_BYTES: usize = 4096;

/// The help text.
pub const HELP: &str = "\
usage: cami-ipa conform LIBRARY [OPTION...]
       cami-ipa conform --list | --list-markdown

Looks whether a vendor library keeps the ABI's rules (docs/conformance.md): descriptors, handles,
empty slots, threads, callbacks, error codes, headers, ends and restarts, and the sandbox. The
library runs in the sandboxed host, for each rule in a process of its own; a crash or a hang is a
result with its cause.

which rules
  --list                  print the rules: name, level, source, and what goes wrong in the field
  --list-markdown         the same for docs/conformance.md
  --profile NAME          generic (default), or intel-ipu3: its protocol's rules too
  --rule NAME...          only these; a name that ends with \".\" stands for all that begin with it,
                          commas separate several, and the option may be given again
  --skip NAME...          all but these
  --strict                broken shoulds count as broken musts do

how
  --request ID:HEX[:BYTES]
                          a request that the library survives and answers, without set-up, on a
                          buffer of BYTES zeros (default 4096): number, and header as hexadecimal
                          digits. Without it 0:5600, whose answer is not relied on; with intel-ipu3
                          16:56
  --tuning FILE           tuning data for the session of intel-ipu3
  --timeout SECONDS       a call that takes longer hangs, and an answer that takes half as
                          long does not come (default: 10)
  --library-path DIRS     folders that are searched first, separated by colons (default: the
                          configured library_path)
  --section NAME          file name of the libcam_algo.so whose section of the configuration holds
  --guest FILE            libcam_algo_conform.so (default: the one beside this program)

what comes out, besides the summary (\"-\" is standard output, in place of it)
  --tap FILE              TAP 14
  --junit FILE            JUnit XML
  --json FILE             everything, the log of each rule that is not kept with it

The library shares its process with what looks at it there: this helps a vendor, it proves nothing
about an enemy.

exit codes: 0 all musts hold; 1 one is broken, or hidden by another that is, or the file is no vendor
library; 2 wrong usage or environment
";

/// Understands the arguments behind `conform`.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let usage = usage_of("conform");
    let mut library = None;
    let mut options = ConformOptions {
        library: PathBuf::new(),
        list: None,
        profile: Profile::Generic,
        picked: Vec::new(),
        left_out: Vec::new(),
        strict: false,
        sample: None,
        tuning: None,
        deadline: Duration::from_secs(DEADLINE_S),
        library_path: None,
        section: None,
        guest: None,
        tap: None,
        junit: None,
        json: None,
    };
    while let Some(argument) = parser.next().map_err(&usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Print(HELP.into())),
            Long("list") => options.list = Some(Listing::Text),
            Long("list-markdown") => options.list = Some(Listing::Markdown),
            Long("strict") => options.strict = true,
            Long("tuning") => options.tuning = Some(path(&mut parser)?),
            Long("guest") => options.guest = Some(path(&mut parser)?),
            Long("tap") => options.tap = Some(path(&mut parser)?),
            Long("junit") => options.junit = Some(path(&mut parser)?),
            Long("json") => options.json = Some(path(&mut parser)?),
            Long("library-path") => {
                let value = parser.value().map_err(&usage)?;
                options.library_path = Some(std::env::split_paths(&value).collect());
            }
            Long("section") => options.section = Some(text(&mut parser, "--section")?),
            Long("profile") => options.profile = profile(&text(&mut parser, "--profile")?)?,
            Long("rule") => options.picked.extend(names(&text(&mut parser, "--rule")?, "--rule")?),
            Long("skip") => {
                options.left_out.extend(names(&text(&mut parser, "--skip")?, "--skip")?);
            }
            Long("request") => options.sample = Some(sample(&text(&mut parser, "--request")?)?),
            Long("timeout") => {
                let seconds = number(&mut parser, "--timeout", 1, 3600)?;
                options.deadline = Duration::from_secs(seconds);
            }
            Value(path) if library.is_none() => library = Some(PathBuf::from(path)),
            other => return Err(usage(other.unexpected())),
        }
    }
    if options.list.is_none() {
        options.library = library
            .ok_or_else(|| Failure::usage("which library? See cami-ipa help conform".into()))?;
    }
    let standard = Path::new(crate::outputs::STANDARD_OUTPUT);
    let outputs = [&options.tap, &options.junit, &options.json];
    if outputs.into_iter().flatten().filter(|path| *path == standard).count() > 1 {
        return Err(Failure::usage(
            "standard output takes one of --tap, --junit and --json".into(),
        ));
    }
    if options.rules().is_empty() {
        return Err(Failure::usage(
            "no rule is left to look at; those of a protocol need --profile".into(),
        ));
    }
    Ok(Command::Conform(Box::new(options)))
}

impl ConformOptions {
    /// The rules that are looked at.
    pub fn rules(&self) -> Vec<&'static Rule> {
        let matches = |rule: &Rule, names: &[String]| {
            names.iter().any(|name| {
                rule.id == name || (name.ends_with('.') && rule.id.starts_with(name.as_str()))
            })
        };
        rules()
            .filter(|rule| rule.profile == Profile::Generic || rule.profile == self.profile)
            .filter(|rule| self.picked.is_empty() || matches(rule, &self.picked))
            .filter(|rule| !matches(rule, &self.left_out))
            .collect()
    }

    /// The request that is made where any will do.
    pub fn sample(&self) -> Sample {
        self.sample.clone().unwrap_or_else(|| match self.profile {
            Profile::Generic => Sample::generic(),
            Profile::IntelIpu3 => Sample::intel_ipu3(),
        })
    }
}

fn profile(name: &str) -> Result<Profile, Failure> {
    [Profile::Generic, Profile::IntelIpu3]
        .into_iter()
        .find(|profile| profile.name() == name)
        .ok_or_else(|| {
            Failure::usage(format!("--profile: \"{name}\" is not generic or intel-ipu3"))
        })
}

/// Names of rules, or of groups of them.
fn names(list: &str, option: &str) -> Result<Vec<String>, Failure> {
    let names = list.split(',').map(|name| {
        let group = name.ends_with('.') && rules().any(|rule| rule.id.starts_with(name));
        if group || find(name).is_some() {
            return Ok(name.to_owned());
        }
        Err(Failure::usage(format!(
            "{option}: there is no rule \"{name}\"; cami-ipa conform --list prints them"
        )))
    });
    names.collect()
}

/// `ID:HEX` or `ID:HEX:BYTES`.
fn sample(text: &str) -> Result<Sample, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "--request: \"{text}\" is not ID:HEX or ID:HEX:BYTES, as 16:56:4096 (a header of up to \
             {MAX_HEADER_BYTES} bytes, a buffer of up to {MAX_BUFFER_BYTES})"
        ))
    };
    let mut parts = text.split(':');
    let (Some(id), Some(hex), bytes, None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let req_id = id.parse().map_err(|_| wrong())?;
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let header = pairs
        .iter()
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            if text.starts_with('+') { None } else { u8::from_str_radix(text, 16).ok() }
        })
        .collect::<Option<Vec<u8>>>()
        .filter(|header| rest.is_empty() && (1..=MAX_HEADER_BYTES).contains(&header.len()));
    let buffer_bytes = bytes.map_or(Ok(4096), str::parse).map_err(|_| wrong())?;
    if !(1..=MAX_BUFFER_BYTES).contains(&buffer_bytes) {
        return Err(wrong());
    }
    Ok(Sample { req_id, header: header.ok_or_else(wrong)?, buffer_bytes, is_answered: true })
}

/// What a library is surrounded by: the configuration, for hosts that are told by their environment.
#[derive(Debug)]
pub struct Surroundings {
    config: Config,
    library: PathBuf,
    profile: Profile,
    library_path: Vec<PathBuf>,
    host: Option<PathBuf>,
}

/// A folder that cannot be there: the deaths of these hosts are results, and nothing for
/// `cami-ipa status`.
const NO_FOLDER: &str = "/dev/null/status";

impl Surroundings {
    /// Those that are configured. Paths are absolute.
    pub fn new(options: &ConformOptions, library: &Path, guest: &Path) -> Result<Self, Failure> {
        let config = Config::read(&Environment::of_process(), options.section.as_deref())
            .map_err(|error| Failure::environment(error.to_string()))?;
        let library_path =
            options.library_path.clone().unwrap_or_else(|| config.library_path.clone());
        // A client looks beside the library that it was told of, which may be anywhere. Where nothing is
        // found it says where it looked.
        let host = match &config.host {
            Some(host) => Some(host.clone()),
            None => locate("host", None, guest).ok(),
        };
        let surroundings = Self {
            config,
            library: library.to_path_buf(),
            profile: options.profile,
            library_path,
            host,
        };
        // The environment's lists know no other way to say a colon.
        let colon = |path: &PathBuf| path.as_os_str().as_encoded_bytes().contains(&b':');
        let bad = surroundings.paths().find(colon);
        match bad {
            Some(path) => Err(Failure::environment(format!(
                "{}: a path with a colon cannot be given to the host",
                path.display()
            ))),
            None => Ok(surroundings),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Folders that are searched first.
    pub fn library_path(&self) -> &[PathBuf] {
        &self.library_path
    }

    /// What a host reads for the library though it is not the library that it was told of.
    fn files(&self) -> Vec<PathBuf> {
        let without = Files::for_library(None, &self.library_path, &[], &[]).rules;
        let with = Files::for_library(Some(&self.library), &self.library_path, &[], &[]).rules;
        with.into_iter().filter(|rule| !without.contains(rule)).map(|rule| rule.path).collect()
    }

    fn paths(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let sandbox = &self.config.sandbox;
        let lists = [&self.library_path, &sandbox.read, &sandbox.write];
        let configured: Vec<PathBuf> = lists.into_iter().flatten().cloned().collect();
        configured.into_iter().chain(self.files())
    }

    /// Tells the process, and so its host. `variable` is for the library's process, where the library
    /// is loaded by the guest.
    pub fn configure(
        &self,
        process: &mut Process,
        deadline: Duration,
        variable: Option<(&str, String)>,
    ) {
        let Self { config, library_path, .. } = self;
        let mut read = config.sandbox.read.clone();
        let mut environment: Vec<String> =
            config.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut profile = self.profile;
        if let Some((name, value)) = variable {
            environment.push(format!("{name}={value}"));
            read.extend(self.files());
            // What crosses the link is the guest's.
            profile = Profile::Generic;
        }
        let milliseconds = deadline.as_millis().to_string();
        let ioctls: Vec<String> = config.sandbox.ioctl.iter().map(u32::to_string).collect();
        let settings: [(&str, OsString); 14] = [
            ("RECOVERY", "notify".into()),
            ("STANDBY", "false".into()),
            ("STATUS_DIR", NO_FOLDER.into()),
            ("LOG", "info,stderr".into()),
            ("PROFILE", profile.name().into()),
            ("TIMEOUTS__INITIALIZE_MS", milliseconds.clone().into()),
            ("TIMEOUTS__REGISTER_MS", milliseconds.clone().into()),
            ("TIMEOUTS__REQUEST_MS", milliseconds.into()),
            ("LIBRARY_PATH", list(library_path)),
            ("ENVIRONMENT", environment.join(":").into()),
            ("SANDBOX__REQUIRE", config.sandbox.require.join(":").into()),
            ("SANDBOX__READ", list(&read)),
            ("SANDBOX__WRITE", list(&config.sandbox.write)),
            ("SANDBOX__IOCTL", ioctls.join(":").into()),
        ];
        process.env_remove("CAMI_IPA_SOCKET");
        for (name, value) in settings {
            process.env(format!("CAMI_IPA_{name}"), value);
        }
        if let Some(host) = &self.host {
            process.env("CAMI_IPA_HOST", host);
        }
    }
}

fn list(paths: &[PathBuf]) -> OsString {
    paths.iter().map(|path| path.as_os_str()).collect::<Vec<_>>().join(":".as_ref())
}

/// Whether the rule is looked at in a process.
pub fn needs_a_process(rule: &Rule) -> bool {
    rule.seen != Seen::File
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conform(arguments: &[&str]) -> Result<ConformOptions, String> {
        let all = ["conform"].iter().chain(arguments).map(OsString::from);
        match Command::parse(all) {
            Ok(Command::Conform(options)) => Ok(*options),
            Ok(other) => Err(format!("{other:?}")),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn rules_are_picked_by_name_and_by_group() {
        let ids = |options: ConformOptions| -> Vec<&str> {
            options.rules().iter().map(|rule| rule.id).collect()
        };
        let some =
            conform(&["x.so", "--rule", "header.,load.survives", "--skip", "header.not-written"]);
        assert_eq!(
            ids(some.unwrap()),
            ["load.survives", "header.not-read-after-return", "header.not-read-behind-its-end"]
        );
        let generic = ids(conform(&["x.so"]).unwrap());
        assert!(generic.iter().all(|id| !id.starts_with("ipu3.")));
        let ipu3 = ids(conform(&["x.so", "--profile", "intel-ipu3"]).unwrap());
        assert!(ipu3.len() > generic.len() && ipu3.contains(&"ipu3.session"));
    }

    #[test]
    fn a_request_is_a_number_a_header_and_a_size() {
        let options = conform(&["x.so", "--request", "7:5601ff:100"]).unwrap();
        let expected =
            Sample { req_id: 7, header: vec![0x56, 1, 0xff], buffer_bytes: 100, is_answered: true };
        assert_eq!(options.sample(), expected);
        assert_eq!(conform(&["x.so", "--request", "7:56"]).unwrap().sample().buffer_bytes, 4096);
    }

    #[test]
    fn mistakes_name_their_option() {
        for (arguments, named) in [
            (&[][..], "which library"),
            (&["x.so", "y.so"], "y.so"),
            (&["x.so", "--rule", "header"], "\"header\""),
            (&["x.so", "--skip", "nothing."], "\"nothing.\""),
            (&["x.so", "--rule", "ipu3."], "--profile"),
            (&["x.so", "--profile", "ipu7"], "--profile"),
            (&["x.so", "--request", "7"], "--request"),
            (&["x.so", "--request", "7:5"], "--request"),
            (&["x.so", "--request", "7:"], "--request"),
            (&["x.so", "--request", "7:+5"], "--request"),
            (&["x.so", "--request", "7:56:0"], "--request"),
            (&["x.so", "--request", "7:56:1:2"], "--request"),
            (&["x.so", "--timeout", "0"], "--timeout"),
            (&["x.so", "--tap", "-", "--json", "-"], "standard output"),
        ] {
            let error = conform(arguments).unwrap_err();
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}
