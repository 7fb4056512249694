//! Limits how often a continuing failure is logged: at once, then hourly, so that a night's outage does not flood the log.

use jiff::{SignedDuration, Timestamp};

use crate::client::Reason;

/// How often a continuing failure is logged.
const REMIND_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The failures of one report since its last success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailureStreak {
    /// When the first one happened.
    pub(super) since: Timestamp,
    /// The number of failed polls.
    pub(super) failures: u64,
    /// When each reason was last logged; one outage often alternates between two reasons.
    last_logged: [Option<Timestamp>; Reason::ALL.len()],
}

/// How a failure is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogDecision {
    /// As a warning: the first failure for this reason since the last success.
    First,
    /// As a warning that polls still fail: nothing was logged for an hour.
    Reminder,
    /// At debug level.
    Silent,
}

impl FailureStreak {
    /// Adds a failure and decides how to log it.
    pub(super) fn with(before: Option<Self>, reason: Reason, now: Timestamp) -> (Self, LogDecision) {
        let mut streak = before.unwrap_or(Self {
            since: now,
            failures: 0,
            last_logged: [None; Reason::ALL.len()],
        });
        streak.failures += 1;
        let last_logged = &mut streak.last_logged[reason as usize];
        let decision = match last_logged {
            None => LogDecision::First,
            Some(at) if now.duration_since(*at) >= REMIND_EVERY => LogDecision::Reminder,
            Some(_) => LogDecision::Silent,
        };
        if decision != LogDecision::Silent {
            *last_logged = Some(now);
        }
        (streak, decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_continuing_failure_is_logged_once_an_hour_for_each_reason() {
        let mut streak = None;
        let mut logged = Vec::new();
        let mut now = at("2026-11-20T22:00:00Z");
        for poll in 0..40 {
            let reason = if poll % 2 == 0 {
                Reason::Timeout
            } else {
                Reason::Connect
            };
            let (next, decision) = FailureStreak::with(streak, reason, now);
            streak = Some(next);
            if decision != LogDecision::Silent {
                logged.push((poll, decision));
            }
            now += SignedDuration::from_mins(5);
        }
        use LogDecision::{First, Reminder};
        assert_eq!(
            logged,
            [
                (0, First),
                (1, First),
                (12, Reminder),
                (13, Reminder),
                (24, Reminder),
                (25, Reminder),
                (36, Reminder),
                (37, Reminder)
            ]
        );
        let streak = streak.unwrap();
        assert_eq!((streak.failures, streak.since), (40, at("2026-11-20T22:00:00Z")));
    }
}
