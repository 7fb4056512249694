//! What is broken and what to do about it: the top of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use super::format::{ago, counted, next_poll};
use crate::client::Reason;
use crate::config::Shard;
use crate::health::{LastError, OperationHealth, ReportHealth};
use crate::reports::Report;

/// At most this many operations are named on a card.
const MOST_NAMES: usize = 10;

/// The number of failing reports of all operations.
pub(super) fn failing(health: &BTreeMap<Arc<str>, OperationHealth>) -> usize {
    health.values().map(failing_of).sum()
}

/// The number of failing reports of an operation.
pub(super) fn failing_of(operation: &OperationHealth) -> usize {
    let reports = operation.reports.values();
    reports.filter(|report| report.up == Some(false)).count()
}

/// Whether some report of the operation has not been polled yet.
pub(super) fn is_waiting(operation: &OperationHealth) -> bool {
    operation.reports.values().any(|report| report.up.is_none())
}

/// The state of everything in one line.
pub(super) fn verdict(health: &BTreeMap<Arc<str>, OperationHealth>, shard: Shard) -> Markup {
    let all: usize = health.values().map(|operation| operation.reports.len()).sum();
    let failing = failing(health);
    let reports = health.values().flat_map(|operation| operation.reports.values());
    let waiting = reports.filter(|report| report.up.is_none()).count();
    let operations = counted(health.len(), "operation");
    html! {
        @if failing > 0 {
            p.verdict.bad role="status" {
                strong { "✕ " (failing) " of " (counted(all, "report")) " failing" } " in " (operations)
            }
        } @else if waiting > 0 {
            p.verdict.wait role="status" {
                strong { "◌ " (waiting) " of " (counted(all, "report")) " waiting for the first poll" } " in " (operations)
            }
        } @else if all > 0 {
            p.verdict.good role="status" {
                strong { "● All is well: " (counted(all, "report")) " up" } " in " (operations)
            }
        } @else if shard == Shard::ONLY {
            p.verdict.wait role="status" { strong { "◌ No operation is configured" } }
        } @else {
            p.verdict.wait role="status" { strong { "◌ No operation belongs to " (shard) } }
        }
    }
}

/// A card for each failure. Reports that fail in the same way share one.
pub(super) fn cards<'a>(
    health: impl IntoIterator<Item = (&'a Arc<str>, &'a OperationHealth)>,
    now: Timestamp,
) -> Markup {
    let mut cards: Vec<Card<'_>> = Vec::new();
    for (name, operation) in health {
        for (kind, report) in &operation.reports {
            let Some(error) = report.last_error.as_ref().filter(|_| report.up == Some(false)) else {
                continue;
            };
            match cards.iter_mut().find(|card| card.error == error) {
                Some(card) => card.reports.push((name, operation, *kind, report)),
                None => cards.push(Card {
                    error,
                    reports: vec![(name, operation, *kind, report)],
                }),
            }
        }
    }
    html! {
        @for card in &cards { (card.markup(now)) }
    }
}

struct Card<'a> {
    error: &'a LastError,
    reports: Vec<(&'a str, &'a OperationHealth, &'static Report, &'a ReportHealth)>,
}

impl Card<'_> {
    fn markup(&self, now: Timestamp) -> Markup {
        let mut operations: Vec<Failing<'_>> = Vec::new();
        for (name, operation, kind, _) in &self.reports {
            match operations.last_mut().filter(|(last, ..)| last == name) {
                Some((_, reports, _)) => reports.push(kind.name),
                None => operations.push((name, vec![kind.name], operation.reports.len())),
            }
        }
        let reports = || self.reports.iter().map(|(.., report)| *report);
        let oldest = reports().map(|report| report.last_success).min().flatten();
        let next = reports().min_by_key(|report| report.next_poll);
        html! {
            article.failure {
                h2 {
                    @match &operations[..] {
                        [operation] => (named(operation)),
                        _ => (counted(operations.len(), "operation")),
                    }
                }
                p { span.reason { (self.error.reason.name()) } " " (self.error.what) }
                p { strong { "What to do: " } (self.error.advice) "." }
                @if operations.len() > 1 {
                    p {
                        @for (n, operation) in operations.iter().take(MOST_NAMES).enumerate() {
                            @if n > 0 { ", " }
                            (named(operation))
                        }
                        @if operations.len() > MOST_NAMES { " and " (operations.len() - MOST_NAMES) " more" }
                    }
                }
                p.muted {
                    "Last success: " @if let Some(at) = oldest { (ago(now, at)) } @else { "none yet" }
                    @if let Some(report) = next.filter(|report| report.next_poll.is_some()) {
                        " · next poll: " (next_poll(now, report))
                    }
                }
            }
        }
    }
}

/// An operation, the reports on the card, and the number of all its reports.
type Failing<'a> = (&'a str, Vec<&'static str>, usize);

fn named((name, reports, all): &Failing<'_>) -> Markup {
    html! {
        a href={ "?operation=" (name) } { (name) }
        @if *all > 1 && reports.len() == *all { " (all reports)" } @else { " (" (reports.join(", ")) ")" }
    }
}

/// The state of a report, with a sign for readers who cannot tell the colours apart.
pub(super) fn state(report: &ReportHealth) -> Markup {
    let reason = report.last_error.as_ref().map(|error| error.reason);
    html! {
        @match (report.up, reason) {
            (Some(true), _) => span.state.good { "● up" },
            (Some(false), Some(Reason::Quota)) => span.state.bad { "✕ paused: quota" },
            (Some(false), Some(reason)) => span.state.bad { "✕ failing: " (reason.name()) },
            (Some(false), None) => span.state.bad { "✕ failing" },
            (None, _) => span.state.wait { "◌ waiting" },
        }
    }
}
