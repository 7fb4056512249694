//! How long a request may take.

use std::time::Duration;

use tokio::time::Instant;

/// The time that a request may take. It stands still while an answer waits for its place.
#[derive(Debug)]
pub(super) struct TimeLimit {
    pub(super) limit: Duration,
    pub(super) end: Instant,
}

impl TimeLimit {
    pub(super) fn begin(limit: Duration) -> Self {
        Self {
            limit,
            end: Instant::now() + limit,
        }
    }

    /// How much of it is used.
    pub(super) fn elapsed(&self) -> Duration {
        self.limit
            .saturating_sub(self.end.saturating_duration_since(Instant::now()))
    }

    /// Lets it stand still while something happens.
    pub(super) async fn stand_still<T>(&mut self, during: impl Future<Output = T>) -> T {
        let begin = Instant::now();
        let result = during.await;
        self.end += begin.elapsed();
        result
    }
}
