//! The facts that are already counted.
//!
//! A fact is identified by the second of its date and by a keyed hash of the fields that identify it. The hashes of one
//! minute are stored under one key, sorted: checking what is read again takes few steps, and forgetting removes a range of
//! keys. A second table has, in the same order, short hashes of the same identities without their dates. By these, a row is
//! known again whose date was changed. States of the first version have none.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use foldhash::{HashMap, HashMapExt, HashSet};
use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};

use crate::reports::Report;
use crate::reports::events::{Fact, FactKey};

/// The hashes of the facts, by report and minute since the epoch.
const FACTS: Definition = TableDefinition::new("facts");
/// The hashes without dates, in the same order; 0 for none.
const UNDATED: Definition = TableDefinition::new("undated_facts");

type Definition = TableDefinition<'static, Minute, &'static [u8]>;

/// The number of a report and a minute.
type Minute = (u8, i64);

/// The facts of an answer by minute, each with its hash and its place.
type Minutes = BTreeMap<i64, Vec<(u128, usize)>>;

const HASH_BYTES: usize = size_of::<u128>();
const UNDATED_BYTES: usize = size_of::<u32>();

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
    undated: Table<'t, Minute, &'static [u8]>,
}

/// A stored fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stored {
    hash: u128,
    undated: u32,
}

/// What is to be done in one minute.
#[derive(Default)]
struct Change {
    added: Vec<Stored>,
    removed: Vec<u128>,
}

