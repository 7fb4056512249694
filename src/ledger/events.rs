//! Events read in pieces of time: which rows count, and how far a report is read.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::reports::events::{Collected, EventRow};
use crate::reports::{Outcome, ReportKind};

/// How far the events of a report are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventProgress {
    /// The end of the first complete poll's window. Rows dated before it are the baseline and never counted.
    pub born: Timestamp,
    /// All up to here was read at least once.
    pub covered: Timestamp,
    /// What is dated before is forgotten: it cannot be told any more whether it was counted. Never falls.
    pub forgotten_before: Timestamp,
    /// When the last reread was complete.
    pub reread_at: Timestamp,
}

/// The complete answer for one piece of a window.
#[derive(Debug)]
pub struct Piece {
    /// The report.
    pub report: ReportKind,
    /// The last second that was asked for.
    pub until: Timestamp,
    /// What this piece is part of.
    pub part_of: PartOf,
    /// How far back the next window reads.
    pub overlap: SignedDuration,
    /// How far back rereads read.
    pub reread_back: SignedDuration,
    /// What the answer has.
    pub answer: Collected,
    /// Rows dated before this are a backlog when they are counted.
    pub backlog_before: Timestamp,
}

/// What a piece is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// The first poll: ids and names are learned, nothing is counted. With the last piece the report is born.
    Birth {
        /// The end of the first poll's window, when this is its last piece.
        born: Option<Timestamp>,
    },
    /// A window that goes on where the last one ended.
    Window,
    /// A reread; `ended` with its last piece.
    Reread {
        /// Whether this is the last piece.
        ended: bool,
    },
}

impl Piece {
    /// The progress after this piece.
    pub(super) fn advance(&self, before: Option<&EventProgress>, now: Timestamp) -> Option<EventProgress> {
        let mut progress = match (before, self.part_of) {
            (Some(before), _) => before.clone(),
            (None, PartOf::Birth { born: Some(born) }) => EventProgress {
                born,
                covered: born,
                forgotten_before: born,
                reread_at: born,
            },
            (None, _) => return None,
        };
        match self.part_of {
            PartOf::Birth { .. } => {}
            PartOf::Window => progress.covered = progress.covered.max(self.until),
            PartOf::Reread { ended } => {
                if ended {
                    progress.reread_at = now;
                }
            }
        }
        let earlier = |from: Timestamp, by| from.checked_sub(by).unwrap_or(Timestamp::MIN);
        let forget = earlier(progress.covered, self.overlap).min(earlier(now, self.reread_back));
        progress.forgotten_before = progress.forgotten_before.max(forget);
        Some(progress)
    }

    /// What becomes of a row because of its date alone.
    pub(super) fn outcome_by_date(row: &EventRow, progress: Option<&EventProgress>) -> Option<Outcome> {
        match progress {
            None => Some(Outcome::Baseline),
            Some(progress) if row.at < progress.born => Some(Outcome::Baseline),
            Some(progress) if row.at < progress.forgotten_before => Some(Outcome::Late),
            Some(_) => None,
        }
    }
}
