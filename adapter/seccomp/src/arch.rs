//! The two architectures, and the names and numbers of their system calls.
//!
//! The tables are the `syscalls` crate's, which is generated from the kernel's.

use std::fmt;

use syscalls::{aarch64, x86_64};

/// An architecture that filters can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86, without x32.
    X86_64,
    /// 64-bit Arm, without 32-bit Arm.
    Aarch64,
}

impl Arch {
    /// Both.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// The one that this code was built for.
    #[must_use]
    pub const fn current() -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self::X86_64;
        #[cfg(target_arch = "aarch64")]
        return Self::Aarch64;
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        compile_error!("the system call filter is described for x86_64 and aarch64 only");
    }

    /// The name, as in `uname -m`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The architecture with that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One call, two names: the kernel's header for aarch64 knows it as `newfstatat` too
/// (linux `include/uapi/asm-generic/unistd.h`), the table's only name is the other.
const NEWFSTATAT: &str = "newfstatat";
const TABLES_NAME: &str = "fstatat";

/// The name of a system call, for people: of the number in a SIGSYS, say.
#[must_use]
pub fn system_call_name(arch: Arch, number: i64) -> Option<&'static str> {
    let number = usize::try_from(number).ok()?;
    let name = match arch {
        Arch::X86_64 => x86_64::Sysno::new(number)?.name(),
        Arch::Aarch64 => aarch64::Sysno::new(number)?.name(),
    };
    Some(if name == TABLES_NAME { NEWFSTATAT } else { name })
}

/// The number of a system call; `None` where the architecture has no such call.
#[must_use]
pub fn system_call_number(arch: Arch, name: &str) -> Option<i64> {
    let number = match arch {
        Arch::X86_64 => i64::from(name.parse::<x86_64::Sysno>().ok()?.id()),
        Arch::Aarch64 => {
            let name = if name == NEWFSTATAT { TABLES_NAME } else { name };
            i64::from(name.parse::<aarch64::Sysno>().ok()?.id())
        }
    };
    Some(number)
}

/// All system calls of an architecture, by number.
pub fn system_call_names(arch: Arch) -> impl Iterator<Item = (i64, &'static str)> {
    // Above the last of either table; numbers without a name are left out.
    const END: i64 = 1024;
    (0..END).filter_map(move |number| Some((number, system_call_name(arch, number)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_is_the_architecture_of_this_build() {
        assert_eq!(Arch::current().name(), std::env::consts::ARCH);
    }

    #[test]
    fn names_and_numbers_are_the_kernels() {
        for (arch, number, name) in [
            (Arch::X86_64, 0, "read"),
            (Arch::X86_64, 262, "newfstatat"),
            (Arch::X86_64, 462, "mseal"),
            (Arch::Aarch64, 63, "read"),
            (Arch::Aarch64, 79, "newfstatat"),
            (Arch::Aarch64, 462, "mseal"),
        ] {
            assert_eq!(system_call_name(arch, number), Some(name));
            assert_eq!(system_call_number(arch, name), Some(number));
        }
        assert_eq!(system_call_number(Arch::Aarch64, "open"), None);
        assert_eq!(system_call_name(Arch::X86_64, -1), None);
        assert_eq!(system_call_name(Arch::X86_64, 0x4000_0000), None);
    }

    #[test]
    fn every_number_is_found_again_by_its_name() {
        for arch in Arch::ALL {
            for (number, name) in system_call_names(arch) {
                assert_eq!(system_call_number(arch, name), Some(number), "{arch} {name}");
            }
        }
    }
}
