//! When a failed request is sent again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::error::ApiError;

/// How often and how fast a request is sent again. Each time costs a call of the day.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The wait before the second request; it doubles each time, and up to itself is added by chance.
    pub first_wait: Duration,
    /// Requests after the first.
    pub retries: usize,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(1),
            retries: 2,
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

/// The wait before the request is sent again, or `None` when it is not worth it: the failure will not pass, or the
/// wait would end after the time that the poll has.
pub(super) fn wait_before_retry(error: &ApiError, backoff: Option<Duration>, left: Duration) -> Option<Duration> {
    let wait = backoff?.max(error.retry_after.unwrap_or_default());
    (error.transient && wait < left).then_some(wait)
}
