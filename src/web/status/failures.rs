//! What is not well and what to do about it: the top of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::concerns::{Concern, is_concerned, of_operation, of_report};
use super::format::{ago, counted, next_poll};
use super::{PageData, texts as text};
use crate::client::Reason;
use crate::config::Shard;
use crate::health::{LastError, OperationHealth, ReportHealth};
use crate::language::Language;

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
    let language = data.language;
    let count = |reports: usize| counted(reports as u64, text::A_REPORT, language);
    let part = |reports: usize| language.of(&reports.to_string(), &count(all));
    let operations = counted(health.len() as u64, text::AN_OPERATION, language);
    let up = count(all - failing - waiting);
    let (class, strong, rest) = if failing > 0 {
        ("bad", language.failing(&part(failing)), language.within(&operations))
    } else if data.published.reload_failed() {
        let is_old = language.say(text::OLD_CONFIGURATION).to_owned();
        ("wait", is_old, format!(" · {}", language.read(&up)))
    } else if concerned > 0 {
        let limited = language.limited(&language.of(&concerned.to_string(), &operations));
        ("wait", limited, format!(" · {}", language.read(&up)))
    } else if waiting > 0 {
        ("wait", language.waiting(&part(waiting)), language.within(&operations))
    } else if all > 0 {
        ("good", language.all_is_well(&up), language.within(&operations))
    } else if data.shard == Shard::ONLY {
        ("wait", language.say(text::NO_OPERATION).to_owned(), String::new())
    } else {
        ("wait", language.none_of_shard(data.shard), String::new())
    };
    html! {
        p class={ "verdict " (class) } role="status" { strong { (strong) } (rest) }
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
        for concern in of_operation(operation, data.now) {
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
    let say = |text| data.language.say(text);
    html! {
        @for card in &failures { (card.markup(data)) }
        @for (concern, named) in &concerns {
            article.failure.wait {
                h2 { @if named.is_empty() { (say(text::CONFIGURATION)) } @else { (heading(named, data)) } }
                p { span.reason { (say(concern.name())) } " " (say(concern.what())) }
                p { strong { (say(text::WHAT_TO_DO)) } (say(concern.advice())) "." }
                (names(named, data))
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
    fn markup(&self, data: PageData<'_>) -> Markup {
        let language = data.language;
        let say = |text| language.say(text);
        let (language_of_what, what) = self.error.what.said(language);
        let oldest = self.reports.iter().map(|report| report.last_success).min().flatten();
        let next = self.reports.iter().min_by_key(|report| report.next_poll);
        html! {
            article.failure {
                h2 { (heading(&self.named, data)) }
                p {
                    span.reason { (language.reason(self.error.reason)) } " "
                    @if language_of_what == language { (what) } @else { span lang=(language_of_what.tag()) { (what) } }
                }
                p { strong { (say(text::WHAT_TO_DO)) } (say(self.error.advice)) "." }
                (names(&self.named, data))
                p.muted {
                    (say(text::LAST_SUCCESS)) ": "
                    @if let Some(at) = oldest { (ago(data.now, at, language)) } @else { (say(text::NONE_YET)) }
                    @if let Some(report) = next.filter(|report| report.next_poll.is_some()) {
                        " · " (say(text::NEXT_POLL)) ": " (next_poll(data.now, report, language))
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

fn heading(operations: &[Named<'_>], data: PageData<'_>) -> Markup {
    html! {
        @match operations {
            [operation] => (operation.markup(data)),
            _ => (counted(operations.len() as u64, text::AN_OPERATION, data.language)),
        }
    }
}

/// The names of several operations; that of a single one is the heading.
fn names(operations: &[Named<'_>], data: PageData<'_>) -> Markup {
    html! {
        @if operations.len() > 1 {
            p {
                @for (n, operation) in operations.iter().take(MOST_NAMES).enumerate() {
                    @if n > 0 { ", " }
                    (operation.markup(data))
                }
                @if operations.len() > MOST_NAMES { (data.language.and_more(operations.len() - MOST_NAMES)) }
            }
        }
    }
}

impl Named<'_> {
    fn markup(&self, data: PageData<'_>) -> Markup {
        html! {
            a href=(data.link(self.operation)) { (self.operation) }
            @if self.all > 1 && self.reports.len() == self.all {
                (data.language.say(text::ALL_REPORTS))
            } @else if !self.reports.is_empty() {
                " (" (self.reports.join(", ")) ")"
            }
        }
    }
}

/// The state of a report, with a sign for readers who cannot tell the colours apart.
pub(super) fn state(report: &ReportHealth, concerns: &[Concern], language: Language) -> Markup {
    let say = |text| language.say(text);
    let reason = report.last_error.as_ref().map(|error| error.reason);
    html! {
        @match (report.up, reason) {
            (Some(true), _) if !concerns.is_empty() => {
                span.state.wait {
                    (say(text::UP_BUT))
                    @for (n, concern) in concerns.iter().enumerate() { @if n > 0 { ", " } (say(concern.name())) }
                }
            }
            (Some(true), _) => span.state.good { (say(text::UP)) },
            (Some(false), Some(Reason::Quota)) => span.state.bad { (say(text::PAUSED)) },
            (Some(false), Some(reason)) => span.state.bad { (say(text::FAILING)) ": " (language.reason(reason)) },
            (Some(false), None) => span.state.bad { (say(text::FAILING)) },
            (None, _) => span.state.wait { (say(text::WAITING)) },
        }
    }
}
