//! What commands there are: the overview, and the help of each.

use crate::{
    compare, conform, ipu3, learn, options, policy, probe, recorder, replay, report, run_options,
    serve, show, status, top,
};

/// A command, as the overview tells it.
struct Topic {
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    help: &'static str,
}

const fn topic(
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    help: &'static str,
) -> Topic {
    Topic { name, arguments, does, help }
}

/// All commands, by what somebody wants.
const GROUPS: [(&str, &[Topic]); 5] = [
    (
        "run a library",
        &[
            topic("run", "", "act as a camera HAL against a virtual camera", run_options::HELP),
            topic("serve", "", "run a library for each client that connects", serve::SERVE_HELP),
            topic("compare", "", "libraries and libcamera's own 3A in one loop", compare::HELP),
        ],
    ),
    (
        "see what is wrong on a machine",
        &[
            topic("doctor", "", "what works here, what does not, what to do", options::DOCTOR_HELP),
            topic("status", "", "the hosts that run, and why the last ones died", status::HELP),
            topic("top", "", "the same live: rates, latencies, memory", top::HELP),
        ],
    ),
    (
        "examine a library",
        &[
            topic("probe", "LIBRARY...", "without loading it: what it is and needs", probe::HELP),
            topic("conform", "LIBRARY", "whether it keeps the ABI's rules", conform::HELP),
            topic("learn", "LIBRARY", "what it uses of the system", learn::HELP),
            topic("policy", "", "which system calls it may use, and why", policy::HELP),
        ],
    ),
    (
        "record and replay",
        &[
            topic("record", "COMMAND...", "record what a HAL and a library say", recorder::HELP),
            topic("replay", "FILE", "ask a library the same, and compare", replay::options::HELP),
            topic("show", "FILE", "print a recording", show::HELP),
            topic("report", "FILE --html OUT", "make a page of a recording", report::HELP),
        ],
    ),
    ("tune", &[topic("ipu3", "ACTION FILE...", "convert and show IPU3 files", ipu3::HELP)]),
];

/// The help of a command, if there is one of that name.
pub fn help(name: &str) -> Option<&'static str> {
    let topics = || GROUPS.iter().flat_map(|(_, topics)| topics.iter());
    topics().find(|topic| topic.name == name).map(|topic| topic.help)
}

/// What `cami-ipa help` prints.
pub fn overview() -> String {
    let mut text = String::from(
        "cami-ipa - closed ChromeOS camera 3A libraries in a process of their own\n\n\
         usage: cami-ipa COMMAND [OPTION...]\n",
    );
    for (wish, topics) in GROUPS {
        text.push_str(&format!("\n{wish}:\n"));
        for Topic { name, arguments, does, .. } in topics {
            let call = format!("{name} {arguments}");
            text.push_str(&format!("  {call:24}{does}\n"));
        }
    }
    text.push_str(
        "\n  help [COMMAND]          this, or a command's options\n  --version\n\n\
         exit codes: 0 done; 1 what was examined falls short; 2 wrong usage or environment\n",
    );
    text
}
