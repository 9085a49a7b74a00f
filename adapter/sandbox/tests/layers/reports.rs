//! The report tells the truth where layers cannot be had.

use cami_sandbox::{Files, Layer, Plan, probe};
use nix::sys::wait::WaitStatus;

use crate::child::in_child;
use crate::outer::{Answer, Program};

/// The report of a process that `prepare` has put into its place.
#[track_caller]
fn report(prepare: impl FnOnce()) -> serde_json::Value {
    let (said, status) = in_child(|| {
        prepare();
        let plan = Plan::new(Files::for_library(None, &[], &[], &[]), Vec::new());
        let report = probe(&plan);
        serde_json::json!({ "text": report.to_string(), "report": report.to_json() }).to_string()
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "the prober itself ended: {status:?}");
    serde_json::from_str(&said).unwrap()
}

#[track_caller]
fn expect(report: &serde_json::Value, missing: &[(Layer, &str)]) {
    for layer in report["report"]["layers"].as_array().unwrap() {
        let name = layer["name"].as_str().unwrap();
        let expected = missing.iter().find(|(layer, _)| layer.name() == name);
        match expected {
            None => assert_eq!(layer["engaged"], true, "{name}: {}", report["text"]),
            Some((_, why)) => {
                assert_eq!(layer["engaged"], false, "{name}: {}", report["text"]);
                let reason = layer["reason"].as_str().unwrap();
                assert!(reason.contains(why), "{name}: {reason}");
            }
        }
    }
}

/// Puts this process under a filter that lets everything through but `calls`.
fn restrict(answer: Answer, calls: &[i64]) {
    Program::new(answer, calls).install().unwrap();
}

const NAMESPACES: [Layer; 5] = [Layer::Net, Layer::Ipc, Layer::Uts, Layer::Pid, Layer::Mount];

fn with_namespaces<'a>(mut missing: Vec<(Layer, &'a str)>, why: &'a str) -> Vec<(Layer, &'a str)> {
    missing.extend(NAMESPACES.map(|layer| (layer, why)));
    missing
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn everything_engages_here() {
    expect(&report(|| ()), &[]);
}

#[test]
fn user_namespaces_refused_by_an_outer_filter() {
    let report = report(|| restrict(Answer::Errno(libc::EPERM), &[libc::SYS_unshare]));
    let missing = with_namespaces(vec![(Layer::User, "outer seccomp filter")], "outer seccomp");
    expect(&report, &missing);
}

#[test]
fn user_namespaces_forbidden_by_sysctl() {
    // Its own user namespace, whose counts it may set.
    let report = report(|| {
        let mut outcomes = cami_sandbox::Outcomes::new();
        crate::child::plan(&[Layer::User], Files::default()).enter(&mut outcomes);
        outcomes.check().unwrap();
        std::fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
        std::fs::write("/proc/sys/user/max_net_namespaces", "0").unwrap();
    });
    let missing = [
        (Layer::User, "user.max_user_namespaces is 0"),
        (Layer::Net, "user.max_net_namespaces is 0"),
    ];
    expect(&report, &missing);
}

#[test]
fn landlock_hidden_by_an_outer_filter() {
    let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_restrict_self];
    let report = report(|| restrict(Answer::Errno(libc::ENOSYS), &calls));
    expect(&report, &[(Layer::Landlock, "landlock_create_ruleset")]);
}

#[test]
fn seccomp_refused_by_an_outer_filter() {
    let report = report(|| restrict(Answer::Errno(libc::EINVAL), &[libc::SYS_seccomp]));
    expect(&report, &[(Layer::Seccomp, "outer seccomp filter")]);
}

#[test]
fn container_that_kills_for_all_of_it_kills_the_trial_alone() {
    let calls = [
        libc::SYS_unshare,
        libc::SYS_mount,
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_restrict_self,
        libc::SYS_seccomp,
    ];
    let report = report(|| restrict(Answer::Kill, &calls));
    let kills = "outer seccomp filter kills for it";
    let missing = with_namespaces(
        vec![(Layer::User, kills), (Layer::Landlock, kills), (Layer::Seccomp, kills)],
        kills,
    );
    expect(&report, &missing);
}

#[test]
fn read_only_mounts_are_had_without_mount_setattr() {
    let report = report(|| restrict(Answer::Errno(libc::ENOSYS), &[libc::SYS_mount_setattr]));
    expect(&report, &[]);
}

#[test]
fn unmapped_user_as_in_libcameras_namespace() {
    let report = report(|| {
        let flags = nix::sched::CloneFlags::CLONE_NEWUSER | nix::sched::CloneFlags::CLONE_NEWNET;
        nix::sched::unshare(flags).unwrap();
        // As libcamera: the program is executed anew, which costs the capabilities.
        crate::child::lose_capabilities();
    });
    let mut missing = with_namespaces(vec![(Layer::User, "unmapped uid")], "no privileges");
    // Its network namespace is as good as one of our own.
    missing.retain(|(layer, _)| *layer != Layer::Net);
    expect(&report, &missing);
    assert_eq!(report["report"]["layers"][1]["inherited"], true);
}

#[test]
fn chroot_is_named() {
    if !is_root() {
        println!("SKIPPED: only root makes a chroot");
        return;
    }
    // The child must not be the one who removes it: it has the machine's own folders in it.
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let report = report(|| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        let bind = nix::mount::MsFlags::MS_BIND | nix::mount::MsFlags::MS_REC;
        let private = nix::mount::MsFlags::MS_PRIVATE | nix::mount::MsFlags::MS_REC;
        nix::mount::mount(none, "/", none, private, none).unwrap();
        for name in ["proc", "usr", "dev"] {
            let place = room.join(name);
            std::fs::create_dir(&place).unwrap();
            let source = format!("/{name}");
            nix::mount::mount(Some(source.as_str()), &place, none, bind, none).unwrap();
        }
        nix::unistd::chroot(room).unwrap();
        std::env::set_current_dir("/").unwrap();
    });
    expect(&report, &[(Layer::User, "chroot"), (Layer::Mount, "chroot")]);
}
