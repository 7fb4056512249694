//! When polls are due: on a grid that a slow poll cannot shift.

use std::time::Duration;

use tokio::time::Instant;

/// The instants `origin + n × interval`.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    origin: Instant,
    interval: Duration,
}

/// The first polls of all operations are spread over at most this much time.
const SPREAD: Duration = Duration::from_secs(30);

impl Grid {
    /// A grid that begins at `origin`.
    pub fn new(origin: Instant, interval: Duration) -> Self {
        Self { origin, interval }
    }

    /// The grid's first point after `now`. A poll that took longer than its interval skips points, so the grid never
    /// drifts.
    pub fn next_after(&self, now: Instant) -> Instant {
        let Some(since) = now.checked_duration_since(self.origin) else {
            return self.origin;
        };
        let passed = since.as_nanos() / self.interval.as_nanos().max(1);
        let next = u32::try_from(passed + 1).unwrap_or(u32::MAX);
        self.origin + self.interval.saturating_mul(next)
    }

    /// The grid's first point that is not before `at`.
    pub fn next_from(&self, at: Instant) -> Instant {
        let just_before = at.checked_sub(Duration::from_nanos(1));
        just_before.map_or(at, |before| self.next_after(before))
    }
}

/// The delay before the first poll of the n-th of several operations, so that they do not all start together. It is
/// zero for the first one, and never longer than the operation's shortest interval.
pub fn phase(n: usize, operations: usize, interval: Duration) -> Duration {
    let spread = SPREAD.min(interval);
    spread.mul_f64(n as f64 / operations.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_late_poll_skips_points_and_moves_none() {
        let origin = Instant::now();
        let grid = Grid::new(origin, 5 * MINUTE);
        assert_eq!(
            grid.next_after(origin),
            origin + 5 * MINUTE,
            "a point is not after itself"
        );
        assert_eq!(grid.next_after(origin + 4 * MINUTE), origin + 5 * MINUTE);
        assert_eq!(grid.next_after(origin + 12 * MINUTE), origin + 15 * MINUTE);
        assert_eq!(grid.next_after(origin + 15 * MINUTE), origin + 20 * MINUTE);
    }

    #[test]
    fn a_grid_begins_at_its_origin() {
        let now = Instant::now();
        let grid = Grid::new(now + MINUTE, 5 * MINUTE);
        assert_eq!(grid.next_after(now), now + MINUTE);
    }

    #[test]
    fn operations_are_spread_over_half_a_minute_or_one_interval() {
        let seconds = |interval| [0, 1, 2].map(|n| phase(n, 3, interval).as_secs());
        assert_eq!(seconds(5 * MINUTE), [0, 10, 20]);
        assert_eq!(seconds(Duration::from_secs(6)), [0, 2, 4]);
        assert_eq!(phase(0, 0, MINUTE), Duration::ZERO);
    }
}
