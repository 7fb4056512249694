//! How many calls the rest of a local day needs.

use std::time::Duration;

use jiff::Timestamp;

use super::window;
use crate::config::Operation;

/// The calls that an exporter started now needs until local midnight, if it leaves none out and retries none.
pub(crate) fn calls_of_the_rest_of_the_day(operation: &Operation, now: Timestamp) -> u64 {
    let left = until_midnight(now, operation);
    operation.reports.values().map(|config| config.calls_in(left)).sum()
}

/// The rest of the local day.
pub(crate) fn until_midnight(now: Timestamp, operation: &Operation) -> Duration {
    let midnight = window::next_midnight(now, &operation.timezone);
    midnight.map_or(Duration::ZERO, |midnight| {
        Duration::try_from(midnight.duration_since(now)).unwrap_or_default()
    })
}
