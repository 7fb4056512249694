//! Records the result of a poll: in the log, in the metrics, and for later polls.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure_log::{FailureStreak, LogDecision};
use super::{BUDGET_ADVICE, Poll, PolledReport, Poller};
use crate::client::{ApiError, Reason};
use crate::durations::rounded;
use crate::fetch::window;
use crate::health::Skip;
use crate::reports::{Assumption, Kind, Report, Tally};

impl Poller {
    pub(super) fn record_result(&mut self, poll: &Poll, result: Result<(), ApiError>) {
        let (report, now) = (poll.report, poll.now);
        let duration = poll.began.elapsed();
        // Other reports show the same rows in every poll.
        let counted = if matches!(report.kind, Kind::Events(_)) {
            poll.counted
        } else {
            0
        };
        self.hour.add_poll(result.is_ok(), poll.rows, counted);
        let calls_left = self.budget.left();
        let polled = self.polled(report);
        polled.health.polls += 1;
        polled.health.last_attempt = Some(now);
        polled.health.duration = Some(duration);
        let error = match result {
            Ok(()) => {
                polled.health.success(now);
                let streak = polled.failures.take();
                let (operation, report) = (&*self.operation.name, report.name);
                tracing::debug!(
                    operation,
                    report,
                    rows = poll.rows,
                    counted = poll.counted,
                    invalid = poll.invalid,
                    requests = poll.requests,
                    calls_left,
                    duration = %rounded(duration),
                    "polled"
                );
                if let Some(FailureStreak { failures, since, .. }) = streak {
                    tracing::info!(operation, report, failures, %since, "polls succeed again");
                }
                self.log_first_round();
                return;
            }
            Err(error) => error,
        };
        polled.health.failure(&error);
        self.log_failure(report, now, &error);
        match error.reason {
            Reason::Auth => self.token_is_doubtful = true,
            Reason::Quota => {
                let (skip, advice) = if calls_left == 0 {
                    (Skip::Budget, BUDGET_ADVICE)
                } else {
                    (Skip::Quota, Reason::Quota.advice())
                };
                // No report has calls left, whatever the result of its last poll.
                for polled in self.reports.values_mut() {
                    polled.health.out_of_calls(skip, error.what.clone(), advice);
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

    /// Says once that all reports of the operation can be read.
    fn log_first_round(&mut self) {
        let was_read = |polled: &PolledReport| polled.health.last_error.is_none() && polled.health.polls > 0;
        if !self.all_were_read && self.reports.values().all(was_read) {
            self.all_were_read = true;
            let (operation, reports) = (&*self.operation.name, self.reports.len());
            tracing::info!(operation, reports, "all reports are read");
        }
    }

    /// Records what was seen in the rows of an answer. A broken assumption is logged once a day.
    pub(super) fn record_rows(&mut self, report: &'static Report, tally: &Tally, now: Timestamp) {
        let health = &mut self.polled(report).health;
        health.tally.add(tally);
        for assumption in health.violations.add(tally, now) {
            let words = (assumption == Assumption::KnownWords).then(|| {
                let words = tally.unknown_words().iter();
                words
                    .map(|(field, word)| format!("{field} {word}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            tracing::warn!(
                operation = &*self.operation.name,
                report = report.name,
                assumption = assumption.name(),
                words,
                "an assumption about the API does not hold: {}; {}",
                assumption.meaning(),
                assumption.advice()
            );
        }
    }

    fn log_failure(&mut self, report: &'static Report, now: Timestamp, error: &ApiError) {
        let polled = self.polled(report);
        let (streak, decision) = FailureStreak::with(polled.failures, error.reason, now);
        polled.failures = Some(streak);
        let (operation, reason) = (&*self.operation.name, error.reason.name());
        let (report, failures, since) = (report.name, streak.failures, streak.since);
        match decision {
            LogDecision::First => tracing::warn!(operation, report, reason, "poll failed: {error}"),
            LogDecision::Reminder => {
                tracing::warn!(operation, report, reason, failures, %since, "polls still fail: {error}");
            }
            LogDecision::Silent => {
                tracing::debug!(operation, report, reason, failures, %since, "poll failed again: {}", error.what);
            }
        }
    }

    /// Pauses the polls of all reports for as long as the API asked, but not beyond local midnight.
    pub(super) fn suspend(&mut self, now: Timestamp, wait: Option<Duration>, skip: Skip) {
        let midnight = window::next_midnight(now, &self.operation.timezone);
        let asked = wait.and_then(|wait| now.checked_add(SignedDuration::try_from(wait).ok()?).ok());
        let Some(until) = asked.into_iter().chain(midnight).min() else {
            return;
        };
        tracing::warn!(operation = &*self.operation.name, %until, "polls are suspended");
        for polled in self.reports.values_mut() {
            polled.health.next_poll = polled.health.next_poll.max(Some(until));
        }
        self.schedule.suspend(until, skip);
    }
}
