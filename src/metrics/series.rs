//! Series and their values.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::metrics::Family;

/// The value of a label.
pub type Label = Cow<'static, str>;

/// A number in millionths, never negative, so that money and minutes add up exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Micros(pub u64);

impl Micros {
    /// Millionths in one.
    pub const PER_UNIT: u64 = 1_000_000;

    /// The number as the nearest float, for output.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::PER_UNIT as f64
    }
}

/// All series of one family.
#[derive(Clone, Debug)]
pub struct FamilySeries {
    /// The family.
    pub family: &'static Family,
    /// Its series, each label set once, in the order of output.
    pub series: Vec<Series>,
    /// Further labels that all of them have, with names that are known only while running.
    pub own_labels: Vec<(String, String)>,
}

/// One series and its value.
#[derive(Clone, Debug)]
pub struct Series {
    /// The values of the family's labels, in the same order.
    pub labels: Vec<Label>,
    /// The value.
    pub value: Value,
}

/// A value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count or an exact sum.
    Amount(Amount),
    /// Any other number. Never NaN: an unknown value has no series.
    Number(f64),
    /// No value, only labels.
    Info,
    /// A histogram.
    Histogram(Histogram),
}

/// The amounts that counters add up. They are exact, so the order of additions does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    /// A number of events.
    Count(u64),
    /// Seconds or money, in millionths.
    Sum(Micros),
}

impl Amount {
    /// Zero of the same kind.
    pub fn zero(self) -> Self {
        match self {
            Amount::Count(_) => Amount::Count(0),
            Amount::Sum(_) => Amount::Sum(Micros(0)),
        }
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self == self.zero()
    }

    /// By how much this exceeds the other; zero if it is less.
    #[must_use]
    pub fn above(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    fn with(self, other: Self, rule: fn(u64, u64) -> u64) -> Self {
        match (self, other) {
            (Amount::Count(a), Amount::Count(b)) => Amount::Count(rule(a, b)),
            (Amount::Sum(a), Amount::Sum(b)) => Amount::Sum(Micros(rule(a.0, b.0))),
            (a, _) => {
                debug_assert!(false, "amounts of two kinds");
                a
            }
        }
    }
}

/// The identity of a series within an operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The family.
    pub family: &'static Family,
    /// The values of the family's labels, in the same order.
    pub labels: Vec<Label>,
}

/// Counts by upper bound, and the sum of all values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// A count for each bound of the family and one for `+Inf`, not cumulative.
    pub counts: Vec<u64>,
    /// The sum of the values.
    pub sum: Micros,
}

impl Histogram {
    /// An empty histogram over the given bounds.
    pub fn new(bounds: &[f64]) -> Self {
        Self {
            counts: vec![0; bounds.len() + 1],
            sum: Micros(0),
        }
    }

    /// Adds the values of another histogram with the same bounds.
    pub fn add(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(mine, theirs)| *mine += theirs);
        self.sum.0 = self.sum.0.saturating_add(other.sum.0);
    }

    /// Counts one value.
    pub fn observe(&mut self, bounds: &[f64], value: Micros) {
        let bucket = bounds.partition_point(|bound| *bound < value.as_f64());
        self.counts[bucket] += 1;
        self.sum.0 = self.sum.0.saturating_add(value.0);
    }
}

impl FamilySeries {
    /// A family without series.
    pub fn new(family: &'static Family) -> Self {
        Self {
            family,
            series: Vec::new(),
            own_labels: Vec::new(),
        }
    }

    /// Adds a series.
    pub fn push(&mut self, labels: impl Into<Vec<Label>>, value: Value) {
        let labels = labels.into();
        debug_assert_eq!(labels.len(), self.family.labels.len(), "labels of {}", self.family.name);
        self.series.push(Series { labels, value });
    }
}
