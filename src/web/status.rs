//! The page for people: is it running, and is every report up to date?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::metrics::own::{OperationHealth, ReportHealth, Skip};
use crate::reports::{Outcome, ReportKind};

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.up { color: #1a7f37; } .down { color: #cf222e; } .waiting { color: #9a6700; }
@media (prefers-color-scheme: dark) { .up { color: #3fb950; } .down { color: #ff7b72; } .waiting { color: #d29922; } }
.muted { opacity: .7; }
";

/// The page.
pub(super) fn page(health: &BTreeMap<Arc<str>, OperationHealth>, now: Timestamp, telemetry_path: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="10";
                title { "Wolkvox exporter" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Wolkvox exporter" }
                p {
                    a href=(telemetry_path) { "Metrics" } " · "
                    a href="/-/ready" { "Ready" } " · "
                    a href="/-/healthy" { "Healthy" }
                }
                @for (name, operation) in health { (operation_section(name, operation, now)) }
                p.muted { "Version " (env!("CARGO_PKG_VERSION")) " (" (env!("BUILD_REVISION")) ")" }
            }
        }
    }
}

fn operation_section(name: &str, operation: &OperationHealth, now: Timestamp) -> Markup {
    html! {
        h2 { (name) }
        p.muted { "API calls today: " (operation.calls_used) " of " (operation.calls_limit) }
        div.scroll {
            table {
                thead {
                    tr {
                        th { "Report" } th { "State" } th { "Last success" }
                        th.number { "Rows counted" } th.number { "Last poll took" } th { "Polled every" }
                    }
                }
                tbody {
                    @for (kind, report) in &operation.reports { (report_row(*kind, report, now)) }
                }
            }
        }
    }
}

fn report_row(kind: ReportKind, report: &ReportHealth, now: Timestamp) -> Markup {
    let (class, state) = match report.up {
        Some(true) => ("up", "up"),
        Some(false) => ("down", "failing"),
        None => ("waiting", "waiting for the first poll"),
    };
    let skipped = report.skipped(Skip::Budget) + report.skipped(Skip::Quota);
    html! {
        tr {
            td { (kind.name()) }
            td {
                span class=(class) { (state) }
                @if let Some(error) = &report.last_error { br; span.muted { (error) } }
                @if skipped > 0 { br; span.muted { (skipped) " polls left out" } }
            }
            td {
                @if let Some(at) = report.last_success { (age(now, at)) " ago" } @else { "never" }
            }
            td.number { (report.tally.rows(Outcome::Counted)) }
            td.number { @if let Some(took) = report.duration { (took.as_millis()) " ms" } }
            td { (humantime::format_duration(report.interval)) }
        }
    }
}

fn age(now: Timestamp, at: Timestamp) -> String {
    let age = Duration::try_from(now.duration_since(at)).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(age.as_secs())).to_string()
}
