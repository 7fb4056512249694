//! Collects the facts of the rows of one answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use hashbrown::HashTable;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use siphasher::sip;
use siphasher::sip128::SipHasher13;

use super::row_date::{LocalTime, RowDate};
use super::series_set::SeriesSet;
use super::{Asked, Collected, EventRow, Fact, FactHash, FactKey, FactTime, Name, SeriesIndex, Trace};
use crate::metrics::Family;
use crate::metrics::series::Micros;
use crate::reports::Tally;
use crate::reports::assumptions::{Assumption, Violated};
use crate::reports::values::{self, wall_clock_second};
use crate::wire::fields::{self, Leaf, Reading};
use crate::wire::large::Place;

/// A row that is dated further ahead than clocks may differ says nothing about how new the data is.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// Facts for which a large answer makes room at once, as many as some have. Growing step by step takes longer.
const MANY: usize = 50_000;

/// Rows of one call are no further apart.
const SAME_CALL_WITHIN: SignedDuration = SignedDuration::from_hours(12);

/// Collects the facts of the rows of one answer.
#[derive(Debug)]
pub struct Events {
    rows: Vec<EventRow>,
    facts: Vec<Fact>,
    /// Facts of the rows that are complete.
    facts_before: usize,
    series: SeriesSet,
    born_together: SeriesSet,
    /// By family and id. Most rows name an id that is already here, and finding it allocates nothing.
    names: BTreeMap<&'static Family, BTreeMap<String, Name>>,
    tally: Tally,
    newest: Option<Timestamp>,
    zone: LocalTime,
    hash_key: u128,
    asked: Asked,
    /// The assumptions that the present row breaks.
    violated: Violated,
    /// The places of the first facts of their identities, by hash.
    firsts: HashTable<u32>,
    /// How often the identities occurred that came again in this answer: such rows are told apart by their number.
    repeated: HashMap<FactHash, Seen>,
    /// Rows dated after this say nothing about how new the data is.
    newest_at_most: DateTime,
    /// The latest fact with each hash, of those that several rows repeat.
    shared: HashMap<FactHash, Shared>,
    /// What is hashed.
    scratch: Vec<u8>,
    /// The place of a large answer.
    place: Option<Arc<Place>>,
}

/// How often an identity occurred in an answer.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    facts: u32,
    /// Of them, those with a time beside.
    times: u32,
}

/// What identifies a fact, apart from its number among equal ones.
#[derive(Clone, Copy, Debug)]
pub(in crate::reports) struct Identity<'i> {
    what: u8,
    fields: &'i [&'i str],
    /// With the date.
    hash: FactHash,
    /// Without it.
    undated: Trace,
}

/// A fact that several rows repeat.
#[derive(Clone, Copy, Debug)]
struct Shared {
    /// Its place in `facts`.
    fact: usize,
    /// The dates of the first and the last of its rows.
    first: DateTime,
    last: DateTime,
    /// The date of the row whose values it has, if they are not only assumed.
    decided: Option<DateTime>,
}

impl Events {
    /// An empty collection. Dates are read in the operation's time zone.
    pub fn new(zone: &TimeZone, hash_key: u128, asked: Asked) -> Self {
        Self {
            rows: Vec::new(),
            facts: Vec::new(),
            facts_before: 0,
            series: SeriesSet::default(),
            born_together: SeriesSet::default(),
            names: BTreeMap::new(),
            tally: Tally::default(),
            newest: None,
            zone: LocalTime::new(zone),
            hash_key,
            asked,
            violated: Violated::default(),
            firsts: HashTable::new(),
            repeated: HashMap::new(),
            newest_at_most: asked.last.saturating_add(CLOCK_MARGIN),
            shared: HashMap::new(),
            scratch: Vec::new(),
            place: None,
        }
    }

