//! What happens to each row, and what of it never gets out.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS};
use wolkvox_simulator::{Api, EventPlan, ScriptedAnswer, personal_data_in};

use super::{all_reports, hours, plan, poll_all};
use crate::ledger::Folder;
use crate::support::{Stage, at};

/// Rows that the API gives although they were not asked for: dated before the birth or before what is remembered, they
/// are seen and not counted.
#[tokio::test(flavor = "multi_thread")]
async fn each_row_has_one_outcome() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        for report in operation
            .reports
            .values_mut()
            .filter(|report| !report.overlap.is_zero())
        {
            report.overlap = Duration::from_secs(600);
            report.reread.every = Duration::from_secs(600);
            report.reread.back = Duration::from_secs(600);
        }
    };
    let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::calm()), adjust).await;
    let rows = |rows: &[&str]| {
        let rows = rows
            .iter()
            .map(|row| format!("{{{row}}}"))
            .collect::<Vec<_>>()
            .join(",");
        ScriptedAnswer::json(format!(r#"{{"code":"200","data":[{rows},7]}}"#))
    };
    let call = |time: &str| {
        format!(r#""skill_id":"1","conn_id":"c","date":"2026-11-16 {time}","result":"abandoned","abandon_time":"9""#)
    };
    stage.acme().answer_with(Api::Skill2, rows(&[&call("08:59:59")]));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    // After the first window all before 09:41 is forgotten: the reach of rereads is longer than the overlap.
    for minutes in [60, 61, 62] {
        stage.acme().answer_with(
            Api::Skill2,
            rows(&[
                &call("08:59:59"),
                &call("09:00:00"),
                &call("09:59:00"),
                &call("09:59:00"),
                &call("yesterday"),
                r#""skill_id":"1","date":"2026-11-16 09:58:00""#,
                r#""skill_id":"1","conn_id":"d","date":"2026-11-16 09:57:00","result":"abandoned","abandon_time":"soon""#,
            ]),
        );
        stage
            .poll(
                &ABANDONED_CALLS,
                &(born + SignedDuration::from_mins(minutes)).to_string(),
            )
            .await;
    }
    let samples = stage.samples().await;
    let outcome = |outcome| {
        samples
            .get(
                "wolkvox_report_rows_total",
                &[("report", "abandoned_calls"), ("outcome", outcome)],
            )
            .unwrap()
    };
    // No poll reads twice: the first window after the birth has all that a reread would read.
    assert_eq!(
        ["baseline", "counted", "duplicate", "late", "invalid", "ignored"].map(outcome),
        [4.0, 4.0, 7.0, 1.0, 10.0, 0.0]
    );
    let result = |result| {
        samples.get(
            "wolkvox_skill_interactions_total",
            &[("skill_id", "1"), ("result", result)],
        )
    };
    assert_eq!(result("abandoned"), Some(4.0), "two alike are two");
    assert_eq!(
        samples.get("wolkvox_abandon_time_seconds_count", &[("skill_id", "1")]),
        Some(3.0)
    );
    let field = |field| {
        samples.get(
            "wolkvox_report_invalid_fields_total",
            &[("report", "abandoned_calls"), ("field", field)],
        )
    };
    assert_eq!((field("date"), field("abandon_time")), (Some(3.0), Some(3.0)));
}

/// Personal data of every kind, and the token, are neither on the pages nor in the bytes of the state.
#[tokio::test(flavor = "multi_thread")]
async fn no_personal_data_gets_out() {
    let born = at("2026-11-18T13:00:00Z");
    let folder = Folder::new("privacy");
    let events = EventPlan {
        typed_numbers: 0.3,
        ..EventPlan::default()
    };
    let storage = Storage::file(&folder.0, "acme");
    let mut stage = Stage::with_storage(&born.to_string(), plan(0.5, events), storage, all_reports).await;
    let mut now = born;
    for report in [&CAMPAIGNS, &CALL_DURATIONS] {
        stage.poll(report, &now.to_string()).await;
    }
    for _ in 0..6 {
        poll_all(&mut stage, now).await;
        now += SignedDuration::from_mins(61);
    }
    let samples = stage.samples().await;
    assert!(
        samples
            .all("wolkvox_ivr_selections_total", &[("option", "number")])
            .iter()
            .sum::<f64>()
            > 10.0
    );
    let status_page = stage.page.0.replace("/metrics", "/");
    let pages = [
        stage.page.text("text/plain").await.into_bytes(),
        crate::support::get(&status_page, &[])
            .await
            .bytes()
            .await
            .unwrap()
            .to_vec(),
        std::fs::read(folder.0.join("acme.redb")).unwrap(),
    ];
    let truth = stage.acme().truth().clone();
    let secrets: Vec<String> = truth
        .personal_strings(born - hours(2), now)
        .into_iter()
        .chain([stage.acme().token().to_owned()])
        .collect();
    assert!(secrets.len() > 500);
    for (n, page) in pages.iter().enumerate() {
        assert_eq!(personal_data_in(page), None, "page {n}");
        for secret in secrets.iter().filter(|secret| secret.len() > 5) {
            assert!(
                memchr::memmem::find(page, secret.as_bytes()).is_none(),
                "page {n} holds {secret}"
            );
        }
    }
}
