//! What all reports of single events have in common: their rows become facts with an identity.

mod values;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hasher;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

pub(super) use self::values::{NONE, ONE, OTHER, enumerated, free, id, observed};
use self::values::{parse_date, wall_clock_second};
use super::{Outcome, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{FamilySeries, Label, Micros, SeriesKey};
use crate::wire::Rows;
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::json::{self, Broken};

/// A report of events.
#[derive(Clone, Copy, Debug)]
pub struct EventRows {
    /// Reads the value at the start of a text as a row, and adds its facts. See [`Rows::value`].
    pub read: fn(&mut Events, &str) -> Result<Option<usize>, Broken>,
    /// Whether several rows may repeat one fact, as all steps of an IVR call repeat the call's result.
    pub rows_share_facts: bool,
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
    json::row(json, |row| R::row(events, row))
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
        self.events.tally.count(Outcome::Invalid);
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
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its identity.
    pub key: FactKey,
    /// The series in which it counts, each with the value that a histogram observes.
    pub counts: Vec<(SeriesIndex, Micros)>,
}

/// An index into [`Collected::series`].
pub type SeriesIndex = u32;

/// A row and its facts.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// When the row is dated.
    pub at: Timestamp,
    /// Its facts; a row may have none yet.
    pub facts: Vec<Fact>,
}

/// A name of an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The name.
    pub name: String,
    /// The date of the row that gave it.
    pub at: Timestamp,
}

/// Collects the facts of the rows of one answer.
#[derive(Debug)]
pub struct Events {
    rows: Vec<EventRow>,
    series: Vec<SeriesKey>,
    /// Index into `series`, by family name and labels.
    index: HashMap<String, SeriesIndex>,
    born_together: Vec<SeriesKey>,
    /// The label sets in `born_together`, by family name and labels.
    born: HashSet<String>,
    /// By family and id. Most rows name an id that is already here, and finding it allocates nothing.
    names: BTreeMap<&'static Family, BTreeMap<String, Name>>,
    tally: Tally,
    newest: Option<Timestamp>,
    zone: TimeZone,
    hash_key: u128,
    /// How often each identity occurred in this answer: rows with equal identities are told apart by their number.
    seen: HashMap<u128, u32>,
    /// The row that carries each fact which several rows repeat.
    carriers: HashMap<FactKey, usize>,
    scratch: String,
}

/// The result of a whole answer.
#[derive(Debug)]
pub struct Collected {
    /// The rows and their facts.
    pub rows: Vec<EventRow>,
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
}

/// The date of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowDate<'r> {
    text: &'r str,
    wall_clock: DateTime,
    at: Timestamp,
}

impl Events {
    /// An empty collection. Dates are read in the operation's time zone.
    pub fn new(zone: &TimeZone, hash_key: u128) -> Self {
        Self {
            rows: Vec::new(),
            series: Vec::new(),
            index: HashMap::new(),
            born_together: Vec::new(),
            born: HashSet::new(),
            names: BTreeMap::new(),
            tally: Tally::default(),
            newest: None,
            zone: zone.clone(),
            hash_key,
            seen: HashMap::new(),
            carriers: HashMap::new(),
            scratch: String::new(),
        }
    }

    /// The result.
    pub fn collected(mut self) -> Collected {
        // If the limit leaves some series out, which ones must not depend on the order of the rows.
        self.born_together.sort_unstable();
        let names = self.names.into_iter().flat_map(|(family, names)| {
            let names = names.into_iter();
            names.map(move |(id, name)| ((family, id), name))
        });
        Collected {
            rows: self.rows,
            series: self.series,
            born_together: self.born_together,
            names: names.collect(),
            tally: self.tally,
            newest: self.newest,
        }
    }

    pub(super) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Adds a row with its facts. A row without facts says nothing yet.
    pub(super) fn add(&mut self, date: RowDate<'_>, facts: Vec<Fact>) {
        if facts.is_empty() {
            self.tally.count(Outcome::Ignored);
        } else {
            self.rows.push(EventRow { at: date.at, facts });
        }
    }

    /// A fact that several rows of an answer repeat. The first of them carries it, and this returns it for that row
    /// only. If a later row disagrees, its values replace those of the earlier row: the last row wins.
    pub(super) fn shared(&mut self, key: FactKey, counts: Vec<(SeriesIndex, Micros)>) -> Option<Fact> {
        let next = self.rows.len();
        let carrier = *self.carriers.entry(key).or_insert(next);
        if carrier == next {
            return Some(Fact { key, counts });
        }
        let mut facts = self.rows[carrier].facts.iter_mut();
        if let Some(fact) = facts.find(|fact| fact.key == key) {
            fact.counts = counts;
        }
        None
    }

