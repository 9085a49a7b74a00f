//! The packing rule of argument lists.

use cami_wire::WireError;
use cami_wire::arguments::{Argument, join, split};

#[test]
fn single_argument_stands_bare() {
    let mut body = Vec::new();
    join(&[Argument::with_fds(&[1, 0, 0, 0], 1)], &mut body);
    assert_eq!(body, [1, 0, 0, 0]);
    assert_eq!(split(&body, [true]).unwrap().bytes, [&[1, 0, 0, 0]]);
}

#[test]
fn two_arguments_are_announced_and_those_with_fds_say_how_many() {
    let mut body = Vec::new();
    join(&[Argument::plain(b"ab"), Argument::with_fds(b"c", 7)], &mut body);
    let expected = [2, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, b'a', b'b', b'c'];
    assert_eq!(body, expected);
    let arguments = split(&body, [false, true]).unwrap();
    assert_eq!(arguments.bytes, [&b"ab"[..], b"c"]);
    assert_eq!(arguments.fds, [0, 7]);
}

#[test]
fn no_arguments_have_no_bytes() {
    let mut body = Vec::new();
    join(&[], &mut body);
    assert!(body.is_empty());
    assert!(split::<0>(&[], []).is_ok());
    assert_eq!(split::<0>(&[0], []), Err(WireError::TrailingBytes));
}

#[test]
fn sizes_that_do_not_add_up_are_refused() {
    let mut body = Vec::new();
    join(&[Argument::plain(b"ab"), Argument::plain(b"c")], &mut body);
    let mut longer = body.clone();
    longer.push(0);
    assert_eq!(split(&longer, [false; 2]), Err(WireError::TrailingBytes));
    body[0] = 0xff;
    assert_eq!(split(&body, [false; 2]), Err(WireError::Truncated));
}