    /// The result.
    pub fn collected(self) -> Collected {
        // If the limit leaves some series out, which ones must not depend on the order of the rows.
        let mut born_together = self.born_together.keys;
        born_together.sort_unstable();
        let names = self.names.into_iter().flat_map(|(family, names)| {
            let names = names.into_iter();
            names.map(move |(id, name)| ((family, id), name))
        });
        Collected {
            rows: self.rows,
            facts: self.facts,
            series: self.series.keys,
            born_together,
            names: names.collect(),
            tally: self.tally,
            newest: self.newest,
            asked: self.asked,
            place: self.place,
        }
    }

    /// How many rows it holds.
    pub(super) fn held(&self) -> usize {
        self.rows.len()
    }

    /// Keeps the place as long as the rows.
    pub(super) fn keep(&mut self, place: Arc<Place>) {
        self.place = Some(place);
        // There will be more.
        self.firsts
            .reserve(MANY, |first| short_hash(self.facts[*first as usize].key.hash));
    }

    pub(in crate::reports) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Reads a row. An invalid one cannot be recognized when it comes again, so what it breaks counts each time.
    pub(super) fn row(&mut self, read: impl FnOnce(&mut Self)) {
        let rows = self.rows.len();
        self.violated = Violated::default();
        read(self);
        if self.rows.len() == rows {
            self.violated
                .iter()
                .for_each(|assumption| self.tally.violation(assumption));
        }
    }

    /// Adds the row whose facts were counted since the last one. A row without facts says nothing yet.
    pub(in crate::reports) fn add(&mut self, date: &RowDate<'_>) {
        if date.wall_clock < self.asked.first || date.wall_clock > self.asked.last {
            self.violated.add(Assumption::InsideWindow);
        }
        self.rows.push(EventRow {
            at: date.at,
            facts: (self.facts.len() - self.facts_before) as u32,
            violated: self.violated,
        });
        self.facts_before = self.facts.len();
    }

    /// Whether nothing is filled in any more in a row of this date: a blank in it is final.
    pub(in crate::reports) fn is_final(&self, date: &RowDate<'_>) -> bool {
        date.at < self.asked.final_before
    }

    /// Records that a word is not in the list of its field.
    pub(in crate::reports) fn unknown_word(&mut self, field: &'static str, word: &str) {
        self.violated.add(Assumption::KnownWords);
        self.tally.unknown_word(field, word);
    }

