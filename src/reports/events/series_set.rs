//! A list of series, each once.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::SeriesIndex;
use crate::metrics::Family;
use crate::metrics::series::{Label, SeriesKey};

/// A list of series, each once. It is asked several times for each row, so finding a known series allocates nothing.
#[derive(Debug, Default)]
pub(super) struct SeriesSet {
    pub(super) keys: Vec<SeriesKey>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl SeriesSet {
    /// The index of a series, and whether it is new.
    pub(super) fn insert(&mut self, family: &'static Family, labels: &[&str]) -> (SeriesIndex, bool) {
        let hash = hash_of(&self.hasher, family, labels);
        let is_it = |index: &u32| {
            let known = &self.keys[*index as usize];
            known.family == family && known.labels == labels
        };
        if let Some(index) = self.index.find(hash, is_it) {
            return (SeriesIndex::new(*index as usize), false);
        }
        let index = self.keys.len();
        self.keys.push(SeriesKey {
            family,
            labels: labels.iter().map(|label| Label::Owned((*label).to_owned())).collect(),
        });
        self.index.insert_unique(hash, index as u32, |index| {
            let SeriesKey { family, labels } = &self.keys[*index as usize];
            hash_of(&self.hasher, family, labels)
        });
        (SeriesIndex::new(index), true)
    }
}

fn hash_of<L: AsRef<str>>(hasher: &RandomState, family: &Family, labels: &[L]) -> u64 {
    let mut hasher = hasher.build_hasher();
    // Each family is a static, and there is one of each name.
    hasher.write_usize(std::ptr::from_ref(family).addr());
    labels.iter().for_each(|label| hasher.write(label.as_ref().as_bytes()));
    hasher.finish()
}
