//! What a poll came to: told in the log and on the page, and what it means for the polls after it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::streak::{News, Streak};
use super::{BUDGET_ADVICE, Poller};
use crate::client::{ApiError, Reason};
use crate::fetch::window;
use crate::health::{ReportHealth, Skip};
use crate::reports::{Outcome, ReportKind};

/// The counts of a report before a poll, so that the log can tell those of the poll alone.
#[derive(Clone, Copy)]
pub(super) struct Before {
    counted: u64,
    invalid: u64,
    requests: u64,
}

impl Before {
    pub(super) fn of(health: Option<&ReportHealth>) -> Self {
        let rows = |outcome| health.map_or(0, |health| health.tally.rows(outcome));
        Self {
            counted: rows(Outcome::Counted),
            invalid: rows(Outcome::Invalid),
            requests: health.map_or(0, ReportHealth::requests),
        }
    }
}

impl Poller {
    pub(super) fn note_result(
        &mut self,
        report: ReportKind,
        now: Timestamp,
        before: Before,
        result: Result<usize, ApiError>,
    ) {
        let duration = self.poll_began.elapsed();
        let Some(health) = self.health.reports.get_mut(&report) else {
            return;
        };
        health.polls += 1;
        health.last_attempt = Some(now);
        health.duration = Some(duration);
        let operation = &*self.operation.name;
        let error = match result {
            Ok(rows) => {
                health.success(now);
                let after = Before::of(Some(health));
                tracing::info!(
                    operation,
                    report = report.name(),
                    rows,
                    counted = after.counted - before.counted,
                    invalid = after.invalid - before.invalid,
                    requests = after.requests - before.requests,
                    calls_left = self.budget.left(),
                    failed_before = self.streaks.remove(&report).map(|streak| streak.failures),
                    ?duration,
                    "polled"
                );
                return;
            }
            Err(error) => error,
        };
        health.failure(error.reason, error.what.clone());
        self.tell_failure(report, now, &error);
        match error.reason {
            Reason::Auth => self.token_is_doubtful = true,
            Reason::Quota => {
                let (skip, advice) = if self.budget.left() == 0 {
                    (Skip::Budget, BUDGET_ADVICE)
                } else {
                    (Skip::Quota, Reason::Quota.advice())
                };
                // All reports are without calls, also those whose last poll was good.
                for health in self.health.reports.values_mut() {
                    health.without_calls(&error.what, advice);
                }
                self.suspend(now, None, skip);
            }
            _ => {
                if let Some(wait) = error.retry_after {
                    self.suspend(now, Some(wait), Skip::Quota);
                }
            }
        }
    }

    fn tell_failure(&mut self, report: ReportKind, now: Timestamp, error: &ApiError) {
        let (operation, reason) = (&*self.operation.name, error.reason.name());
        let (streak, news) = Streak::with(self.streaks.get(&report).copied(), error.reason, now);
        self.streaks.insert(report, streak);
        let (report, failures, since) = (report.name(), streak.failures, streak.since);
        match news {
            News::First => tracing::warn!(operation, report, reason, "poll failed: {error}"),
            News::StillFailing => {
                tracing::warn!(operation, report, reason, failures, %since, "polls still fail: {error}");
            }
            News::Nothing => {
                tracing::debug!(operation, report, reason, failures, %since, "poll failed again: {}", error.what);
            }
        }
    }

    /// Stops the polls of all reports for as long as the API asked for, and until local midnight at most.
    fn suspend(&mut self, now: Timestamp, wait: Option<Duration>, skip: Skip) {
        let midnight = window::next_midnight(now, &self.operation.timezone);
        let asked = wait.and_then(|wait| now.checked_add(SignedDuration::try_from(wait).ok()?).ok());
        let Some(until) = asked.into_iter().chain(midnight).min() else {
            return;
        };
        tracing::warn!(operation = &*self.operation.name, %until, "polls are suspended");
        for health in self.health.reports.values_mut() {
            health.next_poll = health.next_poll.max(Some(until));
        }
        self.suspended = Some((until, skip));
    }
}
