//! New series show 0 for a while.
//!
//! Prometheus computes an increase from differences, so it misses the first five events of a series that appears with the
//! value 5. If it scrapes the series at 0 first, it misses none. The hold is measured by the monotonic clock, so a change of
//! the system time releases nothing early.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::counters::Counter;
use super::state::StateChange;
use super::{Ledger, StateError};
use crate::clock::Moment;
use crate::metrics::series::SeriesKey;

/// The pause before a release that could not be saved is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

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

    /// Changes the hold for new series. Series already held keep their deadline.
    pub(super) fn set(&mut self, hold: Duration) {
        self.hold = hold;
    }

    /// Whether new series show their value at once.
    pub(super) fn is_off(&self) -> bool {
        self.hold.is_zero()
    }

    /// Starts the hold of a series that is new in this process.
    pub(super) fn start(&mut self, key: SeriesKey, now: Instant) {
        if !self.is_off() {
            self.until.entry(key).or_insert(now + self.hold);
        }
    }

    pub(super) fn is_held(&self, key: &SeriesKey) -> bool {
        self.until.contains_key(key)
    }

    /// When the next hold ends.
    fn next_end(&self) -> Option<Instant> {
        self.until.values().min().copied()
    }

    /// The series whose hold has ended.
    fn ended(&self, now: Instant) -> Vec<SeriesKey> {
        self.until
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn remove(&mut self, keys: &[SeriesKey]) {
        for key in keys {
            self.until.remove(key);
        }
    }

    fn postpone(&mut self, keys: &[SeriesKey], until: Instant) {
        for key in keys {
            self.until.insert(key.clone(), until);
        }
    }
}

impl Ledger {
    /// When the next series stops showing 0.
    pub fn next_release(&self) -> Option<Instant> {
        self.holds.next_end()
    }

    /// Commits the release of the series whose hold has ended. If that fails, they stay held and are tried again.
    pub fn commit_releases(&mut self, now: Moment) -> Result<(), StateError> {
        let ended = self.holds.ended(now.monotonic);
        let released = self.write(now, |_, state| {
            let counters = ended.iter().filter_map(|key| state.counters.get_key_value(key));
            Ok((StateChange::releasing(counters), ()))
        });
        match released {
            Ok(()) => self.holds.remove(&ended),
            Err(_) => self.holds.postpone(&ended, now.monotonic + RETRY_AFTER),
        }
        released
    }

    /// Releases everything that an earlier process held. Without a hold these series are shown at once, and a hold that is
    /// configured later must not set them back to 0.
    pub(super) fn release_all(&mut self, now: Moment) -> Result<(), StateError> {
        if self.state.counters.values().all(|counter| counter.released) {
            return Ok(());
        }
        self.write(now, |_, state| {
            let unreleased = state.counters.iter().filter(|(_, counter)| !counter.released);
            Ok((StateChange::releasing(unreleased), ()))
        })
    }

    /// Starts the hold of the series that were not released before a restart.
    pub(super) fn hold_unreleased(&mut self, now: Moment) {
        let unreleased = self.state.counters.iter().filter(|(_, counter)| !counter.released);
        for (key, _) in unreleased {
            self.holds.start(key.clone(), now.monotonic);
        }
    }
}

impl StateChange {
    fn releasing<'s>(counters: impl Iterator<Item = (&'s SeriesKey, &'s Counter)>) -> Self {
        let released = |counter: &Counter| Counter {
            released: true,
            ..counter.clone()
        };
        Self {
            counters: counters
                .map(|(key, counter)| (key.clone(), released(counter)))
                .collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Family;
    use crate::metrics::series::Label;

    static CALLS: Family = Family::counter("calls", &["skill_id"], "Calls");
    const MINUTE: Duration = Duration::from_secs(60);

    fn skill(id: &'static str) -> SeriesKey {
        SeriesKey {
            family: &CALLS,
            labels: vec![Label::Borrowed(id)],
        }
    }

    #[test]
    fn a_hold_ends_on_time_however_often_it_is_started_or_changed() {
        let start = Instant::now();
        let mut holds = Holds::new(5 * MINUTE);
        holds.start(skill("1"), start);
        holds.start(skill("1"), start + 3 * MINUTE);
        holds.set(MINUTE);
        holds.start(skill("2"), start + MINUTE);
        assert_eq!(holds.next_end(), Some(start + 2 * MINUTE));
        assert!(holds.ended(start + 2 * MINUTE - Duration::from_nanos(1)).is_empty());
        assert_eq!(holds.ended(start + 2 * MINUTE), [skill("2")]);
        assert_eq!(holds.ended(start + 5 * MINUTE), [skill("1"), skill("2")]);
    }

    #[test]
    fn a_postponed_series_stays_held() {
        let start = Instant::now();
        let mut holds = Holds::new(MINUTE);
        holds.start(skill("1"), start);
        holds.postpone(&holds.ended(start + MINUTE), start + 2 * MINUTE);
        assert!(holds.is_held(&skill("1")));
        assert!(holds.ended(start + MINUTE).is_empty());
        holds.remove(&holds.ended(start + 2 * MINUTE));
        assert!(!holds.is_held(&skill("1")));
        assert_eq!(holds.next_end(), None);
    }

    #[test]
    fn without_a_hold_nothing_is_held() {
        let mut holds = Holds::new(Duration::ZERO);
        assert!(holds.is_off());
        holds.start(skill("1"), Instant::now());
        assert!(!holds.is_held(&skill("1")));
    }
}
