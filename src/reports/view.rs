//! What the status page shows of a report, typed: only the report's own file knows the order of its labels.

use super::abandoned_calls::SkillTotals;
use super::campaigns::CampaignSummary;

/// What the status page shows of a report.
#[derive(Clone, Debug)]
pub enum View {
    /// A line for each campaign.
    Campaigns(Vec<CampaignSummary>),
    /// What each skill has lost so far.
    Skills(SkillTotals),
}
