//! What became of an answer's rows: the exporter counts every one of them, and every field that it could not read.

use std::collections::BTreeMap;

use crate::wire::fields::Reading;

/// What became of a row: the values of the label `outcome`, disjoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It made a difference: a gauge, or something counted for the first time.
    Counted,
    /// All of it was counted before.
    Duplicate,
    /// Dated before the birth of the operation's report: never counted.
    Baseline,
    /// Dated before what is remembered: it cannot be told whether it was counted, so it is not.
    Late,
    /// Not meant to be counted: a total, or the second row of one id.
    Ignored,
    /// No row at all, or without what identifies it.
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

/// Rows by outcome, and the values that no rule could read, by field.
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

    /// Values that no rule could read, by field.
    pub fn invalid_fields(&self) -> &BTreeMap<&'static str, u64> {
        &self.invalid_fields
    }

    /// The value of a field, if there is one; one that no rule fits is counted and left out.
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
