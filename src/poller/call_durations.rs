//! Reads day totals: today first, since it is what people watch, then the days before it that need it.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Poller;
use crate::client::ApiError;
use crate::fetch::{clocks, queries, window};
use crate::ledger::DayReading;
use crate::reports::ReportKind;
use crate::reports::call_durations::CallDurations;

impl Poller {
    /// Polls the report of day totals. Each day is committed and shown on its own.
    pub(super) async fn poll_call_durations(&mut self, now: Timestamp) -> Result<usize, ApiError> {
        let report = ReportKind::CallDurations;
        let zone = self.operation.timezone.clone();
        let config = self.config(report).clone();
        self.check_source(report, &config, now).await?;
        let covered = self.ledger().day_progress(report).map(|progress| progress.covered);
        clocks::check_step_back(covered, now)?;
        let mut rows = self.read_day(window::local_date(now, &zone), now).await?;
        self.commit_source(report, &config, now).await?;

        let (days, is_reread, unsettled) = match self.ledger().day_progress(report) {
            Some(progress) => {
                let mut days = window::past_days(progress, &config.reread, now, &zone);
                // Days whose totals are not final yet come before those that are only read again.
                days.sort_by_key(|date| progress.is_settled(*date));
                let unsettled = days.iter().filter(|date| !progress.is_settled(**date)).count();
                (days, window::reread_is_due(progress, &config.reread, now), unsettled)
            }
            None => return Ok(rows),
        };
        // The last day's final totals are part of the live poll. An outage's days must not starve the live polls; what does
        // not fit now is read by a later poll.
        let spare = usize::try_from(self.budget.spare(self.calls_until_midnight(now))).unwrap_or(usize::MAX);
        let allowed = spare.max(usize::from(unsettled > 0));
        let mut failure = None;
        for date in days.iter().take(allowed) {
            let used = self.budget.used();
            // A day that fails must not keep the others waiting.
            match self.read_day(*date, now).await {
                Ok(read) => rows += read,
                Err(error) => failure = failure.or(Some(error)),
            }
            self.budget.note_catch_up(self.budget.used().saturating_sub(used));
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if is_reread && days.len() <= allowed {
            self.commit(now, move |ledger, now| ledger.commit_days_reread(report, now))
                .await?;
        }
        Ok(rows)
    }

    /// Reads one day, commits it and shows it.
    async fn read_day(&mut self, date: Date, now: Timestamp) -> Result<usize, ApiError> {
        let report = ReportKind::CallDurations;
        let operation = std::sync::Arc::clone(&self.operation);
        let currency = operation.currency.as_deref();
        let answer = queries::call_durations(&mut self.api(report, now), &operation, date, now).await?;
        let tally = answer.rows.tally().clone();
        let (today, calls_used) = self.calls_of_today(now);
        let reading = DayReading {
            report,
            date,
            until: now,
            settled: window::is_settled(date, now, &operation.timezone),
            today,
            series: CallDurations::all_series(currency),
            calls_used,
            totals: answer.rows.into_totals(),
        };
        let committed = self
            .commit(now, move |ledger, now| ledger.commit_day(&reading, now))
            .await?;
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.corrections += committed.corrections;
        }
        self.show_counters(report);
        Ok(self.note_rows(report, &tally, answer.count, now))
    }
}
