//! When polls are due: on a grid that a slow poll cannot move.

use std::time::Duration;

use tokio::time::Instant;

/// The instants `origin + n × interval`.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    origin: Instant,
    interval: Duration,
}

/// The first polls of several operations are spread over at most this much time.
const SPREAD: Duration = Duration::from_secs(30);

impl Grid {
    /// A grid that begins at `origin`.
    pub fn new(origin: Instant, interval: Duration) -> Self {
        Self { origin, interval }
    }

    /// The grid's first point after `now`: a poll that took longer than its interval skips points and never drifts.
    pub fn next_after(&self, now: Instant) -> Instant {
        let Some(since) = now.checked_duration_since(self.origin) else {
            return self.origin;
        };
        let passed = since.as_nanos() / self.interval.as_nanos().max(1);
        let next = u32::try_from(passed + 1).unwrap_or(u32::MAX);
        self.origin + self.interval.saturating_mul(next)
    }
}

/// How long the n-th of several operations waits before its first poll, so that they do not fire together. The first
/// does not wait; none waits longer than its shortest interval.
pub fn phase(n: usize, operations: usize, interval: Duration) -> Duration {
    let spread = SPREAD.min(interval);
    spread.mul_f64(n as f64 / operations.max(1) as f64)
}
