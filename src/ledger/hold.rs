//! New series show 0 for a while.
//!
//! Prometheus computes an increase from differences, so a series that appears at 5 hides its first five events. Shown at
//! 0 for at least two scrapes, it hides none. The time is monotonic: a clock that jumps releases nothing early.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::snapshot::SeriesKey;

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

    /// Starts the hold of a new series; true when there is none, so that it counts as released at once.
    pub(super) fn start(&mut self, key: SeriesKey, now: Instant) -> bool {
        if self.hold.is_zero() {
            return true;
        }
        self.until.insert(key, now + self.hold);
        false
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.until.values().min().copied()
    }

    /// Takes out the series whose hold is over.
    pub(super) fn take_over(&mut self, now: Instant) -> Vec<SeriesKey> {
        self.until
            .extract_if(.., |_, until| *until <= now)
            .map(|(key, _)| key)
            .collect()
    }
}
