//! Many buffers, many requests.

use cami_tests::Setup;

#[test]
fn ten_thousand_requests_of_random_headers_arrive_whole() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    // Sizes 0 to 2047, at most 64 unanswered.
    hal.call("burst 0 10000 0 2047 4711 64");
    assert_eq!(hal.call("await 10000"), "await answered=10000 wrong=0 doubled=0 strange=0");
    hal.finish();
}

#[test]
fn headers_of_the_greatest_size_arrive_whole() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("burst 0 50 65000 65536 4712 1");
    assert_eq!(hal.call("await 50"), "await answered=50 wrong=0 doubled=0 strange=0");
    hal.finish();
}

#[test]
fn stopped_and_continued_vendor_answers_every_request_once() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    assert_eq!(hal.call("regs 256"), "regs 1 256");
    let vendor = hal.vendor();
    hal.signal(vendor, libc::SIGSTOP);
    // All of them are sent while nobody reads.
    hal.call("burst 0 256 1024 1024 4713 0");
    assert_eq!(hal.count("notify"), 0);
    hal.signal(vendor, libc::SIGCONT);
    assert_eq!(hal.call("await 256"), "await answered=256 wrong=0 doubled=0 strange=0");
    hal.call("tally off");
    hal.call("req 1 00 -1");
    hal.event("return 1 ");
    assert_eq!(hal.call("await 256"), "await answered=256 wrong=0 doubled=0 strange=0");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn a_thousand_buffers_leave_no_fd_in_the_host() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    let before = hal.resources();
    assert_eq!(hal.call("regs 1000"), "regs 1 1000");
    assert_eq!(hal.resources(), before);
    hal.finish();
}

#[test]
fn requests_that_find_no_room_are_answered_and_not_lost() {
    let mut hal = Setup::new("plain").start();
    assert_eq!(hal.call("init"), "init 0");
    let vendor = hal.vendor();
    hal.signal(vendor, libc::SIGSTOP);
    // 16 MiB of headers: more than anyone queues. What has no room is answered by the shim.
    hal.call("burst 0 512 32768 32768 4714 0");
    hal.signal(vendor, libc::SIGCONT);
    let reply = hal.call("await 512");
    assert!(
        reply.starts_with("await answered=512 ") && reply.ends_with("doubled=0 strange=0"),
        "{reply}"
    );
    let wrong: usize =
        reply.split("wrong=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    if wrong > 0 {
        hal.log.wait(&["was not sent", "the link is full"]);
    }
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}

#[test]
fn death_among_thousands_of_requests_is_one_notification() {
    let mut hal = Setup::new("plain").start();
    for (round, seed) in (1..=5).zip([11, 22, 33, 44, 55]) {
        assert_eq!(hal.call("init"), "init 0");
        let vendor = hal.vendor();
        hal.send(&format!("burst {} 3000 0 512 {seed} 0", 3000 * (round - 1)));
        hal.signal(vendor, libc::SIGKILL);
        hal.reply("burst");
        hal.event("notify 1");
        assert_eq!(hal.resources().processes, 0);
        assert_eq!(hal.count("notify"), round);
    }
    let reply = hal.call("await 0");
    assert!(reply.ends_with("doubled=0 strange=0"), "{reply}");
    hal.finish();
}
