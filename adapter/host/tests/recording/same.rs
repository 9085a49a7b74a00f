//! What goes wrong on the link is seen by both sides as it is where nobody records.

use std::os::fd::OwnedFd;

use crate::common::{Host, Incoming, Setup, buffer};
use crate::room::*;
use cami_wire::cros::{PROTOCOL_VERSION, UpdateReturn};

/// The same, without and with a recording; what it was.
fn both<T: PartialEq + std::fmt::Debug>(run: impl Fn(Setup) -> T) -> T {
    let room = Room::new();
    let (without, with) = (run(Setup::new()), run(room.setup("x.camr")));
    assert_eq!(without, with, "without and with");
    with
}

/// It ends by itself, because nobody can tell it anything any more. What it still says may come or not.
#[test]
fn a_library_that_shuts_its_receiving_side_down() {
    let (sent, code) = both(|setup| {
        let mut host = setup.start();
        let _memory = host.ready();
        send(&host, 49, &[]);
        loop {
            match host.next() {
                Incoming::Closed => break,
                Incoming::Returned(returned) => assert_eq!(returned.req_id, 49),
                other => panic!("{other:?}"),
            }
        }
        // The link is over for the client too.
        let message = [std::io::IoSlice::new(&[0; 12])];
        let sent = host.link.send(&message, &[], std::time::Duration::ZERO);
        (format!("{sent:?}"), host.wait().0)
    });
    assert_eq!((sent.as_str(), code), ("Err(Closed)", Some(1)));
}

#[test]
fn descriptors_that_do_not_fit_into_the_vendor_process() {
    let told = both(|setup| {
        let mut setup = setup;
        setup.max_files = Some(200);
        let mut host = setup.start();
        let _memory = host.ready();
        send(&host, 23, &[]);
        assert!(matches!(host.next(), Incoming::Updated(5, _, true)));
        let lent = host.last_fd.take().unwrap();
        assert_eq!(answer(&mut host), (23, 0));
        send(&host, 52, &[]);
        let full = answer(&mut host);
        let registered = host.register(&[&buffer(4096)]);
        let back = UpdateReturn { upd_id: 5, status: 0, has_fd: true };
        host.send(&back.encode(77), &[&lent]);
        let back = answer(&mut host);
        // All else goes on.
        send(&host, 45, b"x");
        let after = answer(&mut host);
        leave(host);
        [full, (registered.cast_unsigned(), 0), back, after]
    });
    let emfile = libc::EMFILE.cast_unsigned();
    let no_buffer = (-libc::EMFILE).cast_unsigned();
    assert_eq!(told, [(52, emfile), (no_buffer, 0), (1005, u32::MAX), (45, 0)]);
}

/// As many as fit into the vendor process, and no fewer because copies of them are held for a recording.
#[test]
fn descriptors_that_would_not_fit_into_the_monitor_beside_those_of_a_recording() {
    let most = |setup: Setup| {
        let mut setup = setup.variable("CAMI_IPA_ENVIRONMENT", "HANDLES=1");
        setup.max_files = Some(150);
        let mut host: Host = setup.start();
        assert_eq!(host.init(PROTOCOL_VERSION).ret, 0);
        assert_eq!(host.start_library(), 0);
        let memory: OwnedFd = buffer(4096);
        let mut handles = Vec::new();
        while handles.last().is_none_or(|&handle| handle >= 0) {
            handles.push(host.register(&[&memory]));
        }
        host.request(1, &[0x56]);
        assert_eq!(answer(&mut host).0, 1);
        (handles, leave(host))
    };
    let room = Room::new();
    let (without, _) = most(Setup::new());
    let (with, log) = most(room.setup("x.camr"));
    assert_eq!(without, with);
    assert_eq!(with.last(), Some(&-libc::EMFILE));
    assert!(with.len() > 100, "{}", with.len());
    let ends = log.lines().filter(|line| line.contains("the recording ends here")).count();
    assert_eq!(ends, 1, "{log}");
    assert!(log.contains("too many descriptors are open; the camera goes on"), "{log}");
}
