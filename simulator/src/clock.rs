//! The time that the simulator goes by.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A clock that can be set. Clones show the same time.
#[derive(Clone, Debug)]
pub struct SimulatedClock {
    /// The instant at which the clock stands still, or `None` when it follows the system.
    standing: Arc<Mutex<Option<Timestamp>>>,
}

impl SimulatedClock {
    /// A clock that follows the system's.
    pub fn system() -> SimulatedClock {
        SimulatedClock {
            standing: Arc::new(Mutex::new(None)),
        }
    }

    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> SimulatedClock {
        SimulatedClock {
            standing: Arc::new(Mutex::new(Some(at))),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let standing = *self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.unwrap_or_else(Timestamp::now)
    }

    /// Lets the clock stand still at `at`, also one that followed the system.
    pub fn set(&self, at: Timestamp) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// Moves a clock that stands still; one that follows the system stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        *standing = standing.map(|at| at.saturating_add(by).unwrap_or(at));
    }
}
