//! One operation: what happens now, then its API calls, reports, campaigns and abandoned calls.

use maud::{Markup, html};

use super::concerns::{Concern, of_report};
use super::failures::state;
use super::format::{LocalTime, ago, counted, next_poll, number, span, took};
use super::graphics::quota;
use super::{PageData, abandonments, agents, assumptions, campaigns, queues, texts as text};
use crate::health::{OperationHealth, ReportHealth, Skip};
use crate::language::Language;
use crate::reports::{ABANDONED_CALLS, AGENTS, CAMPAIGNS, Outcome, Report, SKILLS};

/// The section of an operation.
pub(super) fn section(name: &str, operation: &OperationHealth, data: PageData<'_>) -> Markup {
    let say = |text| data.language.say(text);
    let reports = &operation.reports;
    let local = LocalTime {
        zone: &operation.timezone.0,
        now: data.now,
    };
    html! {
        section.operation {
            h2 { (name) }
            p.muted { (say(text::LOCAL_TIME)) (local.date_and_time(data.now)) " · " (operation.timezone.1) }
            @if let Some(report) = reports.get(&SKILLS) { (queues::part(name, report, data)) }
            @if let Some(report) = reports.get(&AGENTS) { (agents::part(name, report, data)) }
            (agents::connections(name, data))
            h3 { (say(text::REPORTS)) }
            p { (say(text::API_CALLS_TODAY)) " " (quota(operation.calls_used, operation.calls_limit, data.language)) }
            @if operation.used_by_others > Some(0) {
                p.muted {
                    (data.language.used_by_others(&number(operation.used_by_others.unwrap_or_default())))
                }
            }
            @if !operation.state.is_on_disk {
                p.muted { (say(text::IN_MEMORY)) }
            }
            table.reports {
                thead {
                    tr {
                        th { (say(text::REPORT)) } th { (say(text::STATE)) } th { (say(text::LAST_SUCCESS)) }
                        th.number { (say(text::ROWS_COUNTED)) } th.number { (say(text::LAST_POLL_TOOK)) } th { (say(text::NEXT_POLL)) }
                    }
                }
                tbody {
                    @for (kind, report) in reports { (report_row(kind, report, &of_report(name, kind, report, data), local, data.language)) }
                }
            }
            (assumptions::part(operation, data))
            @if let Some(report) = reports.get(&CAMPAIGNS) { (campaigns::part(name, report, data)) }
            @if let Some(report) = reports.get(&ABANDONED_CALLS) { (abandonments::part(name, report, data)) }
        }
    }
}

fn report_row(
    kind: &'static Report,
    report: &ReportHealth,
    concerns: &[Concern],
    local: LocalTime<'_>,
    language: Language,
) -> Markup {
    let say = |text| language.say(text);
    let now = local.now;
    html! {
        tr {
            td.title { (kind.name) @for note in notes(report, language) { small { (note) } } }
            td.side { (state(report, concerns, language)) }
            td data-label=(say(text::LAST_SUCCESS_SHORT)) {
                @match report.last_success {
                    Some(at) => {
                        time datetime=(at) { (ago(now, at, language)) }
                        " " span.muted { (local.time(at)) }
                    },
                    None => (say(text::NONE_YET)),
                }
            }
            td.number data-label=(say(text::ROWS)) { (number(report.tally.rows(Outcome::Counted))) }
            td.number data-label=(say(text::TOOK)) {
                @if let Some(duration) = report.duration { (took(duration)) } @else { "–" }
            }
            td data-label=(say(text::NEXT_POLL_SHORT)) {
                (next_poll(now, report, language)) " "
                @if let Some(at) = report.next_poll { span.muted { (local.time(at)) } " " }
                span.muted { (language.every(&span(report.interval))) }
            }
        }
    }
}

/// Problems of a report that may be up all the same.
fn notes(report: &ReportHealth, language: Language) -> Vec<String> {
    let invalid_fields: u64 = report.tally.invalid_fields().values().sum();
    let skipped = report.skipped(Skip::Budget) + report.skipped(Skip::Quota);
    let all = [
        (skipped, text::A_SKIPPED_POLL),
        (report.tally.rows(Outcome::Invalid), text::AN_UNREAD_ROW),
        (invalid_fields, text::AN_UNREAD_VALUE),
        (report.capped_windows, text::A_CUT_SECOND),
        (report.corrections, text::A_DECREASED_DAY),
    ];
    let noted = all.into_iter().filter(|(count, _)| *count > 0);
    noted.map(|(count, noun)| counted(count, noun, language)).collect()
}
