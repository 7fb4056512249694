//! The reports that the exporter reads, one file each.

use std::collections::BTreeMap;
use std::fmt;

pub mod abandoned_calls;
pub mod call_durations;
pub mod campaigns;
pub mod events;
pub mod ivr;
pub mod preview_calls;

use crate::metrics::Family;
use crate::wire::fields::Reading;

/// A report of the Wolkvox API that the exporter knows. Its number keys the facts in state files: never change or reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// `real_time.php?api=campaigns`: the state of every campaign now.
    Campaigns = 0,
    /// `reports_manager.php?api=cdr_4`: calls of a day by duration.
    CallDurations = 1,
    /// `reports_manager.php?api=skill_2`: abandoned calls one by one.
    AbandonedCalls = 2,
    /// `reports_manager.php?api=campaign_5`: preview-campaign calls one by one.
    PreviewCalls = 3,
    /// `reports_manager.php?api=diagram_1`: IVR navigation step by step.
    Ivr = 4,
}

impl ReportKind {
    /// All reports, in the order in which an operation reads them.
    pub const ALL: [ReportKind; 5] = [
        ReportKind::Campaigns,
        ReportKind::CallDurations,
        ReportKind::AbandonedCalls,
        ReportKind::PreviewCalls,
        ReportKind::Ivr,
    ];

    /// The name in the configuration and in the label `report`.
    pub const fn name(self) -> &'static str {
        match self {
            ReportKind::Campaigns => "campaigns",
            ReportKind::CallDurations => "call_durations",
            ReportKind::AbandonedCalls => "abandoned_calls",
            ReportKind::PreviewCalls => "preview_calls",
            ReportKind::Ivr => "ivr",
        }
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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

/// What came of the rows of an answer, and which fields no rule could read.
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

impl ReportKind {
    /// Whether the report's series are counters kept in the ledger; the others are the state of now.
    pub fn counts(self) -> bool {
        self != ReportKind::Campaigns
    }

    /// The fields of the report whose values may be counted as unreadable.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            ReportKind::Campaigns => &campaigns::FIELDS,
            ReportKind::CallDurations => &call_durations::FIELDS,
            ReportKind::AbandonedCalls => &abandoned_calls::FIELDS,
            ReportKind::PreviewCalls => &preview_calls::FIELDS,
            ReportKind::Ivr => &ivr::FIELDS,
        }
    }

    /// The families whose series the report makes.
    pub fn families(self) -> Vec<&'static Family> {
        match self {
            ReportKind::Campaigns => campaigns::families(),
            ReportKind::CallDurations => call_durations::FAMILIES.to_vec(),
            ReportKind::AbandonedCalls => abandoned_calls::FAMILIES.to_vec(),
            ReportKind::PreviewCalls => preview_calls::FAMILIES.to_vec(),
            ReportKind::Ivr => ivr::FAMILIES.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// State files hold these numbers. With another one, a report's facts would be taken for another report's, and all that
    /// is read again would be counted twice.
    #[test]
    fn the_numbers_of_reports_on_disk_never_change() {
        assert_eq!(
            ReportKind::ALL.map(|report| (report.name(), report as u8)),
            [
                ("campaigns", 0),
                ("call_durations", 1),
                ("abandoned_calls", 2),
                ("preview_calls", 3),
                ("ivr", 4),
            ]
        );
    }
}
