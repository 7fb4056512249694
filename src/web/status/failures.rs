//! What is not well and what to do about it: the top of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use super::PageData;
use super::concerns::{Concern, is_concerned, of_operation, of_report};
use super::format::{ago, counted, next_poll};
use crate::client::Reason;
use crate::config::Shard;
use crate::health::{LastError, OperationHealth, ReportHealth};

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
pub(super) fn verdict(health: &BTreeMap<Arc<str>, OperationHealth>, data: PageData<'_>) -> Markup {
    let all: usize = health.values().map(|operation| operation.reports.len()).sum();
    let failing = failing(health);
    let reports = health.values().flat_map(|operation| operation.reports.values());
    let waiting = reports.filter(|report| report.up.is_none()).count();
    let concerned = health
        .iter()
        .filter(|(name, operation)| is_concerned(name, operation, data))
        .count();
    let operations = counted(health.len(), "operation");
    let up = all - failing - waiting;
    html! {
        @if failing > 0 {
            p.verdict.bad role="status" {
                strong { "✕ " (failing) " of " (counted(all, "report")) " failing" } " in " (operations)
            }
        } @else if data.published.reload_failed() {
            p.verdict.wait role="status" {
                strong { "▲ The configuration is an old one" } " · " (counted(up, "report")) " up"
            }
        } @else if concerned > 0 {
            p.verdict.wait role="status" {
                strong { "▲ " (concerned) " of " (operations) " limited" } " · " (counted(up, "report")) " up"
            }
        } @else if waiting > 0 {
            p.verdict.wait role="status" {
                strong { "◌ " (waiting) " of " (counted(all, "report")) " waiting for the first poll" } " in " (operations)
            }
        } @else if all > 0 {
            p.verdict.good role="status" {
                strong { "● All is well: " (counted(all, "report")) " up" } " in " (operations)
            }
        } @else if data.shard == Shard::ONLY {
            p.verdict.wait role="status" { strong { "◌ No operation is configured" } }
        } @else {
            p.verdict.wait role="status" { strong { "◌ No operation belongs to " (data.shard) } }
        }
    }
}

/// A card for each failure and each concern, failures first. Reports that fail in the same way share one.
pub(super) fn cards<'a>(
    health: impl IntoIterator<Item = (&'a Arc<str>, &'a OperationHealth)>,
    data: PageData<'_>,
) -> Markup {
    let mut failures: Vec<Card<'_>> = Vec::new();
    let mut concerns: BTreeMap<Concern, Vec<Named<'_>>> = BTreeMap::new();
    if data.published.reload_failed() {
        concerns.insert(Concern::OldConfiguration, Vec::new());
    }
    for (name, operation) in health {
        let named = |reports| Named {
            operation: name,
            reports,
            all: operation.reports.len(),
        };
        for concern in of_operation(operation) {
            concerns.entry(concern).or_default().push(named(Vec::new()));
        }
        for (kind, report) in &operation.reports {
            for concern in of_report(name, kind, report, data) {
                add(concerns.entry(concern).or_default(), named(vec![kind.name]));
            }
            let Some(error) = report.last_error.as_ref().filter(|_| report.up == Some(false)) else {
                continue;
            };
            let named = named(vec![kind.name]);
            match failures.iter_mut().find(|card| card.error == error) {
                Some(card) => {
                    card.reports.push(report);
                    add(&mut card.named, named);
                }
                None => failures.push(Card {
                    error,
                    named: vec![named],
                    reports: vec![report],
                }),
            }
        }
    }
    html! {
        @for card in &failures { (card.markup(data.now)) }
        @for (concern, named) in &concerns {
            article.failure.wait {
                h2 { @if named.is_empty() { "Configuration" } @else { (heading(named)) } }
                p { span.reason { (concern.name()) } " " (concern.what()) }
                p { strong { "What to do: " } (concern.advice()) "." }
                (names(named))
            }
        }
    }
}

/// Reports that fail in the same way.
struct Card<'a> {
    error: &'a LastError,
    named: Vec<Named<'a>>,
    reports: Vec<&'a ReportHealth>,
}

impl Card<'_> {
    fn markup(&self, now: Timestamp) -> Markup {
        let oldest = self.reports.iter().map(|report| report.last_success).min().flatten();
        let next = self.reports.iter().min_by_key(|report| report.next_poll);
        html! {
            article.failure {
                h2 { (heading(&self.named)) }
                p { span.reason { (self.error.reason.name()) } " " (self.error.what) }
                p { strong { "What to do: " } (self.error.advice) "." }
                (names(&self.named))
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

/// An operation on a card.
struct Named<'a> {
    operation: &'a str,
    /// Its reports on the card; none if the card is about the operation as a whole.
    reports: Vec<&'static str>,
    /// The number of all its reports.
    all: usize,
}

/// Adds a report to its operation, which was the last one.
fn add<'a>(to: &mut Vec<Named<'a>>, named: Named<'a>) {
    match to.last_mut().filter(|last| last.operation == named.operation) {
        Some(last) => last.reports.extend(named.reports),
        None => to.push(named),
    }
}

fn heading(operations: &[Named<'_>]) -> Markup {
    html! {
        @match operations {
            [operation] => (operation.markup()),
            _ => (counted(operations.len(), "operation")),
        }
    }
}

/// The names of several operations; that of a single one is the heading.
fn names(operations: &[Named<'_>]) -> Markup {
    html! {
        @if operations.len() > 1 {
            p {
                @for (n, operation) in operations.iter().take(MOST_NAMES).enumerate() {
                    @if n > 0 { ", " }
                    (operation.markup())
                }
                @if operations.len() > MOST_NAMES { " and " (operations.len() - MOST_NAMES) " more" }
            }
        }
    }
}

impl Named<'_> {
    fn markup(&self) -> Markup {
        html! {
            a href={ "?operation=" (self.operation) } { (self.operation) }
            @if self.all > 1 && self.reports.len() == self.all {
                " (all reports)"
            } @else if !self.reports.is_empty() {
                " (" (self.reports.join(", ")) ")"
            }
        }
    }
}

/// The state of a report, with a sign for readers who cannot tell the colours apart.
pub(super) fn state(report: &ReportHealth, concerns: &[Concern]) -> Markup {
    let reason = report.last_error.as_ref().map(|error| error.reason);
    html! {
        @match (report.up, reason) {
            (Some(true), _) if !concerns.is_empty() => {
                span.state.wait {
                    "▲ up: "
                    @for (n, concern) in concerns.iter().enumerate() { @if n > 0 { ", " } (concern.name()) }
                }
            }
            (Some(true), _) => span.state.good { "● up" },
            (Some(false), Some(Reason::Quota)) => span.state.bad { "✕ paused: quota" },
            (Some(false), Some(reason)) => span.state.bad { "✕ failing: " (reason.name()) },
            (Some(false), None) => span.state.bad { "✕ failing" },
            (None, _) => span.state.wait { "◌ waiting" },
        }
    }
}
