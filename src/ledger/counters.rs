//! Counters and histograms: which of them exist, and which a commit changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::total::Total;
use crate::metrics::Family;
use crate::metrics::series::{Label, SeriesKey};
use crate::reports::values::FOLDED;

/// A series without an increment for this long is dropped. If it returns, it starts at 0.
const IDLE_DAYS: i64 = 60;

/// A counter or histogram series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) total: Total,
    /// Whether scrapes see the total. Until then they see 0: [`hold`](super::hold) has the reason.
    pub(super) released: bool,
    /// The local date of the last increment, or else of its first 0.
    pub(super) last: Date,
}

/// The series after a commit: those stored before, and those that the commit changes or creates.
pub(crate) struct CounterUpdates<'b> {
    before: &'b BTreeMap<SeriesKey, Counter>,
    pub(crate) changed: BTreeMap<SeriesKey, Counter>,
    /// The series that the commit creates.
    pub(super) created: Vec<SeriesKey>,
    /// How many label sets a family has.
    sets: BTreeMap<&'static Family, usize>,
    limit: usize,
    today: Date,
    /// Without a hold, new series show their total at once.
    created_released: bool,
}

impl<'b> CounterUpdates<'b> {
    pub(crate) fn new(
        before: &'b BTreeMap<SeriesKey, Counter>,
        limit: usize,
        today: Date,
        created_released: bool,
    ) -> Self {
        let mut sets = BTreeMap::new();
        for key in before.keys() {
            *sets.entry(key.family).or_default() += 1;
        }
        Self {
            before,
            changed: BTreeMap::new(),
            created: Vec::new(),
            sets,
            limit,
            today,
            created_released,
        }
    }

    fn exists(&self, key: &SeriesKey) -> bool {
        self.changed.contains_key(key) || self.before.contains_key(key)
    }

    /// The series that counts for a label set, and whether that is a folded one. A set counts for itself if it exists or
    /// there is room for it, and otherwise in the set whose free labels are `_other`. These have as much room again, since
    /// operations have few ids; after that the id is `_other`, too. A series that is missing is created with `zero`.
    pub(crate) fn get_or_fold(&mut self, key: &SeriesKey, zero: Total) -> (SeriesKey, bool) {
        let sets = self.sets.get(key.family).copied().unwrap_or_default();
        if self.exists(key) {
            return (key.clone(), false);
        }
        let is_full = sets >= self.limit;
        let mut counted_in = if is_full { folded(key) } else { key.clone() };
        if sets >= 2 * self.limit && !self.exists(&counted_in) {
            fold_id(&mut counted_in);
        }
        if !self.exists(&counted_in) {
            *self.sets.entry(key.family).or_default() += 1;
            self.created.push(counted_in.clone());
            self.changed.insert(
                counted_in.clone(),
                Counter {
                    total: zero,
                    released: self.created_released,
                    last: self.today,
                },
            );
        }
        (counted_in, is_full)
    }

    /// A series that exists, to be incremented today.
    pub(super) fn get_mut(&mut self, key: &SeriesKey) -> Option<&mut Counter> {
        if !self.changed.contains_key(key) {
            self.changed.insert(key.clone(), self.before.get(key)?.clone());
        }
        let counter = self.changed.get_mut(key)?;
        counter.last = self.today;
        Some(counter)
    }
}

/// The label set with `_other` for its free labels; in a family with only an id, for the id.
fn folded(key: &SeriesKey) -> SeriesKey {
    let fold = |(name, label): (&&str, &Label)| {
        if key.family.free_labels.contains(name) {
            FOLDED
        } else {
            label.clone()
        }
    };
    SeriesKey {
        family: key.family,
        labels: key.family.labels.iter().zip(&key.labels).map(fold).collect(),
    }
}

/// Makes the id `_other`, which is the first label of a family with free ones.
fn fold_id(key: &mut SeriesKey) {
    if !key.family.free_labels.is_empty() {
        key.labels[0] = FOLDED;
    }
}

/// The series that were idle for too long. The series of an id, or of a free value, are created together for all values of
/// the fixed labels, so they are dropped together: only when all of them were idle.
pub(super) fn idle(counters: &BTreeMap<SeriesKey, Counter>, today: Date) -> Vec<SeriesKey> {
    let oldest = today.saturating_sub(IDLE_DAYS.days());
    let id = |key: &SeriesKey| {
        let labels = key.family.labels.iter().zip(&key.labels).enumerate();
        let chosen = labels.filter(|(n, (name, _))| *n == 0 || key.family.free_labels.contains(name));
        (
            key.family,
            chosen.map(|(_, (_, label))| label.clone()).collect::<Vec<_>>(),
        )
    };
    let alive: BTreeSet<_> = counters
        .iter()
        .filter(|(_, c)| c.last >= oldest)
        .map(|(key, _)| id(key))
        .collect();
    counters
        .keys()
        .filter(|key| !key.family.free_labels.is_empty() && !alive.contains(&id(key)))
        .cloned()
        .collect()
}
