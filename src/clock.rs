//! Clocks. Only the outermost loops have one; logic gets the time as an argument.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A wall clock: the system's, or one that a test or the demo controls.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    steady: Option<Steady>,
}

/// A clock that never jumps.
#[derive(Clone)]
struct Steady {
    /// The time that has passed.
    passed: Arc<dyn Fn() -> SignedDuration + Send + Sync>,
    /// The wall clock at the start, and the time that had passed by then.
    start: (Timestamp, SignedDuration),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        let start = Instant::now();
        Self::with_passed(Timestamp::now, move || {
            SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX)
        })
    }

    /// A clock that returns what `now` returns, and is always believed.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            now: Arc::new(now),
            steady: None,
        }
    }

    /// A clock that returns what `now` returns. By `passed` one can see whether it jumps.
    pub fn with_passed(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        passed: impl Fn() -> SignedDuration + Send + Sync + 'static,
    ) -> Self {
        let start = (now(), passed());
        Self {
            now: Arc::new(now),
            steady: Some(Steady {
                passed: Arc::new(passed),
                start,
            }),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The time that has passed since some moment by a clock that never jumps; `None` if this clock is always believed.
    pub fn passed(&self) -> Option<SignedDuration> {
        self.steady.as_ref().map(|steady| (steady.passed)())
    }

    /// The monotonic clock, for how old things are. It counts the time in which the machine was paused, which only the wall
    /// clock knows.
    pub fn instant(&self) -> Instant {
        let paused = self.steady.as_ref().map(|steady| {
            let (wall, passed) = steady.start;
            self.now().duration_since(wall) - ((steady.passed)() - passed)
        });
        let paused = paused.and_then(|paused| Duration::try_from(paused).ok());
        Instant::now() + paused.unwrap_or_default()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time by both clocks: the wall clock for dates, and the monotonic one, which never jumps, for durations.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the wall clock.
    pub wall: Timestamp,
    /// By the monotonic clock.
    pub monotonic: Instant,
}

impl Moment {
    /// Now, with a wall clock that was read just before.
    pub fn at(wall: Timestamp) -> Self {
        Self {
            wall,
            monotonic: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_the_machine_counts_as_age() {
        let (start, hour) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
        let wall = Arc::new(parking_lot::Mutex::new(start));
        let read = Arc::clone(&wall);
        let clock = Clock::with_passed(move || *read.lock(), || SignedDuration::ZERO);
        let before = clock.instant();
        *wall.lock() = start + hour;
        let age = clock.instant() - before;
        assert!((3600..3660).contains(&age.as_secs()), "{age:?}");
        *wall.lock() = start - hour;
        assert!(clock.instant() - before < Duration::from_secs(60), "back is no pause");
    }
}
