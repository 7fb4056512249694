//! What one operation has counted: totals that only grow, and what is needed to count nothing twice.
//!
//! Data walks one way: a [`Piece`] or a [`DayReading`] becomes a change of the state, the change goes to disk in one
//! transaction, and then it is applied to the state in memory, from which series are published. The keys of facts, the
//! totals, how far a report is read and the calls used change together. So a crash loses nothing and counts nothing twice,
//! and a scrape never sees a number that a crash could take back. Without a state path the same code runs in memory.

mod commit;
pub(crate) mod counters;
mod day_reading;
mod days;
mod events;
mod facts;
mod hold;
mod mark;
mod panics;
mod piece;
mod source;
mod state;
mod storage;
mod tables;
pub(crate) mod total;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use self::commit::Reopen;
use self::hold::Holds;
use self::panics::OpenDatabase;
use self::state::{State, StateChange, Unfit};
use crate::clock::Moment;
use crate::metrics::series::{FamilySeries, Histogram, Label, Value};
use crate::metrics::{Family, Kind};
use crate::reports::events::Name;
use crate::reports::{Report, Tally};

pub use self::days::{DayBirth, DayProgress, DayReading};
pub use self::events::{EventProgress, Rereading};
pub use self::piece::{LATENESS_BOUNDS, PartOf, Piece};
pub use self::source::ReportSource;
pub use self::storage::{StateError, Storage};

/// The ledger of one operation.
#[derive(Debug)]
pub struct Ledger {
    storage: Storage,
    /// `None` after a storage error, until it is opened again.
    database: Option<OpenDatabase>,
    reopen: Reopen,
    state: State,
    /// The families whose series have changed since they were last published.
    changed: BTreeSet<&'static Family>,
    holds: Holds,
    series_limit: usize,
    statistics: Statistics,
}

/// The commits of one operation since the process started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Commits that succeeded.
    pub commits: u64,
    /// Commits that failed.
    pub failures: u64,
    /// When the last commit succeeded.
    pub last_commit: Option<Timestamp>,
    /// The size of the file.
    pub size_bytes: Option<u64>,
    /// Whether the last commit failed.
    pub is_failing: bool,
    /// Whether the state outlives the process.
    pub is_on_disk: bool,
}

/// The result of a commit, apart from the totals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// Day totals that were lower than in the last reading. Their counters stand still, since a counter never falls.
    pub corrections: u64,
    /// The outcomes of the rows.
    pub tally: Tally,
    /// Counted rows that were older than three intervals and older than 15 minutes.
    pub backlog: u64,
    /// How old rows were when they were first counted.
    pub lateness: Histogram,
    /// Counts that went to `_other` because of the series limit.
    pub folded: BTreeMap<&'static Family, u64>,
}

impl Ledger {
    /// Opens the state. New series show 0 for `new_series_hold`; a family has at most `series_limit` label sets.
    pub fn open(
        storage: Storage,
        new_series_hold: Duration,
        series_limit: usize,
        now: Moment,
    ) -> Result<Self, StateError> {
        let database = storage.open()?;
        let state = storage.read(|| State::read(&database))?;
        let mut ledger = Self {
            storage,
            database: Some(database),
            reopen: Reopen::default(),
            state,
            changed: BTreeSet::new(),
            holds: Holds::new(new_series_hold),
            series_limit,
            statistics: Statistics::default(),
        };
        ledger.complete(now)?;
        if ledger.holds.is_off() {
            ledger.release_all(now)?;
        }
        ledger.hold_unreleased(now);
        Ok(ledger)
    }

