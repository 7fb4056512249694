//! How many calls and chats each skill lost in the last hour, and how long they had waited.
//!
//! Counters only grow, so the last hour is what they grew by. Only increases are kept, a minute of them in one: that is
//! little, however many skills there are, since most minutes of most skills have none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::Kind;
use crate::metrics::series::{Amount, FamilySeries, Value};

/// What is told about.
pub const HOUR: Duration = Duration::from_secs(60 * 60);
/// Increases that come within this time are kept as one.
const TOGETHER: Duration = Duration::from_secs(60);

/// The abandonments of all operations.
#[derive(Debug, Default)]
pub struct Abandonments(BTreeMap<Arc<str>, Memory>);

/// What is known of one operation.
#[derive(Debug)]
struct Memory {
    /// When the totals were first seen: nothing is known of the time before.
    since: Instant,
    bounds: &'static [f64],
    totals: BTreeMap<Arc<str>, Counts>,
    names: BTreeMap<Arc<str>, String>,
    increases: VecDeque<Increase>,
}

#[derive(Debug)]
struct Increase {
    at: Instant,
    by: BTreeMap<Arc<str>, Counts>,
}

/// Counts of one skill, over all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    abandoned: u64,
    interactions: u64,
    /// Abandoned ones by the time they had waited; empty before there is one.
    waits: Vec<u64>,
}

/// The last hour of an operation, or what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LastHour {
    /// The time that the counts are of: an hour, or less when the totals have not been seen for so long.
    pub span: Duration,
    /// Upper bounds of the waits, in seconds; one count more is above them all.
    pub bounds: &'static [f64],
    /// Every skill that is known, those that lost most first.
    pub skills: Vec<SkillHour>,
}

/// The last hour of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillHour {
    /// The id.
    pub id: Arc<str>,
    /// The newest name, empty if there is none.
    pub name: String,
    /// Calls and chats that were abandoned.
    pub abandoned: u64,
    /// All calls and chats that waited, whatever became of them.
    pub interactions: u64,
    /// Abandoned ones by the time they had waited, one count per bound and one above them all; empty without any.
    pub waits: Vec<u64>,
}

impl LastHour {
    /// Whether the whole hour is known.
    pub fn is_whole(&self) -> bool {
        self.span >= HOUR
    }
}

impl Abandonments {
    /// Takes note of an operation's totals at `now`.
    pub fn show(&mut self, operation: &Arc<str>, series: &[FamilySeries], now: Instant) {
        let seen = Seen::of(series);
        let memory = match self.0.get_mut(operation) {
            // A total that fell is of another life: what was known before says nothing about it.
            Some(memory) if !seen.is_below(&memory.totals) => memory,
            _ => {
                self.0.insert(Arc::clone(operation), Memory::new(seen, now));
                return;
            }
        };
        memory.grow(seen, now);
    }

    /// The hour before `now`; `None` when an operation's totals were never seen.
    pub fn last_hour(&self, operation: &str, now: Instant) -> Option<LastHour> {
        self.0.get(operation).map(|memory| memory.last_hour(now))
    }

    /// Forgets an operation.
    pub fn remove(&mut self, operation: &str) {
        self.0.remove(operation);
    }
}

impl Memory {
    fn new(seen: Seen, now: Instant) -> Self {
        Self {
            since: now,
            bounds: seen.bounds,
            totals: seen.totals,
            names: seen.names,
            increases: VecDeque::new(),
        }
    }

    fn grow(&mut self, seen: Seen, now: Instant) {
        let none = Counts::default();
        let mut by: BTreeMap<Arc<str>, Counts> = BTreeMap::new();
        for (skill, total) in &seen.totals {
            let increase = total.less(self.totals.get(skill).unwrap_or(&none));
            if increase.interactions > 0 || increase.abandoned > 0 {
                by.insert(Arc::clone(skill), increase);
            }
        }
        self.bounds = seen.bounds;
        self.totals = seen.totals;
        self.names = seen.names;
        while self.increases.front().is_some_and(|first| is_over(first.at, now)) {
            self.increases.pop_front();
        }
        if by.is_empty() {
            return;
        }
        match self.increases.back_mut() {
            Some(last) if now.duration_since(last.at) < TOGETHER => {
                for (skill, increase) in by {
                    last.by.entry(skill).or_default().add(&increase);
                }
            }
            _ => self.increases.push_back(Increase { at: now, by }),
        }
    }

