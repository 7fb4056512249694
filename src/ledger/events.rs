//! How far the events of a report are read, and which rows count because of their date.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::state::StateChange;
use super::{Ledger, StateError};
use crate::clock::Moment;
use crate::reports::events::EventRow;
use crate::reports::{Outcome, Report};

/// How far the events of a report are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventProgress {
    /// The end of the first complete poll's window, as rows are dated. Rows dated before it are the baseline and are never
    /// counted.
    pub born: Timestamp,
    /// Everything up to here was read at least once.
    pub covered: Timestamp,
    /// The facts of rows dated before this are forgotten, so nobody knows whether such a row was counted. Never falls.
    pub forgotten_before: Timestamp,
    /// When the last complete reread began. Rows that were older than `reread.back` then are not read again.
    pub reread_at: Timestamp,
    /// When it was complete, if that was later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reread_ended: Option<Timestamp>,
    /// The reread that is not complete yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rereading: Option<Rereading>,
    /// The number of rows at which the API cuts answers, if it is lower than the vendor says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_limit: Option<u64>,
    /// The latest date of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

/// How far a reread has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rereading {
    /// When it began.
    pub began: Timestamp,
    /// Where it continues.
    pub next: Timestamp,
    /// Its last second.
    pub until: Timestamp,
}

/// A reread that is overdue may reach back this much further, so that it misses nothing.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);

impl EventProgress {
    /// A reread that began at `began` is complete.
    pub(super) fn end_reread(&mut self, began: Timestamp, now: Timestamp) {
        self.reread_at = began;
        self.reread_ended = Some(now);
        self.rereading = None;
    }

    /// Where the next reread begins at the latest, so that each row is read once more when it is `back` old.
    pub fn next_reread_from(&self, now: Timestamp, back: SignedDuration) -> Timestamp {
        let earlier = |from: Timestamp, by| from.checked_sub(by).unwrap_or(Timestamp::MIN);
        earlier(self.reread_at, back).max(earlier(earlier(now, back), LONGEST_DELAY))
    }

    /// The outcome of a row whose date alone decides it; `None` if its facts do.
    pub(super) fn outcome_by_date(before: Option<&Self>, row: &EventRow) -> Option<Outcome> {
        match before {
            None => Some(Outcome::Baseline),
            Some(progress) if row.at < progress.born => Some(Outcome::Baseline),
            Some(progress) if row.at < progress.forgotten_before => Some(Outcome::Late),
            Some(_) => None,
        }
    }
}

impl Ledger {
    /// How far the events of a report are read; `None` before its birth.
    pub fn event_progress(&self, report: &'static Report) -> Option<&EventProgress> {
        self.state.events.get(&report)
    }

    /// Commits that there was nothing to reread before the window.
    pub fn commit_reread(&mut self, report: &'static Report, now: Moment) -> Result<(), StateError> {
        let Some(mut progress) = self.event_progress(report).cloned() else {
            return Ok(());
        };
        progress.end_reread(now.wall, now.wall);
        self.write(now, |_, _| {
            let change = StateChange {
                event: Some((report, progress)),
                ..StateChange::default()
            };
            Ok((change, ()))
        })
    }

    /// When old rows or days of the report were last read again to the end; `None` before its birth.
    pub fn last_reread(&self, report: &'static Report) -> Option<Timestamp> {
        let of_events = self
            .event_progress(report)
            .map(|p| p.reread_ended.unwrap_or(p.reread_at));
        of_events.or(self.day_progress(report).map(|p| p.reread_at))
    }

    /// The latest date of a row that a report of events has ever had.
    pub fn newest_row(&self, report: &'static Report) -> Option<Timestamp> {
        self.event_progress(report)?.newest
    }
}
