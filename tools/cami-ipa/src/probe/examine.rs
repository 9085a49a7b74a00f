//! One library, examined. The field names are those of the JSON.

use std::path::{Path, PathBuf};

use cami_abi::{InspectError, TableSymbol, inspect};
use cami_config::Config;
use cami_elf::{Closure, Loader, Object, Platform};
use cami_sandbox::Files;
use cami_seccomp::Options;
use serde::Serialize;

use super::fingerprint::{Fingerprint, Marks};
use super::forbidden::{Forbidden, forbidden};
use super::hardening::{Constructors, Hardening, ThreadLocal, constructors, thread_local};
use super::needs::{self, NeededLibrary, Symbol};
use super::verdict;

/// What libraries are examined against: this machine and the configuration.
#[derive(Debug)]
pub struct Surroundings {
    config: Config,
    library_path: Vec<PathBuf>,
    loader: Loader,
    /// This program: it brings in what the host brings in, the C library and libgcc.
    program: Option<PathBuf>,
}

impl Surroundings {
    /// `library_path` takes the place of the configured one.
    pub fn new(config: Config, library_path: Option<Vec<PathBuf>>) -> Self {
        let library_path = library_path.unwrap_or_else(|| config.library_path.clone());
        let loader = Loader::new(library_path.clone(), cami_sandbox::loader_path());
        Self { config, library_path, loader, program: std::env::current_exe().ok() }
    }
}

/// Everything.
#[derive(Debug, Serialize)]
pub struct Probe {
    /// Its path, made absolute.
    pub path: PathBuf,
    /// "runs" or "does_not_run".
    pub verdict: &'static str,
    /// Why it does not, one line each, with what to do.
    pub problems: Vec<String>,
    /// What is worth knowing besides.
    pub remarks: Vec<String>,
    /// Its table; null where it has none that can be called.
    pub table: Option<Table>,
    /// What it is built for; null where it is no library.
    pub platform: Option<Built>,
    /// Its build-id, in hexadecimal digits.
    pub build_id: Option<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// Whose it seems to be.
    pub fingerprint: Option<Fingerprint>,
    /// Its protections.
    pub hardening: Option<Hardening>,
    /// Its thread-local variables; null where it has none.
    pub thread_local: Option<ThreadLocal>,
    /// What runs when it is loaded.
    pub constructors: Option<Constructors>,
    /// What it needs, and what that needs in turn.
    pub needed: Vec<NeededLibrary>,
    /// The symbols that it imports.
    pub symbols: Vec<Symbol>,
    /// What it, or a library that came with it, imports and its sandbox refuses or limits.
    pub system_calls: Vec<Forbidden>,
}

/// The table.
#[derive(Debug, Serialize)]
pub struct Table {
    /// E, F or G.
    pub revision: String,
    /// Functions in it.
    pub slots: usize,
    /// Its size in bytes: the ELF symbol's.
    pub bytes: usize,
}

/// The platform.
#[derive(Debug, Serialize)]
pub struct Built {
    /// 32 or 64.
    pub bits: u8,
    /// The same in words, with byte order and machine.
    pub name: String,
    /// Whether this machine's adapter can load it.
    pub native: bool,
}