    fn last_hour(&self, now: Instant) -> LastHour {
        let mut sums: BTreeMap<&Arc<str>, Counts> =
            self.totals.keys().map(|skill| (skill, Counts::default())).collect();
        for increase in self.increases.iter().filter(|increase| !is_over(increase.at, now)) {
            for (skill, by) in &increase.by {
                sums.entry(skill).or_default().add(by);
            }
        }
        let mut skills: Vec<SkillHour> = sums
            .into_iter()
            .map(|(id, counts)| SkillHour {
                id: Arc::clone(id),
                name: self.names.get(id).cloned().unwrap_or_default(),
                abandoned: counts.abandoned,
                interactions: counts.interactions,
                waits: counts.waits,
            })
            .collect();
        skills.sort_by_key(|skill| std::cmp::Reverse((skill.abandoned, skill.interactions)));
        LastHour {
            span: now.duration_since(self.since).min(HOUR),
            bounds: self.bounds,
            skills,
        }
    }
}

fn is_over(at: Instant, now: Instant) -> bool {
    now.duration_since(at) >= HOUR
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.abandoned += other.abandoned;
        self.interactions += other.interactions;
        self.add_waits(&other.waits);
    }

    fn add_waits(&mut self, waits: &[u64]) {
        if self.waits.len() < waits.len() {
            self.waits.resize(waits.len(), 0);
        }
        self.waits
            .iter_mut()
            .zip(waits)
            .for_each(|(mine, theirs)| *mine += theirs);
    }

    fn less(&self, before: &Self) -> Self {
        let before_in = |place: usize| before.waits.get(place).copied().unwrap_or_default();
        let mut waits: Vec<u64> = (0..)
            .zip(&self.waits)
            .map(|(place, count)| count.saturating_sub(before_in(place)))
            .collect();
        if waits.iter().all(|count| *count == 0) {
            // Most increases are of answered calls.
            waits = Vec::new();
        }
        Self {
            abandoned: self.abandoned.saturating_sub(before.abandoned),
            interactions: self.interactions.saturating_sub(before.interactions),
            waits,
        }
    }

    fn is_below(&self, before: &Self) -> bool {
        let pairs = self.waits.iter().zip(&before.waits);
        self.abandoned < before.abandoned
            || self.interactions < before.interactions
            || pairs.into_iter().any(|(now, before)| now < before)
    }
}

/// Totals as the series have them.
#[derive(Default)]
struct Seen {
    bounds: &'static [f64],
    totals: BTreeMap<Arc<str>, Counts>,
    names: BTreeMap<Arc<str>, String>,
}

impl Seen {
    fn of(families: &[FamilySeries]) -> Self {
        let mut seen = Self::default();
        for family in families {
            if let Kind::Histogram(bounds) = family.family.kind {
                seen.bounds = bounds;
            }
            for series in &family.series {
                let [skill, labels @ ..] = &series.labels[..] else {
                    continue;
                };
                let skill: Arc<str> = skill.as_ref().into();
                match &series.value {
                    Value::Info => {
                        let name = labels.first().map(|name| name.clone().into_owned());
                        seen.names.insert(skill, name.unwrap_or_default());
                    }
                    Value::Histogram(histogram) => {
                        seen.totals.entry(skill).or_default().add_waits(&histogram.counts);
                    }
                    Value::Amount(Amount::Count(count)) => {
                        let counts = seen.totals.entry(skill).or_default();
                        counts.interactions += count;
                        if labels.last().is_some_and(|result| result == "abandoned") {
                            counts.abandoned += count;
                        }
                    }
                    Value::Amount(Amount::Sum(_)) | Value::Number(_) => {}
                }
            }
        }
        seen
    }

    /// Whether a total is lower than before. A skill that is missing was idle for long and is no fall.
    fn is_below(&self, before: &BTreeMap<Arc<str>, Counts>) -> bool {
        let mut pairs = self
            .totals
            .iter()
            .filter_map(|(skill, total)| Some((total, before.get(skill)?)));
        pairs.any(|(total, before)| total.is_below(before))
    }
}
