//! Failures in a row: the first is told, and then one an hour, so that an outage of a night is a page of log and no book.

use jiff::{SignedDuration, Timestamp};

use crate::client::Reason;

/// A failure that goes on is told this often.
const TELL_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The failures of one report since its last success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streak {
    /// When it began.
    pub(super) since: Timestamp,
    /// Polls that failed.
    pub(super) failures: u64,
    reason: Reason,
    told: Timestamp,
}

/// Whether a failure is worth a line above debug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The report failed for another reason before, or not at all.
    First,
    /// It still fails, and that was not said for an hour.
    StillFailing,
    /// Said before.
    Nothing,
}

impl Streak {
    /// The streak with one more failure, and whether that is news.
    pub(super) fn with(before: Option<Self>, reason: Reason, now: Timestamp) -> (Self, News) {
        let first = Self {
            since: now,
            failures: 1,
            reason,
            told: now,
        };
        let Some(before) = before else {
            return (first, News::First);
        };
        let longer = Self {
            failures: before.failures + 1,
            reason,
            ..before
        };
        if before.reason != reason {
            (Self { told: now, ..longer }, News::First)
        } else if now.duration_since(before.told) >= TELL_EVERY {
            (Self { told: now, ..longer }, News::StillFailing)
        } else {
            (longer, News::Nothing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_failure_that_goes_on_is_told_once_an_hour() {
        let mut streak = None;
        let mut told = Vec::new();
        let mut now = at("2026-11-20T22:00:00Z");
        for poll in 0..40 {
            let reason = if poll < 30 { Reason::Timeout } else { Reason::Auth };
            let (next, news) = Streak::with(streak, reason, now);
            streak = Some(next);
            if news != News::Nothing {
                told.push((poll, news));
            }
            now += SignedDuration::from_mins(5);
        }
        use News::{First, StillFailing};
        assert_eq!(told, [(0, First), (12, StillFailing), (24, StillFailing), (30, First)]);
        let streak = streak.unwrap();
        assert_eq!((streak.failures, streak.since), (40, at("2026-11-20T22:00:00Z")));
    }
}
