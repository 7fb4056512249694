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
    if covered.is_some_and(|covered| covered.duration_since(now) > STEP_BACK_TOLERANCE) {
        return Err(ApiError::new(
            Reason::Clock,
            "our clock went back: data up to a later time has already been read",
        ));
    }
    Ok(())
}
