//! The history of an operation: the growth of each series, sample by sample.
//!
//! A sample at T has counted what is dated before T, so the increase from one local midnight to the next is the day. Which
//! series exist, which are folded over the limit, and what a fact counts is decided by the code of the ledger.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::records::{DayRecord, PieceRecord, Record};
use crate::fetch::pieces::{CompletePiece, PieceLength, second_after};
use crate::ledger::counters::{Counter, CounterUpdates};
use crate::ledger::total::Total;
use crate::metrics::Family;
use crate::metrics::series::{Amount, Micros, SeriesKey};
use crate::reports::Report;
use crate::reports::events::{Fact, FactKey, Name, SeriesIndex};

/// The history begins with no series.
static NOTHING: BTreeMap<SeriesKey, Counter> = BTreeMap::new();

/// The instants of the samples: the beginning, each step after it, and the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleGrid {
    from: i64,
    step: i64,
}

/// The index of a sample.
pub(super) type Slot = u32;

/// The key of the time beside a fact differs by this from the key of the fact.
const TIME: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834;

/// Facts are known for this many seconds after their date, since a month has millions. Pieces are read in the order of time, and
/// no later one has rows that are older, whatever the time zone.
const KNOWN_FOR: i64 = 2 * 86_400;

/// A fact without the time beside it, or that time alone: it may be read later.
struct Part {
    key: FactKey,
    series: SeriesIndex,
    observed: Micros,
}

fn parts(fact: &Fact) -> impl Iterator<Item = Part> {
    let FactKey { second, hash } = fact.key;
    let alone = fact.series.map(|series| Part {
        key: fact.key,
        series,
        observed: Micros(0),
    });
    let time = fact.time.map(|time| Part {
        key: FactKey {
            second,
            hash: (hash.value() ^ TIME).into(),
        },
        series: time.series,
        observed: time.length,
    });
    alone.into_iter().chain(time)
}

