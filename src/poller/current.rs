//! Polls reports of the current state: gauges that replace the last ones and expire when too old.

use super::{Poll, Poller};
use crate::client::ApiError;
use crate::fetch::queries;
use crate::reports::current::CurrentState;
use crate::reports::{Outcome, View};

impl Poller {
    /// Polls a report of the current state, and publishes it as a whole.
    pub(super) async fn poll_current(&mut self, poll: &mut Poll, state: CurrentState) -> Result<(), ApiError> {
        let (report, limit) = (poll.report, self.settings.series_limit);
        let choice = poll.config.choice.clone();
        let answer = queries::current(&mut self.api(poll), report, state, &choice, limit).await?;
        let current = answer.rows;
        poll.add(answer.count, &current.tally);
        self.record_rows(report, &current.tally, poll.now);
        let used = current.tally.rows(Outcome::Counted);
        queries::check_usable(&current.tally, used)?;
        for (family, count) in current.left_out {
            self.add_dropped(family, count);
        }
        if let View::Quota(calls) = &current.view {
            let own = u64::from(self.budget.used());
            let all = calls.operation_used.or(calls.used);
            self.used_by_others = all.map(|all| all.saturating_sub(own));
        }
        self.published
            .publish_current(&self.operation.name, report, current.series, current.view);
        let read_at = self.clock.instant();
        let polled = self.polled(report);
        polled.read_at = Some(read_at);
        polled.health.data = Some(poll.now);
        self.keep_shown(report);
        let (today, calls_used) = self.calls_to_save(poll.now);
        let names = current.names;
        let saved = self.commit(poll.now, move |ledger, now| {
            ledger.commit_names(&names, today, calls_used, now)
        });
        match saved.await {
            Ok(()) => self.publish_changes(report),
            // The current state needs no disk. The reports that count will fail and log it.
            Err(error) => tracing::debug!(
                operation = &*self.operation.name,
                "names and the number of calls used were not saved: {}",
                error.what
            ),
        }
        Ok(())
    }
}
