//! New series show 0 for a while.
//!
//! Prometheus computes an increase from differences, so a series that appears at 5 hides its first five events. Shown at
//! 0 for at least two scrapes, it hides none. The time is monotonic: a clock that jumps releases nothing early.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::series::SeriesKey;

/// The series that show 0, and until when.
#[derive(Debug)]
pub(super) struct Holds {
    hold: Duration,
    until: BTreeMap<SeriesKey, Instant>,
}

impl Holds {
    pub(super) fn new(hold: Duration) -> Self {
        Self {
            hold,
            until: BTreeMap::new(),
        }
    }

    /// Holds new series for so long from now on; those held already stay so for as long as was said then.
    pub(super) fn set(&mut self, hold: Duration) {
        self.hold = hold;
    }

    /// Starts the hold of a series that is new in this process. Without a hold there is none.
    pub(super) fn start(&mut self, key: SeriesKey, now: Instant) {
        if !self.hold.is_zero() {
            self.until.entry(key).or_insert(now + self.hold);
        }
    }

    /// Whether new series show their value at once.
    pub(super) fn is_off(&self) -> bool {
        self.hold.is_zero()
    }

    pub(super) fn is_held(&self, key: &SeriesKey) -> bool {
        self.until.contains_key(key)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.until.values().min().copied()
    }

    /// The series whose hold is over.
    pub(super) fn over(&self, now: Instant) -> Vec<SeriesKey> {
        self.until
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(key, _)| key.clone())
            .collect()
    }

    pub(super) fn remove(&mut self, keys: &[SeriesKey]) {
        for key in keys {
            self.until.remove(key);
        }
    }

    pub(super) fn postpone(&mut self, keys: &[SeriesKey], until: Instant) {
        for key in keys {
            self.until.insert(key.clone(), until);
        }
    }
}
