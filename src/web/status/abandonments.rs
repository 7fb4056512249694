//! The calls and chats abandoned in the last hour, by skill.

use maud::{Markup, html};

use super::PageData;
use super::format::{number, percent, span};
use super::graphics::{histogram, median};
use crate::health::ReportHealth;
use crate::published::abandonments::{LastHour, SkillHour};

/// The table, or the reason why there is none.
pub(super) fn part(operation: &str, report: &ReportHealth, data: PageData<'_>) -> Markup {
    let hour = data.published.abandonments(operation, data.instant);
    // Totals from the state are there before the first poll.
    let Some(hour) = hour.filter(|_| report.last_success.is_some()) else {
        return html! { h3 { "Abandoned" } p.muted { "Not read yet." } };
    };
    let names = data.published.skill_names(operation);
    let (busy, idle): (Vec<&SkillHour>, Vec<&SkillHour>) = hour.skills.iter().partition(|skill| skill.interactions > 0);
    html! {
        h3 { "Abandoned " (span_in_words(&hour)) }
        @if busy.is_empty() {
            p.muted { "No calls or chats were counted." }
        } @else {
            table.abandonments {
                thead {
                    tr { th { "Skill" } th.number { "Abandoned" } th.number { "Of all calls and chats" } th { "Waited before giving up" } }
                }
                tbody { @for skill in busy { (row(skill, names.get(&*skill.id), hour.bounds)) } }
            }
            @if !idle.is_empty() { p.muted { "Without calls or chats: " (idle.len()) " more." } }
        }
    }
}

/// The period covered.
pub(super) fn span_in_words(hour: &LastHour) -> String {
    if hour.is_whole() {
        "in the last 60 min".to_owned()
    } else {
        format!("since start ({})", span(hour.span))
    }
}

fn row(skill: &SkillHour, name: Option<&String>, bounds: &[f64]) -> Markup {
    let ratio = skill.abandoned as f64 / skill.interactions.max(1) as f64;
    let median = median(bounds, &skill.waits);
    let label = format!("Time to abandonment, {}", median.as_deref().unwrap_or("none"));
    html! {
        tr {
            td.title {
                @match name.filter(|name| !name.is_empty()) {
                    Some(name) => { span.name { (name) } small { (skill.id) } }
                    None => span.name { "Skill " (skill.id) },
                }
            }
            td.number data-label="Abandoned" { strong { (number(skill.abandoned)) } }
            td.number data-label="Of all" { (percent(ratio)) " of " (number(skill.interactions)) }
            td.wide {
                @if let Some(median) = median {
                    div.waits { (histogram(bounds, &skill.waits, &label)) small { (median) } }
                } @else { span.muted { "–" } }
            }
        }
    }
}
