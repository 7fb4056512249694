//! Counts a piece of events: facts that are new, each once.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use siphasher::sip::SipHasher13;

use super::counters::CounterUpdates;
use super::events::{EventProgress, Rereading};
use super::facts::{Facts, Standing, Verdict};
use super::state::StateChange;
use super::total::Total;
use super::{Committed, Ledger, StateError};
use crate::clock::Moment;
use crate::metrics::series::{Histogram, Micros, SeriesKey};
use crate::reports::events::{Collected, SeriesIndex};
use crate::reports::values::wall_clock_second;
use crate::reports::{Assumption, Outcome, Report};

/// Facts are dated by wall-clock text, so that a change of the time zone changes no key. Two time zones are at most 26 hours
/// apart.
const WALL_CLOCK_MARGIN: SignedDuration = SignedDuration::from_hours(26);

/// Upper bounds of how late rows are, in seconds.
pub const LATENESS_BOUNDS: &[f64] = &[60.0, 300.0, 900.0, 3600.0, 7200.0, 21600.0, 86400.0, 172800.0];

/// A counter observes no value.
const NOTHING: Micros = Micros(0);

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
    /// How old rows are when they are read for the last time.
    pub reread_back: SignedDuration,
    /// How far back rereads read.
    pub reread_reach: SignedDuration,
    /// The number of rows at which the API cuts answers, if that was learned.
    pub record_limit: Option<u64>,
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
        /// The end of the first poll's window.
        until: Timestamp,
        /// The same as rows are dated: in the second pass of an hour that comes twice, an hour earlier.
        born: Timestamp,
    },
    /// A window that continues where the last one ended.
    Window,
    /// A reread, which goes on as given.
    Reread(Rereading),
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
            let mut verdicts = piece.verdicts_by_date(&outcomes);
            let labels = label_hashes(&piece.answer.series, state.hash_key.unwrap_or_default());
            facts.add(&piece.answer.facts, &labels, &mut verdicts, piece.complete_minutes())?;

            let mut counters = CounterUpdates::new(&state.counters, limit, today, created_released);
            let committed = piece.count(&mut counters, &outcomes, &verdicts, now.wall);

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
            (None, PartOf::Birth { until, born }) if self.until == until => EventProgress {
                born,
                covered: until,
                forgotten_before: born,
                reread_at: until,
                reread_ended: None,
                rereading: None,
                record_limit: None,
                newest: None,
            },
            (None, _) => return None,
        };
        match self.part_of {
            PartOf::Window => progress.covered = progress.covered.max(self.until),
            PartOf::Reread(reread) if reread.next > reread.until => {
                progress.end_reread(reread.began, now);
            }
            PartOf::Reread(reread) => progress.rereading = Some(reread),
            PartOf::Birth { .. } => {}
        }
        progress.newest = progress.newest.max(self.answer.newest);
        progress.record_limit = self.record_limit;
        // No later window or reread begins before this.
        let unreachable = earlier(progress.covered, self.overlap)
            .min(earlier(now, self.reread_reach))
            .min(progress.next_reread_from(now, self.reread_back));
        progress.forgotten_before = progress.forgotten_before.max(unreachable);
        Some(progress)
    }

    /// The outcomes of the rows, as far as their date decides them.
    fn outcomes_by_date(&self, before: Option<&EventProgress>) -> Vec<Option<Outcome>> {
        let rows = self.answer.rows.iter();
        rows.map(|row| EventProgress::outcome_by_date(before, row)).collect()
    }

    /// What the facts are as far as the dates of their rows decide it. Those that are to be stored are new.
    fn verdicts_by_date(&self, outcomes: &[Option<Outcome>]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(self.answer.facts.len());
        for (row, outcome) in self.answer.rows.iter().zip(outcomes) {
            let is_new = outcome.is_none() || self.is_between_passes(row.at);
            let verdict = Verdict {
                standing: if is_new { Standing::New } else { Standing::Known },
                time_is_new: false,
                has_changed: false,
            };
            verdicts.extend(std::iter::repeat_n(verdict, row.facts as usize));
        }
        verdicts
    }

    /// Whether a row of the first poll may have happened before the birth although it is dated after it. It is stored,
    /// so that it does not count when it comes again.
    fn is_between_passes(&self, at: Timestamp) -> bool {
        matches!(self.part_of, PartOf::Birth { until, born } if (born..until).contains(&at))
    }

    /// The whole minutes for which the answer is complete; none if anything says that it is not.
    fn complete_minutes(&self) -> RangeInclusive<i64> {
        let tally = &self.answer.tally;
        let is_doubtful = tally.rows(Outcome::Invalid) > 0
            || tally.violations(Assumption::CountMatches) > 0
            || (self.answer.rows.iter()).any(|row| row.violated.contains(Assumption::InsideWindow));
        if is_doubtful {
            return RangeInclusive::new(1, 0);
        }
        let (first, last) = (self.answer.asked.first, self.answer.asked.last);
        let first = (wall_clock_second(first) + 59).div_euclid(60);
        first..=(wall_clock_second(last) + 1).div_euclid(60) - 1
    }

    /// Counts the facts that are new, by the standing of each.
    fn count(
        &self,
        counters: &mut CounterUpdates<'_>,
        outcomes: &[Option<Outcome>],
        mut verdicts: &[Verdict],
        now: Timestamp,
    ) -> Committed {
        let mut committed = Committed {
            tally: self.answer.tally.clone(),
            lateness: Histogram::new(LATENESS_BOUNDS),
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
        let mut add = |index: SeriesIndex, observed| {
            let n = index.get();
            let (key, is_folded) = &series[n];
            growth[n]
                .get_or_insert_with(|| Total::zero_of(key.family))
                .count(key.family, observed);
            folded[n] += u64::from(*is_folded);
        };
        for ((row, facts), outcome) in self.answer.rows_with_facts().zip(outcomes) {
            let (verdicts_of_row, others) = verdicts.split_at(facts.len());
            verdicts = others;
            if verdicts_of_row.iter().any(|verdict| verdict.has_changed) {
                committed.tally.violation(Assumption::FinalWhenSeen);
            }
            let outcome = outcome.unwrap_or_else(|| {
                let (mut is_counted, mut has_moved, mut is_known) = (false, false, false);
                for (fact, verdict) in facts.iter().zip(verdicts_of_row) {
                    has_moved |= verdict.standing == Standing::Moved;
                    is_known |= verdict.standing != Standing::New;
                    if verdict.standing == Standing::New {
                        is_counted = true;
                        if let Some(series) = fact.series {
                            add(series, NOTHING);
                        }
                    }
                    if let Some(time) = fact.time.filter(|_| verdict.time_is_new) {
                        is_counted = true;
                        add(time.series, time.length);
                    }
                }
                if is_counted && !is_known {
                    let age = u64::try_from(now.duration_since(row.at).as_micros()).unwrap_or(0);
                    committed.lateness.observe(LATENESS_BOUNDS, Micros(age));
                }
                if has_moved {
                    committed.tally.violation(Assumption::DatedOnce);
                }
                match () {
                    () if facts.is_empty() => Outcome::Ignored,
                    () if is_counted => Outcome::Counted,
                    () => Outcome::Duplicate,
                }
            });
            committed.tally.count(outcome);
            committed.backlog += u64::from(outcome == Outcome::Counted && row.at < self.backlog_before);
            // A row that comes again breaks nothing new. One that says nothing yet will come again.
            if !matches!(outcome, Outcome::Duplicate | Outcome::Ignored) {
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

/// A short hash of each series, without its index.
fn label_hashes(series: &[SeriesKey], hash_key: u128) -> Vec<u16> {
    let hasher = SipHasher13::new_with_key(&hash_key.to_be_bytes());
    series
        .iter()
        .map(|SeriesKey { family, labels }| {
            let text = format!("{} {labels:?}", family.name);
            hasher.hash(text.as_bytes()) as u16
        })
        .collect()
}

fn earlier(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_sub(by).unwrap_or(Timestamp::MIN)
}
