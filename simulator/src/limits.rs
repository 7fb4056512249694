//! Requests in in_flight and requests a day.

use std::sync::Arc;

use jiff::civil::Date;
use parking_lot::{Mutex, MutexGuard};

/// Counts the requests of a token that are in in_flight.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    now: u32,
    most: u32,
}

/// A request in in_flight: from its arrival until its body has been handed over or its connection is gone.
#[derive(Debug)]
pub(super) struct InFlightGuard {
    counts: InFlight,
    /// How many were in in_flight when it came, itself included.
    pub(super) concurrent: u32,
}

impl InFlight {
    pub(super) fn enter(&self) -> InFlightGuard {
        let mut counts = self.lock();
        counts.now += 1;
        counts.most = counts.most.max(counts.now);
        InFlightGuard {
            concurrent: counts.now,
            counts: self.clone(),
        }
    }

    /// The most that ever were in in_flight at once.
    pub(super) fn most(&self) -> u32 {
        self.lock().most
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock()
    }
}

impl Drop for InFlightGuard {
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
        let mut used = self.used.lock();
        if used.0 != today {
            *used = (today, 0);
        }
        used
    }
}
