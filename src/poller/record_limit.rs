//! Finds out that the API cuts the answers of a report at another number of rows than the vendor says.
//!
//! A cut answer looks like a complete one. Two things make one suspicious: a round number of rows that came before, and a message
//! that names more. Then the exporter asks for both halves of the time. What they have and the whole has not was cut.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Poll, Poller};
use crate::client::{Answer, ApiError};
use crate::fetch::pieces::second_after;
use crate::fetch::queries::EventQuery;
use crate::ledger::EventProgress;
use crate::reports::Report;
use crate::reports::events::{Collected, Fact, FactKey};

/// A limit is a multiple of this.
const ROUND: u64 = 100;
/// Requests that a closer look needs.
const LOOK: u32 = 3;
/// Closer looks on one day, if they find nothing: messages may always name another number.
const LOOKS_A_DAY: u32 = 3;

/// What is known about the record limit of a report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecordLimit {
    /// Answers have been cut at this number of rows.
    pub(super) learned: Option<u64>,
    /// The round number of rows of an earlier answer.
    seen: Option<u64>,
    /// An answer with this number was complete.
    complete: Option<u64>,
    /// The day of the last closer look, and how many there were.
    looks: Option<(Date, u32)>,
}

impl RecordLimit {
    pub(super) fn restored(progress: Option<&EventProgress>) -> Self {
        Self {
            learned: progress.and_then(|progress| progress.record_limit),
            ..Self::default()
        }
    }

    /// From how many rows on an answer is taken as cut.
    pub(super) fn cut_at(self, usual: u64) -> u64 {
        self.learned.map_or(usual, |learned| learned.min(usual))
    }

    /// Takes note of an answer. Returns whether it may have been cut.
    fn is_suspicious(&mut self, count: u64, announced: Option<u64>) -> bool {
        if self.learned.is_some_and(|learned| count > learned) {
            // It was no limit, or is none any more.
            self.learned = None;
        }
        if self.learned.is_some() || count == 0 || self.complete == Some(count) {
            return false;
        }
        let is_repeated = count.is_multiple_of(ROUND) && self.seen.replace(count) == Some(count);
        is_repeated || announced.is_some_and(|announced| announced > count)
    }

    /// Takes one of the day's closer looks, if there are any left.
    fn take_look(&mut self, today: Date) -> bool {
        let looks = self
            .looks
            .filter(|(day, _)| *day == today)
            .map_or(0, |(_, looks)| looks);
        self.looks = Some((today, looks + 1));
        looks < LOOKS_A_DAY
    }
}

impl Poller {
    /// Looks closer at an answer that may have been cut, and learns the limit if it was. If that fails, the answer is taken as it
    /// is.
    pub(super) async fn check_limit(&mut self, poll: &mut Poll, query: &EventQuery<'_>, answer: &Answer<Collected>) {
        let (report, count, today) = (poll.report, answer.count, self.local_date(poll.now));
        let may_look = self.budget.left() >= LOOK && query.from < query.until;
        let limit = &mut self.polled(report).record_limit;
        if !limit.is_suspicious(count, answer.announced) || !may_look || !limit.take_look(today) {
            return;
        }
        let Ok(is_complete) = self.is_complete(poll, query, answer).await else {
            return;
        };
        let limit = &mut self.polled(report).record_limit;
        if is_complete || count < ROUND {
            limit.complete = Some(count);
        } else {
            limit.learned = Some(count);
            self.warn_of_limit(report, count);
        }
    }

    /// Whether both halves of the time have no fact that the answer has not.
    async fn is_complete(
        &mut self,
        poll: &mut Poll,
        query: &EventQuery<'_>,
        answer: &Answer<Collected>,
    ) -> Result<bool, ApiError> {
        let middle = query.from.as_second().midpoint(query.until.as_second());
        let middle = Timestamp::from_second(middle).unwrap_or(query.from);
        let halves = [
            EventQuery {
                until: middle,
                ..*query
            },
            EventQuery {
                from: second_after(middle),
                ..*query
            },
        ];
        let mut missing = HashSet::new();
        for half in &halves {
            missing.extend(self.facts(poll, half).await?);
        }
        keys(&answer.rows.facts).for_each(|key| _ = missing.remove(&key));
        if !missing.is_empty() {
            // Rows may have appeared meanwhile.
            for key in self.facts(poll, query).await? {
                missing.remove(&key);
            }
        }
        Ok(missing.is_empty())
    }

    async fn facts(&mut self, poll: &mut Poll, query: &EventQuery<'_>) -> Result<Vec<FactKey>, ApiError> {
        let answer = query.fetch(&mut self.api(poll)).await?;
        Ok(keys(&answer.rows.facts).collect())
    }

    fn warn_of_limit(&self, report: &Report, rows: u64) {
        tracing::warn!(
            operation = &*self.operation.name,
            report = report.name,
            rows,
            "the API cuts answers at fewer rows than its page says: from now on the exporter asks for less at once"
        );
    }
}

/// The keys of facts that do not depend on which other rows are in the answer.
fn keys(facts: &[Fact]) -> impl Iterator<Item = FactKey> {
    facts.iter().filter(|fact| fact.trace.is_undated()).map(|fact| fact.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_number_that_comes_again_is_suspicious() {
        let mut limit = RecordLimit::default();
        for (count, announced, expected) in [
            (500, None, false),
            (501, None, false),
            (500, None, true),
            (499, Some(499), false),
            (499, Some(1501), true),
            (0, Some(31), false),
        ] {
            assert_eq!(
                limit.is_suspicious(count, announced),
                expected,
                "{count} of {announced:?}"
            );
        }
        let today = jiff::civil::date(2026, 11, 26);
        assert_eq!([(); 4].map(|()| limit.take_look(today)), [true, true, true, false]);
        assert!(limit.take_look(today.tomorrow().unwrap()));
        limit.complete = Some(500);
        assert!(!limit.is_suspicious(500, None), "that many were all");
        limit.learned = Some(700);
        assert_eq!(limit.cut_at(59_000), 700);
        assert!(!limit.is_suspicious(700, None));
        assert!(!limit.is_suspicious(701, None));
        assert_eq!(limit.cut_at(59_000), 59_000, "more than 700 came");
    }
}
