//! The campaigns of an operation, those that are dialling first.

use maud::{Markup, html};

use super::PageData;
use super::format::{number, percent};
use super::graphics::{RESULT_NAMES, bar, results, stacked, swatch};
use crate::health::ReportHealth;
use crate::reports::campaigns::CampaignSummary;
use crate::reports::{CAMPAIGNS, View};

/// The table, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &CAMPAIGNS);
    html! {
        h3 { "Campaigns" }
        @match of_view(view.as_deref()) {
            None if report.last_success.is_some() => p.muted { "Not shown: the last data is older than max_age." },
            None => p.muted { "Not read yet." },
            Some([]) => p.muted { "The API lists none." },
            Some(campaigns) => (table(campaigns)),
        }
    }
}

/// The campaigns, if they are known.
pub(super) fn of_view(view: Option<&View>) -> Option<&[CampaignSummary]> {
    match view {
        Some(View::Campaigns(campaigns)) => Some(campaigns),
        _ => None,
    }
}

/// How many campaigns are dialling.
pub(super) fn dialling(campaigns: &[CampaignSummary]) -> usize {
    campaigns.iter().filter(|campaign| campaign.is_started()).count()
}

/// The calls per minute of all campaigns.
pub(super) fn calls_per_minute(campaigns: &[CampaignSummary]) -> String {
    let sum: f64 = campaigns.iter().filter_map(|campaign| campaign.calls_per_minute).sum();
    number(sum.round() as u64)
}

fn table(campaigns: &[CampaignSummary]) -> Markup {
    let mut in_order: Vec<&CampaignSummary> = campaigns.iter().collect();
    in_order.sort_by_key(|campaign| !campaign.is_started());
    html! {
        p {
            strong { (dialling(campaigns)) } " of " (campaigns.len()) " dialling · "
            strong { (calls_per_minute(campaigns)) } " calls a minute"
        }
        p.key aria-label="Colours of results" {
            @for (n, name) in RESULT_NAMES.iter().enumerate() { span { (swatch(&format!("result{n}"))) " " (name) } }
        }
        table.campaigns {
            thead {
                tr {
                    th { "Campaign" } th { "State" } th { "Penetration today" } th.number { "Now" }
                    th.number { "Calls a minute" } th { "Results" }
                }
            }
            tbody { @for campaign in in_order { (row(campaign)) } }
        }
    }
}

fn row(campaign: &CampaignSummary) -> Markup {
    let class = if campaign.is_started() { "" } else { "quiet" };
    let counts: Vec<String> = campaign
        .results
        .iter()
        .map(|count| count.map_or_else(|| "–".to_owned(), number))
        .collect();
    html! {
        tr class=(class) {
            td.title {
                span.name { (campaign.name) }
                small {
                    (campaign.id)
                    @if !campaign.skill_id.is_empty() { " · skill " (campaign.skill_id) }
                }
            }
            td.side {
                @match campaign.status {
                    Some("started") => span.state.good { "▶ started" },
                    Some("stopped") => span.muted { "■ stopped" },
                    None => "–",
                    Some(other) => (other),
                }
            }
            td.half data-label="Penetration today" {
                @if let Some(ratio) = campaign.penetration_day {
                    (bar(ratio, "part", "Penetration today")) " " span.figure { (percent(ratio)) }
                } @else { "–" }
            }
            td.number data-label="Now" { (campaign.penetration_now.map_or_else(|| "–".to_owned(), percent)) }
            td.number data-label="Calls/min" {
                (campaign.calls_per_minute.map_or_else(|| "–".to_owned(), |calls| format!("{calls:.1}")))
            }
            td.results.wide { (stacked(&results(&campaign.results))) small { (counts.join(" · ")) } }
        }
    }
}
