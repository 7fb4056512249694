//! Compares clocks: a window that ends "now" is wrong when a clock is wrong.

use jiff::{SignedDuration, Timestamp};

use crate::client::{ApiError, Reason};

/// The largest difference between the API's clock and ours. Beyond it, "until now" would mean another time there than
/// here.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// How far our clock may be behind the end of what was read before.
const STEP_BACK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Fails when the API's clock, if the answer shows it, is too far from ours.
pub(crate) fn compare(date: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    match date {
        Some(date) if date.duration_since(now).abs() > CLOCK_TOLERANCE => Err(ApiError::new(
            Reason::Clock,
            format!("the API's clock says {date}, ours says {now:.0}"),
        )),
        _ => Ok(()),
    }
}

/// Fails when our clock went back to before what was read: the empty answer for a future time must not move anything.
pub(crate) fn check_step_back(covered: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    match covered {
        Some(covered) if covered.duration_since(now) > STEP_BACK_TOLERANCE => Err(ApiError::new(
            Reason::Clock,
            // Without our time, so that the message stays the same from poll to poll.
            format!(
                "data up to {covered:.0} has been read, and our clock is before that: it ran ahead then, or is behind \
                 now. If it is right now, polls fail until {:.0}",
                covered.checked_sub(STEP_BACK_TOLERANCE).unwrap_or(covered)
            ),
        )
        .advise(
            "check this host's clock (NTP); to end it sooner, stop the exporter and restore a state file from before, or \
             move the file away: totals then begin at 0",
        )),
        _ => Ok(()),
    }
}
