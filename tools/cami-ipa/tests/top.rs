//! `cami-ipa top`: on folders, and in a terminal.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod support;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use cami_record::{Kind, Latency, Memory, ProcessIdentity, Status, name, write};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use support::{cami_ipa, code, output, stderr};

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A host whose monitor is this test.
fn put(folder: &Path, requests: u64, updated_unix_ms: u64) {
    let status = Status {
        monitor: ProcessIdentity::own(),
        vendor_pid: 41,
        library: "/opt/vendor/libvendor.so".to_owned(),
        profile: "intel-ipu3".to_owned(),
        started_unix_ms: updated_unix_ms - 192_000,
        updated_unix_ms,
        state: "idle".to_owned(),
        requests,
        callbacks: requests,
        requests_per_second: 270.5,
        latency: Some(Latency { answers: 64, p50_us: 310, p90_us: 820, max_us: 4100 }),
        restarts: 2,
        memory: Some(Memory { resident_bytes: 20 << 20, ..Memory::default() }),
        last_cause: Some("vendor process 9 killed by \x1b[31mSIGSEGV".to_owned()),
        ..Status::default()
    };
    write(folder, Kind::Status, &name(Kind::Status, 0, 1), &status).unwrap();
}

fn top(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = cami_ipa(&["top", "--status-dir"]);
    command.arg(folder).args(arguments);
    command
}

