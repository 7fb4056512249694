//! One operation: what happens now, then its API calls, reports, campaigns and abandoned calls.

use maud::{Markup, html};

use super::concerns::{Concern, of_report};
use super::failures::state;
use super::format::{LocalTime, ago, counted, next_poll, number, span, took};
use super::graphics::quota;
use super::{PageData, abandonments, agents, assumptions, campaigns, queues};
use crate::health::{OperationHealth, ReportHealth, Skip};
use crate::reports::{ABANDONED_CALLS, AGENTS, CAMPAIGNS, Outcome, Report, SKILLS};

/// The section of an operation.
pub(super) fn section(name: &str, operation: &OperationHealth, data: PageData<'_>) -> Markup {
    let reports = &operation.reports;
    let local = LocalTime {
        zone: &operation.timezone.0,
        now: data.now,
    };
    html! {
        section.operation {
            h2 { (name) }
            p.muted { "Local time " (local.date_and_time(data.now)) " · " (operation.timezone.1) }
            @if let Some(report) = reports.get(&SKILLS) { (queues::part(name, report, data)) }
            @if let Some(report) = reports.get(&AGENTS) { (agents::part(name, report, data)) }
            (agents::connections(name, data))
            h3 { "Reports" }
            p { "API calls today " (quota(operation.calls_used, operation.calls_limit)) }
            @if operation.used_by_others > Some(0) {
                p.muted {
                    "Other programs used " (number(operation.used_by_others.unwrap_or_default())) " more calls of this operation today, as the API counts."
                }
            }
            @if !operation.state.is_on_disk {
                p.muted { "Counts are kept in memory alone and begin at 0 with each start: set state_path." }
            }
            table.reports {
                thead {
                    tr {
                        th { "Report" } th { "State" } th { "Last success" } th.number { "Rows counted" }
                        th.number { "Last poll took" } th { "Next poll" }
                    }
                }
                tbody {
                    @for (kind, report) in reports { (report_row(kind, report, &of_report(name, kind, report, data), local)) }
                }
            }
            (assumptions::part(operation, data.now))
            @if let Some(report) = reports.get(&CAMPAIGNS) { (campaigns::part(name, report, data)) }
            @if let Some(report) = reports.get(&ABANDONED_CALLS) { (abandonments::part(name, report, data)) }
        }
    }
}

fn report_row(kind: &'static Report, report: &ReportHealth, concerns: &[Concern], local: LocalTime<'_>) -> Markup {
    let now = local.now;
    html! {
        tr {
            td.title { (kind.name) @for note in notes(report) { small { (note) } } }
            td.side { (state(report, concerns)) }
            td data-label="Last success" {
                @match report.last_success {
                    Some(at) => {
                        time datetime=(at) { (ago(now, at)) }
                        small { (local.time(at)) }
                    },
                    None => "none yet",
                }
            }
            td.number data-label="Rows" { (number(report.tally.rows(Outcome::Counted))) }
            td.number data-label="Took" {
                @if let Some(duration) = report.duration { (took(duration)) } @else { "–" }
            }
            td data-label="Next poll" {
                (next_poll(now, report)) " " span.muted { "every " (span(report.interval)) }
                @if let Some(at) = report.next_poll { small { (local.time(at)) } }
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
