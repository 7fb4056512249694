//! What is not well although every report is read.
//!
//! One rule decides the colour. **Red**: a report is not read, since its last poll failed. **Amber**: reports are read, but what they
//! show is missing, late, doubtful or not what was configured, now, and somebody can do something about it. **A note**: what has
//! passed or does no harm yet, such as a row that was not understood, calls of other programs, or a state that is only in memory.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::PageData;
use crate::health::{OperationHealth, ReportHealth};
use crate::reports::{Kind, Report};

/// Data may be late by as many intervals.
const LATE_INTERVALS: u32 = 3;
/// Data of short intervals may be late by this much all the same.
const LEAST_LATE: Duration = Duration::from_secs(15 * 60);

/// A reason for amber, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// The configuration could not be read again.
    OldConfiguration,
    /// The state of the operation could not be saved.
    NotSaved,
    /// Polls are left out to save calls.
    Thinned,
    /// Gauges are withdrawn because they are older than `max_age`.
    Withdrawn,
    /// Data is older than it should be.
    Late,
    /// An assumption about the API was broken in the last 24 hours.
    Doubtful,
    /// The series limit left something out.
    OverLimit,
}

impl Concern {
    /// In a word or two.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Concern::OldConfiguration => "old configuration",
            Concern::NotSaved => "not saved",
            Concern::Thinned => "polls left out",
            Concern::Withdrawn => "withdrawn",
            Concern::Late => "late",
            Concern::Doubtful => "doubtful",
            Concern::OverLimit => "over series_limit",
        }
    }

    /// What is the matter.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Concern::OldConfiguration => {
                "The last reload failed. The exporter goes on with the configuration that it had before."
            }
            Concern::NotSaved => "The state could not be saved. Counters stand still until it can.",
            Concern::Thinned => {
                "The calls left for today are too few for all polls, so some are left out. Figures are older than configured."
            }
            Concern::Withdrawn => "The last data is older than max_age, so these gauges are not shown.",
            Concern::Late => "The data is older than three intervals. Counters lag behind.",
            Concern::Doubtful => {
                "Something that the exporter takes for granted about the API did not hold in the last 24 hours. Counts may be wrong."
            }
            Concern::OverLimit => {
                "There are more label sets than series_limit allows. What came later is counted as _other or left out."
            }
        }
    }

    /// What to do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Concern::OldConfiguration => "run check-config, correct what it names, and reload again",
            Concern::NotSaved => "check the disk of state_path",
            Concern::Thinned => {
                "raise daily_calls if the licences allow it, lengthen the intervals, or say with hours when people work"
            }
            Concern::Withdrawn => {
                "leave max_age out, and it follows the interval in effect; or make it longer than two intervals"
            }
            Concern::Late => {
                "after an outage wait until it has caught up; otherwise see how long polls take, and spread reports over longer intervals"
            }
            Concern::Doubtful => "see what the part Assumptions of the operation says",
            Concern::OverLimit => "see what makes so many ids, or raise series_limit",
        }
    }
}

/// The concerns of a report, if its last poll succeeded: otherwise its failure explains them.
pub(super) fn of_report(
    operation: &str,
    kind: &'static Report,
    report: &ReportHealth,
    data: PageData<'_>,
) -> Vec<Concern> {
    if report.up != Some(true) {
        return Vec::new();
    }
    let is_withdrawn = matches!(kind.kind, Kind::Current(_)) && data.published.view(operation, kind).is_none();
    let found = [
        (Concern::Thinned, report.one_of > 1),
        (Concern::Withdrawn, is_withdrawn),
        (Concern::Late, !is_withdrawn && is_late(report, data.now)),
        (Concern::Doubtful, !report.violations.broken().is_empty()),
    ];
    found
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(concern, _)| concern)
        .collect()
}

/// The concerns of an operation as a whole.
pub(super) fn of_operation(operation: &OperationHealth) -> Vec<Concern> {
    let found = [
        (Concern::NotSaved, operation.state.is_failing),
        (
            Concern::OverLimit,
            operation.dropped.values().any(|dropped| *dropped > 0),
        ),
    ];
    found
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(concern, _)| concern)
        .collect()
}

/// Whether anything of an operation is a concern.
pub(super) fn is_concerned(name: &str, operation: &OperationHealth, data: PageData<'_>) -> bool {
    let mut reports = operation.reports.iter();
    !of_operation(operation).is_empty() || reports.any(|(kind, report)| !of_report(name, kind, report, data).is_empty())
}

/// Whether the oldest of what is shown is older than some intervals.
fn is_late(report: &ReportHealth, now: Timestamp) -> bool {
    let age = |at: Option<Timestamp>| at.map(|at| now.duration_since(at)).unwrap_or_default();
    let allowed = report.interval.saturating_mul(LATE_INTERVALS).max(LEAST_LATE);
    let allowed = SignedDuration::try_from(allowed).unwrap_or(SignedDuration::MAX);
    let settle = SignedDuration::try_from(report.settle).unwrap_or_default();
    age(report.last_success) > allowed || age(report.data) > allowed.saturating_add(settle)
}