    /// Adds what a state must have before it is used: the key of the hashes, and histograms with the bounds of this version. Drops
    /// what earlier versions have stored of people.
    fn complete(&mut self, now: Moment) -> Result<(), StateError> {
        let bounds = tables::bounds();
        if self.state.hash_key.is_some() && self.state.bounds == bounds && self.state.unfit.is_empty() {
            return Ok(());
        }
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| self.storage.error(error.to_string()))?;
        self.write(now, |_, state| {
            let histograms = state.counters.iter();
            let histograms = histograms.filter(|(key, _)| matches!(key.family.kind, Kind::Histogram(_)));
            let change = StateChange {
                hash_key: state.hash_key.is_none().then(|| u128::from_be_bytes(key)),
                // All at once: the bounds on disk hold for all of a family.
                counters: histograms
                    .map(|(key, counter)| (key.clone(), counter.clone()))
                    .collect(),
                bounds,
                dropped: state.unfit.counters.clone(),
                dropped_names: state.unfit.names.clone(),
                ..StateChange::default()
            };
            Ok((change, ()))
        })?;
        self.state.unfit = Unfit::default();
        Ok(())
    }

    /// Changes the settings. Series that exist are not affected.
    pub fn adjust(&mut self, new_series_hold: Duration, series_limit: usize) {
        self.holds.set(new_series_hold);
        self.series_limit = series_limit;
    }

    /// The key of the hashes that identify facts. It is random, and created and stored with the state.
    pub fn hash_key(&self) -> u128 {
        self.state.hash_key.unwrap_or_default()
    }

    /// Up to when a report is read; `None` before its birth, and always for a report of the current state.
    pub fn covered(&self, report: &'static Report) -> Option<Timestamp> {
        let day = self.day_progress(report).map(|progress| progress.covered);
        day.or(self.event_progress(report).map(|progress| progress.covered))
    }

    /// The calls used on a local day.
    pub fn calls_used(&self, day: Date) -> u32 {
        self.state.calls.get(&day).copied().unwrap_or_default()
    }

    /// The commits so far, and the size of the file.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            size_bytes: self.storage.size_bytes(),
            is_failing: self.reopen.has_failed(),
            is_on_disk: self.storage.is_on_disk(),
            ..self.statistics
        }
    }

    /// The series of these families as scrapes see them: a series that is held is 0.
    pub fn visible_series(&self, families: &[&'static Family]) -> Vec<FamilySeries> {
        let mut visible: Vec<FamilySeries> = families.iter().map(|family| FamilySeries::new(family)).collect();
        for (key, counter) in &self.state.counters {
            if let Some(family) = visible.iter_mut().find(|visible| visible.family == key.family) {
                let value = if !counter.released && self.holds.is_held(key) {
                    counter.total.zero().value()
                } else {
                    counter.total.value()
                };
                family.push(key.labels.clone(), value);
            }
        }
        for ((family, id), name) in &self.state.names {
            let is_info = family.kind == Kind::Info;
            if let Some(family) = visible.iter_mut().find(|visible| is_info && visible.family == *family) {
                family.push([Label::Owned(id.clone()), Label::Owned(name.name.clone())], Value::Info);
            }
        }
        visible
    }

    /// Whether series of these families have changed since they were last published. Most of what a poll reads again was
    /// counted before.
    pub fn has_changed(&self, families: &[&'static Family]) -> bool {
        families.iter().any(|family| self.changed.contains(family))
    }

    /// The series of these families, to be published now.
    pub fn series_to_publish(&mut self, families: &[&'static Family]) -> Vec<FamilySeries> {
        families.iter().for_each(|family| _ = self.changed.remove(family));
        self.visible_series(families)
    }

    /// Commits the calls used on a local day.
    pub fn commit_calls(&mut self, day: Date, used: u32, now: Moment) -> Result<(), StateError> {
        if self.calls_used(day) == used {
            return Ok(());
        }
        self.write(now, |_, _| Ok((StateChange::default().with_calls(day, used), ())))
    }

    /// Commits names that a report of the current state gives, and the calls used on a local day.
    pub fn commit_names(
        &mut self,
        names: &[(&'static Family, String, String)],
        day: Date,
        used: u32,
        now: Moment,
    ) -> Result<(), StateError> {
        let names = names.iter().map(|(family, id, name)| {
            let name = Name {
                name: name.clone(),
                at: now.wall,
            };
            ((*family, id.clone()), name)
        });
        let mut change = StateChange::default();
        change.merge_names(&self.state, &names.collect(), self.series_limit);
        if change.names.is_empty() {
            return self.commit_calls(day, used, now);
        }
        self.write(now, |_, _| Ok((change.with_calls(day, used), ())))
    }

    /// What a report was last read from.
    pub fn source(&self, report: &'static Report) -> Option<&ReportSource> {
        self.state.sources.get(&report)
    }

    /// Commits what a report is read from. If that is another stream, the totals stay and the report is born again: events
    /// with its next poll, day totals today.
    pub fn commit_source(
        &mut self,
        report: &'static Report,
        source: &ReportSource,
        today: Date,
        now: Moment,
    ) -> Result<(), StateError> {
        if self.source(report) == Some(source) {
            return Ok(());
        }
        let source = source.clone();
        self.write(now, |_, state| {
            let before = state.sources.get(&report);
            let is_another = before.is_some_and(|before| before.is_another_stream(&source));
            let days = state.days.get(&report).filter(|_| is_another).cloned();
            let change = StateChange {
                forget_progress: (is_another && days.is_none()).then_some(report),
                day: days.map(|mut days| {
                    days.reborn(today);
                    (report, days)
                }),
                source: Some((report, source)),
                ..StateChange::default()
            };
            Ok((change, ()))
        })
    }

    /// Drops the series that were idle for too long.
    pub fn commit_idle(&mut self, today: Date, now: Moment) -> Result<(), StateError> {
        let idle = counters::idle(&self.state.counters, today);
        if idle.is_empty() {
            return Ok(());
        }
        let change = StateChange {
            dropped: idle,
            ..StateChange::default()
        };
        self.write(now, |_, _| Ok((change, ())))
    }
}
