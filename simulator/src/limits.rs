//! Requests in flight and requests a day.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;

/// Counts the requests of a token that are in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    now: u32,
    most: u32,
}

/// A request in flight: from its arrival until its body has been handed over or its connection is gone.
#[derive(Debug)]
pub(super) struct Flight {
    counts: InFlight,
    /// How many were in flight when it came, itself included.
    pub(super) company: u32,
}

impl InFlight {
    pub(super) fn enter(&self) -> Flight {
        let mut counts = self.lock();
        counts.now += 1;
        counts.most = counts.most.max(counts.now);
        Flight {
            company: counts.now,
            counts: self.clone(),
        }
    }

    /// The most that ever were in flight at once.
    pub(super) fn most(&self) -> u32 {
        self.lock().most
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.counts.lock().now -= 1;
    }
}

/// Counts the requests of a local day; the count starts anew at local midnight (assumed).
#[derive(Debug, Default)]
pub(super) struct Quota {
    used: Mutex<(Date, u32)>,
}

impl Quota {
    pub(super) fn used(&self, today: Date) -> u32 {
        self.lock(today).1
    }

    pub(super) fn charge(&self, today: Date) {
        self.lock(today).1 += 1;
    }

    fn lock(&self, today: Date) -> MutexGuard<'_, (Date, u32)> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.0 != today {
            *used = (today, 0);
        }
        used
    }
}
