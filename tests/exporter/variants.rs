//! Answers that nobody has seen yet but that may come: each is read as it is meant, or left out and told.

mod assumptions;
mod blind;
mod people;
mod unfinished;
mod values;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::{Operation, ReportConfig, Reread};
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, IVR, PREVIEW_CALLS, Report};
use wolkvox_simulator::{OperationPlan, ScriptedAnswer};

use crate::support::{Samples, Stage, api, at, zone};

/// 09:00 in Bogota.
const BIRTH: &str = "2026-11-26T14:00:00Z";

/// An operation with all reports whose events were born at [`BIRTH`], when there were no rows.
struct Centre {
    stage: Stage,
}

impl Centre {
    async fn new() -> Self {
        Self::with_storage(Storage::memory()).await
    }

    async fn with_storage(storage: Storage) -> Self {
        Self::with(storage, 5000).await
    }

    async fn with_limit(series_limit: usize) -> Self {
        Self::with(Storage::memory(), series_limit).await
    }

    async fn with(storage: Storage, series_limit: usize) -> Self {
        let plan = OperationPlan::new("acme", zone("America/Bogota"));
        let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
            settings.series_limit = series_limit;
            for report in [&CAMPAIGNS, &CALL_DURATIONS, &ABANDONED_CALLS, &PREVIEW_CALLS, &IVR] {
                let mut config = ReportConfig::new(report);
                config.timeout = Duration::from_secs(2);
                config.settle = Duration::ZERO;
                if !config.overlap.is_zero() {
                    config.reread = Reread {
                        every: Duration::from_secs(3600),
                        back: Duration::from_secs(6 * 3600),
                    };
                }
                operation.reports.insert(report, config);
            }
        };
        let mut stage = Stage::with_storage(BIRTH, plan, storage, adjust).await;
        for report in [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR] {
            stage
                .acme()
                .answer_with(api(report), ScriptedAnswer::json(r#"{"data":[]}"#));
            stage.poll(report, BIRTH).await;
        }
        Self { stage }
    }

    /// Polls a report some minutes after the birth, when the API gives these rows.
    async fn poll(&mut self, report: &'static Report, minutes: i64, rows: &[&str]) -> Samples {
        let body = format!(r#"{{"code":"200","msg":"ok","data":[{}]}}"#, rows.join(","));
        self.poll_body(report, minutes, body).await
    }

    /// The same with a whole body.
    async fn poll_body(&mut self, report: &'static Report, minutes: i64, body: String) -> Samples {
        self.stage.acme().answer_with(api(report), ScriptedAnswer::json(body));
        let now = after(minutes).to_string();
        self.stage.poll(report, &now).await;
        self.stage.samples().await
    }
}

fn after(minutes: i64) -> Timestamp {
    at(BIRTH) + SignedDuration::from_mins(minutes)
}

/// A row of `skill_2`: an abandoned call at 09:01, with these fields changed or added.
fn call(conn: &str, fields: &[(&str, &str)]) -> String {
    row(
        &[
            ("skill_id", "1"),
            ("skill_name", "Ventas"),
            ("conn_id", conn),
            ("date", "2026-11-26 09:01:00"),
            ("result", "abandoned"),
            ("abandon_time", "9"),
            ("type_interaction", "inbound"),
        ],
        fields,
    )
}

/// A row with these fields changed or added.
fn row(fields: &[(&str, &str)], changed: &[(&str, &str)]) -> String {
    let mut row = serde_json::Map::new();
    for (key, value) in fields.iter().chain(changed) {
        row.insert((*key).to_owned(), (*value).into());
    }
    serde_json::Value::from(row).to_string()
}

fn interactions(samples: &Samples, result: &str) -> f64 {
    let all = samples.all("wolkvox_skill_interactions_total", &[("result", result)]);
    all.iter().sum()
}

/// Number and sum of the waits of abandoned calls.
fn waits(samples: &Samples) -> (f64, f64) {
    let all = |name| samples.all(name, &[]).iter().sum();
    (
        all("wolkvox_abandon_time_seconds_count"),
        all("wolkvox_abandon_time_seconds_sum"),
    )
}

fn rows(samples: &Samples, report: &'static Report, outcome: &str) -> f64 {
    let labels = [("report", report.name), ("outcome", outcome)];
    samples.get("wolkvox_report_rows_total", &labels).unwrap()
}

fn violations(samples: &Samples, report: &'static Report, assumption: &str) -> f64 {
    let labels = [("report", report.name), ("assumption", assumption)];
    samples
        .get("wolkvox_report_assumption_violations_total", &labels)
        .unwrap()
}
