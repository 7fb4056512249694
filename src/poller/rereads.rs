//! Rereads of old rows and days. They go on where they stopped, and their failures are no failures of live polls.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::failure_log::{FailureStreak, LogDecision};
use super::{Poll, Poller};
use crate::client::{ApiError, Reason};
use crate::health::Skip;
use crate::reports::Report;

/// A reread that failed goes on after this time.
const WAIT_AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(15);

/// What the poller keeps about the rereads of a report.
#[derive(Debug, Default)]
pub(super) struct Rereads {
    /// None before this: the last one failed.
    not_before: Option<Timestamp>,
    /// The failures since the last one that did not fail.
    failures: Option<FailureStreak>,
    /// The days that the present reread has read.
    pub(super) days_read: BTreeSet<Date>,
}

impl Poller {
    /// How many requests the rereads of this poll may make: what catching up may use, but at least one, since rereads are
    /// part of what a day needs. None for a while after a failure.
    pub(super) fn calls_for_reread(&self, report: &Report, now: Timestamp) -> u64 {
        let rereads = &self.reports[report].rereads;
        if rereads.not_before.is_some_and(|time| now < time) || self.budget.left() == 0 {
            return 0;
        }
        self.calls_for_catch_up(now).max(1)
    }

    /// Records a part of a reread that was good.
    pub(super) fn reread_succeeded(&mut self, report: &'static Report) {
        let rereads = &mut self.polled(report).rereads;
        (rereads.not_before, rereads.failures) = (None, None);
    }

    /// Records a failed reread. It is an error of the poll only if live polls would have failed, too.
    pub(super) fn reread_failed(&mut self, poll: &Poll, error: ApiError) -> Result<(), ApiError> {
        if matches!(
            error.reason,
            Reason::Auth | Reason::Quota | Reason::Clock | Reason::State
        ) {
            return Err(error);
        }
        let (report, now) = (poll.report, poll.now);
        let rereads = &mut self.polled(report).rereads;
        let (streak, decision) = FailureStreak::with(rereads.failures, error.reason, now);
        rereads.failures = Some(streak);
        rereads.not_before = now.checked_add(WAIT_AFTER_FAILURE).ok();
        if decision != LogDecision::Silent {
            tracing::warn!(
                operation = &*self.operation.name,
                report = report.name,
                reason = error.reason.name(),
                failures = streak.failures,
                since = %streak.since,
                "a reread of old rows failed and will go on; live polls are good: {error}"
            );
        }
        if let Some(wait) = error.retry_after {
            self.suspend(now, Some(wait), Skip::Quota);
        }
        Ok(())
    }
}
