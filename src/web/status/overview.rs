//! All operations, one row each, failing ones first.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::agents::logged_in;
use super::campaigns::{calls_per_minute, dialling_of, of_view};
use super::concerns::is_concerned;
use super::failures::{failing_of, is_waiting};
use super::format::{counted, number};
use super::graphics::quota;
use super::queues::waiting;
use super::{PageData, abandonments, texts as text};
use crate::health::OperationHealth;
use crate::reports::{AGENTS, CAMPAIGNS, SKILLS, View};

/// The operations, the most urgent first.
pub(super) fn in_order<'a>(
    health: &'a BTreeMap<Arc<str>, OperationHealth>,
    data: PageData<'_>,
) -> Vec<(&'a str, &'a OperationHealth)> {
    let mut operations: Vec<(&str, &OperationHealth)> =
        health.iter().map(|(name, operation)| (&**name, operation)).collect();
    operations.sort_by_cached_key(|(name, operation)| {
        let is_concerned = is_concerned(name, operation, data);
        (failing_of(operation) == 0, !is_concerned, !is_waiting(operation))
    });
    operations
}

/// The table.
pub(super) fn table(health: &BTreeMap<Arc<str>, OperationHealth>, data: PageData<'_>) -> Markup {
    let say = |text| data.language.say(text);
    html! {
        section {
            h2 { (counted(health.len() as u64, text::AN_OPERATION, data.language)) }
            table.overview {
                thead {
                    tr {
                        th { (say(text::OPERATION)) } th { (say(text::REPORTS)) } th { (say(text::API_CALLS_TODAY)) }
                        th.number { (say(text::IN_QUEUE)) } th.number { (say(text::AGENTS)) }
                        th.number { (say(text::CAMPAIGNS_DIALLING)) } th.number { (say(text::CALLS_A_MINUTE)) }
                        th.number { (say(text::ABANDONED_LAST_HOUR)) }
                    }
                }
                tbody {
                    @for (name, operation) in in_order(health, data) { (row(name, operation, data)) }
                }
            }
        }
    }
}

fn row(name: &str, operation: &OperationHealth, data: PageData<'_>) -> Markup {
    let language = data.language;
    let say = |text| language.say(text);
    let view = |report| data.published.view(name, report);
    let (campaigns, skills, agents) = (view(&CAMPAIGNS), view(&SKILLS), view(&AGENTS));
    let campaigns = of_view(campaigns.as_deref());
    let hour = data.published.abandonments(name, data.instant);
    let (failing, all) = (failing_of(operation), operation.reports.len());
    html! {
        tr {
            td.title { a href=(data.link(name)) { (name) } }
            td.side {
                @if failing > 0 {
                    span.state.bad { (language.failing(&language.of(&failing.to_string(), &all.to_string()))) }
                } @else if is_concerned(name, operation, data) {
                    span.state.wait { (say(text::LIMITED)) }
                } @else if is_waiting(operation) {
                    span.state.wait { (say(text::WAITING)) }
                } @else {
                    span.state.good { "● " (language.up(&all.to_string())) }
                }
            }
            td.wide.inline data-label=(say(text::API_CALLS_TODAY)) { (quota(operation.calls_used, operation.calls_limit, language)) }
            td.number data-label=(say(text::IN_QUEUE)) {
                @if let Some(View::Skills(skills)) = skills.as_deref() { (number(waiting(skills))) } @else { "–" }
            }
            td.number data-label=(say(text::AGENTS)) {
                @if let Some(View::Agents(agents)) = agents.as_deref() { (number(logged_in(agents))) } @else { "–" }
            }
            td.number data-label=(say(text::DIALLING)) {
                @if let Some(campaigns) = campaigns { (dialling_of(campaigns, language)) } @else { "–" }
            }
            td.number data-label=(say(text::CALLS_PER_MINUTE)) {
                @if let Some(campaigns) = campaigns { (calls_per_minute(campaigns)) } @else { "–" }
            }
            td.number data-label=(say(text::ABANDONMENT)) {
                @if let Some(hour) = hour {
                    (number(hour.skills.iter().map(|skill| skill.abandoned).sum()))
                    @if !hour.is_whole() { small { (abandonments::span_in_words(&hour, language)) } }
                } @else { "–" }
            }
        }
    }
}
