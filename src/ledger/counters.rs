//! Counter and histogram series: their totals, and which of them may exist.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::metrics::series::Micros;
use crate::metrics::series::{Amount, Histogram, Label, SeriesKey, Value};
use crate::metrics::{Family, Kind};

/// A series that was not counted on for so long is dropped, and born at 0 if it returns.
const IDLE_DAYS: i64 = 60;
/// What the free labels of sets over the limit become.
const FOLDED: &str = "_other";

/// A counter or histogram series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) total: Total,
    /// Whether its value is shown; until then it is 0, since Prometheus cannot see the first increment of a series that
    /// appears with it.
    pub(super) released: bool,
    /// The local date of the last increment, or of the birth.
    pub(super) last: Date,
}

/// What a series has counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Total {
    Count(u64),
    /// In millionths.
    Sum(u64),
    Histogram {
        counts: Vec<u64>,
        /// In millionths.
        sum: u64,
    },
}

impl Total {
    /// Nothing yet, in the form that the family's type asks for.
    pub(crate) fn zero_of(family: &Family) -> Self {
        match family.kind {
            Kind::Histogram(bounds) => Total::Histogram {
                counts: vec![0; bounds.len() + 1],
                sum: 0,
            },
            Kind::Gauge | Kind::Counter | Kind::Info => Total::Count(0),
        }
    }

    pub(super) fn add(&mut self, growth: Amount) {
        match (self, growth) {
            (Total::Count(total), Amount::Count(growth)) => *total = total.saturating_add(growth),
            (Total::Sum(total), Amount::Sum(growth)) => *total = total.saturating_add(growth.0),
            _ => debug_assert!(false, "amounts of two kinds"),
        }
    }

    /// Counts one event: a counter grows by one, a histogram by the observed value.
    pub(super) fn count(&mut self, family: &Family, observed: Micros) {
        match (self, family.kind) {
            (Total::Count(total), _) => *total = total.saturating_add(1),
            (Total::Histogram { counts, sum }, Kind::Histogram(bounds)) => {
                let mut histogram = Histogram {
                    counts: std::mem::take(counts),
                    sum: Micros(*sum),
                };
                histogram.observe(bounds, observed);
                (*counts, *sum) = (histogram.counts, histogram.sum.0);
            }
            _ => debug_assert!(false, "events are counted, not summed"),
        }
    }

    /// What one event comes to.
    pub(crate) fn one(family: &Family, observed: Micros) -> Self {
        let mut total = Self::zero_of(family);
        total.count(family, observed);
        total
    }

    /// Adds what a total of the same family has counted.
    pub(crate) fn add_total(&mut self, other: &Total) {
        match (self, other) {
            (Total::Count(mine), Total::Count(theirs)) | (Total::Sum(mine), Total::Sum(theirs)) => {
                *mine = mine.saturating_add(*theirs);
            }
            (
                Total::Histogram { counts, sum },
                Total::Histogram {
                    counts: their_counts,
                    sum: their_sum,
                },
            ) => {
                for (mine, theirs) in counts.iter_mut().zip(their_counts) {
                    *mine += theirs;
                }
                *sum = sum.saturating_add(*their_sum);
            }
            _ => debug_assert!(false, "totals of two kinds"),
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self {
            Total::Count(count) => Value::Amount(Amount::Count(*count)),
            Total::Sum(sum) => Value::Amount(Amount::Sum(Micros(*sum))),
            Total::Histogram { counts, sum } => Value::Histogram(Histogram {
                counts: counts.clone(),
                sum: Micros(*sum),
            }),
        }
    }

    pub(crate) fn zero(&self) -> Self {
        match self {
            Total::Count(_) => Total::Count(0),
            Total::Sum(_) => Total::Sum(0),
            Total::Histogram { counts, .. } => Total::Histogram {
                counts: vec![0; counts.len()],
                sum: 0,
            },
        }
    }

    /// Whether the stored form is the one that the family has in this version.
    pub(super) fn fits(&self, family: &Family) -> bool {
        match (self, family.kind) {
            (Total::Histogram { counts, .. }, Kind::Histogram(bounds)) => counts.len() == bounds.len() + 1,
            (Total::Count(_) | Total::Sum(_), Kind::Counter) => true,
            _ => false,
        }
    }
}

impl From<Amount> for Total {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Count(count) => Total::Count(count),
            Amount::Sum(sum) => Total::Sum(sum.0),
        }
    }
}

/// The series as they will be after a commit: those of before, and those that the commit touches.
pub(crate) struct CounterUpdates<'b> {
    before: &'b BTreeMap<SeriesKey, Counter>,
    pub(crate) changed: BTreeMap<SeriesKey, Counter>,
    /// Keys that the commit brought into being.
    pub(super) born: Vec<SeriesKey>,
    sets: BTreeMap<&'static Family, usize>,
    limit: usize,
    today: Date,
    /// Without a hold a series is born released.
    released_at_birth: bool,
}

impl<'b> CounterUpdates<'b> {
    pub(crate) fn new(
        before: &'b BTreeMap<SeriesKey, Counter>,
        limit: usize,
        today: Date,
        released_at_birth: bool,
    ) -> Self {
        let mut sets = BTreeMap::new();
        for key in before.keys() {
            *sets.entry(key.family).or_default() += 1;
        }
        Self {
            before,
            changed: BTreeMap::new(),
            born: Vec::new(),
            sets,
            limit,
            today,
            released_at_birth,
        }
    }

    fn exists(&self, key: &SeriesKey) -> bool {
        self.changed.contains_key(key) || self.before.contains_key(key)
    }

    /// The series that stands for a label set: itself, if it is stored or there is room for it, else the one whose free
    /// labels are folded. Both are born at zero where they do not exist. Says whether it was folded.
    pub(crate) fn get_or_fold(&mut self, key: &SeriesKey, zero: Total) -> (SeriesKey, bool) {
        let sets = self.sets.get(key.family).copied().unwrap_or_default();
        if self.exists(key) {
            return (key.clone(), false);
        }
        let is_full = sets >= self.limit;
        let admitted = if is_full { folded(key) } else { key.clone() };
        if !self.exists(&admitted) {
            *self.sets.entry(key.family).or_default() += 1;
            self.born.push(admitted.clone());
            self.changed.insert(
                admitted.clone(),
                Counter {
                    total: zero,
                    released: self.released_at_birth,
                    last: self.today,
                },
            );
        }
        (admitted, is_full)
    }

    /// The series, to be changed; it must have been admitted.
    pub(super) fn get_mut(&mut self, key: &SeriesKey) -> Option<&mut Counter> {
        if !self.changed.contains_key(key) {
            self.changed.insert(key.clone(), self.before.get(key)?.clone());
        }
        let counter = self.changed.get_mut(key)?;
        counter.last = self.today;
        Some(counter)
    }
}

/// The label set with its free labels folded; in a family with ids only, the id.
fn folded(key: &SeriesKey) -> SeriesKey {
    let fold = |(name, label): (&&str, &Label)| {
        if key.family.free_labels.contains(name) {
            Label::Borrowed(FOLDED)
        } else {
            label.clone()
        }
    };
    SeriesKey {
        family: key.family,
        labels: key.family.labels.iter().zip(&key.labels).map(fold).collect(),
    }
}

/// The series that were idle for too long. The sets of an id, and of a value that somebody chose, are born together with
/// all their fixed labels, so they go together.
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
