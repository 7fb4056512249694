//! What all reports of single events have in common: their rows become facts with an identity.

mod collection;
mod row_date;
mod series_set;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

pub use self::collection::Events;
pub(super) use self::row_date::RowDate;
use super::abandoned_calls::SkillTotals;
use super::assumptions::Violated;
use super::{Outcome, Tally};
use crate::metrics::Family;
use crate::metrics::series::{FamilySeries, Micros, SeriesKey};
use crate::wire::Rows;
use crate::wire::json::{self, Broken};
use crate::wire::large::Place;

/// A report of events.
#[derive(Clone, Copy, Debug)]
pub struct EventRows {
    /// Reads the value at the start of a text as a row, and adds its facts. See [`Rows::value`].
    pub read: fn(&mut Events, &str) -> Result<Option<usize>, Broken>,
    /// Whether several rows may repeat one fact, as all steps of an IVR call repeat the call's result.
    pub rows_share_facts: bool,
    /// How old rows are by default when they are read first: those of calls that may still go on change.
    pub settle: Duration,
    /// The totals of which the status page shows the last hour, if the report has them.
    pub totals: Option<fn(&[FamilySeries]) -> SkillTotals>,
}

/// Turns the rows of a report into facts.
pub(super) trait EventReport {
    /// The fields that the report needs of a row, borrowed from the answer.
    type Row<'a>: Deserialize<'a>;

    /// Adds the facts of a row.
    fn row(events: &mut Events, row: &Self::Row<'_>);
}

/// Reads a row of such a report: use it as [`EventRows::read`].
pub(super) fn read<R: EventReport>(events: &mut Events, json: &str) -> Result<Option<usize>, Broken> {
    json::row(json, |row| events.row(|events| R::row(events, row)))
}

/// Reads the rows of one answer.
#[derive(Debug)]
pub struct EventReader {
    read: fn(&mut Events, &str) -> Result<Option<usize>, Broken>,
    events: Events,
}

impl EventReader {
    /// A reader that collects the rows of an answer in `events`.
    pub fn new(rows: &EventRows, events: Events) -> Self {
        Self {
            read: rows.read,
            events,
        }
    }

    /// The result of the whole answer.
    pub fn finish(self) -> Collected {
        self.events.collected()
    }
}

impl Rows for EventReader {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        (self.read)(&mut self.events, json)
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.events.tally().count(Outcome::Invalid);
    }

    fn held(&self) -> Option<usize> {
        Some(self.events.held())
    }

    fn keep(&mut self, place: Arc<Place>) {
        self.events.keep(place);
    }
}

/// The identity of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey {
    /// Seconds since the epoch: the date that decides when the fact is forgotten.
    pub second: i64,
    /// A keyed hash of what identifies the fact. Without the key, no personal data can be read or guessed from it.
    pub hash: FactHash,
}

/// 128 bits, in the form in which they are stored. Many are held at once, so they must not be padded.
#[derive(Clone, Copy, Debug)]
pub struct FactHash(pub [u8; 16]);

impl FactHash {
    /// The bits of the hash, in the same order as the hashes.
    pub fn value(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

// As numbers: comparing bytes takes longer.
impl PartialEq for FactHash {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Eq for FactHash {}

impl PartialOrd for FactHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FactHash {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value().cmp(&other.value())
    }
}

impl Hash for FactHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value().hash(state);
    }
}

impl From<u128> for FactHash {
    fn from(value: u128) -> Self {
        Self(value.to_be_bytes())
    }
}

/// One countable fact of a row. Each fact has its own identity, since some are filled in after the row
/// appeared.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its identity.
    pub key: FactKey,
    /// By what else it is known again.
    pub trace: Trace,
    /// The counter in which it counts; `None` if only its time does.
    pub series: Option<SeriesIndex>,
    /// The time beside it, such as the wait of a call. It may be filled in later than the fact, and counts once on its own.
    pub time: Option<FactTime>,
}

/// By what a fact is known again when its key is another: 31 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trace(u32);

impl Trace {
    const UNDATED: u32 = 1 << 30;
    const MINUTES_AT: u32 = 17;
    const MOST_MINUTES: i64 = (1 << 13) - 1;
    const SECONDS_OF_A_DAY: i64 = 86_400;

