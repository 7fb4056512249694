//! Whose turn it is: what is due is polled, unless the budget or the API says that this tick is to be left out.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{BUDGET_ADVICE, Poller, positive};
use crate::fetch::calls::{ticks, until_midnight};
use crate::fetch::window;
use crate::health::Skip;
use crate::reports::ReportKind;

impl Poller {
    /// Notes when the next tick of a report is due, or the first one after what suspends polls.
    pub(super) fn note_next_poll(&mut self, report: ReportKind, tick: Instant) {
        let wait = tick.saturating_duration_since(Instant::now());
        let tick = self.clock.now().checked_add(wait).ok();
        let until = self.suspended.map(|(until, _)| until);
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.next_poll = tick.max(until);
        }
    }

    /// A tick of the grid: polls, unless the budget or the API says that this one is to be left out.
    pub async fn tick(&mut self, report: ReportKind) {
        let now = self.clock.now();
        self.last_ticks.remove(&report);
        let skip = self.reason_to_skip(report, now);
        self.last_ticks.insert(report, now);
        if let Some(skip) = skip {
            if let Some(health) = self.health.reports.get_mut(&report) {
                health.skip(skip);
            }
            self.show_health();
            return;
        }
        self.poll(report, now).await;
    }

    fn reason_to_skip(&mut self, report: ReportKind, now: Timestamp) -> Option<Skip> {
        self.budget.go_to(window::local_date(now, &self.operation.timezone));
        if let Some((until, skip)) = self.suspended {
            if now < until {
                return Some(skip);
            }
            self.suspended = None;
        }
        let thinning = self.budget.thinning(self.calls_until_midnight(now));
        let health = self.health.reports.get_mut(&report)?;
        let Some(every) = thinning else {
            const USED_UP: &str = "daily_calls are used up";
            if health.last_error.as_ref().is_none_or(|error| error.what != USED_UP) {
                let (operation, report) = (&*self.operation.name, report.name());
                tracing::warn!(operation, report, "daily_calls are used up ({BUDGET_ADVICE})");
            }
            health.without_calls(USED_UP, BUDGET_ADVICE);
            health.next_poll = window::next_midnight(now, &self.operation.timezone);
            return Some(Skip::Budget);
        };
        let interval = self.operation.reports[&report].interval;
        health.interval = interval.saturating_mul(u32::try_from(every).unwrap_or(u32::MAX));
        let left_out = self.ticks_left_out.entry(report).or_insert(every);
        *left_out += 1;
        let is_kept = *left_out >= every;
        if is_kept {
            *left_out = 0;
        }
        let left_out_next = u32::try_from(every - *left_out - 1).unwrap_or(u32::MAX);
        health.next_poll = health
            .next_poll
            .and_then(|tick| tick.checked_add(interval.saturating_mul(left_out_next)).ok());
        (!is_kept).then_some(Skip::Budget)
    }

    /// Calls that the ticks from now until local midnight need, if none is left out and no request is repeated.
    pub(super) fn calls_until_midnight(&self, now: Timestamp) -> u64 {
        let left = until_midnight(now, &self.operation);
        let needed = |report: &ReportKind| {
            let interval = self.config(*report).interval;
            let since = self
                .last_ticks
                .get(report)
                .map(|last| positive(now.duration_since(*last)));
            let due_in = since.map_or(Duration::ZERO, |since| interval.saturating_sub(since));
            ticks(left.saturating_sub(due_in), interval)
        };
        self.health.reports.keys().map(needed).sum()
    }
}
