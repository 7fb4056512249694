//! What all reports of single events have in common: their rows become facts with an identity.

mod collection;
mod row_date;
mod series_set;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

pub use self::collection::Events;
use super::assumptions::Violated;
use super::{Outcome, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{FamilySeries, Micros, SeriesKey};
use crate::wire::Rows;
use crate::wire::json::{self, Broken};

/// A report of events.
#[derive(Clone, Copy, Debug)]
pub struct EventRows {
    /// Reads the value at the start of a text as a row, and adds its facts. See [`Rows::value`].
    pub read: fn(&mut Events, &str) -> Result<Option<usize>, Broken>,
    /// Whether several rows may repeat one fact, as all steps of an IVR call repeat the call's result.
    pub rows_share_facts: bool,
    /// How old rows are by default when they are read first: those of calls that may still go on change.
    pub settle: Duration,
    /// What the status page shows of the report's series, if anything.
    pub view: Option<fn(&[FamilySeries]) -> View>,
}

/// Turns the rows of a report into facts.
pub(super) trait EventReport {
    /// The fields that the report needs of a row, borrowed from the answer.
    type Row<'a>: Deserialize<'a>;

    /// Adds the facts of a row.
    fn row(events: &mut Events, row: Self::Row<'_>);
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
}

/// The identity of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey {
    /// Seconds since the epoch: the date that decides when the fact is forgotten.
    pub second: i64,
    /// A keyed hash of what identifies the fact. Without the key, no personal data can be read or guessed from it.
    pub hash: u128,
}

/// One countable fact of a row. Each fact has its own identity, since some are filled in after the row
/// appeared.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its identity.
    pub key: FactKey,
    /// A short keyed hash of its identity without the date, by which it is known again when the row comes with another
    /// date: 31 bits. 0 if the date of the row is not part of the identity.
    pub undated: u32,
    /// The series in which it counts.
    pub series: SeriesIndex,
    /// The time beside it, such as the wait of a call. It may be filled in later than the fact, and counts once on its own.
    pub time: Option<FactTime>,
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
pub type SeriesIndex = u32;

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
}