    /// The date of a row. A time that occurs twice because the clock went back is read as the earlier instant.
    pub(super) fn date<'r>(&mut self, leaf: &'r Leaf<'_>) -> Option<RowDate<'r>> {
        let reading = match fields::text(leaf) {
            Reading::Value(text) => match parse_date(text) {
                Some(wall_clock) => Reading::Value((text, wall_clock)),
                None => Reading::Invalid,
            },
            Reading::Absent => Reading::Absent,
            Reading::Invalid => Reading::Invalid,
        };
        let (text, wall_clock) = self.tally.read("date", reading)?;
        let at = self.zone.to_ambiguous_timestamp(wall_clock).earlier().ok()?;
        self.newest = self.newest.max(Some(at));
        Some(RowDate { text, wall_clock, at })
    }

    /// The identity of a fact of this date. Rows that are equal in all given fields and in the text of the date are
    /// numbered within the answer: as many of them count as the most that one answer had.
    pub(super) fn key(&mut self, date: &RowDate<'_>, what: u8, identity: &[&str]) -> FactKey {
        let hash = self.hash(what, date.text, identity, 0);
        let number = self.seen.entry(hash).or_default();
        *number += 1;
        let number = *number;
        let hash = if number == 1 {
            hash
        } else {
            self.hash(what, date.text, identity, number)
        };
        FactKey {
            second: wall_clock_second(date.wall_clock),
            hash,
        }
    }

    /// The identity of a fact that several rows of one day repeat. It is dated at the end of the day, so that it is not
    /// forgotten before any of those rows.
    pub(super) fn key_of_day(&mut self, date: &RowDate<'_>, what: u8, identity: &[&str]) -> FactKey {
        let day_end = date.wall_clock.date().at(23, 59, 59, 0);
        FactKey {
            second: wall_clock_second(day_end),
            hash: self.hash(what, "", identity, 0),
        }
    }

    fn hash(&self, what: u8, date: &str, identity: &[&str], number: u32) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key.to_be_bytes());
        hasher.write_u8(what);
        hasher.write_u32(number);
        for field in std::iter::once(&date).chain(identity) {
            hasher.write_usize(field.len());
            hasher.write(field.as_bytes());
        }
        hasher.finish128().as_u128()
    }

    /// The index of a series. Finding a known label set allocates nothing.
    pub(super) fn series(&mut self, family: &'static Family, labels: &[&str]) -> SeriesIndex {
        write_set(&mut self.scratch, family, labels);
        if let Some(index) = self.index.get(&self.scratch) {
            return *index;
        }
        let index = self.series.len() as SeriesIndex;
        self.series.push(series_key(family, labels));
        self.index.insert(self.scratch.clone(), index);
        index
    }

    /// Marks a series as born, whether anything counts in it or not. Returns true the first time in this answer; later
    /// calls allocate nothing.
    pub(super) fn born(&mut self, family: &'static Family, labels: &[&str]) -> bool {
        write_set(&mut self.scratch, family, labels);
        let is_first = !self.born.contains(&self.scratch);
        if is_first {
            self.born.insert(self.scratch.clone());
            self.born_together.push(series_key(family, labels));
        }
        is_first
    }

    /// Stores the name of an id if it is the newest.
    pub(super) fn name(&mut self, family: &'static Family, id: &str, name: &Leaf<'_>, date: RowDate<'_>) {
        let Reading::Value(name) = fields::text(name) else {
            return;
        };
        let names = self.names.entry(family).or_default();
        match names.get_mut(id) {
            Some(known) if known.at > date.at => {}
            Some(known) => {
                if known.name != name {
                    name.clone_into(&mut known.name);
                }
                known.at = date.at;
            }
            None => {
                let name = Name {
                    name: name.to_owned(),
                    at: date.at,
                };
                names.insert(id.to_owned(), name);
            }
        }
    }
}

/// The text under which a label set is looked up.
fn write_set(text: &mut String, family: &Family, labels: &[&str]) {
    text.clear();
    text.push_str(family.name);
    for label in labels {
        text.push('\u{1f}');
        text.push_str(label);
    }
}

fn series_key(family: &'static Family, labels: &[&str]) -> SeriesKey {
    SeriesKey {
        family,
        labels: labels.iter().map(|label| Label::Owned((*label).to_owned())).collect(),
    }
}
