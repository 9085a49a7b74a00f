//! `update` and `update_return`: whose fd it is, what it holds, which number it has.

use cami_tests::Setup;

#[test]
fn update_and_its_return_keep_file_content_and_number() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init"), "init 0");
    let before = hal.resources();
    for id in 1..=20 {
        hal.call(&format!("req {id} 68656c6c6f -1"));
        hal.event(&format!("update {id} 68656c6c6f fd=open content=hello"));
        assert_eq!(hal.resources().fds, before.fds + 1, "one fd, which is the HAL's now");
        hal.call(&format!("updret {id} 55 kept"));
        // 1: the same file, 2: under the same number, 4: with the right content.
        hal.event(&format!("return {id} 7 55 "));
        assert_eq!(hal.resources(), before);
    }
    hal.finish();
}

#[test]
fn several_updates_at_once_come_back_each_under_its_own_number() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init"), "init 0");
    for id in 1..=5 {
        hal.call(&format!("req {id} 6{id} -1"));
    }
    for id in 1..=5 {
        hal.event(&format!("update {id} 6{id} fd=open"));
    }
    // The last kept is the first returned: the reverse of how they came.
    for id in (1..=5).rev() {
        hal.call(&format!("updret {id} 9 kept"));
        hal.event(&format!("return {id} 7 9 "));
    }
    hal.finish();
}

#[test]
fn update_return_without_its_fd_still_comes_back() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 1 61 -1");
    hal.event("update 1 ");
    hal.call("updret 1 3 none");
    hal.event("return 1 0 3 ");
    hal.finish();
}

#[test]
fn update_without_an_fd_reaches_the_hal_without_one() {
    let mut hal = Setup::new("callbacks").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("req 6 0102 -1");
    hal.event("update 60 0102 fd=none");
    hal.event("update 61 0102 fd=none");
    hal.log.wait(&["update names an fd that is not open"]);
    hal.finish();
}

#[test]
fn update_that_finds_no_free_fd_costs_its_fd_and_not_the_session() {
    let mut hal = Setup::new("updates").start();
    assert_eq!(hal.call("init"), "init 0");
    hal.call("fds 256 0");
    hal.call("req 1 61 -1");
    hal.call("unfds 3");
    hal.call("req 2 62 -1");
    hal.event("update 2 62 fd=open content=b");
    assert_eq!(hal.count("notify"), 0);
    hal.finish();
}
