//! One operation: its reports, its calls, and what campaigns and skills are doing.

use jiff::Timestamp;
use maud::{Markup, html};

use super::failures::state;
use super::graphics::bar;
use super::words::{ago, counted, next_poll, number, span, took};
use super::{Sources, abandonments, campaigns};
use crate::health::{OperationHealth, ReportHealth, Skip};
use crate::reports::{ABANDONED_CALLS, CAMPAIGNS, Outcome, Report};

/// From this share of its calls on an operation may run short.
const NEARLY_USED: f64 = 0.9;

/// Everything about an operation.
pub(super) fn section(name: &str, operation: &OperationHealth, sources: Sources<'_>) -> Markup {
    let reports = &operation.reports;
    html! {
        section.operation {
            h2 { (name) }
            p { "API calls today " (quota(operation)) }
            table.reports {
                thead {
                    tr {
                        th { "Report" } th { "State" } th { "Last success" } th.number { "Rows counted" }
                        th.number { "Last poll took" } th { "Next poll" }
                    }
                }
                tbody {
                    @for (kind, report) in reports { (report_row(kind, report, sources.now)) }
                }
            }
            @if let Some(report) = reports.get(&CAMPAIGNS) { (campaigns::part(name, report, sources)) }
            @if let Some(report) = reports.get(&ABANDONED_CALLS) { (abandonments::part(name, report, sources)) }
        }
    }
}

/// The calls that were used, as a bar and in numbers.
pub(super) fn quota(operation: &OperationHealth) -> Markup {
    let (used, limit) = (operation.calls_used, operation.calls_limit);
    let ratio = f64::from(used) / f64::from(limit.max(1));
    let class = match ratio {
        1.0.. => "bad",
        NEARLY_USED.. => "wait",
        _ => "part",
    };
    html! {
        (bar(ratio, class, "API calls used today")) " "
        span.figure { (number(used.into())) " of " (number(limit.into())) }
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

/// What is odd about a report, though it may be up.
fn notes(report: &ReportHealth) -> Vec<String> {
    let invalid_fields: u64 = report.tally.invalid_fields().values().sum();
    let left_out = report.skipped(Skip::Budget) + report.skipped(Skip::Quota);
    let all = [
        (left_out, "poll", "left out to save calls"),
        (report.tally.rows(Outcome::Invalid), "row", "not understood"),
        (invalid_fields, "value", "not understood"),
        (report.capped_windows, "second", "cut by the API's record limit"),
        (report.corrections, "day total", "that fell"),
    ];
    let noted = all.into_iter().filter(|(count, ..)| *count > 0);
    noted
        .map(|(count, noun, what)| format!("{} {what}", counted(usize::try_from(count).unwrap_or(usize::MAX), noun)))
        .collect()
}
