//! A browser without a window: Chromium, spoken to by its DevTools protocol over two pipes
//! (`--remote-debugging-pipe`: JSON messages that end with a zero byte).
//!
//! It is `CAMI_IPA_CHROMIUM`, or else the first of chromium, chromium-browser and google-chrome in
//! PATH. Where there is none, the test says that it is skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a failure here is the test's failure; not every test uses everything"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser of its own.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    next: u64,
    session: String,
    errors: Vec<String>,
    loaded: u64,
    _room: tempfile::TempDir,
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CAMI_IPA_CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    })
}

impl Browser {
    /// Starts one; `None`, with a word, where there is none.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("SKIPPED: there is no Chromium here (CAMI_IPA_CHROMIUM names one)");
            return None;
        };
        let room = tempfile::tempdir().unwrap();
        let (to, from) = (room.path().join("to"), room.path().join("from"));
        for pipe in [&to, &from] {
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        // The descriptors are 3 and 4, which only a shell gives without unsafe code.
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$TO\" 4>\"$FROM\""])
            .arg(program)
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", room.path().join("profile").display()))
            .arg("about:blank")
            .env("TO", &to)
            .env("FROM", &from)
            .env("HOME", room.path())
            // Killed, it leaves folders of its own behind.
            .env("TMPDIR", room.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // It has processes of its own, which are to end with it.
            .process_group(0)
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let mut browser = Self {
            child,
            to,
            from,
            next: 0,
            session: String::new(),
            errors: Vec::new(),
            loaded: 0,
            _room: room,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.window(1280, false);
        Some(browser)
    }

    /// Calls a method and waits for its answer.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.message();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The next message; what goes wrong in the page is remembered.
    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let wrong = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => message["params"]["entry"]["level"] == "error",
            Some("Runtime.consoleAPICalled") => ["error", "warning", "assert"]
                .contains(&message["params"]["type"].as_str().unwrap()),
            Some("Page.loadEventFired") => {
                self.loaded += 1;
                false
            }
            _ => false,
        };
        if wrong {
            self.errors.push(message["params"].to_string());
        }
        message
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&mut self, page: &Path) {
        let before = self.loaded;
        self.call("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        while self.loaded == before {
            self.message();
        }
    }

    /// What an expression is.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// The same, which is a text.
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// The same, which is a number, or a text that is one.
    pub fn number(&mut self, expression: &str) -> f64 {
        let value = self.value(&format!("Number({expression})"));
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(&format!("Boolean({expression})")) != true {
            assert!(begin.elapsed() < PATIENCE, "it does not come true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Brings an element into focus.
    pub fn focus(&mut self, selector: &str) {
        let focused = "document.activeElement === e && e !== document.body";
        let expression = format!(
            "(() => {{ const e = document.querySelector('{selector}'); e.focus(); return {focused}; }})()"
        );
        assert_eq!(self.value(&expression), true, "{selector} takes no focus");
    }

    /// Presses a key.
    pub fn key(&mut self, key: &str) {
        let code = match key {
            "End" => 35,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "PageDown" => 34,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let mut parameters =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if key.len() == 1 && kind == "keyDown" {
                parameters["text"] = json!(key);
            }
            self.call("Input.dispatchKeyEvent", parameters);
        }
    }

    /// Clicks on the middle of an element, as a mouse does.
    pub fn click(&mut self, selector: &str) {
        let place = format!(
            "(() => {{ const e = document.querySelector('{selector}'); \
             e.scrollIntoView({{ block: 'center' }}); const b = e.getBoundingClientRect(); \
             return [b.left + b.width / 2, b.top + b.height / 2]; }})()"
        );
        let place = self.value(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", parameters);
        }
    }

    /// Sets the window's width, and what the user prefers.
    pub fn window(&mut self, width: u32, dark: bool) {
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Nothing was complained about so far.
    pub fn assert_no_errors(&mut self) {
        // What was said before this answer has arrived with it.
        self.value("1");
        assert_eq!(self.errors, Vec::<String>::new());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
