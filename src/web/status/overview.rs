//! All operations, a line each, those that fail first.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::failures::{failing_of, is_waiting};
use super::words::{counted, number};
use super::{Sources, abandonments, operation};
use crate::health::OperationHealth;
use crate::reports::campaigns::CampaignSummary;

/// The operations in the order in which they want attention.
pub(super) fn in_order(health: &BTreeMap<Arc<str>, OperationHealth>) -> Vec<(&str, &OperationHealth)> {
    let mut operations: Vec<(&str, &OperationHealth)> =
        health.iter().map(|(name, operation)| (&**name, operation)).collect();
    operations.sort_by_key(|(_, operation)| (failing_of(operation) == 0, !is_waiting(operation)));
    operations
}

/// The table.
pub(super) fn table(health: &BTreeMap<Arc<str>, OperationHealth>, sources: Sources<'_>) -> Markup {
    html! {
        section {
            h2 { (counted(health.len(), "operation")) }
            table.overview {
                thead {
                    tr {
                        th { "Operation" } th { "Reports" } th { "API calls today" }
                        th.number { "Campaigns dialling" } th.number { "Calls a minute" } th.number { "Abandoned, last hour" }
                    }
                }
                tbody {
                    @for (name, operation) in in_order(health) { (row(name, operation, sources)) }
                }
            }
        }
    }
}

fn row(name: &str, operation: &OperationHealth, sources: Sources<'_>) -> Markup {
    let campaigns = sources.published.campaigns(name);
    let campaigns = campaigns.as_deref();
    let hour = sources.published.abandonments(name, sources.instant);
    let (failing, all) = (failing_of(operation), operation.reports.len());
    html! {
        tr {
            td.title { a href={ "?operation=" (name) } { (name) } }
            td.side {
                @if failing > 0 {
                    span.state.bad { "✕ " (failing) " of " (all) " failing" }
                } @else if is_waiting(operation) {
                    span.state.wait { "◌ waiting" }
                } @else {
                    span.state.good { "● " (all) " up" }
                }
            }
            td.wide.inline data-label="API calls today" { (operation::quota(operation)) }
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

/// Campaigns that dial.
pub(super) fn dialling(campaigns: &[CampaignSummary]) -> usize {
    campaigns.iter().filter(|campaign| campaign.is_started()).count()
}

/// What all campaigns dial a minute.
pub(super) fn calls_per_minute(campaigns: &[CampaignSummary]) -> String {
    let sum: f64 = campaigns.iter().filter_map(|campaign| campaign.calls_per_minute).sum();
    number(sum.round() as u64)
}
