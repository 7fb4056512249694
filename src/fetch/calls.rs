//! How many calls the rest of a local day needs.

use jiff::Timestamp;

use super::window;
use crate::config::Operation;

/// The calls that an exporter started now needs until local midnight, if it leaves none out and retries none.
pub(crate) fn calls_of_the_rest_of_the_day(operation: &Operation, now: Timestamp) -> u64 {
    let (working, quiet) = operation.working_and_quiet(now, midnight_after(now, operation));
    let reports = operation.reports.values();
    reports.map(|config| config.calls_in(working, quiet)).sum()
}

/// The end of the local day; now, if there is none.
pub(crate) fn midnight_after(now: Timestamp, operation: &Operation) -> Timestamp {
    window::next_midnight(now, &operation.timezone).unwrap_or(now)
}
