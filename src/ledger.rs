//! What one operation has counted: totals that only grow, and what is needed to never count a thing twice.
//!
//! Everything changes in commits: the keys of facts, totals, marks, how far a report is read and the calls used go to disk
//! in one transaction, and only what is committed is shown. A crash at any point loses nothing and counts nothing
//! twice, and a scrape never sees a number that a crash could take back. Without a state path the same code runs in memory.

mod commit;
pub(crate) mod counters;
mod days;
mod events;
mod facts;
mod hold;
mod state;
mod storage;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use redb::Database;
use tokio::time::Instant;

use self::commit::Reopen;
use self::counters::{CounterUpdates, Total};
use self::hold::Holds;
use self::state::{State, StateChange};
use crate::clock::Moment;
use crate::metrics::series::{FamilySeries, Label, Value};
use crate::metrics::{Family, Kind};
use crate::reports::{Outcome, ReportKind, Tally};

pub use self::days::{DayBirth, DayProgress, DayReading};
pub use self::events::{EventProgress, PartOf, Piece};
pub use self::state::ReportSource;
pub use self::storage::{StateError, Storage};

/// A release that could not be saved is tried again after so long.
const RELEASE_AGAIN: Duration = Duration::from_secs(10);
/// Keys are dated by wall-clock text, so that a changed zone changes none; two clocks differ by 26 hours at most.
const WALL_CLOCK_MARGIN: SignedDuration = SignedDuration::from_hours(26);
/// Calls of older days are of no use.
const CALL_DAYS_KEPT: i64 = 3;

/// The ledger of one operation.
#[derive(Debug)]
pub struct Ledger {
    storage: Storage,
    /// `None` after a storage error, until it is opened again.
    database: Option<Database>,
    reopen: Reopen,
    state: State,
    holds: Holds,
    series_limit: usize,
    statistics: Statistics,
}

/// Commits of one operation, as the process has seen them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Commits that succeeded.
    pub commits: u64,
    /// Commits that failed.
    pub failures: u64,
    /// The last one that succeeded.
    pub last_commit: Option<Timestamp>,
    /// The size of the file.
    pub size_bytes: Option<u64>,
}

/// What a commit changed, beside the totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Day totals that were below the last reading. They are held: a counter never falls.
    pub corrections: u64,
    /// What became of the rows.
    pub tally: Tally,
    /// Counted rows that were older than three intervals, and than 15 minutes.
    pub backlog: u64,
    /// Rows that count in `_other` because of the limit.
    pub folded: BTreeMap<&'static Family, u64>,
}

impl Ledger {
    /// Opens the state. New series show 0 for `new_series_hold`; a family has `series_limit` label sets.
    pub fn open(
        storage: Storage,
        new_series_hold: Duration,
        series_limit: usize,
        now: Moment,
    ) -> Result<Self, StateError> {
        let database = storage.open()?;
        let state = State::read(&database).map_err(|error| storage.error(error))?;
        let mut ledger = Self {
            storage,
            database: Some(database),
            reopen: Reopen::default(),
            state,
            holds: Holds::new(new_series_hold),
            series_limit,
            statistics: Statistics::default(),
        };
        if ledger.state.hash_key.is_none() {
            let mut key = [0; 16];
            getrandom::fill(&mut key).map_err(|error| ledger.storage.error(error))?;
            let change = StateChange {
                hash_key: Some(u128::from_be_bytes(key)),
                ..StateChange::default()
            };
            ledger.write(now, |_, _| Ok((change, ())))?;
        }
        if ledger.holds.is_off() {
            ledger.release_all(now)?;
        }
        ledger.hold_unreleased(now);
        Ok(ledger)
    }

    /// Takes other settings for the series that are new from now on.
    pub fn adjust(&mut self, new_series_hold: Duration, series_limit: usize) {
        self.holds.set(new_series_hold);
        self.series_limit = series_limit;
    }

    /// The key of the hashes by which facts are known. Random, made with the state and kept in it.
    pub fn hash_key(&self) -> u128 {
        self.state.hash_key.unwrap_or_default()
    }

    /// How far the day totals of a report are read; `None` before its birth.
    pub fn day_progress(&self, report: ReportKind) -> Option<&DayProgress> {
        self.state.days.get(&report)
    }

    /// How far the events of a report are read; `None` before its birth.
    pub fn event_progress(&self, report: ReportKind) -> Option<&EventProgress> {
        self.state.events.get(&report)
    }

    /// The end of what was read of a report; `None` before its birth, and for a report of the state of now.
    pub fn covered(&self, report: ReportKind) -> Option<Timestamp> {
        let day = self.day_progress(report).map(|progress| progress.covered);
        day.or(self.event_progress(report).map(|progress| progress.covered))
    }

    /// What a report was read from when it was last read.
    pub fn source(&self, report: ReportKind) -> Option<&ReportSource> {
        self.state.sources.get(&report)
    }