impl Probe {
    /// Examines a file. Whatever is wrong with it is a problem in the result.
    pub fn of(path: &Path, surroundings: &Surroundings) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Self::with(inspect(&path), path, surroundings)
    }

    /// Examines a file whose table was looked at.
    pub fn with(
        table: Result<TableSymbol, InspectError>,
        path: PathBuf,
        surroundings: &Surroundings,
    ) -> Self {
        let mut probe = Self::empty(path);
        let name = probe.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match &table {
            Ok(symbol) if symbol.is_shim() => probe.problems.push(format!(
                "{name} is cami-ipa's own libcam_algo.so, which runs a vendor library and is none: name \
                 the vendor's file"
            )),
            Ok(_) => {}
            Err(error) => probe.problems.push(format!("{name} {error}")),
        }
        let library = probe.path.clone();
        match Object::open(&library) {
            Ok(object) => {
                probe.table = table_of(&table, &object);
                probe.look(&object, surroundings);
            }
            // The table's error said it, if it was not another one.
            Err(error) if table.is_ok() => probe.problems.push(format!("{name} {error}")),
            Err(_) => {}
        }
        probe.verdict = if probe.problems.is_empty() { "runs" } else { "does_not_run" };
        probe
    }

    /// Whether it will run here.
    pub fn runs(&self) -> bool {
        self.problems.is_empty()
    }

    fn empty(path: PathBuf) -> Self {
        Self {
            path,
            verdict: "does_not_run",
            problems: Vec::new(),
            remarks: Vec::new(),
            table: None,
            platform: None,
            build_id: None,
            soname: None,
            fingerprint: None,
            hardening: None,
            thread_local: None,
            constructors: None,
            needed: Vec::new(),
            symbols: Vec::new(),
            system_calls: Vec::new(),
        }
    }

    fn look(&mut self, object: &Object, surroundings: &Surroundings) {
        let platform = object.platform();
        let native = platform.fits(Platform::native());
        self.platform = Some(Built { bits: platform.bits, name: platform.to_string(), native });
        if !object.is_shared() {
            return;
        }
        self.build_id = object.build_id().ok().flatten();
        self.soname = object.soname().ok().flatten();
        self.thread_local = thread_local(object);
        self.constructors = Some(constructors(object));
        let imports = object.imports();
        // What the loader would trip over.
        let broken = [
            object.needed().err(),
            object.versions().err(),
            imports.as_ref().err().map(|error| match error {
                cami_elf::ElfError::Malformed(what) => cami_elf::ElfError::Malformed(what),
                cami_elf::ElfError::Io(error) => cami_elf::ElfError::Io(error.kind().into()),
            }),
        ];
        let broken = broken.into_iter().flatten().map(|error| error.to_string());
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for text in broken {
            let text = format!("{name} {text}; compare it with the vendor's original");
            if !self.problems.contains(&text) {
                self.problems.push(text);
            }
        }
        let imports = imports.unwrap_or_default();
        self.hardening = Some(Hardening::of(object, &imports));
        let Ok(closure) =
            Closure::of(&self.path, surroundings.program.as_deref(), &surroundings.loader)
        else {
            return;
        };
        let config = &surroundings.config;
        let (read, write) = (&config.sandbox.read, &config.sandbox.write);
        let files = Files::for_library(Some(&self.path), &surroundings.library_path, read, write);
        self.needed = needs::libraries(&closure, &files);
        self.symbols = needs::symbols(&closure, &imports);
        self.fingerprint = fingerprint(object, &closure);
        let options = Options { ioctls: config.sandbox.ioctl.clone(), may_truncate: false };
        self.system_calls = forbidden(&closure, &options);
        self.remarks = verdict::remarks(object, &self.system_calls);
        self.remarks.extend(self.profile_remark(&config.profile.name));
        if native {
            self.problems.extend(verdict::obstacles(&closure, &files));
        }
        if closure.more {
            self.remarks.push("it brings in more libraries than are looked at".to_owned());
        }
    }

    fn profile_remark(&self, configured: &str) -> Option<String> {
        let profile = self.fingerprint.as_ref()?.profile;
        let known = configured == profile || Path::new(configured).is_absolute();
        let text = format!(
            "it seems to be {profile}'s, and the configuration has profile = \"{configured}\": set \
             profile = \"{profile}\""
        );
        (!known && self.table.is_some()).then_some(text)
    }
}

fn table_of(table: &Result<TableSymbol, InspectError>, object: &Object) -> Option<Table> {
    let revision = match table {
        Ok(symbol) => symbol.revision,
        Err(InspectError::ForeignMachine { revision, .. }) => *revision,
        Err(_) => return None,
    };
    let pointer = usize::try_from(object.pointer()).ok()?;
    let slots = revision.slots();
    Some(Table { revision: revision.to_string(), slots, bytes: slots * pointer })
}

fn fingerprint(object: &Object, closure: &Closure) -> Option<Fingerprint> {
    let mut marks = Marks::default();
    for member in &closure.members {
        marks.file(&member.name);
    }
    // A table that is broken was told already.
    let _ = object.for_each_name(|name| marks.symbol(name));
    marks.fingerprint()
}
