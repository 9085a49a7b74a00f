//! An interpreter of what the kernel runs, so that the filter of an architecture is tested on any
//! (linux `kernel/seccomp.c`, `seccomp_check_filter`: the instructions that it takes).

use cami_seccomp::{Arch, BpfProgram, Verdict};
use nix::errno::Errno;

/// `AUDIT_ARCH_X86_64`, `AUDIT_ARCH_AARCH64` (linux `include/uapi/linux/audit.h`).
pub fn audit_arch(arch: Arch) -> u32 {
    match arch {
        Arch::X86_64 => 0xc000_003e,
        Arch::Aarch64 => 0xc000_00b7,
    }
}

/// What all programs together answer, the last of them installed last.
pub fn run(programs: &[BpfProgram], audit_arch: u32, number: u32, arguments: [u64; 6]) -> Verdict {
    let mut data = Vec::with_capacity(64);
    data.extend(number.to_le_bytes());
    data.extend(audit_arch.to_le_bytes());
    data.extend(0_u64.to_le_bytes());
    for argument in arguments {
        data.extend(argument.to_le_bytes());
    }
    let mut strongest = 0x7fff_0000;
    for program in programs.iter().rev() {
        let answer = one(program, &data);
        // As in the kernel: signed, so that the end of the process comes before all.
        if (answer & 0xffff_0000).cast_signed() < (strongest & 0xffff_0000_u32).cast_signed() {
            strongest = answer;
        }
    }
    match strongest & 0xffff_0000 {
        0x7fff_0000 => Verdict::Allow,
        0x8000_0000 => Verdict::Kill,
        0x0005_0000 => Verdict::Errno(Errno::from_raw(i32::try_from(strongest & 0xffff).unwrap())),
        other => panic!("an answer that no program gives: {other:#x}"),
    }
}

fn one(program: &BpfProgram, data: &[u8]) -> u32 {
    assert!(program.len() <= 4096, "the kernel takes no longer program");
    let mut accumulator = 0_u32;
    let mut at = 0;
    loop {
        let instruction = &program[at];
        let k = instruction.k;
        at += 1;
        let mut jump = |condition: bool| {
            at += usize::from(if condition { instruction.jt } else { instruction.jf });
        };
        match instruction.code {
            0x20 => {
                assert!(k.is_multiple_of(4), "the kernel refuses an offset that is not aligned");
                let offset = usize::try_from(k).unwrap();
                accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap());
            }
            0x54 => accumulator &= k,
            0x05 => at += usize::try_from(k).unwrap(),
            0x15 => jump(accumulator == k),
            0x25 => jump(accumulator > k),
            0x35 => jump(accumulator >= k),
            0x45 => jump(accumulator & k != 0),
            0x06 => return k,
            other => panic!("an instruction that is not known here: {other:#x}"),
        }
    }
}
