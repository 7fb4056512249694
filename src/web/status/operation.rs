//! One operation: what happens now, then its API calls, reports, campaigns and abandoned calls.

use jiff::Timestamp;
use maud::{Markup, html};

use super::failures::state;
use super::format::{ago, counted, next_poll, number, span, took};
use super::graphics::quota;
use super::{PageData, abandonments, agents, assumptions, campaigns, queues};
use crate::health::{OperationHealth, ReportHealth, Skip};
use crate::reports::{ABANDONED_CALLS, AGENTS, CAMPAIGNS, Outcome, Report, SKILLS};

/// The section of an operation.
pub(super) fn section(name: &str, operation: &OperationHealth, data: PageData<'_>) -> Markup {
    let reports = &operation.reports;
    html! {
        section.operation {
            h2 { (name) }
            @if let Some(report) = reports.get(&SKILLS) { (queues::part(name, report, data)) }
            @if let Some(report) = reports.get(&AGENTS) { (agents::part(name, report, data)) }
            (agents::connections(name, data))
            h3 { "Reports" }
            p { "API calls today " (quota(operation.calls_used, operation.calls_limit)) }
            @if operation.used_by_others > Some(0) {
                p.state.wait {
                    "Other programs used " (number(operation.used_by_others.unwrap_or_default())) " more calls of this operation today, as the API counts."
                }
            }
            table.reports {
                thead {
                    tr {
                        th { "Report" } th { "State" } th { "Last success" } th.number { "Rows counted" }
                        th.number { "Last poll took" } th { "Next poll" }
                    }
                }
                tbody {
                    @for (kind, report) in reports { (report_row(kind, report, data.now)) }
                }
            }
            (assumptions::part(operation, data.now))
            @if let Some(report) = reports.get(&CAMPAIGNS) { (campaigns::part(name, report, data)) }
            @if let Some(report) = reports.get(&ABANDONED_CALLS) { (abandonments::part(name, report, data)) }
        }
    }
}

fn report_row(kind: &'static Report, report: &ReportHealth, now: Timestamp) -> Markup {
    html! {
        tr {
            td.title { (kind.name) @for note in notes(report) { small { (note) } } }
            td.side { (state(report)) }
            td data-label="Last success" {
                @match report.last_success {
                    Some(at) => time datetime=(at) title=(at) { (ago(now, at)) },
                    None => "none yet",
                }
            }
            td.number data-label="Rows" { (number(report.tally.rows(Outcome::Counted))) }
            td.number data-label="Took" {
                @if let Some(duration) = report.duration { (took(duration)) } @else { "–" }
            }
            td data-label="Next poll" {
                (next_poll(now, report)) " " span.muted { "every " (span(report.interval)) }
            }
        }
    }
}

/// Problems of a report that may be up all the same.
fn notes(report: &ReportHealth) -> Vec<String> {
    let invalid_fields: u64 = report.tally.invalid_fields().values().sum();
    let skipped = report.skipped(Skip::Budget) + report.skipped(Skip::Quota);
    let all = [
        (skipped, "poll", "skipped to save calls"),
        (report.tally.rows(Outcome::Invalid), "row", "not understood"),
        (invalid_fields, "value", "not understood"),
        (report.capped_windows, "second", "cut by the API's record limit"),
        (report.corrections, "day total", "that decreased"),
    ];
    let noted = all.into_iter().filter(|(count, ..)| *count > 0);
    noted
        .map(|(count, noun, what)| format!("{} {what}", counted(usize::try_from(count).unwrap_or(usize::MAX), noun)))
        .collect()
}
