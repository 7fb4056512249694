//! Which facts are counted already.
//!
//! A fact is known by the second it is dated at and by a keyed hash of what identifies it. The hashes of a minute lie
//! together under one key, sorted: what is read again and again is read in few steps, and forgetting is the removal of
//! a range of keys.

use std::collections::BTreeMap;

use redb::{ReadableTable, StorageError, Table, TableDefinition};

use crate::reports::ReportKind;
use crate::reports::events::FactKey;

/// Report and minute since the epoch, to the hashes of the facts dated in that minute.
pub(super) const FACTS: TableDefinition<'_, (u8, i64), &[u8]> = TableDefinition::new("facts");

const HASH_BYTES: usize = size_of::<u128>();

/// Adds the facts that are not known yet, and says of each, in the order given, whether it is new. A key that comes twice
/// is new once.
pub(super) fn add_new(
    table: &mut Table<'_, (u8, i64), &'static [u8]>,
    report: ReportKind,
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
    for (minute, mut asked) in minutes {
        asked.sort_unstable();
        let place = (report as u8, minute);
        let known = table
            .get(place)?
            .map(|hashes| hashes.value().to_vec())
            .unwrap_or_default();
        let mut added = Vec::new();
        let mut rest = known.chunks_exact(HASH_BYTES).peekable();
        for (hash, n) in asked {
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
            table.insert(place, added.concat().as_slice())?;
        }
    }
    Ok(new)
}

/// Forgets the facts of all minutes that end before the given second.
pub(super) fn forget_before(
    table: &mut Table<'_, (u8, i64), &'static [u8]>,
    report: ReportKind,
    second: i64,
) -> Result<(), StorageError> {
    let range = (report as u8, i64::MIN)..(report as u8, second.div_euclid(60));
    table.retain_in(range, |_, _| false)
}
