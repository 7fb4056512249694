//! What the status page shows of a report, as typed values: only the file of a report knows the order of its labels.

use super::agents::AgentsNow;
use super::campaigns::CampaignSummary;
use super::latency::LatencyNow;
use super::quota::TokenCalls;
use super::skills::SkillNow;

/// What the status page shows of a report of the current state.
#[derive(Clone, Debug)]
pub enum View {
    /// One line per campaign.
    Campaigns(Vec<CampaignSummary>),
    /// One line per skill.
    Skills(Vec<SkillNow>),
    /// All agents together.
    Agents(AgentsNow),
    /// All connections together.
    Latency(LatencyNow),
    /// The calls of the token and of the operation.
    Quota(TokenCalls),
}
