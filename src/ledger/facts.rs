//! The facts that are already counted.
//!
//! A fact is identified by the second of its date and by a keyed hash of the fields that identify it. The hashes of one
//! minute are stored under one key, sorted: checking what is read again takes few steps, and forgetting removes a range of
//! keys. A second table has, in the same order, a mark for each: a short hash of the same identity without the date, by which
//! a row is known again whose date was changed; whether the time beside the fact is counted, too; and short hashes of its
//! labels and of that time, by which a row is noticed that changes after it was counted. Facts that several rows repeat are dated
//! at the end of a day and have the times of their first and last row instead of the first hash, by which a call is known again
//! on the next day. States of the first version have no marks; it counted times together with their facts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;

use foldhash::{HashMap, HashMapExt, HashSet};
use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};

use super::mark::Mark;
use crate::reports::Report;
use crate::reports::events::{Fact, FactHash, Trace};

/// The hashes of the facts, by report and minute since the epoch.
const FACTS: Definition = TableDefinition::new("facts");
/// The marks of the facts, in the same order.
const MARKS: Definition = TableDefinition::new("fact_marks");

type Definition = TableDefinition<'static, Minute, &'static [u8]>;

/// The number of a report and a minute.
type Minute = (u8, i64);

/// The places of the facts of an answer by minute, in the order of their hashes.
type Minutes = BTreeMap<i64, Vec<u32>>;

/// Seconds of a day, and of the longest time between two rows of one call.
const DAY: i64 = 86_400;
const SAME_CALL_WITHIN: i64 = 12 * 3600;
/// The hash of a further call of one connection on one day is that of the call before it and this.
const AGAIN: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// What a fact and the time beside it are to the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) standing: Standing,
    /// Whether its time counts.
    pub(super) time_is_new: bool,
    /// Whether it was counted before with other labels, or its time with another length.
    pub(super) has_changed: bool,
}

impl Verdict {
    /// The fact is known, with this mark. Returns whether the mark has changed.
    fn set_known(&mut self, mark: &mut Mark, given: Mark, fact: &Fact) -> bool {
        let before = *mark;
        self.standing = Standing::Known;
        (self.time_is_new, self.has_changed) = mark.update(given, fact.time.is_some());
        *mark != before
    }
}

/// What a fact is to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It counts.
    New,
    /// It was counted before.
    Known,
    /// It was counted before under another date, and is known by the new one from now on.
    Moved,
}

/// The facts of one report, in a transaction.
pub(super) struct Facts<'t> {
    report: &'static Report,
    facts: Table<'t, Minute, &'static [u8]>,
    marks: Table<'t, Minute, &'static [u8]>,
}

/// A stored fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stored {
    hash: FactHash,
    mark: Mark,
}

/// A fact of an answer that the state does not have.
struct NewFact {
    /// Its place among the facts of the answer.
    n: u32,
    /// Its hash, or that of a further call of its connection.
    hash: FactHash,
}

/// The facts of a minute, sorted by hash, and after them those that are new.
#[derive(Default)]
struct MinuteFacts {
    stored: Vec<Stored>,
    new: Vec<Stored>,
    is_changed: bool,
}

impl MinuteFacts {
    fn find(&mut self, hash: FactHash) -> Option<&mut Stored> {
        match self.stored.binary_search_by_key(&hash, |stored| stored.hash) {
            Ok(place) => Some(&mut self.stored[place]),
            Err(_) => self.new.iter_mut().find(|stored| stored.hash == hash),
        }
    }
}

