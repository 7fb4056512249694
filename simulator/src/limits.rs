//! The limits of a token: requests in flight and requests a day.

use std::sync::Arc;

use jiff::civil::Date;
use parking_lot::{Mutex, MutexGuard};

/// Counts the requests in flight of a token.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    current: u32,
    most: u32,
}

/// A request in flight, from its arrival until its body has been handed over or its connection is gone.
#[derive(Debug)]
pub(super) struct InFlightGuard {
    counts: Arc<Mutex<Counts>>,
    /// Requests in flight when it came, itself included.
    pub(super) concurrent: u32,
}

impl InFlight {
    pub(super) fn enter(&self) -> InFlightGuard {
        let mut counts = self.counts.lock();
        counts.current += 1;
        counts.most = counts.most.max(counts.current);
        InFlightGuard {
            concurrent: counts.current,
            counts: Arc::clone(&self.counts),
        }
    }

    /// The most requests that were ever in flight at once.
    pub(super) fn most(&self) -> u32 {
        self.counts.lock().most
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.counts.lock().current -= 1;
    }
}

/// Counts the requests of a local day, from 0 at local midnight (assumed).
#[derive(Debug, Default)]
pub(super) struct Quota {
    used: Mutex<(Date, u32)>,
}

impl Quota {
    pub(super) fn used(&self, today: Date) -> u32 {
        self.of_day(today).1
    }

    pub(super) fn charge(&self, today: Date) {
        self.of_day(today).1 += 1;
    }

    fn of_day(&self, today: Date) -> MutexGuard<'_, (Date, u32)> {
        let mut used = self.used.lock();
        if used.0 != today {
            *used = (today, 0);
        }
        used
    }
}
