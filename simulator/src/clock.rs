//! The clock of the simulator.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// A clock that tests can set. Clones share the time.
#[derive(Clone, Debug)]
pub struct SimulatedClock {
    /// The instant at which the clock stands still, or `None` if it follows the system.
    fixed_at: Arc<Mutex<Option<Timestamp>>>,
}

impl SimulatedClock {
    /// A clock that follows the system clock.
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

    /// The current time.
    pub fn now(&self) -> Timestamp {
        let fixed_at = *self.fixed_at.lock();
        fixed_at.unwrap_or_else(Timestamp::now)
    }

    /// Sets the clock, which from then on stands still at `at`.
    pub fn set(&self, at: Timestamp) {
        *self.fixed_at.lock() = Some(at);
    }

    /// Moves a clock that stands still. One that follows the system does not change.
    pub fn advance(&self, by: SignedDuration) {
        let mut fixed_at = self.fixed_at.lock();
        *fixed_at = fixed_at.map(|at| at.saturating_add(by).unwrap_or(at));
    }
}