#[test]
fn one_look_is_a_table() {
    let room = tempfile::tempdir().unwrap();
    put(room.path(), 1234, now());
    let output = output(&mut top(room.path(), &["--once"]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("1 hosts, 270.5 requests per second, 0 deaths known"), "{text}");
    for (title, cell) in [
        ("REQ/S", "270.5"),
        ("P50", "310 us"),
        ("P90", "820 us"),
        ("MAX", "4.1 ms"),
        ("MEMORY", "20 MiB"),
    ] {
        let end = lines[1].find(title).unwrap() + title.len();
        assert!(lines[2][..end].ends_with(cell), "{title} is not {cell}:\n{text}");
    }
    assert!(text.contains("  before: vendor process 9 killed by \u{fffd}[31mSIGSEGV\n"), "{text}");
    assert!(!text.contains('\x1b'), "there is no terminal");
}

#[test]
fn rates_are_of_the_time_between_two_looks() {
    let room = tempfile::tempdir().unwrap();
    let begin = now();
    put(room.path(), 1000, begin);
    let mut child =
        top(room.path(), &["--every", "50", "--json", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next =
        || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let first = next();
    assert_eq!(first["hosts"][0]["requests_per_second"], 270.5);
    assert_eq!(first["hosts"][0]["latency"]["p90_us"], 820);
    put(room.path(), 1100, begin + 1000);
    let changed =
        std::iter::repeat_with(&mut next).find(|look| look["hosts"][0]["requests"] == 1100);
    let changed = changed.unwrap();
    assert_eq!(changed["hosts"][0]["requests_per_second"], 100.0, "{changed}");
    // A file that nobody writes any more is a host at rest.
    put(room.path(), 1200, begin - 60_000);
    let old = std::iter::repeat_with(&mut next).find(|look| look["hosts"][0]["requests"] == 1200);
    assert_eq!(old.unwrap()["hosts"][0]["requests_per_second"], 0.0);
    std::fs::remove_file(room.path().join("1.json")).unwrap();
    assert!(std::iter::repeat_with(&mut next).any(|look| look["hosts"] == serde_json::json!([])));
    // A reader that goes away ends it, and is no error.
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_runs_and_nothing_is_there() {
    let output = output(&mut top(Path::new("/nowhere/at/all"), &["--times", "2", "--every", "50"]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("0 hosts, 0.0 requests per second").count(), 2, "{text}");
}

/// Whether something is to be read: what never comes is not waited for without end.
fn comes(file: impl AsFd) -> bool {
    let mut waited = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    poll(&mut waited, PollTimeout::from(60_000_u16)).unwrap() == 1
}

/// What script(1) shows of its terminal.
struct Screen {
    script: Child,
    shown: Vec<u8>,
    /// How much of it was looked at.
    read: usize,
}

impl Screen {
    /// Runs lines in a terminal, by a shell.
    ///
    /// script(1) would take `$SHELL`, else /bin/sh, and shells differ: here it is always /bin/sh.
    fn open(shell: &str, lines: &str, folder: &Path) -> Self {
        let mut script = Command::new("script");
        script
            .args(["-q", "-e", "-c", "exec \"$IN\" -c \"$LINES_OF_IT\"", "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("IN", shell)
            .env("LINES_OF_IT", format!("stty rows 24 cols 80; {lines}"))
            .env("PROGRAM", env!("CARGO_BIN_EXE_cami-ipa"))
            .env("FOLDER", folder)
            .env("TERM", "xterm")
            // They would be taken for the size of the terminal.
            .env_remove("LINES")
            .env_remove("COLUMNS")
            .env_remove("CAMI_IPA_CONFIG");
        let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { script, shown: Vec::new(), read: 0 }
    }

    fn press(&mut self, keys: &str) {
        let stdin = self.script.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for a text, and gives what came before it since the last one.
    fn until(&mut self, text: &str) -> String {
        let mut byte = [0];
        while !self.shown[self.read..].ends_with(text.as_bytes()) {
            let stdout = self.script.stdout.as_mut().unwrap();
            let read = if comes(&*stdout) { stdout.read(&mut byte).unwrap() } else { 0 };
            assert_eq!(read, 1, "no {text:?}: {:?}", String::from_utf8_lossy(&self.shown));
            self.shown.push(byte[0]);
        }
        let end = self.shown.len() - text.len();
        let begin = std::mem::replace(&mut self.read, self.shown.len());
        String::from_utf8_lossy(&self.shown[begin..end]).into_owned()
    }

    /// Two pictures: the first may have been on its way before something was done.
    fn pictures(&mut self) -> String {
        self.until(PICTURE) + &self.until(PICTURE)
    }

    /// What came until its end.
    fn rest(mut self) -> String {
        self.script.stdout.as_mut().unwrap().read_to_end(&mut self.shown).unwrap();
        self.script.wait().unwrap();
        String::from_utf8_lossy(&self.shown[self.read..]).into_owned()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal goes with script(1), and what runs in it is told so.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// In each picture once.
const PICTURE: &str = "libvendor.so";
const TOP: &str = "\"$PROGRAM\" top --every 50 --status-dir \"$FOLDER\"";
const DATA: &str = "--json \"$FOLDER/looks\"";
const ABOUT: &str = "echo exit $?; stty -a; echo told";

#[test]
fn a_terminal_is_as_it_was_whatever_ends_it() {
    for key in ["q", "\x03", "\x1b"] {
        let room = tempfile::tempdir().unwrap();
        put(room.path(), 1234, now());
        // ^C is for the whole foreground process group, and some shells end with it when the command
        // does not. A handler keeps them; where it was ignored, the command would ignore it too.
        let line = format!("trap : INT; {TOP}; {ABOUT}");
        let mut screen = Screen::open("sh", &line, room.path());
        let begin = screen.pictures();
        assert!(begin.starts_with(&format!("{ENTER}\x1b[H1 hosts")), "{begin:?}");
        screen.press(key);
        screen.until(LEAVE);
        let after = screen.rest();
        assert!(after.contains("exit 0"), "{key:?}: {after:?}");
        assert!(after.contains(" icanon") && after.contains(" echo "), "{key:?}: {after:?}");
    }
}

/// The looks of a `top` in a terminal, through a FIFO.
struct Looks(BufReader<File>);

impl Looks {
    /// It ends when its last writer does.
    fn open(folder: &Path) -> Self {
        let path = folder.join("looks");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        // Nobody is waited for when it is opened, but then for what is written.
        let flags = OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).unwrap();
        fcntl(&file, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        Self(BufReader::new(file))
    }

    /// Waits for a look that begins now or later.
    fn next_one(&mut self) {
        self.since(now());
    }

    fn since(&mut self, begin: u64) {
        loop {
            assert!(!self.0.buffer().is_empty() || comes(self.0.get_ref()), "it looks no more");
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let look: serde_json::Value = serde_json::from_str(&line).unwrap();
            if look["time_unix_ms"].as_u64().unwrap() >= begin {
                return;
            }
        }
    }
}

#[test]
fn a_terminal_is_given_back_while_it_is_stopped_or_in_the_background() {
    // bash does not send SIGCONT to a job that `bg` continued when it is put into the foreground.
    for shell in ["sh", "bash"] {
        let room = tempfile::tempdir().unwrap();
        put(room.path(), 1234, now());
        let mut looks = Looks::open(room.path());
        let line = format!(
            "set -m; {TOP} {DATA}; {ABOUT}; fg; {ABOUT}; bg; {ABOUT}; \
             read line; fg; {ABOUT}"
        );
        let mut screen = Screen::open(shell, &line, room.path());
        let is_restored = |about: &str, exit: &str| {
            assert!(about.contains(exit), "{shell}: {about:?}");
            assert!(about.contains(" icanon") && about.contains(" echo "), "{shell}: {about:?}");
        };
        for _ in 0..2 {
            let pictures = screen.pictures();
            assert!(pictures.contains(&format!("{ENTER}\x1b[H1 hosts")), "{shell}: {pictures:?}");
            screen.press("\x1a");
            screen.until(LEAVE);
            is_restored(&screen.until("told\r\n"), "exit 148"); // SIGTSTP is 20.
        }
        is_restored(&screen.until("told\r\n"), "exit 0"); // `bg`
        // When it looks the second time, it has shown what it saw the first time.
        looks.next_one();
        looks.next_one();
        screen.press("\n");
        let meanwhile = screen.until(ENTER);
        assert!(!meanwhile.contains(PICTURE), "{shell}: {meanwhile:?}");
        screen.pictures();
        screen.press("q");
        screen.until(LEAVE);
        is_restored(&screen.rest(), "exit 0");
    }
}

#[test]
fn begun_in_the_background_it_waits_for_its_terminal() {
    let room = tempfile::tempdir().unwrap();
    put(room.path(), 1234, now());
    let mut looks = Looks::open(room.path());
    // The shell opens it and stays, so there is a writer from the beginning.
    let line = format!(
        "exec 3>\"$FOLDER/looks\"; set -m; {TOP} {DATA} --every 3600000 & {ABOUT}; \
         read line; fg; {ABOUT}"
    );
    let mut screen = Screen::open("bash", &line, room.path());
    screen.until("told\r\n");
    looks.since(0);
    screen.press("\n");
    let meanwhile = screen.until(ENTER);
    assert!(!meanwhile.contains(PICTURE) && !meanwhile.contains("topped"), "{meanwhile:?}");
    screen.until(PICTURE);
    screen.press("q");
    assert!(screen.rest().contains("exit 0"));
}

#[test]
fn mistakes_are_named() {
    for (arguments, named) in
        [(&["--every", "1"][..], "--every"), (&["--times", "0"], "--times"), (&["more"], "more")]
    {
        let output = output(&mut top(Path::new("/nowhere"), arguments));
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}