impl<'t> Facts<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, report: &'static Report) -> Result<Self, TableError> {
        Ok(Self {
            report,
            facts: transaction.open_table(FACTS)?,
            marks: transaction.open_table(MARKS)?,
        })
    }

    /// Adds the facts of an answer that are to be new and are not known yet, and says in `verdicts` what each is. One that is
    /// given twice is new the first time. `labels` has a hash of each series. `complete` are the minutes for which the answer
    /// is complete: a known fact that is dated there but is not among the given ones is gone from the answer, so that a new
    /// one which differs only in the date is the same, moved.
    pub(super) fn add(
        &mut self,
        facts: &[Fact],
        labels: &[u16],
        verdicts: &mut [Verdict],
        complete: RangeInclusive<i64>,
    ) -> Result<(), StorageError> {
        let mark_of = |fact: &Fact| {
            let labels = fact.first_series().map_or(0, |series| labels[series.get()]);
            Mark::new(fact, labels)
        };
        let answer = by_minute(facts);
        let mut minutes = self.load_all(&answer)?;
        let mut new: Vec<NewFact> = Vec::new();
        for (minute, given) in &answer {
            let known = minutes.entry(*minute).or_default();
            // Those that are new with the same hash, of one connection.
            let mut alike: Vec<(FactHash, usize)> = Vec::new();
            for n in given.iter().map(|n| *n as usize) {
                let (fact, verdict) = (&facts[n], &mut verdicts[n]);
                if verdict.standing != Standing::New {
                    continue;
                }
                if alike.first().is_some_and(|(hash, _)| *hash != fact.key.hash) {
                    alike.clear();
                }
                // Further calls of one connection on one day have other hashes.
                let mut hash = fact.key.hash;
                let standing = loop {
                    let first = alike.iter().find(|(known, _)| *known == hash).map(|(_, n)| *n);
                    let stored = known.find(hash);
                    let trace = first
                        .map(|n| facts[n].trace)
                        .or(stored.as_ref().map(|known| known.mark.trace()));
                    match trace {
                        None => break None,
                        Some(trace) if is_another_call(trace, fact.trace) => hash = again(hash),
                        Some(_) => break Some(stored),
                    }
                };
                match standing {
                    Some(Some(stored)) => {
                        let is_changed = verdict.set_known(&mut stored.mark, mark_of(fact), fact);
                        known.is_changed |= is_changed;
                    }
                    Some(None) => verdict.standing = Standing::Known,
                    None => {
                        alike.push((hash, n));
                        new.push(NewFact { n: n as u32, hash });
                    }
                }
            }
        }
        let mut gone = self.gone(complete, &answer, &minutes, facts, &new)?;
        // Those of one minute follow each other.
        for of_minute in new.chunk_by(|a, b| minute_of(&facts[a.n as usize]) == minute_of(&facts[b.n as usize])) {
            let mut added = Vec::with_capacity(of_minute.len());
            for NewFact { n, hash } in of_minute {
                let (fact, verdict) = (&facts[*n as usize], &mut verdicts[*n as usize]);
                let mut mark = mark_of(fact);
                if let Some(day) = self.same_call(fact, &mut minutes)? {
                    let (known, is_changed) = day;
                    *is_changed |= verdict.set_known(&mut known.mark, mark, fact);
                    continue;
                }
                if let Some((before, old)) = gone
                    .get_mut(&fact.trace)
                    .and_then(|gone| take_like(gone, fact.time.is_some()))
                {
                    verdict.standing = Standing::Moved;
                    mark.take_time_of(old.mark, fact.time.is_some());
                    let before = match minutes.entry(before) {
                        Entry::Occupied(entry) => entry.into_mut(),
                        Entry::Vacant(entry) => entry.insert(self.load(before)?),
                    };
                    before.stored.retain(|stored| stored.hash != old.hash);
                    before.is_changed = true;
                }
                verdict.time_is_new = fact.time.is_some() && mark.count_time();
                added.push(Stored { hash: *hash, mark });
            }
            if let Some(NewFact { n, .. }) = of_minute.first() {
                let minute = minutes.entry(minute_of(&facts[*n as usize])).or_default();
                minute.is_changed |= !added.is_empty();
                minute.new.append(&mut added);
            }
        }
        for (minute, mut facts) in minutes.into_iter().filter(|(_, facts)| facts.is_changed) {
            facts.stored.append(&mut facts.new);
            facts.stored.sort_unstable();
            self.store(minute, &facts.stored)?;
        }
        Ok(())
    }

    /// The known fact of the day before or after which is the same call, and whether its minute is changed: one answer had
    /// another first row of the call than the other.
    fn same_call<'m>(
        &self,
        fact: &Fact,
        minutes: &'m mut BTreeMap<i64, MinuteFacts>,
    ) -> Result<Option<(&'m mut Stored, &'m mut bool)>, StorageError> {
        let Some((first, last)) = fact.trace.rows() else {
            return Ok(None);
        };
        for days in [-1, 1] {
            // In seconds from midnight of the fact's own day, as far as one of its rows may be from the other day.
            let may_reach = if days < 0 {
                first <= SAME_CALL_WITHIN
            } else {
                last + SAME_CALL_WITHIN >= DAY
            };
            if !may_reach {
                continue;
            }
            let minute = minute_of(fact) + days * DAY / 60;
            let known = match minutes.entry(minute) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.load(minute)?),
            };
            let mut hash = fact.key.hash;
            while let Some((known_first, known_last)) = known.find(hash).and_then(|known| known.mark.trace().rows()) {
                let (known_first, known_last) = (known_first + days * DAY, known_last + days * DAY);
                if gap((first, last), (known_first, known_last)) <= SAME_CALL_WITHIN {
                    let Some(MinuteFacts {
                        stored,
                        new,
                        is_changed,
                    }) = minutes.get_mut(&minute)
                    else {
                        return Ok(None);
                    };
                    let found = stored.iter_mut().chain(new).find(|stored| stored.hash == hash);
                    return Ok(found.map(|found| (found, is_changed)));
                }
                hash = again(hash);
            }
        }
        Ok(None)
    }

    /// The known facts of these minutes that are not in the answer, by those of their hashes without a date that its new facts
    /// have.
    fn gone(
        &self,
        complete: RangeInclusive<i64>,
        answer: &Minutes,
        loaded: &BTreeMap<i64, MinuteFacts>,
        facts: &[Fact],
        new: &[NewFact],
    ) -> Result<HashMap<Trace, Vec<(i64, Stored)>>, StorageError> {
        let mut gone: HashMap<Trace, Vec<(i64, Stored)>> = HashMap::new();
        if complete.is_empty() || new.is_empty() {
            return Ok(gone);
        }
        let range = self.key(*complete.start())..=self.key(*complete.end());
        let mut minutes = self.marks.range(range)?.peekable();
        if minutes.peek().is_none() {
            // While an outage is caught up, nothing is known.
            return Ok(gone);
        }
        let wanted: HashSet<Trace> = new
            .iter()
            .map(|new| facts[new.n as usize].trace)
            .filter(|trace| trace.is_undated())
            .collect();
        for entry in minutes {
            let (key, marks) = entry?;
            let minute = key.value().1;
            let is_wanted = |mark: Mark| wanted.contains(&mark.trace());
            if !marks
                .value()
                .chunks_exact(Mark::BYTES)
                .any(|bytes| is_wanted(Mark::stored(bytes)))
            {
                continue;
            }
            let given = answer.get(&minute).map(Vec::as_slice).unwrap_or_default();
            let is_given = |hash| {
                given
                    .binary_search_by_key(&hash, |n| facts[*n as usize].key.hash)
                    .is_ok()
            };
            let is_gone = |stored: &Stored| is_wanted(stored.mark) && !is_given(stored.hash);
            let unloaded = if loaded.contains_key(&minute) {
                None
            } else {
                Some(self.load(minute)?)
            };
            let known = loaded
                .get(&minute)
                .or(unloaded.as_ref())
                .map(|known| known.stored.as_slice());
            for stored in known.unwrap_or_default().iter().copied().filter(is_gone) {
                gone.entry(stored.mark.trace()).or_default().push((minute, stored));
            }
        }
        Ok(gone)
    }

    /// Forgets the facts of all minutes before the one of the given second.
    pub(super) fn forget_before(&mut self, second: i64) -> Result<(), StorageError> {
        let range = self.key(i64::MIN)..self.key(second.div_euclid(60));
        self.facts.retain_in(range.clone(), |_, _| false)?;
        self.marks.retain_in(range, |_, _| false)
    }

    fn key(&self, minute: i64) -> Minute {
        (self.report.state_id, minute)
    }

    /// The known facts of the minutes of an answer. Going through all minutes once takes less time than looking for each.
    fn load_all(&self, answer: &Minutes) -> Result<BTreeMap<i64, MinuteFacts>, StorageError> {
        let mut known = BTreeMap::new();
        let (Some((first, _)), Some((last, _))) = (answer.first_key_value(), answer.last_key_value()) else {
            return Ok(known);
        };
        for entry in self.facts.range(self.key(*first)..=self.key(*last))? {
            let (key, hashes) = entry?;
            let minute = key.value().1;
            if answer.contains_key(&minute) {
                known.insert(minute, self.with_marks(minute, hashes.value())?);
            }
        }
        Ok(known)
    }

    fn load(&self, minute: i64) -> Result<MinuteFacts, StorageError> {
        match self.facts.get(self.key(minute))? {
            Some(hashes) => self.with_marks(minute, hashes.value()),
            None => Ok(MinuteFacts::default()),
        }
    }

    fn with_marks(&self, minute: i64, hashes: &[u8]) -> Result<MinuteFacts, StorageError> {
        let (hashes, _) = hashes.as_chunks();
        let marks = self.marks.get(self.key(minute))?;
        let marks = marks.as_ref().map(|marks| marks.value()).unwrap_or_default();
        // The first version of the exporter adds facts without marks, so that nobody knows whose they are.
        let are_complete = marks.len() / Mark::BYTES == hashes.len();
        let mut marks = marks.chunks_exact(Mark::BYTES).map(Mark::stored);
        let stored = hashes.iter().map(|hash| Stored {
            hash: FactHash(*hash),
            mark: marks.next().filter(|_| are_complete).unwrap_or(Mark::OF_FIRST_VERSION),
        });
        Ok(MinuteFacts {
            stored: stored.collect(),
            ..MinuteFacts::default()
        })
    }

    fn store(&mut self, minute: i64, stored: &[Stored]) -> Result<(), StorageError> {
        let hashes: Vec<u8> = stored.iter().flat_map(|stored| stored.hash.0).collect();
        let marks: Vec<u8> = stored.iter().flat_map(|stored| stored.mark.to_bytes()).collect();
        let key = self.key(minute);
        self.facts.insert(key, hashes.as_slice())?;
        self.marks.insert(key, marks.as_slice())?;
        Ok(())
    }
}

