//! One function for each rule that is looked at from beside the library.

mod buffers;
mod callbacks;
mod lifecycle;
mod process;
mod requests;

use crate::bench::Experiment::{self, Initialized, Loaded, Working};

/// How a rule is looked at; `None` for those that are not seen from here.
pub fn of(rule: &str) -> Option<Experiment> {
    Some(match rule {
        "load.survives" => Loaded(lifecycle::loaded),
        "table.required-slots" => Loaded(lifecycle::required_slots),
        "table.functions-are-code" => Loaded(lifecycle::functions_are_code),
        "table.unchanged" => Initialized(lifecycle::unchanged),
        "initialize.succeeds" => Initialized(lifecycle::initialized),
        "initialize.in-time" => Initialized(lifecycle::in_time),
        "initialize.null-table" => Loaded(lifecycle::null_table),
        "initialize.null-return-callback" => Loaded(lifecycle::null_return_callback),
        "initialize.null-notify" => Loaded(lifecycle::null_notify),
        "initialize.null-update" => Loaded(lifecycle::null_update),
        "initialize.short-callback-table" => Loaded(lifecycle::short_callback_table),
        "initialize.again" => Working(lifecycle::again),
        "initialize.thread-may-end" => Loaded(lifecycle::thread_may_end),
        "deinitialize.returns" => Working(lifecycle::deinitialize_returns),
        "deinitialize.no-callback-after" => Working(lifecycle::no_callback_after),
        "deinitialize.under-load" => Working(lifecycle::deinitialize_under_load),
        "deinitialize.with-buffers" => Initialized(lifecycle::deinitialize_with_buffers),
        "deinitialize.twice" => Initialized(lifecycle::deinitialize_twice),
        "deinitialize.before-initialize" => Loaded(lifecycle::deinitialize_before_initialize),
        "deinitialize.then-initialize" => Working(lifecycle::deinitialize_then_initialize),

        "register.accepts" => Initialized(buffers::accepts),
        "register.distinct-handles" => Initialized(buffers::distinct_handles),
        "register.many" => Initialized(buffers::many),
        "register.cycles" => Initialized(buffers::cycles),
        "register.number-again" => Initialized(buffers::number_again),
        "register.closed-number" => Initialized(buffers::closed_number),
        "register.empty-file" => Initialized(buffers::empty_file),
        "register.unmappable-file" => Initialized(buffers::unmappable_file),
        "deregister.closes-descriptor" => Initialized(buffers::closes_descriptor),
        "deregister.closes-once" => Initialized(buffers::closes_once),
        "deregister.keeps-others" => Initialized(buffers::keeps_others),
        "deregister.unknown-handles" => Working(buffers::unknown_handles),
        "deregister.empty-list" => Working(buffers::empty_list),
        "deregister.under-load" => Working(buffers::under_load),
        "deregister.then-request" => Working(buffers::then_request),

        "request.survives" => Working(requests::survives),
        "request.is-answered" => Working(requests::is_answered),
        "request.unknown-handle" => Working(requests::unknown_handle),
        "request.no-buffer" => Working(requests::no_buffer),
        "request.empty-header" => Working(requests::empty_header),
        "request.any-header" => Working(requests::any_header),
        "request.unknown-ids" => Working(requests::unknown_ids),
        "request.returns-soon" => Working(requests::returns_soon),
        "request.burst" => Working(requests::burst),
        "request.from-another-thread" => Working(requests::from_another_thread),
        "header.not-read-after-return" => Working(requests::header_after_return),
        "header.not-read-behind-its-end" => Working(requests::header_behind_its_end),
        "header.not-written" => Working(requests::header_not_written),

        "callback.own-table" => Working(callbacks::own_table),
        "callback.table-not-written" => Loaded(callbacks::table_not_written),
        "callback.names-its-request" => Working(callbacks::names_its_request),
        "callback.once" => Working(callbacks::once),
        "callback.no-notify" => Working(callbacks::no_notify),
        "callback.may-call-back" => Working(callbacks::may_call_back),
        "update.descriptor-is-given" => Working(callbacks::update_descriptor),
        "update-return.takes-back" => Working(callbacks::update_return),
        "update-return.unknown-id" => Initialized(callbacks::update_return_unknown),

        "process.foreign-descriptors" => Working(process::foreign_descriptors),
        "process.no-descriptor-leak" => Working(process::no_descriptor_leak),
        "process.signal-handlers" => Working(process::signal_handlers),
        "process.signal-mask" => Working(process::signal_mask),
        "process.floating-point-mode" => Working(process::floating_point_mode),
        "process.locale" => Working(process::locale),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use cami_conform::{Seen, Stage, rules};

    use super::*;

    #[test]
    fn every_rule_that_is_seen_from_here_is_and_no_other() {
        for rule in rules() {
            let experiment = of(rule.id);
            assert_eq!(experiment.is_some(), rule.seen == Seen::Beside, "{}", rule.id);
            let needs = match experiment {
                // What needs more than a loaded library does it for itself there.
                None | Some(Loaded(_)) => continue,
                Some(Initialized(_)) => [Stage::Loaded, Stage::Initialized, Stage::Registered],
                Some(Working(_)) => [Stage::Requested, Stage::Registered, Stage::Registered],
            };
            assert!(needs.contains(&rule.after), "{}: {:?}", rule.id, rule.after);
        }
    }
}
