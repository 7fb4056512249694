//! Which assumptions about the API were broken lately, and the words that nobody knew.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::{SignedDuration, Timestamp};

use crate::metrics::series::Label;
use crate::reports::{Assumption, Tally};

/// A violation is shown for this long, and logged once in this time.
const SHOWN: SignedDuration = SignedDuration::from_hours(24);
/// Different words shown per field.
const MOST_WORDS: usize = 20;

/// The violations of the last 24 hours.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    /// When each assumption was last broken.
    last: BTreeMap<Assumption, Timestamp>,
    logged: BTreeMap<Assumption, Timestamp>,
    /// When each word was last seen, by field.
    words: BTreeMap<(&'static str, Label), Timestamp>,
}

impl Violations {
    /// Adds what an answer broke. Returns the assumptions that should be logged now.
    pub fn add(&mut self, tally: &Tally, now: Timestamp) -> Vec<Assumption> {
        self.forget(now);
        for (field, word) in tally.unknown_words() {
            let of_field = self.words.keys().filter(|(known, _)| known == field).count();
            let key = (*field, word.clone());
            if of_field < MOST_WORDS || self.words.contains_key(&key) {
                self.words.insert(key, now);
            }
        }
        let broken = Assumption::ALL
            .into_iter()
            .filter(|assumption| tally.violations(*assumption) > 0);
        let mut to_log = Vec::new();
        for assumption in broken {
            self.last.insert(assumption, now);
            if let Entry::Vacant(entry) = self.logged.entry(assumption) {
                entry.insert(now);
                to_log.push(assumption);
            }
        }
        to_log
    }

    /// Forgets what is older than a day.
    pub fn forget(&mut self, now: Timestamp) {
        let is_recent = |at: &Timestamp| now.duration_since(*at) < SHOWN;
        self.last.retain(|_, at| is_recent(at));
        self.logged.retain(|_, at| is_recent(at));
        self.words.retain(|_, at| is_recent(at));
    }

    /// The broken assumptions, each with the time of its last violation.
    pub fn broken(&self) -> &BTreeMap<Assumption, Timestamp> {
        &self.last
    }

    /// The unknown words, by field.
    pub fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.words.keys().map(|(field, word)| (*field, &**word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(words: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for word in words {
            tally.violation(Assumption::KnownWords);
            tally.unknown_word("result", word);
        }
        tally
    }

    #[test]
    fn a_violation_is_logged_once_a_day_and_shown_for_a_day_after_the_last() {
        let at = |hour: i64| Timestamp::from_second(1_795_000_000 + hour * 3600).unwrap();
        let mut violations = Violations::default();
        assert_eq!(violations.add(&tally(&["Marte"]), at(0)), [Assumption::KnownWords]);
        assert_eq!(violations.add(&tally(&["Venus"]), at(23)), []);
        assert_eq!(violations.add(&tally(&[]), at(24)), []);
        assert_eq!(violations.words().collect::<Vec<_>>(), [("result", "Venus")]);
        assert_eq!(violations.broken().get(&Assumption::KnownWords), Some(&at(23)));
        assert_eq!(violations.add(&tally(&["Venus"]), at(25)), [Assumption::KnownWords]);
        violations.forget(at(49));
        assert!(violations.broken().is_empty());
        assert_eq!(violations.words().count(), 0);
    }
}
