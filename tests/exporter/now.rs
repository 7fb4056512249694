//! The reports of what happens now, against the simulator's truth and the forms of the API's pages.

mod agents;
mod latency;
mod order;
mod quota;
mod skills;
mod status;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::{Operation, ReportConfig};
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{REPORTS, Report};
use wolkvox_simulator::{EventPlan, OperationPlan, ScriptedAnswer, Switches};

use crate::support::{Samples, Stage, api, at, zone};

/// Noon of a working day in Bogota.
const NOON: &str = "2026-11-20T17:00:00Z";

/// A form of the API's answers: its name, and what is switched for it.
type Change = (&'static str, fn(&mut Switches));

/// All reports, with all their defaults.
fn all_reports(operation: &mut Operation, _: &mut PollSettings) {
    operation.reports = REPORTS.map(|report| (report, ReportConfig::new(report))).into();
    operation.daily_calls = 1_000_000;
}

/// A busy operation whose rows appear at once.
fn busy() -> OperationPlan {
    OperationPlan::new("acme", zone("America/Bogota"))
        .volume(3.0)
        .events(EventPlan::calm())
}

pub(crate) async fn stage() -> Stage {
    Stage::with(NOON, busy(), all_reports).await
}

/// A quarter of an hour of one day after the other, over midnight.
fn quarters(from: &str, hours: i64) -> impl Iterator<Item = Timestamp> {
    let from = at(from);
    (0..=4 * hours).map(move |quarter| from + SignedDuration::from_mins(15 * quarter))
}

/// The series of a report with their values, without the label `operation`.
fn shown(samples: &Samples, report: &Report) -> BTreeMap<String, f64> {
    let names: Vec<String> = report.families.iter().map(|family| family.sample_name()).collect();
    let mut shown = BTreeMap::new();
    for (name, labels, value) in samples.iter().filter(|(name, ..)| names.contains(&(*name).to_owned())) {
        let labels = labels.iter().filter(|(label, _)| *label != "operation");
        let labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value}")).collect();
        shown.insert(format!("{name}{{{}}}", labels.join(",")), value);
    }
    shown
}

/// What a report shows of an answer with these rows.
async fn of_rows(stage: &mut Stage, report: &'static Report, rows: &str) -> BTreeMap<String, f64> {
    of_answer(
        stage,
        report,
        &format!(r#"{{"code": "200", "error": null, "data": [{rows}]}}"#),
    )
    .await
}

async fn of_answer(stage: &mut Stage, report: &'static Report, answer: &str) -> BTreeMap<String, f64> {
    stage
        .acme()
        .answer_with(api(report), ScriptedAnswer::json(answer.to_owned()));
    stage.poll(report, NOON).await;
    let samples = stage.samples().await;
    let up = samples.get("wolkvox_up", &[("report", report.name)]);
    assert_eq!(up, Some(1.0), "{answer}");
    shown(&samples, report)
}

/// Adds a series.
fn add(expected: &mut BTreeMap<String, f64>, series: &str, value: f64) {
    let before = expected.insert(series.to_owned(), value);
    assert_eq!(before, None, "{series}");
}

/// Shares have two decimals in percent.
fn assert_close(shown: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>, what: &str) {
    let names = |series: &BTreeMap<String, f64>| series.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(shown), names(expected), "{what}");
    for (series, value) in expected {
        let difference = (shown[series] - value).abs();
        let most = if series.contains("_ratio") { 0.000_051 } else { 1e-9 };
        assert!(difference <= most, "{what}: {series} is {}, not {value}", shown[series]);
    }
}
