//! Daily totals are turned into counters.

use std::collections::BTreeMap;

use super::counters::CounterUpdates;
use super::days::{DayProgress, DayReading};
use super::state::StateChange;
use super::total::Total;
use super::{Committed, Ledger, StateError};
use crate::clock::Moment;
use crate::metrics::Family;
use crate::reports::Report;

impl Ledger {
    /// How far the day totals of a report are read; `None` before its birth.
    pub fn day_progress(&self, report: &'static Report) -> Option<&DayProgress> {
        self.state.days.get(&report)
    }

    /// Commits a reading of a day's totals.
    pub fn commit_day(&mut self, reading: &DayReading, now: Moment) -> Result<Committed, StateError> {
        let (limit, created_released) = (self.series_limit, self.holds.is_off());
        self.write(now, |_, state| {
            let mut counters = CounterUpdates::new(&state.counters, limit, reading.today, created_released);
            for (key, zero) in &reading.series {
                counters.get_or_fold(key, Total::from(*zero));
            }
            // Words that come for the first time are born at 0.
            let mut counted_in = BTreeMap::new();
            let mut folded: BTreeMap<&'static Family, u64> = BTreeMap::new();
            for (key, total) in &reading.totals {
                let (series, is_folded) = counters.get_or_fold(key, Total::from(total.zero()));
                if is_folded {
                    *folded.entry(key.family).or_default() += 1;
                }
                counted_in.insert(key, series);
            }
            let before = state.days.get(&reading.report).cloned();
            let mut progress = before.unwrap_or_else(|| DayProgress::born(reading));
            let (growth, corrections) = progress.apply(reading);
            for (key, growth) in growth {
                if let Some(counter) = counted_in.get(&key).and_then(|series| counters.get_mut(series)) {
                    counter.total.add(growth);
                }
            }
            let mut change = StateChange {
                day: Some((reading.report, progress)),
                ..StateChange::default()
            };
            change.merge_counters(counters);
            let committed = Committed {
                corrections,
                folded,
                ..Committed::default()
            };
            Ok((change.with_calls(reading.today, reading.calls_used), committed))
        })
    }

    /// Commits that the days before today were read again.
    pub fn commit_days_reread(&mut self, report: &'static Report, now: Moment) -> Result<(), StateError> {
        let Some(mut progress) = self.day_progress(report).cloned() else {
            return Ok(());
        };
        progress.reread_at = now.wall;
        self.write(now, |_, _| {
            let change = StateChange {
                day: Some((report, progress)),
                ..StateChange::default()
            };
            Ok((change, ()))
        })
    }
}
