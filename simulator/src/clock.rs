//! The time that the simulator goes by.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// A clock that can be set. Clones show the same time.
#[derive(Clone, Debug)]
pub struct SimulatedClock {
    /// The instant at which the clock stands still, or `None` when it follows the system.
    fixed_at: Arc<Mutex<Option<Timestamp>>>,
}

impl SimulatedClock {
    /// A clock that follows the system's.
    pub fn system() -> SimulatedClock {
        SimulatedClock {
            fixed_at: Arc::new(Mutex::new(None)),
        }
    }

    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> SimulatedClock {
        SimulatedClock {
            fixed_at: Arc::new(Mutex::new(Some(at))),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let fixed_at = *self.fixed_at.lock();
        fixed_at.unwrap_or_else(Timestamp::now)
    }

    /// Lets the clock stand still at `at`, also one that followed the system.
    pub fn set(&self, at: Timestamp) {
        *self.fixed_at.lock() = Some(at);
    }

    /// Moves a clock that stands still; one that follows the system stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        let mut fixed_at = self.fixed_at.lock();
        *fixed_at = fixed_at.map(|at| at.saturating_add(by).unwrap_or(at));
    }
}
