//! How far the events of a report are read, and which rows count because of their date.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::reports::events::EventRow;
use crate::reports::{Outcome, Report};

/// How far the events of a report are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventProgress {
    /// The end of the first complete poll's window. Rows dated before it are the baseline and are never counted.
    pub born: Timestamp,
    /// Everything up to here was read at least once.
    pub covered: Timestamp,
    /// The facts of rows dated before this are forgotten, so nobody knows whether such a row was counted. Never falls.
    pub forgotten_before: Timestamp,
    /// When the last reread was complete.
    pub reread_at: Timestamp,
    /// The latest date of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

/// A reread that is overdue may reach back this much further, so that it misses nothing.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);

impl EventProgress {
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

    /// The latest date of a row that a report of events has ever had.
    pub fn newest_row(&self, report: &'static Report) -> Option<Timestamp> {
        self.event_progress(report)?.newest
    }
}
