//! The campaigns of an operation, those that are dialling first.

use maud::{Markup, html};

use super::format::{number, percent};
use super::graphics::{bar, results, stacked, swatch};
use super::{PageData, texts as text};
use crate::health::ReportHealth;
use crate::language::Language;
use crate::reports::campaigns::CampaignSummary;
use crate::reports::{CAMPAIGNS, View};

/// The table, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let view = data.published.view(operation, &CAMPAIGNS);
    let say = |text| data.language.say(text);
    html! {
        h3 { (say(text::CAMPAIGNS)) }
        @match of_view(view.as_deref()) {
            None if report.last_success.is_some() => p.muted { (say(text::EXPIRED)) },
            None => p.muted { (say(text::NOT_READ)) },
            Some([]) => p.muted { (say(text::NO_CAMPAIGN)) },
            Some(campaigns) => (table(campaigns, data.language)),
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
fn dialling(campaigns: &[CampaignSummary]) -> usize {
    campaigns.iter().filter(|campaign| campaign.is_started()).count()
}

/// The same, of how many.
pub(super) fn dialling_of(campaigns: &[CampaignSummary], language: Language) -> String {
    language.of(&dialling(campaigns).to_string(), &campaigns.len().to_string())
}

/// The calls per minute of all campaigns.
pub(super) fn calls_per_minute(campaigns: &[CampaignSummary]) -> String {
    let sum: f64 = campaigns.iter().filter_map(|campaign| campaign.calls_per_minute).sum();
    number(sum.round() as u64)
}

fn table(campaigns: &[CampaignSummary], language: Language) -> Markup {
    let say = |text| language.say(text);
    let mut in_order: Vec<&CampaignSummary> = campaigns.iter().collect();
    in_order.sort_by_key(|campaign| !campaign.is_started());
    html! {
        p {
            strong { (dialling_of(campaigns, language)) } (say(text::IS_DIALLING)) " · "
            strong { (calls_per_minute(campaigns)) } (say(text::CALLS_A_MINUTE_OF_ALL))
        }
        p.key aria-label=(say(text::COLOURS)) {
            @for (n, name) in text::DIAL_RESULTS.into_iter().enumerate() {
                span { (swatch(&format!("result{n}"))) " " (say(name)) }
            }
        }
        table.campaigns {
            thead {
                tr {
                    th { (say(text::CAMPAIGN)) } th { (say(text::STATE)) } th { (say(text::PENETRATION_TODAY)) }
                    th.number { (say(text::NOW)) } th.number { (say(text::CALLS_A_MINUTE)) } th { (say(text::RESULTS)) }
                }
            }
            tbody { @for campaign in in_order { (row(campaign, language)) } }
        }
    }
}

fn row(campaign: &CampaignSummary, language: Language) -> Markup {
    let say = |text| language.say(text);
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
                    Some("started") => span.state.good { (say(text::STARTED)) },
                    Some("stopped") => span.muted { (say(text::STOPPED)) },
                    None => "–",
                    Some(other) => (other),
                }
            }
            td.half data-label=(say(text::PENETRATION_TODAY)) {
                @if let Some(ratio) = campaign.penetration_day {
                    (bar(ratio, "part", say(text::PENETRATION_TODAY))) " " span.figure { (percent(ratio)) }
                } @else { "–" }
            }
            td.number data-label=(say(text::NOW)) { (campaign.penetration_now.map_or_else(|| "–".to_owned(), percent)) }
            td.number data-label=(say(text::CALLS_PER_MINUTE)) {
                (campaign.calls_per_minute.map_or_else(|| "–".to_owned(), |calls| format!("{calls:.1}")))
            }
            td.results.wide { (stacked(&results(&campaign.results, language))) small { (counts.join(" · ")) } }
        }
    }
}
