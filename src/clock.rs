//! Clocks. Only the outermost loops have one; logic gets the time as an argument.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A wall clock: the system's, or one that a test or the demo controls.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Time that has passed by a clock that never jumps.
    passed: Option<Arc<dyn Fn() -> SignedDuration + Send + Sync>>,
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
            passed: None,
        }
    }

    /// A clock that returns what `now` returns. By `passed` one can see whether it jumps.
    pub fn with_passed(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        passed: impl Fn() -> SignedDuration + Send + Sync + 'static,
    ) -> Self {
        Self {
            now: Arc::new(now),
            passed: Some(Arc::new(passed)),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The time that has passed since some moment by a clock that never jumps; `None` if this clock is always believed.
    pub fn passed(&self) -> Option<SignedDuration> {
        self.passed.as_ref().map(|passed| passed())
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