/// How far two spans of time are apart; negative if they overlap.
fn gap(one: (i64, i64), other: (i64, i64)) -> i64 {
    (one.0 - other.1).max(other.0 - one.1)
}

/// Whether these are two calls of one connection, by the times of their rows.
fn is_another_call(known: Trace, given: Trace) -> bool {
    let (known, given) = (known.rows(), given.rows());
    known
        .zip(given)
        .is_some_and(|(known, given)| gap(known, given) > SAME_CALL_WITHIN)
}

/// The hash of the next call of the same connection on the same day.
fn again(hash: FactHash) -> FactHash {
    hash.value().wrapping_add(AGAIN).into()
}

fn minute_of(fact: &Fact) -> i64 {
    fact.key.second.div_euclid(60)
}

fn by_minute(facts: &[Fact]) -> Minutes {
    let mut minutes = Minutes::new();
    let mut next = 0;
    // Most rows come in the order of their dates.
    for run in facts.chunk_by(|a, b| minute_of(a) == minute_of(b)) {
        let end = next + run.len() as u32;
        minutes.entry(minute_of(&run[0])).or_default().extend(next..end);
        next = end;
    }
    minutes
        .values_mut()
        .for_each(|places| places.sort_unstable_by_key(|n| facts[*n as usize].key.hash));
    minutes
}

/// Takes one of the facts that may have moved here. If there are several, since a call came back to its skill, it is one that
/// also has a time, or also has none.
fn take_like(gone: &mut Vec<(i64, Stored)>, has_time: bool) -> Option<(i64, Stored)> {
    let like = gone
        .iter()
        .position(|(_, stored)| stored.mark.time_is_counted() == has_time);
    let place = like.or(gone.len().checked_sub(1))?;
    Some(gone.remove(place))
}
