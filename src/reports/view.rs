//! What the status page shows of a report, as typed values: only the file of a report knows the order of its labels.

use super::abandoned_calls::SkillTotals;
use super::campaigns::CampaignSummary;

/// What the status page shows of a report.
#[derive(Clone, Debug)]
pub enum View {
    /// One line per campaign.
    Campaigns(Vec<CampaignSummary>),
    /// The totals of each skill so far.
    Skills(SkillTotals),
}
