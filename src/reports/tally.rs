//! Counts every row of an answer by outcome, and every field that could not be read.

use std::collections::{BTreeMap, BTreeSet};

use super::assumptions::Assumption;
use super::values;
use crate::metrics::series::Label;
use crate::wire::fields::Reading;

/// Different unknown words kept per field. What follows is noise.
const MOST_WORDS: usize = 20;

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
    /// Not meant to be counted: a total, the second row of one id, or a row that says nothing yet.
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

/// What was seen in the rows: their outcomes, unreadable values by field, and broken assumptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    rows: [u64; Outcome::ALL.len()],
    invalid_fields: BTreeMap<&'static str, u64>,
    /// Rows that are invalid because this field is missing or unreadable.
    missing: BTreeMap<&'static str, u64>,
    violations: [u64; Assumption::ALL.len()],
    /// By field and word, as free values.
    unknown_words: BTreeSet<(&'static str, Label)>,
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

    /// Counts a row that is invalid because a field is missing or unreadable.
    pub fn invalid_without(&mut self, field: &'static str) {
        self.count(Outcome::Invalid);
        *self.missing.entry(field).or_default() += 1;
    }

    /// Rows that are invalid because a field is missing or unreadable, by field.
    pub fn missing(&self) -> &BTreeMap<&'static str, u64> {
        &self.missing
    }

    /// Counts a violation of an assumption.
    pub fn violation(&mut self, assumption: Assumption) {
        self.violations[assumption as usize] += 1;
    }

    /// Violations of an assumption.
    pub fn violations(&self, assumption: Assumption) -> u64 {
        self.violations[assumption as usize]
    }

    /// Keeps a word that is not in the list of its field.
    pub fn unknown_word(&mut self, field: &'static str, word: &str) {
        let of_field = self.unknown_words.iter().filter(|(known, _)| *known == field);
        if of_field.count() < MOST_WORDS {
            self.unknown_words.insert((field, values::free(word)));
        }
    }

    /// Words that are not in the list of their field, by field.
    pub fn unknown_words(&self) -> &BTreeSet<(&'static str, Label)> {
        &self.unknown_words
    }

    /// Adds the counts of another tally to this one, but not its words.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in self.rows.iter_mut().zip(other.rows) {
            *mine += theirs;
        }
        for (field, count) in &other.invalid_fields {
            *self.invalid_fields.entry(field).or_default() += count;
        }
        for (mine, theirs) in self.violations.iter_mut().zip(other.violations) {
            *mine += theirs;
        }
    }
}
