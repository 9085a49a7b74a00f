//! `cami-ipa report`: the page in a browser, and the trace events.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/session.rs"]
mod session;
mod support;

use std::path::{Path, PathBuf};

use browser::Browser;
use session::{OWN_PROFILE, Plan, write};
use support::{cami_ipa, code, output, stderr};

/// What a library prints that wants to be obeyed.
const HOSTILE: &str =
    "</code><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";

fn eventful() -> Plan {
    Plan {
        frames: 60,
        death: Some(20),
        failure: Some(40),
        line: HOSTILE.to_owned(),
        ..Plan::default()
    }
}

/// A folder with a recording and its page.
struct Room(tempfile::TempDir);

impl Room {
    fn with(plan: &Plan) -> Self {
        let room = tempfile::tempdir().unwrap();
        write(&room.path().join("session.camr"), plan);
        Self(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn report(&self, arguments: &[&str]) {
        let mut command = cami_ipa(&["report", "session.camr"]);
        let output = output(command.args(arguments).current_dir(self.0.path()));
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_page_is_one_file_that_obeys_nobody() {
    let room = Room::with(&eventful());
    room.report(&["--html", "page.html"]);
    let page = text(&room.path("page.html"));
    for forbidden in
        ["<script>document.title", "<img src=x", "http://", "https://", "<link", "onerror=\""]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;script&gt;document.title"));
    assert!(page.contains("default-src 'none'; img-src data:; style-src 'sha256-"));
    assert!(page.contains("killed by SIGSEGV in libvendor.so+0x1234"));
    assert!(page.contains("59 frames with statistics has a picture"));
    assert!(page.contains("What the library printed: 1 lines"));
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let room = Room::with(&eventful());
    room.report(&["--html", "page.html"]);
    browser.open(&room.path("page.html"));
    assert_eq!(browser.text("document.title"), "cami-ipa report");
    // Drawn: requests of all rows, both pictures, every chart.
    let drawn = browser.number("document.getElementById('lanes').dataset.drawn");
    assert!(drawn > 100.0, "{drawn}");
    let colours = "(() => { const c = document.getElementById('lanes'); \
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const all = new Set(); \
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) \
        all.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); return all.size; })()";
    assert!(browser.number(colours) > 8.0);
    browser.wait("document.getElementById('picture-rgb').naturalWidth === 80");
    browser.wait("document.getElementById('picture-af').naturalWidth === 65");
    for chart in ["exposure", "gains", "cct", "colour", "focus", "memory"] {
        let path = format!("document.querySelector('#{chart} path.line').getTotalLength()");
        assert!(browser.number(&path) > 100.0, "{chart}");
    }
    assert!(browser.number("document.querySelectorAll('.histograms svg rect').length") > 6.0);
    assert_eq!(browser.number("document.querySelectorAll('#exposure .mark.fault').length"), 1.0);
    // Zoom and pan by keys and by buttons.
    let span =
        "(() => { const d = document.getElementById('lanes').dataset; return d.to - d.from; })()";
    let whole = browser.number(span);
    browser.focus("#lanes");
    browser.key("+");
    browser.wait(&format!("{span} < {}", whole * 0.6));
    let from = browser.number("document.getElementById('lanes').dataset.from");
    browser.key("ArrowRight");
    browser.wait(&format!("document.getElementById('lanes').dataset.from > {from}"));
    browser.click("[data-action=whole]");
    browser.wait(&format!("{span} === {whole}"));
    browser.click("[data-action=in]");
    browser.wait(&format!("{span} < {}", whole * 0.6));
    // The death is found, and requests one after the other.
    browser.click("[data-action=fault]");
    browser
        .wait("/never answered|host 1 died/.test(document.getElementById('chosen').textContent)");
    browser.focus("#lanes");
    browser.key("n");
    browser.wait("document.getElementById('lanes').dataset.selected !== undefined");
    // Scrubbing shows another picture, and charts follow.
    let before = browser.text("document.getElementById('picture-rgb').src");
    browser.focus("#picture");
    browser.key("End");
    browser.wait("/^frame 59 /.test(document.getElementById('picture-text').textContent)");
    assert_ne!(browser.text("document.getElementById('picture-rgb').src"), before);
    let chart = browser.text("document.querySelector('#exposure output').textContent");
    assert_eq!(chart, "frame 59: 1.59 ms");
    // And the other way round.
    browser.focus("#exposure svg");
    browser.key("PageDown");
    browser.key("ArrowLeft");
    browser.wait("/^frame 58 /.test(document.getElementById('picture-text').textContent)");
    // Names for those who do not see it.
    let nameless = "[...document.querySelectorAll('button, input, canvas, svg, img')].filter((e) => \
        !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.alt || \
        e.textContent.trim())).length";
    assert_eq!(browser.number(nameless), 0.0);
    // Nothing is wider than the window, and nothing went wrong.
    for (width, dark) in [(1280, false), (1280, true), (400, false), (400, true)] {
        browser.window(width, dark);
        browser.wait(&format!("document.documentElement.scrollWidth <= {width}"));
    }
    assert_eq!(browser.text("document.title"), "cami-ipa report");
    browser.assert_no_errors();
}

#[test]
fn pages_of_other_profiles_and_of_nothing_work_too() {
    let Some(mut browser) = Browser::start() else { return };
    for plan in [
        Plan { profile: "mediatek".to_owned(), ..Plan::default() },
        Plan { profile: "unheard-of".to_owned(), ..Plan::default() },
        Plan { frames: 0, ..Plan::default() },
    ] {
        let room = Room::with(&plan);
        room.report(&["--html", "page.html"]);
        browser.open(&room.path("page.html"));
        assert!(browser.number("document.getElementById('lanes').dataset.drawn") >= 1.0);
        assert_eq!(browser.number("document.querySelectorAll('#statistics').length"), 0.0);
        browser.assert_no_errors();
    }
}

#[test]
fn some_frames_make_a_page_of_their_own() {
    let room = Room::with(&eventful());
    room.report(&["--frame", "10..15", "--html", "page.html", "--trace-events", "trace.json"]);
    let page = text(&room.path("page.html"));
    assert!(page.contains("<b>5</b><span>frames</span>"), "tiles");
    assert!(page.contains("Each of 5 frames with statistics"));
    assert!(!page.contains("killed by SIGSEGV"));
    let trace: serde_json::Value = serde_json::from_str(&text(&room.path("trace.json"))).unwrap();
    let frames = trace["traceEvents"].as_array().unwrap().iter();
    let frames: std::collections::BTreeSet<_> = frames
        .filter(|event| event["ph"] == "X")
        .map(|event| event["args"]["frame"].as_u64())
        .collect();
    assert_eq!(frames.len(), 5);
}

#[test]
fn a_profile_of_ones_own_gives_names_and_frames() {
    let room = Room::with(&Plan { profile: "/nowhere/own.toml".to_owned(), ..Plan::default() });
    let file = room.path("own.toml");
    std::fs::write(&file, OWN_PROFILE).unwrap();
    let own = ["--profile", file.to_str().unwrap(), "--frame", "3..5"];
    room.report(&[&["--html", "page.html", "--trace-events", "trace.json"], &own[..]].concat());
    let page = text(&room.path("page.html"));
    assert!(page.contains("\"measure\"") && page.contains("<b>2</b><span>frames</span>"));
    let trace: serde_json::Value = serde_json::from_str(&text(&room.path("trace.json"))).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert_eq!(events.iter().filter(|event| event["name"] == "measure").count(), 2);
    // Without it the page has numbers, and says why.
    room.report(&["--html", "page.html"]);
    let page = text(&room.path("page.html"));
    assert!(page.contains("profile /nowhere/own.toml: No such file") && !page.contains("measure"));
}

#[test]
fn trace_events_tell_processes_threads_counters_and_deaths() {
    let room = Room::with(&eventful());
    room.report(&["--trace-events", "trace.json"]);
    let trace: serde_json::Value = serde_json::from_str(&text(&room.path("trace.json"))).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |kind: &str| -> Vec<&str> {
        let all = events.iter().filter(|event| event["name"] == kind);
        all.map(|event| event["args"]["name"].as_str().unwrap()).collect()
    };
    assert_eq!(named("process_name"), ["host 1: libvendor.so", "host 2: libvendor.so", "camera"]);
    assert!(named("thread_name").contains(&"AIQ"), "{:?}", named("thread_name"));
    let exposure = |event: &&serde_json::Value| event["name"] == "exposure_time_us";
    assert_eq!(events.iter().filter(exposure).count(), 60);
    assert!(events.iter().filter(exposure).all(|event| event["pid"] == 3), "the camera's");
    // Nothing is used by who has died.
    let used = |event: &&serde_json::Value| event["name"] == "threads" && event["pid"] == 1;
    assert_eq!(events.iter().rfind(used).unwrap()["args"]["value"], 0);
    let died: Vec<_> = events.iter().filter(|event| event["name"] == "died").collect();
    assert_eq!(
        (died.len(), died[0]["ph"].as_str(), died[0]["pid"].as_u64()),
        (1, Some("i"), Some(1))
    );
    // Perfetto names a thread by its number alone.
    let mut of: std::collections::HashMap<u64, u64> = std::collections::HashMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X" || event["name"] == "thread_name")
    {
        let (pid, tid) = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        assert_eq!(*of.entry(tid).or_insert(pid), pid, "{event}");
        assert!(tid > 3, "neither 0 nor a process's: {event}");
    }
    // chrome://tracing takes the category for a part of a counter's name.
    assert!(events.iter().all(|event| event["ph"] == "M" || event["cat"].is_string()));
    assert!(trace.get("displayTimeUnit").is_none(), "some take it for the unit of times");
    // On one thread nothing overlaps: viewers would drop it.
    let mut ends: std::collections::HashMap<(u64, u64), f64> = std::collections::HashMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let (begin, took) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        let end = ends.entry(thread).or_default();
        assert!(begin >= *end - 0.001, "{event}");
        *end = begin + took;
    }
    assert!(events.iter().all(|event| event["ph"].is_string() && event["pid"].is_u64()));
}

#[test]
fn mistakes_are_named() {
    let room = Room::with(&Plan::default());
    for (arguments, named) in [
        (&[][..], "--html"),
        (&["--html"], "--html"),
        (&["--html", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--html", "x", "--frame", "99.."], "--frame"),
        (&["--html", "x", "--profile", "nobody's"], "--profile"),
        (&["--html", "x", "more"], "more"),
    ] {
        let mut command = cami_ipa(&["report", "session.camr"]);
        let output = output(command.args(arguments).current_dir(room.0.path()));
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{arguments:?}: {}", stderr(&output));
    }
}
