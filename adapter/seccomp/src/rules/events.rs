//! Waiting for descriptors, and the descriptors that are made to wait for.

use super::{CHROMEOS, HARMLESS, OURS, Of};
use crate::rule::{Intent, Rule};

const OF: Of = Of(Intent::Events);

pub(super) const RULES: &[Rule] = &[
    OF.allow("ppoll", "our threads wait for the link with it", OURS),
    OF.allow("poll", "waits for descriptors", CHROMEOS),
    OF.allow("select", "waits for descriptors", HARMLESS),
    OF.allow("pselect6", "waits for descriptors", HARMLESS),
    OF.allow("epoll_create", "waits for descriptors", HARMLESS),
    OF.allow("epoll_create1", "waits for descriptors", CHROMEOS),
    OF.allow("epoll_ctl", "waits for descriptors", CHROMEOS),
    OF.allow("epoll_wait", "waits for descriptors", CHROMEOS),
    OF.allow("epoll_pwait", "waits for descriptors", CHROMEOS),
    OF.allow("epoll_pwait2", "waits for descriptors", HARMLESS),
    OF.allow("eventfd", "wakes a thread that waits", HARMLESS),
    OF.allow("eventfd2", "wakes a thread that waits; our waker is one", OURS),
    OF.allow("pipe", "wakes a thread that waits", CHROMEOS),
    OF.allow("pipe2", "wakes a thread that waits", CHROMEOS),
    OF.allow("inotify_init", "waits for a tuning file to change", CHROMEOS),
    OF.allow("inotify_init1", "waits for a tuning file to change", CHROMEOS),
    OF.allow("inotify_add_watch", "waits for a tuning file to change", CHROMEOS),
    OF.allow("inotify_rm_watch", "waits for a tuning file to change", CHROMEOS),
];
