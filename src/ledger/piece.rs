//! Counts a piece of events: facts that are new, each once.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use redb::StorageError;

use super::counters::CounterUpdates;
use super::events::EventProgress;
use super::facts::{Facts, Standing};
use super::state::StateChange;
use super::total::Total;
use super::{Committed, Ledger, StateError};
use crate::clock::Moment;
use crate::metrics::series::SeriesKey;
use crate::reports::events::{Collected, EventRow, FactKey};
use crate::reports::values::wall_clock_second;
use crate::reports::{Assumption, Outcome, Report};

/// Facts are dated by wall-clock text, so that a change of the time zone changes no key. Two time zones are at most 26 hours
/// apart.
const WALL_CLOCK_MARGIN: SignedDuration = SignedDuration::from_hours(26);

/// The complete answer for one piece of a window.
#[derive(Debug)]
pub struct Piece {
    /// The report.
    pub report: &'static Report,
    /// The last second that was asked for.
    pub until: Timestamp,
    /// Which read it belongs to.
    pub part_of: PartOf,
    /// How far back the next window reads.
    pub overlap: SignedDuration,
    /// How far back rereads read.
    pub reread_reach: SignedDuration,
    /// The rows, and the ids and names in them.
    pub answer: Collected,
    /// Rows dated before this are backlog when they are counted.
    pub backlog_before: Timestamp,
}

/// Which read a piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// The first poll: it learns ids and names and counts nothing. Its last piece is the birth of the report.
    Birth {
        /// The end of the first poll's window, in its last piece.
        born: Option<Timestamp>,
    },
    /// A window that continues where the last one ended.
    Window,
    /// A reread.
    Reread {
        /// Whether this is its last piece.
        ended: bool,
    },
}

impl Ledger {
    /// Commits a piece: counts what is new in it, and advances how far the report is read.
    pub fn commit_piece(
        &mut self,
        piece: &Piece,
        (today, calls_used): (Date, u32),
        now: Moment,
    ) -> Result<Committed, StateError> {
        let (limit, created_released) = (self.series_limit, self.holds.is_off());
        self.write(now, |transaction, state| {
            let before = state.events.get(&piece.report);
            let outcomes = piece.outcomes_by_date(before);
            let mut facts = Facts::open(transaction, piece.report)?;
            let joined = piece.counted_with_another(&facts, before, &outcomes)?;
            let standings = facts.add(&piece.undecided_facts(&outcomes), piece.asked_minutes())?;

            let mut counters = CounterUpdates::new(&state.counters, limit, today, created_released);
            let committed = piece.count(&mut counters, &outcomes, &standings, &joined);

            let mut change = StateChange::default();
            if let Some(progress) = piece.advance(before, now.wall) {
                if before.is_none_or(|before| before.forgotten_before < progress.forgotten_before) {
                    let oldest = progress.forgotten_before.saturating_sub(WALL_CLOCK_MARGIN);
                    let oldest = oldest.unwrap_or(Timestamp::MIN);
                    facts.forget_before(oldest.as_second())?;
                }
                change.event = Some((piece.report, progress));
            }
            change.merge_counters(counters);
            change.merge_names(state, &piece.answer.names, limit);
            Ok((change.with_calls(today, calls_used), committed))
        })
    }
}

impl Piece {
    /// How far the report is read after this piece; `None` before its birth.
    fn advance(&self, before: Option<&EventProgress>, now: Timestamp) -> Option<EventProgress> {
        let mut progress = match (before, self.part_of) {
            (Some(before), _) => before.clone(),
            (None, PartOf::Birth { born: Some(born) }) => EventProgress {
                born,
                covered: born,
                forgotten_before: born,
                reread_at: born,
                newest: None,
                apart_since: Some(born),
            },
            (None, _) => return None,
        };
        progress.apart_since.get_or_insert(progress.covered);
        match self.part_of {
            PartOf::Window => progress.covered = progress.covered.max(self.until),
            PartOf::Reread { ended: true } => progress.reread_at = now,
            PartOf::Birth { .. } | PartOf::Reread { ended: false } => {}
        }
        progress.newest = progress.newest.max(self.answer.newest);
        let earlier = |from: Timestamp, by| from.checked_sub(by).unwrap_or(Timestamp::MIN);
        // No later window or reread begins before this.
        let unreachable = earlier(progress.covered, self.overlap).min(earlier(now, self.reread_reach));
        progress.forgotten_before = progress.forgotten_before.max(unreachable);
        Some(progress)
    }

