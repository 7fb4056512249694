//! The total of a counter or histogram: exact numbers, in the form that is stored on disk.

use serde::{Deserialize, Serialize};

use crate::metrics::series::{Amount, Histogram, Micros, Value};
use crate::metrics::{Family, Kind};

/// What a counter or histogram has counted.
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
    /// Zero in the form of the family's type.
    pub(crate) fn zero_of(family: &Family) -> Self {
        match family.kind {
            Kind::Histogram(bounds) => Total::Histogram {
                counts: vec![0; bounds.len() + 1],
                sum: 0,
            },
            Kind::Gauge | Kind::Counter | Kind::Info => Total::Count(0),
        }
    }

    pub(crate) fn add(&mut self, growth: Amount) {
        match (self, growth) {
            (Total::Count(total), Amount::Count(growth)) => *total = total.saturating_add(growth),
            (Total::Sum(total), Amount::Sum(growth)) => *total = total.saturating_add(growth.0),
            _ => debug_assert!(false, "amounts of two kinds"),
        }
    }

    /// Counts one event: a counter grows by one, a histogram by the observed value.
    pub(crate) fn count(&mut self, family: &Family, observed: Micros) {
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

    /// The total of one event.
    pub(crate) fn one(family: &Family, observed: Micros) -> Self {
        let mut total = Self::zero_of(family);
        total.count(family, observed);
        total
    }

    /// Adds another total of the same family.
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

    /// Brings a stored histogram, which was counted with other bounds, to those of the family. What was above the highest of them
    /// stays there: nothing that was shown falls. States of the first version do not say their bounds; it had the first ones
    /// of each family. Nothing changes if a bound is gone.
    pub(crate) fn use_bounds_of(&mut self, family: &Family, counted_with: Option<&[f64]>) {
        let (Total::Histogram { counts, .. }, Kind::Histogram(bounds)) = (self, family.kind) else {
            return;
        };
        let Some(finite) = counts.len().checked_sub(1) else {
            return;
        };
        let before = counted_with.or_else(|| bounds.get(..finite)).unwrap_or_default();
        if before == bounds || before.len() != finite {
            return;
        }
        let mut changed = vec![0; bounds.len() + 1];
        for (bound, count) in before.iter().zip(&*counts) {
            let Some(place) = bounds.iter().position(|known| known == bound) else {
                return;
            };
            changed[place] = *count;
        }
        changed[bounds.len()] = counts[finite];
        *counts = changed;
    }

    /// Whether a stored total has the form that this version of the family expects: the same type, as many buckets.
    pub(crate) fn fits(&self, family: &Family) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    static WAITS: Family = Family::histogram("waits", &[], &[5.0, 10.0, 20.0, 60.0], "Waits");

    fn with_bounds_of(counts: &[u64], counted_with: Option<&[f64]>) -> Total {
        let mut total = Total::Histogram {
            counts: counts.to_vec(),
            sum: 7,
        };
        total.use_bounds_of(&WAITS, counted_with);
        total
    }

    fn histogram(counts: &[u64]) -> Total {
        Total::Histogram {
            counts: counts.to_vec(),
            sum: 7,
        }
    }

    #[test]
    fn new_bounds_leave_what_was_counted_where_it_was() {
        assert_eq!(with_bounds_of(&[1, 2, 4], None), histogram(&[1, 2, 0, 0, 4]));
        assert_eq!(
            with_bounds_of(&[1, 2, 4], Some(&[5.0, 20.0])),
            histogram(&[1, 0, 2, 0, 4])
        );
        assert_eq!(with_bounds_of(&[1, 2, 3, 4, 5], None), histogram(&[1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_histogram_with_a_bound_that_is_gone_does_not_fit() {
        for (counts, bounds) in [(&[1, 2, 4][..], &[5.0, 15.0][..]), (&[1, 2], &[5.0, 10.0, 20.0, 60.0])] {
            assert!(!with_bounds_of(counts, Some(bounds)).fits(&WAITS));
        }
    }
}