    /// A short keyed hash of its identity without the date: the row may come with another date.
    pub fn undated(hash: u64) -> Self {
        Self(hash as u32 & (Self::UNDATED - 1) | Self::UNDATED)
    }

    /// Of a fact that several rows repeat: the first and the last of them, in seconds from midnight of the day of the first.
    pub fn of_rows(first: i64, last: i64) -> Self {
        let minutes = ((last - first + 59) / 60).clamp(0, Self::MOST_MINUTES);
        // One more, so that 0 remains for none.
        Self((first.rem_euclid(Self::SECONDS_OF_A_DAY) + 1) as u32 | (minutes as u32) << Self::MINUTES_AT)
    }

    /// As it is stored; see [`stored`](Self::stored).
    pub fn bits(self) -> u32 {
        self.0
    }

    /// A trace from its bits; 0 is none.
    pub fn stored(bits: u32) -> Self {
        Self(bits)
    }

    /// Whether it is a hash without the date.
    pub fn is_undated(self) -> bool {
        self.0 & Self::UNDATED != 0
    }

    /// The first and the last row, as in [`of_rows`](Self::of_rows), the last one rounded up to a minute.
    pub fn rows(self) -> Option<(i64, i64)> {
        if self.is_undated() || self.0 == 0 {
            return None;
        }
        let first = i64::from(self.0 & ((1 << Self::MINUTES_AT) - 1)) - 1;
        Some((first, first + 60 * i64::from(self.0 >> Self::MINUTES_AT)))
    }
}

/// A time that a histogram observes.
#[derive(Clone, Copy, Debug)]
pub struct FactTime {
    /// The series in which it counts.
    pub series: SeriesIndex,
    /// Its length.
    pub length: Micros,
}

/// An index into [`Collected::series`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesIndex(NonZeroU32);

impl SeriesIndex {
    /// The index of the n-th series, counted from 0.
    pub fn new(n: usize) -> Self {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(n))
    }

    /// The place of the series, counted from 0.
    pub fn get(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A row. Its facts are in [`Collected::facts`], after those of the rows before it.
#[derive(Clone, Copy, Debug)]
pub struct EventRow {
    /// When the row is dated.
    pub at: Timestamp,
    /// The number of its facts; a row may have none yet.
    pub facts: u32,
    /// The assumptions that it breaks.
    pub violated: Violated,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The wall-clock time at which the range begins, inclusive.
    pub first: DateTime,
    /// The wall-clock time at which it ends, inclusive.
    pub last: DateTime,
    /// Nothing is filled in any more in rows dated before this.
    pub final_before: Timestamp,
}

/// A name of an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The name.
    pub name: String,
    /// The date of the row that gave it.
    pub at: Timestamp,
}

impl Fact {
    /// The series by whose labels it is known again.
    pub fn first_series(&self) -> Option<SeriesIndex> {
        self.series.or(self.time.map(|time| time.series))
    }
}

impl Collected {
    /// Each row with its facts.
    pub fn rows_with_facts(&self) -> impl Iterator<Item = (&EventRow, &[Fact])> {
        let mut rest = self.facts.as_slice();
        self.rows.iter().map(move |row| {
            let (facts, others) = rest.split_at(row.facts as usize);
            rest = others;
            (row, facts)
        })
    }
}

impl Asked {
    /// No limits: every date is right, and nothing is final.
    pub const ANYTHING: Self = Self {
        first: DateTime::MIN,
        last: DateTime::MAX,
        final_before: Timestamp::MIN,
    };
}

/// The result of a whole answer.
#[derive(Debug)]
pub struct Collected {
    /// The rows.
    pub rows: Vec<EventRow>,
    /// The facts of the rows, row by row.
    pub facts: Vec<Fact>,
    /// The series in which facts count.
    pub series: Vec<SeriesKey>,
    /// Series that are born with an id.
    pub born_together: Vec<SeriesKey>,
    /// The newest name of each id.
    pub names: BTreeMap<(&'static Family, String), Name>,
    /// Counts of invalid rows and unreadable fields.
    pub tally: Tally,
    /// The latest date of a row.
    pub newest: Option<Timestamp>,
    /// What was asked for.
    pub asked: Asked,
    /// The place of a large answer.
    pub place: Option<Arc<Place>>,
}
