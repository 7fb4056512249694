//! The committed state in memory, and what one commit changes of it. [`tables`](super::tables) has both on disk.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::counters::{Counter, CounterUpdates};
use super::days::DayProgress;
use super::events::EventProgress;
use super::source::ReportSource;
use crate::metrics::Family;
use crate::metrics::series::SeriesKey;
use crate::reports::Report;
use crate::reports::events::Name;

/// The calls used are kept for this many days.
const CALL_DAYS_KEPT: i64 = 3;

/// The names of ids, by the family that shows them and the id.
pub(super) type Names = BTreeMap<(&'static Family, String), Name>;

/// Upper bounds of histograms by the names of their families.
pub(super) type Bounds = BTreeMap<String, Vec<f64>>;

/// Everything that is committed, except the keys of facts.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) counters: BTreeMap<SeriesKey, Counter>,
    pub(super) days: BTreeMap<&'static Report, DayProgress>,
    pub(super) events: BTreeMap<&'static Report, EventProgress>,
    pub(super) sources: BTreeMap<&'static Report, ReportSource>,
    pub(super) names: Names,
    pub(super) calls: BTreeMap<Date, u32>,
    pub(super) hash_key: Option<u128>,
    /// The bounds with which the histograms on disk were counted.
    pub(super) bounds: Bounds,
    /// What an earlier version has stored on disk and must not be shown any more.
    pub(super) unfit: Unfit,
}

/// Series and names with somebody's number, or with characters that are not visible.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfit {
    pub(super) counters: Vec<SeriesKey>,
    pub(super) names: Vec<(&'static Family, String)>,
}

impl Unfit {
    pub(super) fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.names.is_empty()
    }
}

/// What one commit changes.
#[derive(Debug, Default)]
pub(super) struct StateChange {
    pub(super) counters: BTreeMap<SeriesKey, Counter>,
    /// Those of `counters` that did not exist before.
    pub(super) created: Vec<SeriesKey>,
    pub(super) dropped: Vec<SeriesKey>,
    pub(super) dropped_names: Vec<(&'static Family, String)>,
    pub(super) day: Option<(&'static Report, DayProgress)>,
    pub(super) event: Option<(&'static Report, EventProgress)>,
    pub(super) source: Option<(&'static Report, ReportSource)>,
    /// The report whose progress is dropped, so that its next poll is its first one.
    pub(super) forget_progress: Option<&'static Report>,
    pub(super) hash_key: Option<u128>,
    pub(super) bounds: Bounds,
    pub(super) names: Names,
    pub(super) calls: Option<(Date, u32)>,
}

impl State {
    /// The families that have series.
    pub(super) fn families(&self) -> impl Iterator<Item = &'static Family> {
        let named = self.names.keys().map(|(family, _)| *family);
        self.counters.keys().map(|key| key.family).chain(named)
    }

    /// Applies a change that is on disk.
    pub(super) fn apply(&mut self, change: StateChange) {
        for key in change.dropped {
            self.counters.remove(&key);
        }
        for id in change.dropped_names {
            self.names.remove(&id);
        }
        self.counters.extend(change.counters);
        self.names.extend(change.names);
        if let Some(report) = change.forget_progress {
            self.days.remove(&report);
            self.events.remove(&report);
        }
        self.days.extend(change.day);
        self.events.extend(change.event);
        self.sources.extend(change.source);
        self.hash_key = change.hash_key.or(self.hash_key);
        self.bounds.extend(change.bounds);
        if let Some((day, used)) = change.calls {
            self.calls.insert(day, used);
            self.calls = self.calls.split_off(&oldest_call_day(day));
        }
    }
}

impl StateChange {
    /// The families of which it changes series.
    pub(super) fn families(&self) -> impl Iterator<Item = &'static Family> {
        let named = self.names.keys().map(|(family, _)| *family);
        self.counters
            .keys()
            .chain(&self.dropped)
            .map(|key| key.family)
            .chain(named)
    }

    pub(super) fn with_calls(self, day: Date, used: u32) -> Self {
        Self {
            calls: Some((day, used)),
            ..self
        }
    }

    pub(super) fn merge_counters(&mut self, counters: CounterUpdates<'_>) {
        self.counters.extend(counters.changed);
        self.created.extend(counters.created);
    }

    /// Adds the names that are newer than those in the state; a family has names for `limit` ids.
    pub(super) fn merge_names(&mut self, state: &State, names: &Names, limit: usize) {
        let mut room: BTreeMap<&'static Family, usize> = BTreeMap::new();
        for (id, name) in names {
            match state.names.get(id) {
                Some(known) if known.at > name.at || known.name == name.name => continue,
                None => {
                    let known = || state.names.keys().filter(|(family, _)| *family == id.0).count();
                    let room = room.entry(id.0).or_insert_with(|| limit.saturating_sub(known()));
                    if *room == 0 {
                        continue;
                    }
                    *room -= 1;
                }
                Some(_) => {}
            }
            self.names.insert(id.clone(), name.clone());
        }
    }
}

/// The first day whose calls are still kept.
pub(super) fn oldest_call_day(today: Date) -> Date {
    today.saturating_sub(CALL_DAYS_KEPT.days())
}
