//! The process's own settings, and further filters of ours.

use nix::errno::Errno;

use super::{CHROMEOS, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::Confinement);

/// EINVAL is what a kernel says that does not know the option. Missing on purpose:
/// `PR_SET_PDEATHSIG` (the process ends with the monitor), `PR_SET_DUMPABLE` (the monitor reads what
/// is left of it), `PR_SET_PTRACER`, `PR_SET_MM`, `PR_SET_SECCOMP`, `PR_SET_CHILD_SUBREAPER`.
const OPTIONS: &[Limit] = &[int(
    0,
    "option",
    Test::OneOf(&[
        Named("PR_GET_PDEATHSIG", 2),
        Named("PR_GET_DUMPABLE", 3),
        Named("PR_GET_KEEPCAPS", 7),
        Named("PR_SET_NAME", 15),
        Named("PR_GET_NAME", 16),
        Named("PR_GET_SECCOMP", 21),
        Named("PR_CAPBSET_READ", 23),
        Named("PR_GET_SECUREBITS", 27),
        Named("PR_SET_TIMERSLACK", 29),
        Named("PR_GET_TIMERSLACK", 30),
        Named("PR_GET_CHILD_SUBREAPER", 37),
        Named("PR_SET_NO_NEW_PRIVS", 38),
        Named("PR_GET_NO_NEW_PRIVS", 39),
        Named("PR_SET_THP_DISABLE", 41),
        Named("PR_GET_THP_DISABLE", 42),
        Named("PR_SVE_SET_VL", 50),
        Named("PR_SVE_GET_VL", 51),
        Named("PR_GET_SPECULATION_CTRL", 52),
        Named("PR_PAC_RESET_KEYS", 54),
        Named("PR_SET_TAGGED_ADDR_CTRL", 55),
        Named("PR_GET_TAGGED_ADDR_CTRL", 56),
        Named("PR_SME_SET_VL", 63),
        Named("PR_SME_GET_VL", 64),
        Named("PR_SET_MDWE", 65),
        Named("PR_GET_MDWE", 66),
        Named("PR_SET_VMA", 0x5356_4d41),
    ]),
    Errno::EINVAL,
    "the others undo the sandbox, or hide the process from the monitor",
)];

const PERSONA: &[Limit] = &[int(
    0,
    "persona",
    Test::OneOf(&[Named("PER_LINUX", 0), Named("0xffffffff", 0xffff_ffff)]),
    Errno::EPERM,
    "READ_IMPLIES_EXEC makes all readable memory executable",
)];

const FILTERS: &[Limit] = &[
    int(
        0,
        "operation",
        Test::OneOf(&[Named("SECCOMP_SET_MODE_FILTER", 1)]),
        Errno::EPERM,
        "the second filter is installed with this operation",
    ),
    int(
        1,
        "flags",
        Test::OneOf(&[Named("0", 0), Named("SECCOMP_FILTER_FLAG_TSYNC", 1)]),
        Errno::EPERM,
        "a listener would answer its own calls",
    ),
    Limit {
        argument: 0,
        name: "operation",
        width: Width::Int,
        test: Test::Never,
        otherwise: Answer::Errno(Errno::EPERM),
        since: Since::Running,
        reason: "the last filter is there",
    },
];

pub(super) const RULES: &[Rule] = &[
    OF.limited("prctl", OPTIONS, "names of threads and mappings", CHROMEOS),
    OF.limited("personality", PERSONA, "which personality it is", CHROMEOS),
    OF.limited("seccomp", FILTERS, "the second filter, once initialize has returned", "this crate"),
];
