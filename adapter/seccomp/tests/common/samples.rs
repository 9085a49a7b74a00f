//! Calls to try, made of the description: for each limit values that it lets through, and their
//! neighbours that it does not. What is expected is worked out here once more, from what the rule
//! says and without the crate's own code.

use cami_seccomp::{
    Answer, Arch, Limit, Named, Options, Phase, Rule, Since, Test, Tier, Verdict, Width, rules,
    system_call_number,
};
use nix::errno::Errno;

/// A call, and what shall become of it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub number: i64,
    pub arguments: [u64; 6],
    pub expected: Verdict,
}

/// What a register may hold above an `int`, and the kernel does not see.
const ABOVE: u64 = 0x5a5a_5a5a_0000_0000;

/// The samples of all rules, and some calls that no rule names.
pub fn all(arch: Arch, phase: Phase, options: &Options) -> Vec<Sample> {
    let mut samples = Vec::new();
    for rule in rules() {
        let Some(number) = system_call_number(arch, rule.call) else { continue };
        let mut add = |arguments: [u64; 6]| {
            samples.push(Sample {
                name: format!("{} {arguments:x?}", rule.call),
                number,
                arguments,
                expected: expected(rule, phase, options, arguments),
            });
        };
        let base = harmless(rule);
        add(base);
        for limit in rule.limits {
            for value in values(limit, options) {
                let mut arguments = base;
                arguments[usize::from(limit.argument)] = value;
                add(arguments);
            }
        }
    }
    samples.extend(unknown().map(|number| Sample {
        name: format!("call {number:#x}"),
        number,
        arguments: [0; 6],
        expected: Verdict::Errno(Errno::ENOSYS),
    }));
    samples
}

/// Numbers that no table knows, those of x32 among them.
fn unknown() -> impl Iterator<Item = i64> {
    [400, 1000, 0x3fff_ffff, 0x4000_0000, 0x4000_0000 + 77, 0x4000_0200, 0x7fff_ffff].into_iter()
}

/// Arguments that all limits of a rule let through, in every phase in which that is possible.
fn harmless(rule: &Rule) -> [u64; 6] {
    let mut arguments = [0; 6];
    for limit in rule.limits {
        if let Test::OneOf(values) | Test::OneOfOrConfigured(values) = limit.test {
            arguments[usize::from(limit.argument)] = u64::from(values[0].1);
        }
    }
    arguments
}

fn values(limit: &Limit, options: &Options) -> Vec<u64> {
    let named = |values: &[Named]| values.iter().map(|named| named.1).collect::<Vec<u32>>();
    let around = |values: &[u32]| {
        let each =
            values.iter().flat_map(|v| [*v, v.wrapping_sub(1), v.wrapping_add(1), v ^ 0x8000_0000]);
        each.map(u64::from).collect::<Vec<u64>>()
    };
    let mut found = match limit.test {
        Test::OneOf(values) | Test::NoneOf(values) => around(&named(values)),
        Test::OneOfOrConfigured(values) => {
            let mut all = named(values);
            all.extend(&options.ioctls);
            around(&all)
        }
        Test::NoBits(bits) => {
            let all = named(bits).into_iter().fold(0, |all, bit| all | bit);
            let mut found: Vec<u64> = named(bits).into_iter().map(u64::from).collect();
            found.extend((0..32).map(|bit| 1_u64 << bit));
            found.extend([u64::from(all), u64::from(!all), u64::from(u32::MAX)]);
            found
        }
        Test::NotBoth(one, other) => {
            let both = one.1 | other.1;
            [one.1, other.1, both, both | 1, !one.1, !other.1, !both, u32::MAX]
                .map(u64::from)
                .into()
        }
        Test::Null => vec![1, 1 << 31, 1 << 32, 1 << 63, u64::MAX],
        Test::OwnProcess | Test::Never => vec![1, u64::MAX],
    };
    found.push(0);
    let as_in_kernel: Vec<u64> = found.iter().map(|value| value | ABOVE).collect();
    found.extend(as_in_kernel);
    found
}

fn expected(rule: &Rule, phase: Phase, options: &Options, arguments: [u64; 6]) -> Verdict {
    match rule.tier {
        Tier::Kill => return Verdict::Kill,
        Tier::Refuse(errno) => return Verdict::Errno(errno),
        Tier::Allow => {}
    }
    let broken: Vec<Answer> = rule
        .limits
        .iter()
        .filter(|limit| match limit.since {
            Since::Loading => true,
            Since::LoadingUnlessMayTruncate => !options.may_truncate,
            Since::Running => phase == Phase::Running,
        })
        .filter(|limit| !passes(limit, options, arguments[usize::from(limit.argument)]))
        .map(|limit| limit.otherwise)
        .collect();
    if broken.contains(&Answer::Kill) {
        return Verdict::Kill;
    }
    match broken.first() {
        Some(Answer::Errno(errno)) => Verdict::Errno(*errno),
        _ => Verdict::Allow,
    }
}

fn passes(limit: &Limit, options: &Options, argument: u64) -> bool {
    #[allow(clippy::cast_possible_truncation, reason = "as the kernel does")]
    let int = argument as u32;
    let among = |values: &[Named]| values.iter().any(|named| named.1 == int);
    assert!(limit.width == Width::Int || matches!(limit.test, Test::Null | Test::Never));
    match limit.test {
        Test::OneOf(values) => among(values),
        Test::OneOfOrConfigured(values) => among(values) || options.ioctls.contains(&int),
        Test::NoneOf(values) => !among(values),
        Test::NoBits(bits) => bits.iter().all(|named| named.1 & int == 0),
        Test::NotBoth(one, other) => one.1 & int == 0 || other.1 & int == 0,
        Test::Null => argument == 0,
        Test::OwnProcess => true,
        Test::Never => false,
    }
}
