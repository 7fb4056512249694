//! Takes turns: sleeps until a report is due, and polls it unless this tick is to be left out.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::schedule::{Schedule, Turn};
use super::{BUDGET_ADVICE, Poller, Stop};
use crate::fetch::calls::midnight_after;
use crate::fetch::window;
use crate::health::Skip;
use crate::language::Text;
use crate::reports::{Kind, Report};

impl Poller {
    /// Polls on the grid that begins at `origin` until stopped. An abandoned poll loses nothing: what it has not
    /// committed is read again after the next start. Before returning, waits for a commit in progress and saves the
    /// number of calls used.
    pub async fn run(mut self, origin: Instant, stop: Stop) -> Self {
        // The first call of the process. Polls tell when the state cannot be saved.
        _ = self.save_next_call(self.clock.now()).await;
        let polls = self.poll_until(origin, &stop.graceful);
        if stop.immediate.run_until_cancelled(polls).await.is_none() {
            self.ledger.commits_ended().await;
        }
        let now = self.clock.now();
        let saved = self.save_calls(now, self.local_date(now), self.budget.used()).await;
        if let Err(error) = saved {
            tracing::warn!(
                operation = &*self.operation.name,
                "the number of calls used was not saved: {}",
                error.what
            );
        }
        self
    }

    async fn poll_until(&mut self, origin: Instant, stop: &CancellationToken) {
        self.schedule = Schedule::begun(Arc::clone(&self.operation), origin);
        for report in self.operation.reports.keys().copied().collect::<Vec<_>>() {
            self.set_next_poll(report, origin);
        }
        self.publish_health();
        loop {
            let Some((due, report)) = self.schedule.next(Instant::now()) else {
                return stop.cancelled().await;
            };
            let waited = stop.run_until_cancelled(sleep_until(due));
            if self.held_series().release_while(waited).await.is_none() || stop.is_cancelled() {
                return;
            }
            self.advance(report, due);
            self.tick(report).await;
            self.schedule.advance(report, Instant::now().max(due), self.clock.now());
        }
    }

    /// Polls the reports of what happens now that are due: they get their turn while another report is read piece by piece.
    pub(super) async fn give_way(&mut self) {
        while let Some((due, report)) = self.schedule.due_now(Instant::now()) {
            let Kind::Current(state) = report.kind else { return };
            self.advance(report, due);
            let now = self.clock.now();
            match self.reason_to_skip(report, now) {
                Some(skip) => self.skip(report, skip),
                None => self.poll_now(report, state, now).await,
            }
            self.schedule.advance(report, Instant::now().max(due), self.clock.now());
        }
    }

    /// Moves a report that is due to its next tick. This comes before its poll, so that it is published with the result. A
    /// timer may fire a little early.
    fn advance(&mut self, report: &'static Report, due: Instant) {
        let next = self.schedule.advance(report, Instant::now().max(due), self.clock.now());
        self.set_next_poll(report, next);
    }

    /// Records when the report is next due: at its next tick, or at the end of a pause of all polls if that is later.
    fn set_next_poll(&mut self, report: &'static Report, tick: Instant) {
        let wait = tick.saturating_duration_since(Instant::now());
        let tick = self.clock.now().checked_add(wait).ok();
        let next_poll = tick.max(self.schedule.suspended_until());
        self.polled(report).health.next_poll = next_poll;
    }

    /// Handles a tick of the grid: polls, unless the budget or the API requires leaving this tick out.
    pub async fn tick(&mut self, report: &'static Report) {
        let now = self.clock.now();
        self.log_hour(now);
        match self.reason_to_skip(report, now) {
            Some(skip) => self.skip(report, skip),
            None => self.poll(report, now).await,
        }
    }

    fn skip(&mut self, report: &'static Report, skip: Skip) {
        self.polled(report).health.skip(skip);
        self.hour.add_skipped();
        self.keep_shown(report);
        self.publish_health();
    }

    fn reason_to_skip(&mut self, report: &'static Report, now: Timestamp) -> Option<Skip> {
        self.budget.set_day(self.local_date(now));
        let turn = self
            .schedule
            .turn(report, now, midnight_after(now, &self.operation), &self.budget);
        let interval = self.operation.interval_at(&self.operation.reports[report], now);
        let health = &mut self.reports.get_mut(report)?.health;
        match turn {
            Turn::Suspended(skip) => Some(skip),
            Turn::OutOfCalls => {
                let is_known = health
                    .last_error
                    .as_ref()
                    .is_some_and(|error| error.skip == Some(Skip::Budget));
                if !is_known {
                    let (operation, report) = (&*self.operation.name, report.name);
                    tracing::warn!(operation, report, "daily_calls are used up ({BUDGET_ADVICE})");
                }
                let what = Text::new("daily_calls are used up", "se agotaron las daily_calls");
                health.out_of_calls(Skip::Budget, what.into(), BUDGET_ADVICE);
                health.next_poll = window::next_midnight(now, &self.operation.timezone);
                Some(Skip::Budget)
            }
            Turn::Tick {
                is_kept,
                every,
                skipped_next,
            } => {
                health.interval = interval.saturating_mul(every);
                health.one_of = every;
                health.next_poll = health
                    .next_poll
                    .and_then(|tick| tick.checked_add(interval.saturating_mul(skipped_next)).ok());
                (!is_kept).then_some(Skip::Budget)
            }
        }
    }
}
