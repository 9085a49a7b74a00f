//! Who keeps which rules.

use cami_tests::{artefact, vendor_library};

use crate::suite::Report;

/// Rules that an honest library need not show: it has another revision, or sends no updates.
const NOT_SHOWN: [&str; 3] =
    ["initialize.short-callback-table", "update.descriptor-is-given", "update-return.takes-back"];

fn keeps_all(report: &Report) {
    report.assert_broken(&[]);
    assert_eq!(report.code(), 0, "{:?}", report.output);
    assert_eq!(report.json["conforms"], true);
    let mut rest = report.rules("skipped");
    rest.extend(report.rules("not_seen"));
    assert_eq!(rest, NOT_SHOWN);
}

#[test]
fn reference_library_keeps_all_rules_and_those_of_ipu3() {
    let report =
        Report::of(&artefact("libcam_algo_reference.so"), &["--profile", "intel-ipu3", "--strict"]);
    keeps_all(&report);
    assert!(report.rules("pass").contains(&"ipu3.session"));
}

#[test]
fn a_library_of_which_nothing_is_known_keeps_all_rules() {
    keeps_all(&Report::of(&vendor_library("conforms"), &["--strict"]));
}

/// A library made to break one rule breaks that one and no other, under the name that it is made for.
fn breaks(library: &str, rule: &str, hides: &[&str], said: &str) {
    let report = Report::of(&vendor_library(library), &["--strict"]);
    report.assert_broken(&[rule]);
    assert_eq!(report.code(), 1);
    assert_eq!(report.hidden_by(rule), hides);
    assert!(report.detail(rule).contains(said), "{}", report.detail(rule));
    assert_eq!(report.without().len(), NOT_SHOWN.len() + hides.len(), "{:#?}", report.without());
}

#[test]
fn library_that_leaks_descriptors_breaks_that_rule_alone() {
    breaks(
        "leaks_descriptor",
        "deregister.closes-descriptor",
        // Whether its number can be used again cannot be seen where it is not free.
        &["register.number-again", "deregister.closes-once"],
        "1 descriptor of the buffer is open",
    );
}

#[test]
fn library_that_leaks_mappings_breaks_that_rule_alone() {
    breaks("leaks_mapping", "deregister.unmaps", &[], "is mapped after");
}

#[test]
fn library_that_closes_twice_breaks_that_rule_alone() {
    breaks(
        "closes_twice",
        "deregister.closes-once",
        &[],
        "closed the descriptor that has its number",
    );
}

#[test]
fn library_that_trusts_handles_breaks_that_rule_alone() {
    breaks(
        "trusts_handles",
        "deregister.unknown-handles",
        &[],
        "in deregister_buffers of the handle 123456789: killed by SIGABRT",
    );
}

#[test]
fn library_that_keeps_headers_breaks_that_rule_alone() {
    breaks(
        "keeps_header",
        "header.not-read-after-return",
        &[],
        "after request had returned and its header was taken away: killed by SIGSEGV",
    );
}

#[test]
fn library_that_copies_the_callback_table_breaks_that_rule_alone() {
    breaks("copies_table", "callback.own-table", &[], "another address");
}

#[test]
fn library_that_calls_back_late_breaks_that_rule_alone() {
    breaks("calls_back_late", "deinitialize.no-callback-after", &[], "after deinitialize");
}

#[test]
fn library_that_sets_a_signal_handler_breaks_that_rule_alone() {
    breaks("sets_handler", "process.signal-handlers", &[], "SIGUSR1");
}

#[test]
fn library_that_writes_to_headers_breaks_that_rule_alone() {
    breaks("writes_header", "header.not-written", &[], "killed by SIGSEGV accessing");
}

#[test]
fn library_that_changes_the_rounding_breaks_that_rule_alone() {
    breaks("rounds_up", "process.floating-point-mode", &[], "control bits");
}

#[test]
fn shoulds_fail_with_strict_only() {
    let library = vendor_library("sets_handler");
    let rule = ["--rule", "process.signal-handlers"];
    assert_eq!(Report::of(&library, &rule).code(), 0);
    assert_eq!(Report::of(&library, &[&rule[..], &["--strict"]].concat()).code(), 1);
}

#[test]
fn callback_tables_of_two_slots_are_shown_to_libraries_of_revision_e() {
    let rule = "initialize.short-callback-table";
    let report = Report::of(&vendor_library("revision_e"), &["--rule", rule]);
    assert_eq!(report.rules("pass"), [rule], "{:#?}", report.without());
}

#[test]
fn updates_are_looked_at_where_a_request_leads_to_them() {
    let library = vendor_library("updates");
    let options = ["--rule", "update.,update-return.", "--request", "7:55", "--timeout", "2"];
    let report = Report::of(&library, &options);
    // A library that answers by updates alone answers no request; its updates are seen all the same.
    let ids =
        ["update.descriptor-is-given", "update-return.takes-back", "update-return.unknown-id"];
    assert_eq!(report.rules("pass"), ids, "{:#?}", report.without());
}
