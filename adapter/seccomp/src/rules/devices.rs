//! Devices: which ioctls. Those of dma-bufs and GPUs are added by configuration.

use nix::errno::Errno;

use super::{CHROMEOS, Of, int};
use crate::rule::{Answer, Intent, Limit, Named, Rule, Since, Test, Width};

const OF: Of = Of(Intent::Devices);

/// Numbers that no configuration can allow.
pub(crate) const NEVER: &[Named] = &[Named("TIOCSTI", 0x5412), Named("TIOCLINUX", 0x541c)];

/// ENOTTY is what a descriptor says that does not know the number.
const IOCTLS: &[Limit] = &[
    Limit {
        argument: 1,
        name: "op",
        width: Width::Int,
        test: Test::NoneOf(NEVER),
        otherwise: Answer::Kill,
        since: Since::Loading,
        reason: "they type into the terminal of whoever started the HAL",
    },
    int(
        1,
        "op",
        Test::OneOfOrConfigured(&[
            Named("TCGETS", 0x5401),
            Named("TIOCGWINSZ", 0x5413),
            Named("FIONREAD", 0x541b),
            Named("FIONBIO", 0x5421),
            Named("FIONCLEX", 0x5450),
            Named("FIOCLEX", 0x5451),
            Named("TCGETS2", 0x802c_542a),
        ]),
        Errno::ENOTTY,
        "every driver is code of the kernel; those that are needed are named in sandbox.ioctl",
    ),
];

pub(super) const RULES: &[Rule] =
    &[OF.limited("ioctl", IOCTLS, "isatty, flags of descriptors, configured devices", CHROMEOS)];