    /// Calls used on a local day.
    pub fn calls_used(&self, day: Date) -> u32 {
        self.state.calls.get(&day).copied().unwrap_or_default()
    }

    /// Commits so far.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            size_bytes: self.storage.size_bytes(),
            ..self.statistics
        }
    }

    /// Commits from where a report is read from now on. Another server or filter is another stream of events: its report
    /// is born anew, and the totals stay.
    pub fn commit_source(&mut self, report: ReportKind, source: &ReportSource, now: Moment) -> Result<(), StateError> {
        if self.source(report) == Some(source) {
            return Ok(());
        }
        let source = source.clone();
        self.write(now, |_, state| {
            let mut change = StateChange::default();
            let before = state.sources.get(&report);
            change.forget_progress = before
                .is_some_and(|before| before.is_another_stream(&source))
                .then_some(report);
            change.source = Some((report, source));
            Ok((change, ()))
        })
    }

    /// Commits the calls used on a local day.
    pub fn commit_calls(&mut self, day: Date, used: u32, now: Moment) -> Result<(), StateError> {
        if self.calls_used(day) == used {
            return Ok(());
        }
        self.write(now, |_, _| Ok((StateChange::default().with_calls(day, used), ())))
    }

    /// Commits a reading of a day's totals: each counter grows by what the day has above its highest value so far.
    pub fn commit_day(&mut self, reading: &DayReading, now: Moment) -> Result<Committed, StateError> {
        let (limit, released_at_birth) = (self.series_limit, self.holds.is_off());
        self.write(now, |_, state| {
            let mut change = StateChange::default();
            let mut counters = CounterUpdates::new(&state.counters, limit, reading.today, released_at_birth);
            for (key, zero) in &reading.series {
                counters.get_or_fold(key, Total::from(*zero));
            }
            let born = state.days.get(&reading.report).cloned();
            let mut progress = born.unwrap_or_else(|| DayProgress::born(reading));
            let (growth, corrections) = progress.take(reading);
            for (key, growth) in growth {
                if let Some(counter) = counters.get_mut(&key) {
                    counter.total.add(growth);
                }
            }
            change.day = Some((reading.report, progress));
            change.merge_counters(counters);
            Ok((
                change.with_calls(reading.today, reading.calls_used),
                Committed {
                    corrections,
                    ..Committed::default()
                },
            ))
        })
    }

    /// Notes that the days up to yesterday were read again.
    pub fn commit_days_reread(&mut self, report: ReportKind, now: Moment) -> Result<(), StateError> {
        let Some(progress) = self.state.days.get(&report) else {
            return Ok(());
        };
        let progress = DayProgress {
            reread_at: now.wall,
            ..progress.clone()
        };
        self.write(now, |_, _| {
            Ok((
                StateChange {
                    day: Some((report, progress)),
                    ..StateChange::default()
                },
                (),
            ))
        })
    }

    /// Commits a piece of a window: what it has that is new is counted, and the report is read so far.
    pub fn commit_piece(&mut self, piece: &Piece, calls: (Date, u32), now: Moment) -> Result<Committed, StateError> {
        let (limit, released_at_birth) = (self.series_limit, self.holds.is_off());
        self.write(now, |writing, state| {
            let mut committed = Committed {
                tally: piece.answer.tally.clone(),
                ..Committed::default()
            };
            let mut counters = CounterUpdates::new(&state.counters, limit, calls.0, released_at_birth);
            let before = state.events.get(&piece.report);
            let mut table = writing.open_table(facts::FACTS)?;

            let mut keys = Vec::new();
            let outcomes: Vec<Option<Outcome>> = piece
                .answer
                .rows
                .iter()
                .map(|row| Piece::outcome_by_date(row, before))
                .collect();
            for (row, outcome) in piece.answer.rows.iter().zip(&outcomes) {
                if outcome.is_none() {
                    keys.extend(row.facts.iter().map(|fact| fact.key));
                }
            }
            let new = facts::add_new(&mut table, piece.report, &keys)?;

            let admitted: Vec<_> = piece
                .answer
                .series
                .iter()
                .map(|key| counters.get_or_fold(key, Total::zero_of(key.family)))
                .collect();
            for key in &piece.answer.born_together {
                counters.get_or_fold(key, Total::zero_of(key.family));
            }
            // Added up by place: looking a series up for each fact would take longer than all else here.
            let mut growth: Vec<Option<Total>> = vec![None; admitted.len()];
            let mut new = new.into_iter();
            for (row, outcome) in piece.answer.rows.iter().zip(outcomes) {
                if let Some(outcome) = outcome {
                    committed.tally.count(outcome);
                    continue;
                }
                let mut counted = false;
                for fact in &row.facts {
                    if new.next() != Some(true) {
                        continue;
                    }
                    counted = true;
                    for (series, observed) in &fact.counts {
                        let (key, folded) = &admitted[*series as usize];
                        growth[*series as usize]
                            .get_or_insert_with(|| Total::zero_of(key.family))
                            .count(key.family, *observed);
                        if *folded {
                            *committed.folded.entry(key.family).or_default() += 1;
                        }
                    }
                }
                committed
                    .tally
                    .count(if counted { Outcome::Counted } else { Outcome::Duplicate });
                committed.backlog += u64::from(counted && row.at < piece.backlog_before);
            }
            for ((key, _), growth) in admitted.iter().zip(growth) {
                if let Some(growth) = growth
                    && let Some(counter) = counters.get_mut(key)
                {
                    counter.total.add_total(&growth);
                }
            }

            let mut change = StateChange::default();
            if let Some(progress) = piece.advance(before, now.wall) {
                let moved = before.is_none_or(|before| before.forgotten_before < progress.forgotten_before);
                if moved {
                    let oldest = progress
                        .forgotten_before
                        .saturating_sub(WALL_CLOCK_MARGIN)
                        .unwrap_or(Timestamp::MIN);
                    facts::forget_before(&mut table, piece.report, oldest.as_second())?;
                }
                change.event = Some((piece.report, progress));
            }
            change.merge_counters(counters);
            change.merge_names(state, &piece.answer.names, limit);
            Ok((change.with_calls(calls.0, calls.1), committed))
        })
    }

    /// When the next series stops showing 0.
    pub fn next_release(&self) -> Option<Instant> {
        self.holds.next()
    }

    /// Commits the release of the series whose hold is over. After a failure they stay held and are tried again.
    pub fn commit_releases(&mut self, now: Moment) -> Result<(), StateError> {
        let over = self.holds.over(now.monotonic);
        let released = self.write(now, |_, state| {
            let mut change = StateChange::default();
            for key in &over {
                if let Some(counter) = state.counters.get(key) {
                    change.counters.insert(
                        key.clone(),
                        counters::Counter {
                            released: true,
                            ..counter.clone()
                        },
                    );
                }
            }
            Ok((change, ()))
        });
        match released {
            Ok(()) => self.holds.remove(&over),
            Err(_) => self.holds.postpone(&over, now.monotonic + RELEASE_AGAIN),
        }
        released
    }

    /// Drops the series that were idle for too long.
    pub fn commit_idle(&mut self, today: Date, now: Moment) -> Result<(), StateError> {
        let idle = counters::idle(&self.state.counters, today);
        if idle.is_empty() {
            return Ok(());
        }
        self.write(now, |_, _| {
            Ok((
                StateChange {
                    dropped: idle,
                    ..StateChange::default()
                },
                (),
            ))
        })
    }

    /// What is shown of the given families: counters, histograms and the names of ids.
    pub fn shown(&self, families: &[&'static Family]) -> Vec<FamilySeries> {
        let mut shown: Vec<FamilySeries> = families.iter().map(|family| FamilySeries::new(family)).collect();
        for (key, counter) in &self.state.counters {
            if let Some(family) = shown.iter_mut().find(|shown| shown.family == key.family) {
                let is_held = !counter.released && self.holds.is_held(key);
                let total = if is_held {
                    counter.total.zero()
                } else {
                    counter.total.clone()
                };
                family.push(key.labels.clone(), total.value());
            }
        }
        for ((family, id), name) in &self.state.names {
            if let Some(family) = shown
                .iter_mut()
                .find(|shown| shown.family == *family && family.kind == Kind::Info)
            {
                family.push([Label::Owned(id.clone()), Label::Owned(name.name.clone())], Value::Info);
            }
        }
        shown
    }

    /// Releases what an earlier process held: without a hold it is shown, so a later hold must not take it back.
    fn release_all(&mut self, now: Moment) -> Result<(), StateError> {
        if self.state.counters.values().all(|counter| counter.released) {
            return Ok(());
        }
        self.write(now, |_, state| {
            let unreleased = state.counters.iter().filter(|(_, counter)| !counter.released);
            let released = |counter: &counters::Counter| counters::Counter {
                released: true,
                ..counter.clone()
            };
            let counters = unreleased
                .map(|(key, counter)| (key.clone(), released(counter)))
                .collect();
            Ok((
                StateChange {
                    counters,
                    ..StateChange::default()
                },
                (),
            ))
        })
    }

    /// Series that were not released before a restart are held from its beginning on.
    fn hold_unreleased(&mut self, now: Moment) {
        let unreleased = self.state.counters.iter().filter(|(_, counter)| !counter.released);
        for (key, _) in unreleased {
            self.holds.start(key.clone(), now.monotonic);
        }
    }
}

/// The days whose calls are kept.
fn oldest_call_day(today: Date) -> Date {
    today.saturating_sub(CALL_DAYS_KEPT.days())
}
