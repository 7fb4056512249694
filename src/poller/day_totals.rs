//! Polls day totals: today first, since that is what people watch, then earlier days that need it.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Poll, Poller};
use crate::client::ApiError;
use crate::fetch::{clocks, queries, window};
use crate::ledger::DayReading;
use crate::reports::Outcome;
use crate::reports::day_totals::DayTotals;

impl Poller {
    /// Polls a report of day totals. Each day is committed and published on its own.
    pub(super) async fn poll_day_totals(&mut self, poll: &mut Poll, totals: DayTotals) -> Result<(), ApiError> {
        let (report, now) = (poll.report, poll.now);
        self.check_source(poll).await?;
        let covered = self.ledger.lock().day_progress(report).map(|progress| progress.covered);
        clocks::check_step_back(covered, now)?;
        self.read_day(poll, totals, self.local_date(now)).await?;
        self.commit_source(poll).await?;

        let zone = self.operation.timezone.clone();
        let (mut unsettled, mut again, is_reread) = match self.ledger.lock().day_progress(report) {
            Some(progress) => {
                let days = window::past_days(progress, &poll.config.reread, now, &zone);
                let (again, unsettled): (Vec<Date>, _) = days.into_iter().partition(|date| progress.is_settled(*date));
                let is_reread = window::reread_is_due(progress, &poll.config.reread, now);
                (unsettled, again, is_reread)
            }
            None => return Ok(()),
        };
        // The totals of the day that just ended are part of the live poll. The days of a longer outage must not starve the
        // live polls, so what does not fit now waits for a later poll.
        let spare = usize::try_from(self.calls_for_catch_up(now)).unwrap_or(usize::MAX);
        let is_complete = unsettled.len() <= spare.max(1);
        unsettled.truncate(spare.max(1));
        let mut failure = None;
        for date in unsettled {
            self.give_way().await;
            // A failed day must not hold up the others.
            if let Err(error) = self.read_past_day(poll, totals, date).await {
                failure = failure.or(Some(error));
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if !is_reread || !is_complete {
            return Ok(());
        }
        again.retain(|date| !self.reports[report].rereads.days_read.contains(date));
        for date in again {
            self.give_way().await;
            if self.calls_for_reread(report, now) == 0 {
                return Ok(());
            }
            if let Err(error) = self.read_past_day(poll, totals, date).await {
                return self.reread_failed(poll, error);
            }
            self.reread_succeeded(report);
            self.polled(report).rereads.days_read.insert(date);
        }
        self.commit(now, move |ledger, now| ledger.commit_days_reread(report, now))
            .await?;
        self.polled(report).rereads.days_read.clear();
        Ok(())
    }

    /// Reads a day before today.
    async fn read_past_day(&mut self, poll: &mut Poll, totals: DayTotals, date: Date) -> Result<(), ApiError> {
        let used = self.budget.used();
        let result = self.read_day(poll, totals, date).await;
        self.budget.record_catch_up(self.budget.used().saturating_sub(used));
        result
    }

    /// Reads one day, commits it and publishes it.
    async fn read_day(&mut self, poll: &mut Poll, totals: DayTotals, date: Date) -> Result<(), ApiError> {
        let (report, now) = (poll.report, poll.now);
        let operation = Arc::clone(&self.operation);
        let answer = queries::day(&mut self.api(poll), report, totals, &operation, date, now).await?;
        let tally = answer.rows.tally;
        poll.add(answer.count, &tally);
        self.record_rows(report, &tally, now);
        queries::check_usable(&tally, tally.rows(Outcome::Counted))?;
        let (today, calls_used) = self.calls_to_save(now);
        let reading = DayReading {
            report,
            date,
            until: now,
            is_over: window::is_over(date, now, &operation.timezone),
            today,
            series: (totals.zeros)(operation.currency.as_deref()),
            calls_used,
            totals: answer.rows.totals,
        };
        let committed = self
            .commit(now, move |ledger, now| ledger.commit_day(&reading, now))
            .await?;
        let health = &mut self.polled(report).health;
        health.corrections += committed.corrections;
        health.data = Some(now);
        for (family, totals) in committed.folded {
            self.add_dropped(family, totals);
        }
        self.publish_changes(report);
        Ok(())
    }
}