    /// What identifies a fact of this date: the kind of fact and some fields of the row.
    pub(in crate::reports) fn identity<'i>(
        &mut self,
        date: &RowDate<'_>,
        what: u8,
        fields: &'i [&'i str],
    ) -> Identity<'i> {
        Identity {
            what,
            fields,
            hash: self.hash(what, &date.text, fields, 0),
            undated: self.undated(what, fields),
        }
    }

    /// Counts a fact in a series. No two rows of an answer should be equal in its identity and in the date.
    pub(in crate::reports) fn fact(&mut self, date: &RowDate<'_>, identity: Identity<'_>, series: SeriesIndex) {
        self.differing_fact(date, identity, Some(series));
    }

    /// Counts a time that is a fact of its own, without a counter beside it.
    pub(in crate::reports) fn time(
        &mut self,
        date: &RowDate<'_>,
        identity: Identity<'_>,
        series: SeriesIndex,
        length: Micros,
    ) {
        self.differing_fact(date, identity, None);
        self.time_beside(date, identity, series, length);
    }

    fn differing_fact(&mut self, date: &RowDate<'_>, identity: Identity<'_>, series: Option<SeriesIndex>) {
        if self.add_fact(date, identity, series) > 1 {
            self.violated.add(Assumption::RowsDiffer);
        }
    }

    /// The same where equal rows are normal. They are numbered within the answer: as many of them count as the most that one
    /// answer had. Returns the number.
    pub(in crate::reports) fn numbered_fact(
        &mut self,
        date: &RowDate<'_>,
        identity: Identity<'_>,
        series: SeriesIndex,
    ) -> u32 {
        self.add_fact(date, identity, Some(series))
    }

    fn add_fact(&mut self, date: &RowDate<'_>, identity: Identity<'_>, series: Option<SeriesIndex>) -> u32 {
        let number = self.next_number(identity);
        let hash = self.numbered_hash(date, identity, number);
        self.push(date.wall_clock, hash, identity.undated, series);
        number
    }

    /// The number of the fact that comes next among those with its identity.
    fn next_number(&mut self, identity: Identity<'_>) -> u32 {
        let Self {
            facts,
            firsts,
            repeated,
            ..
        } = self;
        let is_it = |first: &u32| facts[*first as usize].key.hash == identity.hash;
        let Some(first) = firsts.find(short_hash(identity.hash), is_it) else {
            let rehash = |first: &u32| short_hash(facts[*first as usize].key.hash);
            firsts.insert_unique(short_hash(identity.hash), facts.len() as u32, rehash);
            return 1;
        };
        let seen = repeated.entry(identity.hash).or_insert_with(|| Seen {
            facts: 1,
            times: u32::from(facts[*first as usize].time.is_some()),
        });
        seen.facts += 1;
        seen.facts
    }

    /// Counts a time of the fact that was added last, which has this identity. The time of one of several equal rows may
    /// come later than that of another, in any order, so the first time belongs to the first of them.
    pub(in crate::reports) fn time_beside(
        &mut self,
        date: &RowDate<'_>,
        identity: Identity<'_>,
        series: SeriesIndex,
        length: Micros,
    ) {
        let earlier = self.repeated.get_mut(&identity.hash).and_then(|seen| {
            seen.times += 1;
            (seen.times < seen.facts).then_some(seen.times)
        });
        let fact = match earlier {
            None => self.facts.last_mut(),
            Some(number) => {
                let hash = self.numbered_hash(date, identity, number);
                self.facts.iter_mut().rev().find(|fact| fact.key.hash == hash)
            }
        };
        if let Some(fact) = fact {
            fact.time = Some(FactTime { series, length });
        }
    }

    /// The hash of a fact with this number among equal ones.
    fn numbered_hash(&mut self, date: &RowDate<'_>, identity: Identity<'_>, number: u32) -> FactHash {
        match number {
            1 => identity.hash,
            number => self.hash(identity.what, &date.text, identity.fields, number),
        }
    }

    fn push(&mut self, wall_clock: DateTime, hash: FactHash, trace: Trace, series: Option<SeriesIndex>) {
        let second = wall_clock_second(wall_clock);
        self.facts.push(Fact {
            key: FactKey { second, hash },
            trace,
            series,
            time: None,
        });
    }

    /// Counts a fact that several rows repeat, over midnight, too, and its time, if it has one. Rows that are further apart than
    /// 12 hours are of two facts. Where the rows disagree, the one with the latest date holds, and of equal dates the last one.
    /// Values that are only assumed, since the row has a blank, never replace others.
    pub(in crate::reports) fn shared_fact(
        &mut self,
        date: &RowDate<'_>,
        what: u8,
        fields: &[&str],
        series: SeriesIndex,
        time: Option<FactTime>,
        is_assumed: bool,
    ) {
        let (hash, at) = (self.hash(what, "", fields, 0), date.wall_clock);
        let is_near = |shared: &&mut Shared| {
            at.duration_since(shared.last) <= SAME_CALL_WITHIN && shared.first.duration_since(at) <= SAME_CALL_WITHIN
        };
        let shared = match self.shared.get_mut(&hash).filter(is_near) {
            Some(shared) => shared,
            None => {
                let shared = Shared {
                    fact: self.facts.len(),
                    first: at,
                    last: at,
                    decided: None,
                };
                self.push(at, hash, Trace::stored(0), Some(series));
                self.shared.insert(hash, shared);
                let Some(shared) = self.shared.get_mut(&hash) else {
                    return;
                };
                shared
            }
        };
        let fact = &mut self.facts[shared.fact];
        shared.first = shared.first.min(at);
        shared.last = shared.last.max(at);
        // Dated at the end of the day of its first row, so that it is not forgotten before its rows.
        fact.key.second = wall_clock_second(shared.first.date().at(23, 59, 59, 0));
        let midnight = wall_clock_second(shared.first.date().at(0, 0, 0, 0));
        fact.trace = Trace::of_rows(
            wall_clock_second(shared.first) - midnight,
            wall_clock_second(shared.last) - midnight,
        );
        if !is_assumed && shared.decided.is_none_or(|decided| decided <= at) {
            shared.decided = Some(at);
            fact.series = Some(series);
            fact.time = time.or(fact.time);
        } else if fact.time.is_none() {
            fact.time = time;
        }
    }

    /// The date of a row. A time that occurs twice because the clock went back is read as the earlier instant.
    pub(in crate::reports) fn date<'r>(&mut self, leaf: &'r Leaf<'_>) -> Option<RowDate<'r>> {
        let reading = match fields::text(leaf) {
            Reading::Value(text) => {
                RowDate::parse(text, &mut self.zone, &self.asked).map_or(Reading::Invalid, Reading::Value)
            }
            Reading::Absent => Reading::Absent,
            Reading::Invalid => Reading::Invalid,
        };
        let date = self.tally.read("date", reading)?;
        if date.wall_clock <= self.newest_at_most {
            self.newest = self.newest.max(Some(date.at));
        }
        Some(date)
    }

    fn hash(&mut self, what: u8, date: &str, identity: &[&str], number: u32) -> FactHash {
        let text = &mut self.scratch;
        text.clear();
        text.push(what);
        text.extend_from_slice(&number.to_le_bytes());
        for field in std::iter::once(&date).chain(identity) {
            text.extend_from_slice(&(field.len() as u64).to_le_bytes());
            text.extend_from_slice(field.as_bytes());
        }
        // All at once is much faster than piece by piece.
        SipHasher13::new_with_key(&self.hash_key.to_be_bytes())
            .hash(text)
            .as_u128()
            .into()
    }

    /// A short hash of an identity without its date.
    fn undated(&mut self, what: u8, identity: &[&str]) -> Trace {
        let text = &mut self.scratch;
        text.clear();
        text.push(what);
        for field in identity {
            text.extend_from_slice(&(field.len() as u32).to_le_bytes());
            text.extend_from_slice(field.as_bytes());
        }
        let hasher = sip::SipHasher13::new_with_key(&self.hash_key.to_be_bytes());
        Trace::undated(hasher.hash(text))
    }

    /// The index of a series.
    pub(in crate::reports) fn series(&mut self, family: &'static Family, labels: &[&str]) -> SeriesIndex {
        self.first_series(family, labels).0
    }

    /// The same, and whether it is the first time in this answer.
    pub(in crate::reports) fn first_series(&mut self, family: &'static Family, labels: &[&str]) -> (SeriesIndex, bool) {
        self.series.insert(family, labels)
    }

    /// Marks a series as born, whether anything counts in it or not. Returns true the first time in this answer.
    pub(in crate::reports) fn born(&mut self, family: &'static Family, labels: &[&str]) -> bool {
        self.born_together.insert(family, labels).1
    }

    /// Stores the name of an id if it is the newest.
    pub(in crate::reports) fn name(&mut self, family: &'static Family, id: &str, name: &Leaf<'_>, date: &RowDate<'_>) {
        let Reading::Value(name) = fields::text(name) else {
            return;
        };
        let names = self.names.entry(family).or_default();
        match names.get_mut(id) {
            Some(known) if known.at > date.at => {}
            Some(known) => {
                if known.name != name {
                    known.name = values::name(name).into_owned();
                }
                known.at = date.at;
            }
            None => {
                let name = Name {
                    name: values::name(name).into_owned(),
                    at: date.at,
                };
                names.insert(id.to_owned(), name);
            }
        }
    }
}

/// A hash for tables in memory. The hashes of facts are keyed, so nobody can choose it.
fn short_hash(hash: FactHash) -> u64 {
    hash.value() as u64
}