impl<'t> Facts<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, report: &'static Report) -> Result<Self, TableError> {
        Ok(Self {
            report,
            facts: transaction.open_table(FACTS)?,
            undated: transaction.open_table(UNDATED)?,
        })
    }

    /// Whether a fact was counted.
    pub(super) fn contains(&self, key: FactKey) -> Result<bool, StorageError> {
        let minute = self.stored(key.second.div_euclid(60))?;
        Ok(minute.binary_search_by_key(&key.hash, |stored| stored.hash).is_ok())
    }

    /// Adds the facts of an answer that are to be new and are not known yet, and says in `standings` what each is. One that is
    /// given twice is new the first time. `complete` are the minutes for which the answer is complete: a known fact that is
    /// dated there but is not among the given ones is gone from the answer, so that a new one which differs only in the date
    /// is the same, moved.
    pub(super) fn add(
        &mut self,
        facts: &[Fact],
        standings: &mut [Standing],
        complete: RangeInclusive<i64>,
    ) -> Result<(), StorageError> {
        let mut minutes = Minutes::new();
        for (n, fact) in facts.iter().enumerate() {
            let minute = minutes.entry(fact.key.second.div_euclid(60)).or_default();
            minute.push((fact.key.hash, n));
        }
        let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
        for (minute, wanted) in &mut minutes {
            wanted.sort_unstable();
            let known = self.stored(*minute)?;
            let mut rest = known.iter().peekable();
            let mut last = None;
            for &(hash, n) in wanted.iter() {
                if standings[n] != Standing::New {
                    continue;
                }
                while rest.next_if(|known| known.hash < hash).is_some() {}
                if rest.peek().is_some_and(|known| known.hash == hash) || last == Some(hash) {
                    standings[n] = Standing::Known;
                    continue;
                }
                last = Some(hash);
                let undated = facts[n].undated;
                changes.entry(*minute).or_default().added.push(Stored { hash, undated });
            }
        }
        if !changes.is_empty() && self.has_undated(&complete)? {
            let new = || (0..facts.len()).filter(|n| facts[*n].undated != 0);
            let movable: HashSet<u32> = new()
                .filter(|n| standings[*n] == Standing::New)
                .map(|n| facts[n].undated)
                .collect();
            let mut gone = self.gone(complete, &minutes, &movable)?;
            for n in new() {
                if standings[n] == Standing::New
                    && let Some((minute, hash)) = gone.get_mut(&facts[n].undated).and_then(Vec::pop)
                {
                    standings[n] = Standing::Moved;
                    changes.entry(minute).or_default().removed.push(hash);
                }
            }
        }
        for (minute, change) in changes {
            self.apply(minute, change)?;
        }
        Ok(())
    }

    /// Whether facts of these minutes are known without their dates. While an outage is caught up, none are.
    fn has_undated(&self, minutes: &RangeInclusive<i64>) -> Result<bool, StorageError> {
        if minutes.is_empty() {
            return Ok(false);
        }
        let range = self.key(*minutes.start())..=self.key(*minutes.end());
        Ok(self.undated.range(range)?.next().transpose()?.is_some())
    }

    /// The facts of the minutes asked for that are not in the answer, by those of their hashes without a date that are
    /// wanted.
    fn gone(
        &self,
        asked: RangeInclusive<i64>,
        answer: &Minutes,
        wanted: &HashSet<u32>,
    ) -> Result<HashMap<u32, Vec<(i64, u128)>>, StorageError> {
        let mut gone: HashMap<u32, Vec<(i64, u128)>> = HashMap::new();
        let range = self.key(*asked.start())..=self.key(*asked.end());
        for entry in self.undated.range(range)? {
            let (key, undated) = entry?;
            let minute = key.value().1;
            let any_wanted = undated
                .value()
                .chunks_exact(UNDATED_BYTES)
                .any(|bytes| wanted.contains(&read_undated(bytes)));
            if !any_wanted {
                continue;
            }
            let in_answer = answer.get(&minute).map(Vec::as_slice).unwrap_or_default();
            for stored in self.stored(minute)? {
                let is_gone = in_answer.binary_search_by_key(&stored.hash, |(hash, _)| *hash).is_err();
                if is_gone && wanted.contains(&stored.undated) {
                    gone.entry(stored.undated).or_default().push((minute, stored.hash));
                }
            }
        }
        Ok(gone)
    }

    /// Forgets the facts of all minutes before the one of the given second.
    pub(super) fn forget_before(&mut self, second: i64) -> Result<(), StorageError> {
        let range = self.key(i64::MIN)..self.key(second.div_euclid(60));
        self.facts.retain_in(range.clone(), |_, _| false)?;
        self.undated.retain_in(range, |_, _| false)
    }

    fn key(&self, minute: i64) -> Minute {
        (self.report.state_id, minute)
    }

    /// The facts of a minute, sorted.
    fn stored(&self, minute: i64) -> Result<Vec<Stored>, StorageError> {
        let key = self.key(minute);
        let Some(hashes) = self.facts.get(key)? else {
            return Ok(Vec::new());
        };
        let hashes = hashes.value().chunks_exact(HASH_BYTES);
        let undated = self.undated.get(key)?;
        let undated = undated.as_ref().map(|undated| undated.value()).unwrap_or_default();
        // The first version of the exporter adds facts without these hashes, so that nobody knows whose they are.
        let is_complete = undated.len() / UNDATED_BYTES == hashes.len();
        let mut undated = undated.chunks_exact(UNDATED_BYTES).map(read_undated);
        let stored = hashes.map(|hash| Stored {
            hash: hash.iter().fold(0, |hash, byte| hash << 8 | u128::from(*byte)),
            undated: undated.next().filter(|_| is_complete).unwrap_or_default(),
        });
        Ok(stored.collect())
    }

    fn apply(&mut self, minute: i64, change: Change) -> Result<(), StorageError> {
        let mut all = self.stored(minute)?;
        all.retain(|stored| !change.removed.contains(&stored.hash));
        all.extend(change.added);
        all.sort_unstable();
        let hashes: Vec<u8> = all.iter().flat_map(|stored| stored.hash.to_be_bytes()).collect();
        let undated: Vec<u8> = all.iter().flat_map(|stored| stored.undated.to_be_bytes()).collect();
        let key = self.key(minute);
        self.facts.insert(key, hashes.as_slice())?;
        self.undated.insert(key, undated.as_slice())?;
        Ok(())
    }
}

fn read_undated(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |hash, byte| hash << 8 | u32::from(*byte))
}
