//! The reports that the exporter reads, one file each.

use std::fmt;

/// A report of the Wolkvox API that the exporter knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// `real_time.php?api=campaigns`: the state of every campaign now.
    Campaigns,
    /// `reports_manager.php?api=cdr_4`: calls of a day by duration.
    CallDurations,
    /// `reports_manager.php?api=skill_2`: abandoned calls one by one.
    AbandonedCalls,
    /// `reports_manager.php?api=campaign_5`: preview-campaign calls one by one.
    PreviewCalls,
    /// `reports_manager.php?api=diagram_1`: IVR navigation step by step.
    Ivr,
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
