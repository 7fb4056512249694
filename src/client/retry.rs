//! When a failed request is retried.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::error::ApiError;

/// How often and how fast a request is retried. Each retry costs a call of the day.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The wait before the first retry. It doubles with each retry, and a random part of up to its own length is added.
    pub first_wait: Duration,
    /// The number of retries.
    pub retries: usize,
    /// How long the API may go on working on a request that we gave up: 60 s, its own limit. Until then, another request
    /// would be a second one at the same time.
    pub answer_within: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(1),
            retries: 2,
            answer_within: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The waits, one per retry.
    pub(super) fn waits(self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_max_times(self.retries)
            .with_jitter()
            .build()
    }
}

/// The wait before a retry, or `None` if there is none: the failure is not transient, retries are used up, or the wait
/// would exceed the poll's remaining time. `busy` is how long the API may still work on the failed request.
pub(super) fn wait_before_retry(
    error: &ApiError,
    backoff: Option<Duration>,
    busy: Duration,
    left: Duration,
) -> Option<Duration> {
    let wait = backoff?.max(error.retry_after.unwrap_or_default()).max(busy);
    (error.transient && wait < left).then_some(wait)
}
