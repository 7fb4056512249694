//! Whether the clocks agree: a window that ends "now" is wrong when now is.

use jiff::{SignedDuration, Timestamp};

use crate::client::{ApiError, Reason};

/// The API's clock and ours may differ by so much: beyond it, "until now" means another time there than here.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// Our clock may be this far behind the end of what was read before.
const STEP_BACK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Fails when the API's clock, if it shows one, is too far from ours.
pub(crate) fn compare(date: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    match date {
        Some(date) if date.duration_since(now).abs() > CLOCK_TOLERANCE => Err(ApiError::new(
            Reason::Clock,
            format!("the API's clock says {date}, ours says {now:.0}"),
        )),
        _ => Ok(()),
    }
}

/// Fails when our clock is behind what was read before: an empty answer for the future must not move anything.
pub(crate) fn check_step_back(covered: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    if covered.is_some_and(|covered| covered.duration_since(now) > STEP_BACK_TOLERANCE) {
        return Err(ApiError::new(
            Reason::Clock,
            "our clock is behind the end of what was read before",
        ));
    }
    Ok(())
}
