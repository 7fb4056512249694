//! How many calls and chats each skill lost in the last hour, and how long they had waited.
//!
//! Counters only grow, so the last hour is their increase. We keep only increases, merged per minute. That takes little
//! memory even with many skills, since most skills have none in most minutes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::reports::Report;
use crate::reports::abandoned_calls::{SkillCounts, SkillTotals};

/// The period covered.
pub const HOUR: Duration = Duration::from_secs(60 * 60);
/// Increases within this time are merged.
const TOGETHER: Duration = Duration::from_secs(60);

/// The abandonments of one operation.
#[derive(Debug)]
pub struct Abandonments {
    /// The report that provides the totals.
    report: &'static Report,
    /// When the totals were first seen: earlier increases are unknown.
    since: Instant,
    totals: SkillTotals,
    increases: VecDeque<Increase>,
}

#[derive(Debug)]
struct Increase {
    at: Instant,
    by: BTreeMap<Arc<str>, SkillCounts>,
}

/// The last hour of an operation, or the known part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LastHour {
    /// The period covered: an hour, or less if the totals have not been known that long.
    pub span: Duration,
    /// Upper bounds of the waits, in seconds. `waits` has one count per bound and one for longer waits.
    pub bounds: &'static [f64],
    /// All known skills, those that lost most first.
    pub skills: Vec<SkillHour>,
}

/// The last hour of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillHour {
    /// The id.
    pub id: Arc<str>,
    /// Abandoned calls and chats.
    pub abandoned: u64,
    /// All calls and chats that waited, abandoned or answered.
    pub interactions: u64,
    /// Abandoned calls and chats by waiting time; empty if there are none.
    pub waits: Vec<u64>,
}

impl LastHour {
    /// Whether the whole hour is known.
    pub fn is_whole(&self) -> bool {
        self.span >= HOUR
    }
}

impl Abandonments {
    /// Starts with the totals at `now`.
    pub fn new(report: &'static Report, totals: SkillTotals, now: Instant) -> Self {
        Self {
            report,
            since: now,
            totals,
            increases: VecDeque::new(),
        }
    }

    /// The report that provides the totals.
    pub fn report(&self) -> &'static Report {
        self.report
    }

    /// Reads the totals at `now`, and keeps their increase.
    pub fn update(&mut self, totals: SkillTotals, now: Instant) {
        if has_fallen(&totals, &self.totals) {
            // The totals restarted, so earlier ones are no longer comparable.
            *self = Self::new(self.report, totals, now);
            return;
        }
        let none = SkillCounts::default();
        let mut by: BTreeMap<Arc<str>, SkillCounts> = BTreeMap::new();
        for (skill, total) in &totals.skills {
            let increase = less(total, self.totals.skills.get(skill).unwrap_or(&none));
            if increase.interactions > 0 || increase.abandoned > 0 {
                by.insert(Arc::clone(skill), increase);
            }
        }
        self.totals = totals;
        while self.increases.front().is_some_and(|first| is_over(first.at, now)) {
            self.increases.pop_front();
        }
        if by.is_empty() {
            return;
        }
        match self.increases.back_mut() {
            Some(last) if now.duration_since(last.at) < TOGETHER => {
                for (skill, increase) in by {
                    add(last.by.entry(skill).or_default(), &increase);
                }
            }
            _ => self.increases.push_back(Increase { at: now, by }),
        }
    }

    /// The hour before `now`.
    pub fn last_hour(&self, now: Instant) -> LastHour {
        let skills = self.totals.skills.keys();
        let mut sums: BTreeMap<&Arc<str>, SkillCounts> = skills.map(|id| (id, SkillCounts::default())).collect();
        for increase in self.increases.iter().filter(|increase| !is_over(increase.at, now)) {
            for (skill, by) in &increase.by {
                add(sums.entry(skill).or_default(), by);
            }
        }
        let mut skills: Vec<SkillHour> = sums
            .into_iter()
            .map(|(id, counts)| SkillHour {
                id: Arc::clone(id),
                abandoned: counts.abandoned,
                interactions: counts.interactions,
                waits: counts.waits,
            })
            .collect();
        skills.sort_by_key(|skill| std::cmp::Reverse((skill.abandoned, skill.interactions)));
        LastHour {
            span: now.duration_since(self.since).min(HOUR),
            bounds: self.totals.bounds,
            skills,
        }
    }
}

fn is_over(at: Instant, now: Instant) -> bool {
    now.duration_since(at) >= HOUR
}

fn add(sum: &mut SkillCounts, counts: &SkillCounts) {
    sum.abandoned += counts.abandoned;
    sum.interactions += counts.interactions;
    sum.add_waits(&counts.waits);
}

fn less(now: &SkillCounts, before: &SkillCounts) -> SkillCounts {
    let before_in = |place: usize| before.waits.get(place).copied().unwrap_or_default();
    let mut waits: Vec<u64> = (0..)
        .zip(&now.waits)
        .map(|(place, count)| count.saturating_sub(before_in(place)))
        .collect();
    if waits.iter().all(|count| *count == 0) {
        // Most increases are of answered calls.
        waits = Vec::new();
    }
    SkillCounts {
        abandoned: now.abandoned.saturating_sub(before.abandoned),
        interactions: now.interactions.saturating_sub(before.interactions),
        waits,
    }
}

/// Whether a total has decreased. A missing skill was dropped after long idleness and does not count as a decrease.
fn has_fallen(now: &SkillTotals, before: &SkillTotals) -> bool {
    let mut pairs = now
        .skills
        .iter()
        .filter_map(|(skill, total)| Some((total, before.skills.get(skill)?)));
    pairs.any(|(now, before)| {
        let mut waits = now.waits.iter().zip(&before.waits);
        now.abandoned < before.abandoned
            || now.interactions < before.interactions
            || waits.any(|(now, before)| now < before)
    })
}
