//! A poll in progress, and the requests that it sends.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Poller;
use crate::client::{Allowance, Answer, ApiError};
use crate::config::ReportConfig;
use crate::fetch::clocks;
use crate::fetch::queries::Api;
use crate::reports::{Outcome, Report, Tally};
use crate::wire::{Query, Rows};

/// A poll in progress.
#[derive(Debug)]
pub(super) struct Poll {
    pub(super) report: &'static Report,
    pub(super) config: ReportConfig,
    /// When the poll began. This counts as the time of the whole poll.
    pub(super) now: Timestamp,
    pub(super) began: Instant,
    pub(super) rows: u64,
    pub(super) counted: u64,
    pub(super) invalid: u64,
    pub(super) requests: usize,
}

impl Poller {
    /// Sends a query, records every request, and compares the clocks.
    async fn fetch<R: Rows + Send>(
        &mut self,
        poll: &mut Poll,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError> {
        let mut attempts = Vec::new();
        let held_series = self.held_series();
        let allowance = Allowance {
            timeout: poll.config.timeout,
            retry_within: poll.config.interval,
            budget: &mut self.budget,
            attempts: &mut attempts,
        };
        let result = held_series
            .release_while(self.client.fetch(query, allowance, rows))
            .await;
        poll.requests += attempts.len();
        let health = &mut self.polled(poll.report).health;
        attempts.into_iter().for_each(|attempt| health.request(attempt));
        let answer = result?;
        // `poll.now` is when the poll began; the answer came later.
        let elapsed = SignedDuration::try_from(poll.began.elapsed()).unwrap_or_default();
        clocks::compare(answer.date, poll.now.saturating_add(elapsed).unwrap_or(poll.now))?;
        Ok(answer)
    }

    /// The API for the queries of one poll.
    pub(super) fn api<'p>(&'p mut self, poll: &'p mut Poll) -> PolledApi<'p> {
        PolledApi { poller: self, poll }
    }
}

impl Poll {
    pub(super) fn new(report: &'static Report, config: ReportConfig, now: Timestamp) -> Self {
        Self {
            report,
            config,
            now,
            began: Instant::now(),
            rows: 0,
            counted: 0,
            invalid: 0,
            requests: 0,
        }
    }

    /// Adds the rows of an answer to the counts for the log.
    pub(super) fn add(&mut self, rows: u64, tally: &Tally) {
        self.rows += rows;
        self.counted += tally.rows(Outcome::Counted);
        self.invalid += tally.rows(Outcome::Invalid);
    }
}

/// The API as a poll uses it.
pub(super) struct PolledApi<'p> {
    poller: &'p mut Poller,
    poll: &'p mut Poll,
}

impl Api for PolledApi<'_> {
    async fn fetch<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError> {
        self.poller.fetch(self.poll, query, rows).await
    }
}
