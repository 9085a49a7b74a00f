//! Shell scripts.

use crate::tool;

#[test]
fn shellcheck_finds_nothing() {
    let Some(mut shellcheck) = tool::find("shellcheck", "apt-get install shellcheck") else {
        return;
    };
    let repository = tool::repository();
    let scripts = ["x", ".ci/run", "packaging/install"].map(|script| repository.join(script));
    tool::succeed(shellcheck.args(scripts));
}

/// The scripts inside of the upstart job: `sh` runs them with `-e`.
#[test]
fn shellcheck_finds_nothing_in_the_upstart_job() {
    let Some(mut shellcheck) = tool::find("shellcheck", "apt-get install shellcheck") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for job in crate::upstart::JOBS {
        for (number, script) in crate::upstart::scripts(&tool::text(job)).iter().enumerate() {
            let path = folder.path().join(format!("{number}.sh"));
            std::fs::write(&path, format!("#!/bin/sh -e\n{script}")).unwrap();
            shellcheck.arg(path);
        }
    }
    tool::succeed(&mut shellcheck);
}