    /// The outcomes of the rows, as far as their date decides them.
    fn outcomes_by_date(&self, before: Option<&EventProgress>) -> Vec<Option<Outcome>> {
        let rows = self.answer.rows.iter();
        rows.map(|row| EventProgress::outcome_by_date(before, row)).collect()
    }

    /// The facts of the rows that count if they are new.
    fn undecided_facts(&self, outcomes: &[Option<Outcome>]) -> Vec<(FactKey, u32)> {
        self.undecided_rows(outcomes)
            .flat_map(|row| row.facts.iter().map(|fact| (fact.key, fact.undated)))
            .collect()
    }

    fn undecided_rows<'p>(&'p self, outcomes: &'p [Option<Outcome>]) -> impl Iterator<Item = &'p EventRow> {
        let rows = self.answer.rows.iter().zip(outcomes);
        rows.filter(|(_, outcome)| outcome.is_none()).map(|(row, _)| row)
    }

    /// The whole minutes that were asked for.
    fn asked_minutes(&self) -> RangeInclusive<i64> {
        let (first, last) = (self.answer.asked.first, self.answer.asked.last);
        let first = (wall_clock_second(first) + 59).div_euclid(60);
        first..=(wall_clock_second(last) + 1).div_euclid(60) - 1
    }

    /// The facts that the first version of the exporter has already counted, as part of another fact of their row.
    fn counted_with_another(
        &self,
        facts: &Facts<'_>,
        before: Option<&EventProgress>,
        outcomes: &[Option<Outcome>],
    ) -> Result<HashSet<FactKey>, StorageError> {
        let Some(before) = before else {
            return Ok(HashSet::new());
        };
        let apart_since = before.apart_since.unwrap_or(before.covered);
        let mut counted = HashSet::new();
        for row in self.undecided_rows(outcomes).filter(|row| row.at <= apart_since) {
            for fact in &row.facts {
                if let Some(hash) = fact.joined
                    && facts.contains(FactKey { hash, ..fact.key })?
                {
                    counted.insert(fact.key);
                }
            }
        }
        Ok(counted)
    }

    /// Counts the facts that are new. `standings` has an entry for each of [`Self::undecided_facts`]; `joined` are counted
    /// already.
    fn count(
        &self,
        counters: &mut CounterUpdates<'_>,
        outcomes: &[Option<Outcome>],
        standings: &[Standing],
        joined: &HashSet<FactKey>,
    ) -> Committed {
        let mut committed = Committed {
            tally: self.answer.tally.clone(),
            ..Committed::default()
        };
        let series: Vec<(SeriesKey, bool)> = self
            .answer
            .series
            .iter()
            .map(|key| counters.get_or_fold(key, Total::zero_of(key.family)))
            .collect();
        for key in &self.answer.born_together {
            counters.get_or_fold(key, Total::zero_of(key.family));
        }
        // Summed by position in `series` first: looking up the series of each fact would take longer than everything else.
        let mut growth: Vec<Option<Total>> = vec![None; series.len()];
        let mut folded = vec![0; series.len()];
        let mut standings = standings.iter();
        for (row, outcome) in self.answer.rows.iter().zip(outcomes) {
            let outcome = outcome.unwrap_or_else(|| {
                let (mut is_counted, mut has_moved) = (false, false);
                for (fact, standing) in row.facts.iter().zip(&mut standings) {
                    has_moved |= *standing == Standing::Moved;
                    if *standing != Standing::New || joined.contains(&fact.key) {
                        continue;
                    }
                    is_counted = true;
                    for (n, observed) in &fact.counts {
                        let n = *n as usize;
                        let (key, is_folded) = &series[n];
                        growth[n]
                            .get_or_insert_with(|| Total::zero_of(key.family))
                            .count(key.family, *observed);
                        folded[n] += u64::from(*is_folded);
                    }
                }
                if has_moved {
                    committed.tally.violation(Assumption::DatedOnce);
                }
                match () {
                    () if row.facts.is_empty() => Outcome::Ignored,
                    () if is_counted => Outcome::Counted,
                    () => Outcome::Duplicate,
                }
            });
            committed.tally.count(outcome);
            committed.backlog += u64::from(outcome == Outcome::Counted && row.at < self.backlog_before);
            // A row that comes again breaks nothing new.
            if outcome != Outcome::Duplicate {
                row.violated
                    .iter()
                    .for_each(|assumption| committed.tally.violation(assumption));
            }
        }
        for (((key, _), growth), folded) in series.iter().zip(growth).zip(folded) {
            if let Some(growth) = growth
                && let Some(counter) = counters.get_mut(key)
            {
                counter.total.add_total(&growth);
            }
            if folded > 0 {
                *committed.folded.entry(key.family).or_default() += folded;
            }
        }
        committed
    }
}