/// The history of an operation, as far as it is read.
pub(super) struct History {
    grid: SampleGrid,
    limit: usize,
    counters: CounterUpdates<'static>,
    growth: BTreeMap<SeriesKey, BTreeMap<Slot, Total>>,
    /// The first sample of an id: all its series begin there, as they do live.
    first: BTreeMap<(&'static Report, String), Slot>,
    names: BTreeMap<(&'static Family, String), Name>,
    known: HashSet<(&'static Report, FactKey)>,
    /// The highest totals so far of the day that is being read.
    marks: BTreeMap<&'static Report, (Date, BTreeMap<SeriesKey, Amount>)>,
    covered: BTreeMap<(&'static Report, bool), Timestamp>,
    lengths: BTreeMap<&'static Report, PieceLength>,
}

impl SampleGrid {
    pub(super) fn new(from: Timestamp, step: Duration) -> Self {
        Self {
            from: from.as_second(),
            step: i64::try_from(step.as_secs()).unwrap_or(i64::MAX).max(1),
        }
    }

    /// The first sample that has counted an event of that second.
    fn slot_after(self, second: i64) -> Slot {
        Slot::try_from((second - self.from).div_euclid(self.step) + 1).unwrap_or_default()
    }

    /// The seconds of all samples up to the end, which has one as well.
    pub(super) fn seconds(self, end: Timestamp) -> impl Iterator<Item = i64> {
        let end = end.as_second();
        (0_i64..)
            .map(move |n| self.from + n * self.step)
            .take_while(move |second| *second < end)
            .chain([end])
    }
}

impl History {
    pub(super) fn new(grid: SampleGrid, limit: usize, series_of_days: &[(SeriesKey, Amount)]) -> Self {
        // The dates and holds are those of live series, and do not matter here.
        let mut counters = CounterUpdates::new(&NOTHING, limit, Date::ZERO, true);
        for (key, zero) in series_of_days {
            counters.get_or_fold(key, Total::from(*zero));
        }
        Self {
            grid,
            limit,
            counters,
            growth: BTreeMap::new(),
            first: BTreeMap::new(),
            names: BTreeMap::new(),
            known: HashSet::new(),
            marks: BTreeMap::new(),
            covered: BTreeMap::new(),
            lengths: BTreeMap::new(),
        }
    }

    /// Up to when a report is read, exclusive. With `of_live`, up to when it is read after the birth.
    pub(super) fn covered(&self, report: &'static Report, of_live: bool) -> Option<Timestamp> {
        self.covered.get(&(report, of_live)).copied()
    }

    /// How long the next piece of a report may be.
    pub(super) fn length(&self, report: &'static Report) -> PieceLength {
        self.lengths.get(&report).copied().unwrap_or_default()
    }

    /// What a piece adds to the history. Only rows dated within the given time count. Of rows after the birth (`of_live`)
    /// only the identities are kept: a call with rows on both sides of the birth is counted live.
    pub(super) fn piece(
        &self,
        report: &'static Report,
        of_live: bool,
        until: Timestamp,
        complete: CompletePiece,
        next: PieceLength,
        within: std::ops::Range<Timestamp>,
    ) -> PieceRecord {
        let collected = complete.collected;
        let mut record = PieceRecord::new(report, of_live, second_after(until), complete.count, next);
        let mut new = HashSet::new();
        let mut indices: Vec<Option<u32>> = vec![None; collected.series.len()];
        for (row, facts) in collected.rows_with_facts().filter(|(row, _)| within.contains(&row.at)) {
            for part in facts.iter().flat_map(parts) {
                if self.known.contains(&(report, part.key)) || !new.insert(part.key) {
                    continue;
                }
                record.push_key(part.key);
                if of_live {
                    continue;
                }
                let series = part.series.get();
                let index = indices[series].get_or_insert_with(|| record.push_series(&collected.series[series]));
                record.counts.push((row.at.as_second(), *index, part.observed.0));
            }
        }
        if !of_live {
            let ids: HashSet<String> = record.ids().into_iter().map(str::to_owned).collect();
            let is_counted = |id: Option<&str>| id.is_some_and(|id| ids.contains(id));
            let born = collected.born_together.iter();
            record.set_born(born.filter(|key| is_counted(key.labels.first().map(AsRef::as_ref))));
            let names = collected.names.into_iter().filter(|((_, id), _)| is_counted(Some(id)));
            record.names = names
                .map(|((family, id), name)| (family.name.to_owned(), id, name))
                .collect();
        }
        record
    }

    /// Applies a record: of an answer just now, or from the journal of an interrupted run.
    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Piece(piece) => self.apply_piece(piece),
            Record::TooMuch { report, next } => {
                self.lengths.extend(Report::named(report).map(|report| (report, *next)));
            }
            Record::Day(day) => self.apply_day(day),
        }
    }

    fn apply_piece(&mut self, piece: &PieceRecord) {
        let Some(report) = piece.report() else { return };
        if !piece.of_live {
            let oldest = piece.until.as_second() - KNOWN_FOR;
            self.known.retain(|(of, key)| *of != report || key.second >= oldest);
        }
        self.known.extend(piece.keys().map(|key| (report, key)));
        let counted_in: Vec<SeriesKey> = piece
            .series(report)
            .map(|key| self.counters.get_or_fold(&key, Total::zero_of(key.family)).0)
            .collect();
        for key in piece.born(report) {
            self.counters.get_or_fold(&key, Total::zero_of(key.family));
        }
        for (second, series, observed) in &piece.counts {
            let Some(key) = counted_in.get(*series as usize) else {
                continue;
            };
            let slot = self.grid.slot_after(*second);
            if let Some(id) = key.labels.first() {
                let first = self.first.entry((report, id.to_string())).or_insert(slot);
                *first = slot.min(*first);
            }
            add(&mut self.growth, key, slot, &Total::one(key.family, Micros(*observed)));
        }
        for (family, id, name) in &piece.names {
            let Some(family) = report.names.iter().copied().find(|known| known.name == *family) else {
                continue;
            };
            let have = self.names.keys().filter(|(known, _)| *known == family).count();
            match self.names.get_mut(&(family, id.clone())) {
                Some(known) if known.at > name.at => {}
                Some(known) => *known = name.clone(),
                None if have >= self.limit => {}
                None => {
                    self.names.insert((family, id.clone()), name.clone());
                }
            }
        }
        self.covered.insert((report, piece.of_live), piece.until);
        self.lengths.insert(report, piece.next);
    }

    fn apply_day(&mut self, day: &DayRecord) {
        let Some(report) = day.report() else { return };
        let (date, marks) = self.marks.entry(report).or_insert_with(|| (day.date, BTreeMap::new()));
        if *date != day.date {
            *date = day.date;
            marks.clear();
        }
        // The API gives sums only, so all growth is dated to the last second that was read.
        let slot = self.grid.slot_after(day.until.as_second() - 1);
        for (key, total) in day.totals(report) {
            let (key, _) = self.counters.get_or_fold(&key, Total::from(total.zero()));
            let mark = marks.entry(key.clone()).or_insert(total.zero());
            let above = total.above(*mark);
            if !above.is_zero() {
                *mark = total;
                add(&mut self.growth, &key, slot, &Total::from(above));
            }
        }
        self.covered.insert((report, false), day.until);
    }

    /// The series of a family, sorted, each with its first sample and its growth.
    pub(super) fn series(
        &self,
        report: &'static Report,
        family: &'static Family,
    ) -> impl Iterator<Item = (&SeriesKey, &Total, Slot, Option<&BTreeMap<Slot, Total>>)> {
        let zeros = self
            .counters
            .changed
            .iter()
            .filter(move |(key, _)| key.family == family);
        zeros.map(move |(key, zero)| {
            let begin = key.labels.first().map_or(0, |id| self.begin(report, id));
            (key, &zero.total, begin, self.growth.get(key))
        })
    }

    /// The newest name of each id of an info, each with its first sample in these reports.
    pub(super) fn names(
        &self,
        family: &'static Family,
        reports: &[&'static Report],
    ) -> impl Iterator<Item = (&str, &str, Slot)> {
        let names = self.names.iter().filter(move |((known, _), _)| *known == family);
        names.map(move |((_, id), name)| {
            let begins = reports
                .iter()
                .filter(|report| self.first.contains_key(&(**report, id.clone())));
            let begin = begins.map(|report| self.begin(report, id)).min();
            (&**id, &*name.name, begin.unwrap_or_default())
        })
    }

    /// The sample before the first one that has counted something of the id.
    fn begin(&self, report: &'static Report, id: &str) -> Slot {
        let first = self.first.get(&(report, id.to_owned()));
        first.map_or(0, |first| first.saturating_sub(1))
    }
}

fn add(growth: &mut BTreeMap<SeriesKey, BTreeMap<Slot, Total>>, key: &SeriesKey, slot: Slot, by: &Total) {
    if !growth.contains_key(key) {
        growth.insert(key.clone(), BTreeMap::new());
    }
    if let Some(slots) = growth.get_mut(key) {
        slots.entry(slot).or_insert_with(|| by.zero()).add_total(by);
    }
}
