//! All operations, one row each, failing ones first.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::agents::logged_in;
use super::campaigns::{calls_per_minute, dialling, of_view};
use super::concerns::is_concerned;
use super::failures::{failing_of, is_waiting};
use super::format::{counted, number};
use super::graphics::quota;
use super::queues::waiting;
use super::{PageData, abandonments};
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
    html! {
        section {
            h2 { (counted(health.len(), "operation")) }
            table.overview {
                thead {
                    tr {
                        th { "Operation" } th { "Reports" } th { "API calls today" } th.number { "Waiting" } th.number { "Agents" }
                        th.number { "Campaigns dialling" } th.number { "Calls a minute" } th.number { "Abandoned, last hour" }
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
    let view = |report| data.published.view(name, report);
    let (campaigns, skills, agents) = (view(&CAMPAIGNS), view(&SKILLS), view(&AGENTS));
    let campaigns = of_view(campaigns.as_deref());
    let hour = data.published.abandonments(name, data.instant);
    let (failing, all) = (failing_of(operation), operation.reports.len());
    html! {
        tr {
            td.title { a href={ "?operation=" (name) } { (name) } }
            td.side {
                @if failing > 0 {
                    span.state.bad { "✕ " (failing) " of " (all) " failing" }
                } @else if is_concerned(name, operation, data) {
                    span.state.wait { "▲ limited" }
                } @else if is_waiting(operation) {
                    span.state.wait { "◌ waiting" }
                } @else {
                    span.state.good { "● " (all) " up" }
                }
            }
            td.wide.inline data-label="API calls today" { (quota(operation.calls_used, operation.calls_limit)) }
            td.number data-label="Waiting" {
                @if let Some(View::Skills(skills)) = skills.as_deref() { (number(waiting(skills))) } @else { "–" }
            }
            td.number data-label="Agents" {
                @if let Some(View::Agents(agents)) = agents.as_deref() { (number(logged_in(agents))) } @else { "–" }
            }
            td.number data-label="Dialling" {
                @if let Some(campaigns) = campaigns { (dialling(campaigns)) " of " (campaigns.len()) } @else { "–" }
            }
            td.number data-label="Calls/min" {
                @if let Some(campaigns) = campaigns { (calls_per_minute(campaigns)) } @else { "–" }
            }
            td.number data-label="Abandoned" {
                @if let Some(hour) = hour {
                    (number(hour.skills.iter().map(|skill| skill.abandoned).sum()))
                    @if !hour.is_whole() { small { (abandonments::span_in_words(&hour)) } }
                } @else { "–" }
            }
        }
    }
}
