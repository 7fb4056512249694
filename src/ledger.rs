//! What one operation has counted: totals that only grow, and what is needed to never count a thing twice.
//!
//! Everything changes in commits, and only what is committed is shown: a scrape never sees a number that a crash could
//! take back. The store is memory, so every start is a birth: counters begin at 0, and what the first answer already
//! holds is the baseline.

mod days;
mod hold;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::time::Instant;

pub use self::days::{DayProgress, DayReading};
use self::hold::Holds;
use crate::clock::Moment;
use crate::metrics::Family;
use crate::reports::ReportKind;
use crate::snapshot::{Amount, FamilySeries, SeriesKey, Value};

/// The ledger of one operation.
#[derive(Debug)]
pub struct Ledger {
    counters: BTreeMap<SeriesKey, Counter>,
    days: BTreeMap<ReportKind, DayProgress>,
    holds: Holds,
    commits: u64,
    last_commit: Option<Timestamp>,
}

/// A counter series.
#[derive(Debug)]
struct Counter {
    total: Amount,
    /// Whether its value is shown; until then it is 0, since Prometheus cannot see the first increment of a series that
    /// appears with it.
    released: bool,
}

/// What a commit changed, beside the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Day totals that were below the last reading. They are held: a counter never falls.
    pub corrections: u64,
}

impl Ledger {
    /// An empty ledger whose new series show 0 for the given time.
    pub fn new(new_series_hold: std::time::Duration) -> Self {
        Self {
            counters: BTreeMap::new(),
            days: BTreeMap::new(),
            holds: Holds::new(new_series_hold),
            commits: 0,
            last_commit: None,
        }
    }

    /// How far the day totals of a report are read; `None` before its birth.
    pub fn day_progress(&self, report: ReportKind) -> Option<&DayProgress> {
        self.days.get(&report)
    }

    /// Commits a reading of a day's totals: each counter grows by what the day has above its highest value so far.
    pub fn commit_day(&mut self, reading: DayReading, now: Moment) -> Committed {
        let report = reading.report;
        for (key, zero) in &reading.series {
            if !self.counters.contains_key(key) {
                let released = self.holds.start(key.clone(), now.monotonic);
                self.counters.insert(key.clone(), Counter { total: *zero, released });
            }
        }
        let progress = self.days.entry(report).or_insert_with(|| DayProgress::born(&reading));
        let (growth, corrections) = progress.take(&reading);
        for (key, growth) in growth {
            if let Some(counter) = self.counters.get_mut(&key) {
                counter.total = counter.total.plus(growth);
            }
        }
        self.note_commit(now);
        Committed { corrections }
    }

    /// Notes that the days up to `yesterday` were read again.
    pub fn commit_reread(&mut self, report: ReportKind, now: Moment) {
        if let Some(progress) = self.days.get_mut(&report) {
            progress.reread_at = now.wall;
            self.note_commit(now);
        }
    }

    /// Commits so far, and when the last one was.
    pub fn commits(&self) -> (u64, Option<Timestamp>) {
        (self.commits, self.last_commit)
    }

    fn note_commit(&mut self, now: Moment) {
        self.commits += 1;
        self.last_commit = Some(now.wall);
    }

    /// When the next series stops showing 0.
    pub fn next_release(&self) -> Option<Instant> {
        self.holds.next()
    }

    /// Commits the release of the series whose hold is over; true if there were any.
    pub fn commit_releases(&mut self, now: Moment) -> bool {
        let over = self.holds.take_over(now.monotonic);
        if over.is_empty() {
            return false;
        }
        for key in &over {
            if let Some(counter) = self.counters.get_mut(key) {
                counter.released = true;
            }
        }
        self.note_commit(now);
        true
    }

    /// What is shown of the given families.
    pub fn shown(&self, families: &[&'static Family]) -> Vec<FamilySeries> {
        let mut shown: Vec<FamilySeries> = families.iter().map(|family| FamilySeries::new(family)).collect();
        for (key, counter) in &self.counters {
            if let Some(family) = shown.iter_mut().find(|shown| shown.family == key.family) {
                let amount = if counter.released {
                    counter.total
                } else {
                    counter.total.zero()
                };
                family.push(key.labels.clone(), Value::Amount(amount));
            }
        }
        shown
    }
}
