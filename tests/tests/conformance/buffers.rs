//! What a HAL may register, and what it may not.

use cami_tests::Setup;
use std::io::Write as _;

/// The vendors' own code for a buffer that they cannot use.
const EBADFD: i32 = -libc::EBADFD;

#[test]
fn only_buffers_that_can_be_mapped_for_writing_are_registered() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    let before = hal.resources();
    assert_eq!(hal.call("reg closed 4096"), format!("reg {}", -libc::EBADF));
    assert_eq!(hal.call("reg zero 0"), format!("reg {EBADFD}"));
    assert_eq!(hal.call("reg readonly 4096"), format!("reg {EBADFD}"));
    assert_eq!(hal.call("reg pipe 0"), format!("reg {EBADFD}"));
    assert_eq!(hal.resources(), before, "a refused fd was kept");
    assert_eq!(hal.call("reg sealed 4096"), "reg 1");
    assert_eq!(hal.call("reg memfd 1"), "reg 2");
    assert_eq!(hal.resources(), before, "a registered fd was kept");
    hal.call("req 1 00 2");
    hal.event("return 1 ");
    assert_eq!(hal.call("peek 1 0 1"), "peek 01");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

/// A buffer whose size only lseek knows, as a dma-buf's (here a block device, which needs rights).
#[test]
fn buffer_sized_by_lseek_is_for_profiles_that_look_there() {
    for (profile, vendor, allowed) in [
        ("generic", "mediatek", true),
        ("mediatek", "mediatek", true),
        ("intel-ipu3", "ipu3", false),
    ] {
        let mut hal = Setup::new(vendor).with("CAMI_IPA_PROFILE", profile).start();
        assert_eq!(hal.call("init"), "init 0");
        let reply = hal.call("reg device 65536");
        if reply.starts_with("reg unavailable") {
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: this machine lets us make no block device ({reply})"
            );
            return;
        }
        assert_eq!(
            reply,
            if allowed { "reg 1".into() } else { format!("reg {EBADFD}") },
            "{profile}"
        );
        hal.call("dereg 1");
        hal.finish();
    }
}

#[test]
fn handles_of_deregistered_buffers_are_not_reused_by_us() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("reg memfd 4096"), "reg 1");
    hal.call("dereg 1 1 77 -1");
    assert_eq!(hal.call("reg memfd 4096"), "reg 2");
    hal.call("req 1 00 1");
    hal.event("return 1 ");
    hal.finish();
}

#[test]
fn wrong_arguments_and_wrong_order_are_answered() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("reg memfd 4096"), format!("reg {}", -libc::ECONNRESET));
    hal.call("req 1 00 1");
    hal.call("dereg 1");
    hal.call("updret 1 1 none");
    hal.call("deinit");
    assert_eq!(hal.call("init null"), format!("init {}", -libc::EINVAL));
    assert_eq!(hal.call("init empty"), format!("init {}", -libc::EINVAL));
    assert_eq!(hal.resources().processes, 0);
    assert_eq!(hal.call("init"), "init 0");
    hal.call("null");
    hal.call("updret 1 1 closed");
    hal.call("req 2 00 -1");
    hal.event("return 2 ");
    hal.call("deinit");
    hal.call("deinit");
    assert_eq!(hal.count("return 1 "), 0);
    hal.finish();
}

#[test]
fn wrong_configuration_is_one_line_and_a_negative_errno() {
    let mut hal = Setup::unconfigured().start();
    assert_eq!(hal.call("init"), format!("init {}", -libc::ENOENT));
    hal.log.wait(&["vendor_library"]);
    assert_eq!(hal.resources().processes, 0);
    hal.finish();

    let mut hal = Setup::new("plain").with("CAMI_IPA_HOST", "/nonexistent/cros_ipa_proxy").start();
    assert_eq!(hal.call("init"), format!("init {}", -libc::ENOENT));
    hal.log.wait(&["CAMI_IPA_HOST", "/nonexistent/cros_ipa_proxy"]);
    hal.finish();

    let mut hal = Setup::new("plain").with("CAMI_IPA_PROFILE", "no-such-profile").start();
    let reply = hal.call("init");
    assert!(reply.starts_with("init -"), "{reply}");
    hal.log.wait(&["profile", "no-such-profile"]);
    hal.finish();

    // Our own shim as the vendor library would start itself without end.
    let mut hal = Setup::new("plain").start();
    hal.room.install_shim("libvendor.so");
    assert_eq!(hal.call("init"), format!("init {}", -libc::ELOOP));
    hal.log.wait(&["libvendor.so"]);
    std::fs::write(hal.room.path("libvendor.so"), "not a library at all").unwrap();
    assert_eq!(hal.call("init"), format!("init {}", -libc::ENOEXEC));
    hal.log.wait(&["libvendor.so", "not an ELF file"]);
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}
