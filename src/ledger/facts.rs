//! The facts that are already counted.
//!
//! A fact is identified by the second of its date and by a keyed hash of the fields that identify it. The hashes of one
//! minute are stored under one key, sorted: checking what is read again takes few steps, and forgetting removes a range of
//! keys.

use std::collections::BTreeMap;

use redb::{ReadableTable, StorageError, Table, TableDefinition};

use crate::reports::Report;
use crate::reports::events::FactKey;

/// The hashes of the facts, by report and minute since the epoch.
pub(super) const FACTS: TableDefinition<'static, Minute, &[u8]> = TableDefinition::new("facts");

/// The number of a report and a minute.
type Minute = (u8, i64);

const HASH_BYTES: usize = size_of::<u128>();

/// Adds the facts that are not known yet. Returns for each fact, in the order given, whether it is new. A fact that is given
/// twice is new the first time.
pub(super) fn add_new(
    table: &mut Table<'_, Minute, &'static [u8]>,
    report: &'static Report,
    keys: &[FactKey],
) -> Result<Vec<bool>, StorageError> {
    let mut new = vec![false; keys.len()];
    let mut minutes: BTreeMap<i64, Vec<(u128, usize)>> = BTreeMap::new();
    for (n, key) in keys.iter().enumerate() {
        minutes
            .entry(key.second.div_euclid(60))
            .or_default()
            .push((key.hash, n));
    }
    for (minute, mut wanted) in minutes {
        wanted.sort_unstable();
        let minute = minute_of(report, minute);
        let known = table
            .get(minute)?
            .map(|hashes| hashes.value().to_vec())
            .unwrap_or_default();
        let mut added = Vec::new();
        let mut rest = known.chunks_exact(HASH_BYTES).peekable();
        for (hash, n) in wanted {
            let bytes = hash.to_be_bytes();
            while rest.next_if(|known| *known < bytes.as_slice()).is_some() {}
            let is_known = rest.peek().is_some_and(|known| *known == bytes.as_slice()) || added.last() == Some(&bytes);
            if !is_known {
                new[n] = true;
                added.push(bytes);
            }
        }
        if !added.is_empty() {
            added.extend(
                known
                    .chunks_exact(HASH_BYTES)
                    .filter_map(|known| <[u8; HASH_BYTES]>::try_from(known).ok()),
            );
            added.sort_unstable();
            table.insert(minute, added.concat().as_slice())?;
        }
    }
    Ok(new)
}

/// Forgets the facts of all minutes before the one of the given second.
pub(super) fn forget_before(
    table: &mut Table<'_, Minute, &'static [u8]>,
    report: &'static Report,
    second: i64,
) -> Result<(), StorageError> {
    let range = minute_of(report, i64::MIN)..minute_of(report, second.div_euclid(60));
    table.retain_in(range, |_, _| false)
}

fn minute_of(report: &'static Report, minute: i64) -> Minute {
    (report.state_id, minute)
}
