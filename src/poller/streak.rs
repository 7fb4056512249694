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
    /// When each reason was told last: an outage may show itself now as the one and now as the other.
    told: [Option<Timestamp>; Reason::ALL.len()],
}

/// Whether a failure is worth a line above debug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// In this streak the report has not failed for this reason before.
    First,
    /// It still fails, and that was not said for an hour.
    StillFailing,
    /// Said before.
    Nothing,
}

impl Streak {
    /// The streak with one more failure, and whether that is news.
    pub(super) fn with(before: Option<Self>, reason: Reason, now: Timestamp) -> (Self, News) {
        let mut streak = before.unwrap_or(Self {
            since: now,
            failures: 0,
            told: [None; Reason::ALL.len()],
        });
        streak.failures += 1;
        let told = &mut streak.told[reason as usize];
        let news = match told {
            None => News::First,
            Some(told) if now.duration_since(*told) >= TELL_EVERY => News::StillFailing,
            Some(_) => News::Nothing,
        };
        if news != News::Nothing {
            *told = Some(now);
        }
        (streak, news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_failure_that_goes_on_is_told_once_an_hour_for_each_reason() {
        let mut streak = None;
        let mut told = Vec::new();
        let mut now = at("2026-11-20T22:00:00Z");
        for poll in 0..40 {
            let reason = if poll % 2 == 0 {
                Reason::Timeout
            } else {
                Reason::Connect
            };
            let (next, news) = Streak::with(streak, reason, now);
            streak = Some(next);
            if news != News::Nothing {
                told.push((poll, news));
            }
            now += SignedDuration::from_mins(5);
        }
        use News::{First, StillFailing};
        assert_eq!(
            told,
            [
                (0, First),
                (1, First),
                (12, StillFailing),
                (13, StillFailing),
                (24, StillFailing),
                (25, StillFailing),
                (36, StillFailing),
                (37, StillFailing)
            ]
        );
        let streak = streak.unwrap();
        assert_eq!((streak.failures, streak.since), (40, at("2026-11-20T22:00:00Z")));
    }
}
