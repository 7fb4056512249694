//! Day totals: what a day has above the highest value seen so far is added, and nothing is ever taken back.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::metrics::series::{Amount, SeriesKey};
use crate::reports::ReportKind;

/// A day is read again at most this late; older marks are dropped (the vendor answers for 31 days).
const DAYS_KEPT: i64 = 32;

/// One answer about one day.
#[derive(Debug)]
pub struct DayReading {
    /// The report.
    pub report: ReportKind,
    /// The local date that the totals are of.
    pub date: Date,
    /// The end of the window that was asked.
    pub until: Timestamp,
    /// Whether the day was over and settled when it was asked.
    pub settled: bool,
    /// Today's date: what is much older is forgotten.
    pub today: Date,
    /// All series of the report at zero; those that do not exist yet are born with this commit.
    pub series: Vec<(SeriesKey, Amount)>,
    /// Calls used today.
    pub calls_used: u32,
    /// The totals that the answer gives.
    pub totals: Vec<(SeriesKey, Amount)>,
}

/// How far the days of a report are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayProgress {
    /// The date of the first complete poll: no day before it is read.
    pub born: Date,
    /// The end of the latest window that was read.
    pub covered: Timestamp,
    /// When the days before today were last read again.
    pub reread_at: Timestamp,
    /// The first complete poll. Older versions did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<DayBirth>,
    pub(super) days: BTreeMap<Date, Day>,
}

/// What the first complete poll read: what the day had by then is not counted, and belongs to the time before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayBirth {
    /// The end of its window.
    pub at: Timestamp,
    /// By family name and labels.
    totals: BTreeMap<String, Amount>,
}

impl DayBirth {
    /// What the day had of a series; `None` where the answer did not say.
    pub fn total(&self, key: &SeriesKey) -> Option<Amount> {
        self.totals.get(&name_of(key)).copied()
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) settled: bool,
    /// By family name and labels.
    marks: BTreeMap<String, Mark>,
}

/// One total of one day.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    /// All up to here is counted.
    highest: Amount,
    /// The last reading, so that a fall is counted once and not at every poll.
    last: Amount,
}

impl DayProgress {
    /// The birth of a report: the values of its first reading are the baseline.
    pub(super) fn born(reading: &DayReading) -> Self {
        let marks = reading.totals.iter().map(|(key, total)| {
            (
                name_of(key),
                Mark {
                    highest: *total,
                    last: *total,
                },
            )
        });
        let day = Day {
            settled: false,
            marks: marks.collect(),
        };
        Self {
            born: reading.date,
            covered: reading.until,
            reread_at: reading.until,
            birth: Some(DayBirth {
                at: reading.until,
                totals: reading
                    .totals
                    .iter()
                    .map(|(key, total)| (name_of(key), *total))
                    .collect(),
            }),
            days: BTreeMap::from([(reading.date, day)]),
        }
    }

    /// Whether a day was read after it had settled.
    pub fn is_settled(&self, date: Date) -> bool {
        self.days.get(&date).is_some_and(|day| day.settled)
    }

    /// Takes a reading; returns what the counters grow by, and how many totals fell.
    pub(super) fn take(&mut self, reading: &DayReading) -> (Vec<(SeriesKey, Amount)>, u64) {
        let day = self.days.entry(reading.date).or_default();
        day.settled |= reading.settled;
        let mut growth = Vec::new();
        let mut corrections = 0;
        for (key, total) in &reading.totals {
            let none = total.zero();
            let mark = day.marks.entry(name_of(key)).or_insert(Mark {
                highest: none,
                last: none,
            });
            corrections += u64::from(!mark.last.above(*total).is_zero());
            mark.last = *total;
            let above = total.above(mark.highest);
            if !above.is_zero() {
                mark.highest = *total;
                growth.push((key.clone(), above));
            }
        }
        self.covered = self.covered.max(reading.until);
        let oldest = reading.today.saturating_sub(DAYS_KEPT.days());
        self.days = self.days.split_off(&oldest);
        (growth, corrections)
    }
}

/// A total as a key of a JSON object: the family and its first label. The currency is not part of it, since it is
/// configured: the same cost under another name is the same cost.
fn name_of(key: &SeriesKey) -> String {
    let label = key.labels.first().map_or("", AsRef::as_ref);
    format!("{} {label}", key.family.name)
}
