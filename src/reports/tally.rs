//! Counts every row of an answer by outcome, and every field that could not be read.

use std::collections::BTreeMap;

use crate::wire::fields::Reading;

/// What happened to a row: the values of the label `outcome`. They are disjoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something: a gauge, or a counter that counts it for the first time.
    Counted,
    /// All its facts had been counted before.
    Duplicate,
    /// Dated before the report of this operation was born: never counted.
    Baseline,
    /// Older than the identities that we remember. It may have been counted already, so it is not counted.
    Late,
    /// Not meant to be counted: a total, or the second row of one id.
    Ignored,
    /// Not a row, or without the fields that identify it.
    Invalid,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Outcome; 6] = [
        Outcome::Counted,
        Outcome::Duplicate,
        Outcome::Baseline,
        Outcome::Late,
        Outcome::Ignored,
        Outcome::Invalid,
    ];

    /// The value of the label `outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Counted => "counted",
            Outcome::Duplicate => "duplicate",
            Outcome::Baseline => "baseline",
            Outcome::Late => "late",
            Outcome::Ignored => "ignored",
            Outcome::Invalid => "invalid",
        }
    }
}

/// Rows by outcome, and unreadable values by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    rows: [u64; Outcome::ALL.len()],
    invalid_fields: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts a row.
    pub fn count(&mut self, outcome: Outcome) {
        self.rows[outcome as usize] += 1;
    }

    /// Rows with this outcome.
    pub fn rows(&self, outcome: Outcome) -> u64 {
        self.rows[outcome as usize]
    }

    /// Unreadable values by field.
    pub fn invalid_fields(&self) -> &BTreeMap<&'static str, u64> {
        &self.invalid_fields
    }

    /// The value of a field, if it has one. An unreadable one is counted and left out.
    pub fn read<T>(&mut self, field: &'static str, reading: Reading<T>) -> Option<T> {
        if matches!(reading, Reading::Invalid) {
            *self.invalid_fields.entry(field).or_default() += 1;
        }
        reading.value()
    }

    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in self.rows.iter_mut().zip(other.rows) {
            *mine += theirs;
        }
        for (field, count) in &other.invalid_fields {
            *self.invalid_fields.entry(field).or_default() += count;
        }
    }
}
