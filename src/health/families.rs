//! The families of the exporter's own metrics about an operation.

use super::SKIP_REASONS;
use crate::client::Reason;
use crate::ledger::LATENESS_BOUNDS;
use crate::metrics::Family;
use crate::reports::{Assumption, Outcome};

const REPORT: &[&str] = &["report"];
pub(super) const REQUEST_BOUNDS: &[f64] = &[0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

pub(super) static UP: Family = Family::gauge(
    "wolkvox_up",
    REPORT,
    "1 if the last poll of the report succeeded, 0 if it failed or polls are suspended. Absent before the first poll has ended.",
);
pub(super) static POLLS: Family =
    Family::counter("wolkvox_report_polls", REPORT, "Polls of the report that have ended.");
pub(super) static POLL_FAILURES: Family = Family::counter(
    "wolkvox_report_poll_failures",
    &["report", "reason"],
    "Polls of the report that failed, by reason.",
)
.with_fixed_values(&[("reason", &REASONS)]);
pub(super) static POLLS_SKIPPED: Family = Family::counter(
    "wolkvox_report_polls_skipped",
    &["report", "reason"],
    "Polls of the report that were left out, to keep within the daily budget or because the API's quota is used up.",
)
.with_fixed_values(&[("reason", &SKIP_REASONS)]);
pub(super) static LAST_SUCCESS: Family = Family::gauge(
    "wolkvox_report_last_success_timestamp_seconds",
    REPORT,
    "When the report was last read without a failure.",
);
pub(super) static LAST_ATTEMPT: Family = Family::gauge(
    "wolkvox_report_last_attempt_timestamp_seconds",
    REPORT,
    "When the report was last requested.",
);
pub(super) static DATA: Family = Family::gauge(
    "wolkvox_report_data_timestamp_seconds",
    REPORT,
    "End of the window that the shown data of the report covers.",
);
pub(super) static POLL_INTERVAL: Family = Family::gauge(
    "wolkvox_report_poll_interval_seconds",
    REPORT,
    "Time between polls of the report that is in effect: the one configured for this time of day, or a multiple of it while the daily budget is short.",
);
pub(super) static POLL_DURATION: Family = Family::gauge(
    "wolkvox_report_poll_duration_seconds",
    REPORT,
    "How long the last poll of the report took.",
);
pub(super) static ROWS: Family = Family::counter(
    "wolkvox_report_rows",
    &["report", "outcome"],
    "Rows of the report's answers by outcome. The outcomes are disjoint.",
)
.with_fixed_values(&[("outcome", &OUTCOMES)]);
pub(super) static BACKLOG_ROWS: Family = Family::counter(
    "wolkvox_report_backlog_rows",
    REPORT,
    "Rows of the report that were older than both three intervals and 15 minutes when they were counted.",
);
pub(super) static CAPPED_WINDOWS: Family = Family::counter(
    "wolkvox_report_capped_windows",
    REPORT,
    "Windows of the report in which one second alone reached the API's record limit.",
);
pub(super) static INVALID_FIELDS: Family = Family::counter(
    "wolkvox_report_invalid_fields",
    &["report", "field"],
    "Values of the report that could not be read, by field. They are left out.",
);
pub(super) static LAST_REREAD: Family = Family::gauge(
    "wolkvox_report_last_reread_timestamp_seconds",
    REPORT,
    "When old rows or days of the report were last read again to the end.",
);
pub(super) static LATENESS: Family = Family::histogram(
    "wolkvox_report_row_lateness_seconds",
    REPORT,
    LATENESS_BOUNDS,
    "How old rows of the report were when they were first counted.",
);
pub(super) static NEWEST_ROW: Family = Family::gauge(
    "wolkvox_report_newest_row_timestamp_seconds",
    REPORT,
    "Latest date of a row that the report has ever had. Far behind while calls usually come, the rows are late or the time zone is wrong.",
);
pub(super) static ASSUMPTION_VIOLATIONS: Family = Family::counter(
    "wolkvox_report_assumption_violations",
    &["report", "assumption"],
    "How often the report's answers broke an assumption about the API.",
)
.with_fixed_values(&[("assumption", &ASSUMPTIONS)]);
pub(super) static UNKNOWN_WORD: Family = Family::gauge(
    "wolkvox_report_unknown_word",
    &["report", "field", "word"],
    "1 for each word of the last 24 hours that is not in the list of its field.",
);
pub(super) static CORRECTIONS: Family = Family::counter(
    "wolkvox_report_corrections",
    REPORT,
    "Day totals of the report that were lower than the last reading. The counters do not decrease.",
);
pub(super) static REQUESTS: Family = Family::counter(
    "wolkvox_api_requests",
    REPORT,
    "Requests for the report, including retries.",
);
pub(super) static REQUEST_FAILURES: Family = Family::counter(
    "wolkvox_api_request_failures",
    &["report", "reason"],
    "Requests for the report that failed, by reason.",
)
.with_fixed_values(&[("reason", &REQUEST_REASONS)]);
pub(super) static REQUEST_DURATION: Family = Family::histogram(
    "wolkvox_api_request_duration_seconds",
    REPORT,
    REQUEST_BOUNDS,
    "Duration of requests for the report, from sending to the end of the answer.",
);
pub(super) static CALLS_USED: Family = Family::gauge(
    "wolkvox_api_calls_used",
    &[],
    "API calls used on the operation's local day.",
);
pub(super) static CALLS_LIMIT: Family = Family::gauge(
    "wolkvox_api_calls_limit",
    &[],
    "API calls per day that the configuration allows the operation.",
);
pub(super) static OPEN: Family = Family::gauge(
    "wolkvox_operation_open",
    &[],
    "1 within the operation's hours, 0 outside of them. Absent without hours in the configuration.",
);
pub(super) static USED_BY_OTHERS: Family = Family::gauge(
    "wolkvox_operation_calls_used_by_others",
    &[],
    "API calls of the operation today that are not this exporter's: all_token_today of token_info, or else token_use_today, without those that the exporter had counted then.",
);
pub(super) static SERIES_DROPPED: Family = Family::counter(
    "wolkvox_exporter_series_dropped",
    &["family"],
    "What series_limit left out of the family: series at each poll for the current state, rows or totals counted in _other for the others.",
);
pub(super) static STATE_COMMITS: Family = Family::counter(
    "wolkvox_exporter_state_commits",
    &[],
    "Commits of the operation's state.",
);
pub(super) static STATE_COMMIT_FAILURES: Family = Family::counter(
    "wolkvox_exporter_state_commit_failures",
    &[],
    "Commits of the operation's state that failed.",
);
pub(super) static STATE_LAST_COMMIT: Family = Family::gauge(
    "wolkvox_exporter_state_last_commit_timestamp_seconds",
    &[],
    "When the operation's state was last committed.",
);
pub(super) static STATE_SIZE: Family = Family::gauge(
    "wolkvox_exporter_state_size_bytes",
    &[],
    "Size of the operation's state file.",
);

pub(super) static OPERATION_INFO: Family = Family::info(
    "wolkvox_operation",
    &["timezone", "server", "currency"],
    "The time zone, server and currency of an operation, and its own labels from the configuration.",
);

/// All of them; every operation has them.
pub static FAMILIES: [&Family; 32] = [
    &OPERATION_INFO,
    &OPEN,
    &UP,
    &POLLS,
    &POLL_FAILURES,
    &POLLS_SKIPPED,
    &LAST_SUCCESS,
    &LAST_ATTEMPT,
    &DATA,
    &POLL_INTERVAL,
    &POLL_DURATION,
    &ROWS,
    &BACKLOG_ROWS,
    &CAPPED_WINDOWS,
    &INVALID_FIELDS,
    &CORRECTIONS,
    &NEWEST_ROW,
    &LAST_REREAD,
    &LATENESS,
    &ASSUMPTION_VIOLATIONS,
    &UNKNOWN_WORD,
    &REQUESTS,
    &REQUEST_FAILURES,
    &REQUEST_DURATION,
    &CALLS_USED,
    &CALLS_LIMIT,
    &USED_BY_OTHERS,
    &SERIES_DROPPED,
    &STATE_COMMITS,
    &STATE_COMMIT_FAILURES,
    &STATE_LAST_COMMIT,
    &STATE_SIZE,
];

const REASONS: [&str; Reason::ALL.len()] = {
    let mut names = [""; Reason::ALL.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = Reason::ALL[n].name();
        n += 1;
    }
    names
};
/// The reasons that a single request can have.
const REQUEST_REASONS: [&str; Reason::ALL.len() - 2] = {
    let mut names = [""; Reason::ALL.len() - 2];
    let (mut n, mut reason) = (0, 0);
    while reason < Reason::ALL.len() {
        if Reason::ALL[reason].of_a_request() {
            names[n] = Reason::ALL[reason].name();
            n += 1;
        }
        reason += 1;
    }
    assert!(n == names.len());
    names
};
const ASSUMPTIONS: [&str; Assumption::ALL.len()] = {
    let mut names = [""; Assumption::ALL.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = Assumption::ALL[n].name();
        n += 1;
    }
    names
};
const OUTCOMES: [&str; Outcome::ALL.len()] = {
    let mut names = [""; Outcome::ALL.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = Outcome::ALL[n].name();
        n += 1;
    }
    names
};
