//! Polls reports of the current state: gauges that replace the last ones and expire when too old.

use super::{Poll, Poller};
use crate::client::ApiError;
use crate::fetch::queries;
use crate::reports::Outcome;
use crate::reports::current::CurrentState;

impl Poller {
    /// Polls a report of the current state, and publishes it as a whole.
    pub(super) async fn poll_current(&mut self, poll: &mut Poll, state: CurrentState) -> Result<(), ApiError> {
        let (report, limit) = (poll.report, self.settings.series_limit);
        let answer = queries::current(&mut self.api(poll), report, state, limit).await?;
        let current = answer.rows;
        poll.add(answer.count, &current.tally);
        self.record_rows(report, &current.tally, poll.now);
        let used = current.tally.rows(Outcome::Counted);
        queries::check_usable(&current.tally, used)?;
        for (family, count) in current.left_out {
            self.add_dropped(family, count);
        }
        let expires_at = self.clock.instant() + poll.config.max_age;
        self.published.publish(
            &self.operation.name,
            report,
            current.series,
            current.view,
            Some(expires_at),
        );
        self.polled(report).health.data = Some(poll.now);
        if let Err(error) = self.save_next_call(poll.now).await {
            // The current state needs no disk. The reports that count will fail and log it.
            tracing::debug!(
                operation = &*self.operation.name,
                "the number of calls used was not saved: {}",
                error.what
            );
        }
        Ok(())
    }
}
