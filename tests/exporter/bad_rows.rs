//! A row that cannot be read costs nothing but itself. The parser's own tests put random ones anywhere; these show what
//! comes of it.

use std::fmt::Write as _;

use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, LATENCY, Report};
use wolkvox_simulator::{OperationPlan, ScriptedAnswer};

use crate::support::{Samples, Stage, api, zone};

const NOON: &str = "2026-11-20T17:00:00Z";
const LATER: &str = "2026-11-20T17:05:00Z";

async fn stage() -> Stage {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    Stage::with(NOON, plan, |operation, _| {
        let defaults = wolkvox_exporter::config::Operation::new("x", "http://x", operation.token.clone());
        operation.reports = defaults.reports;
    })
    .await
}

/// Polls a report that answers like this.
async fn poll(stage: &mut Stage, report: &'static Report, body: String, now: &str) -> Samples {
    stage.acme().answer_with(api(report), ScriptedAnswer::json(body));
    stage.poll(report, now).await;
    stage.samples().await
}

fn rows(samples: &Samples, report: &Report, outcome: &str) -> f64 {
    let labels = [("report", report.name), ("outcome", outcome)];
    samples.get("wolkvox_report_rows_total", &labels).unwrap()
}

fn is_up(samples: &Samples, report: &Report) -> bool {
    samples.get("wolkvox_up", &[("report", report.name)]) == Some(1.0)
}

/// What may stand in place of a row.
fn bad_rows() -> Vec<String> {
    let huge = "x".repeat(2 << 20);
    let mut rows: Vec<String> = [
        r#"{"campaign":"9 - \ud800"}"#,
        "{\"campaign\":\"9 - \u{1}\"}",
        r#"{"campaign":"9 - \x"}"#,
        r#"{"campaign":"9 - a","records":NaN}"#,
        r#"{"campaign":"9 - a","records":1e400}"#,
        r#"{"campaign":"9 - "a"","records":"5"}"#,
        r#"{"campaign":"9 - a,"records":"5"}"#,
        r#"{"campaign":"9 - a" "records":"5"}"#,
        r#"{"campaign":"9 - a","records":"5""#,
        r#""campaign":"9 - a","records":"5"}"#,
        r#"{"campaign":"9 - a","records":2]"#,
        r#"{"campaign" "9 - a"}"#,
        "garbage",
        "null",
        "[]",
    ]
    .map(str::to_owned)
    .into();
    rows.push(format!(r#"{{"campaign":"9 - a","x":"{huge}"}}"#));
    rows.push(format!(r#"{{"campaign":"9 - a","x":{}{}"#, "[".repeat(50_000), "}"));
    rows
}

/// The rows of `latency` are in a list that is nested in the answer.
#[tokio::test]
async fn all_other_agents_are_connected() {
    let mut stage = stage().await;
    let good = |latency: u32| format!(r#"{{"latency_ms":"{latency}","agent_status":"connected"}}"#);
    let envelopes: [fn(&str) -> String; 4] = [
        |rows| format!(r#"{{"code":"200","data":[{{"by_agent":[{rows}],"by_ip":[],"by_pbx":[]}}]}}"#),
        |rows| format!(r#"{{"data":{{"by_ip":[{{"ip":"x"}}],"by_agent":[{rows}]}},"code":"200"}}"#),
        |rows| format!(r#"[{{"by_agent":[{rows}]}}]"#),
        |rows| format!("{{\n  \"data\": [\n    {{\n      \"by_agent\": [\n        {rows}\n      ]\n    }}\n  ]\n}}"),
    ];
    for bad in bad_rows() {
        let bad = bad.replace("\"campaign\"", "\"agent_status\"");
        for place in 0..3 {
            for envelope in envelopes {
                let mut all = vec![good(100), good(450)];
                all.insert(place, bad.clone());
                let begin: String = bad.chars().take(80).collect();
                let samples = poll(&mut stage, &LATENCY, envelope(&all.join(",")), NOON).await;
                assert!(is_up(&samples, &LATENCY), "{begin} at {place}");
                let of_band = |band| samples.get("wolkvox_agents_by_latency", &[("latency", band)]);
                let bands = ["0-150ms", "401-500ms"].map(of_band);
                assert_eq!(bands, [Some(1.0); 2], "{begin} at {place}");
            }
        }
    }
}

#[tokio::test]
async fn all_other_campaigns_are_shown() {
    let mut stage = stage().await;
    let good = |id: u32| format!(r#"{{"campaign":"{id} - a","records":"{}"}}"#, id * 5);
    let envelopes: [fn(&str) -> String; 3] = [
        |rows| format!("[{rows}]"),
        |rows| format!(r#"{{"code":"200","error":null,"msg":"3 records were found","data":[{rows}]}}"#),
        |rows| format!("{{\n    \"data\": [\n        {rows}\n    ],\n    \"code\": \"200\"\n}}"),
    ];
    for bad in bad_rows() {
        for place in 0..3 {
            for envelope in envelopes {
                let mut all = vec![good(1), good(2)];
                all.insert(place, bad.clone());
                let begin: String = bad.chars().take(80).collect();
                poll(&mut stage, &CAMPAIGNS, "[]".to_owned(), NOON).await;
                let before = stage.samples().await;
                let after = poll(&mut stage, &CAMPAIGNS, envelope(&all.join(",")), NOON).await;
                assert!(is_up(&after, &CAMPAIGNS), "{begin}");
                let mut records = after.all("wolkvox_campaign_records", &[]);
                records.sort_by(f64::total_cmp);
                assert_eq!(records, [5.0, 10.0], "{begin}");
                let grown = |outcome| rows(&after, &CAMPAIGNS, outcome) - rows(&before, &CAMPAIGNS, outcome);
                assert_eq!((grown("counted"), grown("invalid")), (2.0, 1.0), "{begin}");
            }
        }
    }
}

#[tokio::test]
async fn commas_too_many_or_missing_cost_nothing() {
    let mut stage = stage().await;
    for body in [
        r#"[{"campaign":"1 - a","records":"5"},]"#,
        r#"[,{"campaign":"1 - a","records":"5"}]"#,
        r#"{"code":"200","data":[{"campaign":"1 - a","records":"5"},],}"#,
        r#"[{"campaign":"1 - a","records":"2"}{"campaign":"2 - b","records":"3"}]"#,
        "[{\"campaign\":\"1 - a\",\"records\":\"2\"}\n,,{\"campaign\":\"2 - b\",\"records\":\"3\"}]",
    ] {
        let samples = poll(&mut stage, &CAMPAIGNS, body.to_owned(), NOON).await;
        assert!(is_up(&samples, &CAMPAIGNS), "{body}");
        let records: f64 = samples.all("wolkvox_campaign_records", &[]).iter().sum();
        assert_eq!(records, 5.0, "{body}");
        assert_eq!(rows(&samples, &CAMPAIGNS, "invalid"), 0.0, "{body}");
    }
}

#[tokio::test]
async fn the_last_of_equal_keys_holds() {
    let mut stage = stage().await;
    let body = r#"[{"campaign":"1 - a","records":"5","records":"7"},{"campaign":"2 - b","x":1,"x":2,"records":"3"}]"#;
    let samples = poll(&mut stage, &CAMPAIGNS, body.to_owned(), NOON).await;
    assert_eq!(
        samples.get("wolkvox_campaign_records", &[("campaign_id", "1")]),
        Some(7.0)
    );
    assert_eq!(
        samples.get("wolkvox_campaign_records", &[("campaign_id", "2")]),
        Some(3.0)
    );
    assert_eq!(
        (
            rows(&samples, &CAMPAIGNS, "counted"),
            rows(&samples, &CAMPAIGNS, "invalid")
        ),
        (2.0, 0.0)
    );
}

/// The buckets of an object are rows as well.
#[tokio::test]
async fn a_bad_bucket_costs_no_other() {
    let zero = r#"{"code":"200","data":{"0_5_seg":{"calls":"0"},"6_20_seg":{"calls":"0"}}}"#;
    for bad in [
        r#""21_60_seg":{"calls":"\ud800"}"#,
        "\"21_60_seg\":{\"calls\":\"\u{1}\"}",
        r#""21_60_seg":{"calls":"4,"minutes":"5"}"#,
        r#""21_60_seg":{"calls":"4"]"#,
        r#""21_60_seg":"calls":"4"}"#,
        r#""21_60_seg" {"calls":"4"}"#,
        r#""21_60\seg":{"calls":"4"}"#,
        r#"21_60_seg:{"calls":"4"}"#,
        r#""21_60_seg":garbage"#,
        r#""21_60_seg":[1,2]"#,
    ] {
        for place in 0..3 {
            let mut stage = stage().await;
            poll(&mut stage, &CALL_DURATIONS, zero.to_owned(), NOON).await;
            let mut all = vec![r#""0_5_seg":{"calls":"3"}"#, r#""6_20_seg":{"calls":"7"}"#];
            all.insert(place, bad);
            let body = format!(r#"{{"code":"200","data":{{{}}},"msg":"x"}}"#, all.join(","));
            let samples = poll(&mut stage, &CALL_DURATIONS, body.clone(), LATER).await;
            assert!(is_up(&samples, &CALL_DURATIONS), "{body}");
            let calls = |duration| samples.get("wolkvox_calls_total", &[("duration", duration)]);
            assert_eq!((calls("0-5s"), calls("6-20s")), (Some(3.0), Some(7.0)), "{body}");
            assert_eq!(rows(&samples, &CALL_DURATIONS, "invalid"), 1.0, "{body}");
        }
    }
}

/// One bad row among thousands, in an answer that the network cuts many times.
#[tokio::test]
async fn all_other_calls_count() {
    let mut stage = stage().await;
    poll(
        &mut stage,
        &ABANDONED_CALLS,
        r#"{"code":"200","data":[]}"#.to_owned(),
        NOON,
    )
    .await;
    let mut body = "{\n    \"code\": \"200\",\n    \"data\": [".to_owned();
    for call in 0..5000 {
        let separator = if call == 0 { "" } else { "," };
        let skill = if call == 2500 { "Ventas \\ud800" } else { "Ventas" };
        write!(
            body,
            "{separator}\n        {{\n            \"skill_id\": \"20301\",\n            \"skill_name\": \"{skill}\",\n            \
             \"conn_id\": \"1.{call}\",\n            \"date\": \"2026-11-20 12:03:{:02}\",\n            \
             \"result\": \"abandoned\",\n            \"abandon_time\": \"12\",\n            \
             \"type_interaction\": \"inbound\"\n        }}",
            call % 60
        )
        .unwrap();
    }
    body.push_str("\n    ]\n}");
    let samples = poll(&mut stage, &ABANDONED_CALLS, body, LATER).await;
    let abandoned = samples.all("wolkvox_skill_interactions_total", &[("result", "abandoned")]);
    assert_eq!(abandoned.iter().sum::<f64>(), 4999.0);
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 1.0);
}

/// Keys of the answer that nobody can read are as good as missing.
#[tokio::test]
async fn a_broken_key_beside_the_rows_costs_nothing() {
    let huge = "x".repeat(2 << 20);
    let row = r#"{"campaign":"1 - a","records":"5"}"#;
    let mut stage = stage().await;
    for body in [
        format!(r#"{{"code":"200","msg":"4 records \ud800","data":[{row}]}}"#),
        format!("{{\"code\":\"200\",\"msg\":\"4\nrecords\",\"data\":[{row}]}}"),
        format!(r#"{{"code":"200","msg":"4 "records" found","data":[{row}]}}"#),
        format!(r#"{{"code":"200","msg":"4 "records found","data":[{row}]}}"#),
        format!(r#"{{"code":NaN,"msg":"x","data":[{row}]}}"#),
        format!(r#"{{"code":,"data":[{row}]}}"#),
        format!(r#"{{"code" "200","data":[{row}]}}"#),
        format!(r#"{{code:"200","data":[{row}]}}"#),
        format!(r#"{{"code":"200","trace":"{huge}","data":[{row}]}}"#),
        format!(r#"{{"data":[{row}],"trace":"{huge}","code":"200"}}"#),
        format!(r#"{{"data":[{row}],"msg":"\x {{ [","code":"200"}}"#),
        format!(r#"{{"data":[{row}],"code":"200","msg":"a "b" c"}}"#),
        format!(r#"{{"data":[{row}],"code":"200","msg":{{"a":NaN}}}}"#),
    ] {
        poll(&mut stage, &CAMPAIGNS, "[]".to_owned(), NOON).await;
        let samples = poll(&mut stage, &CAMPAIGNS, body.clone(), NOON).await;
        let begin: String = body.chars().take(80).collect();
        assert!(is_up(&samples, &CAMPAIGNS), "{begin}");
        assert_eq!(
            samples.get("wolkvox_campaign_records", &[("campaign_id", "1")]),
            Some(5.0),
            "{begin}"
        );
    }
}

/// An answer without an end is no answer, whatever is broken in it.
#[tokio::test]
async fn an_answer_without_its_end_fails() {
    let mut stage = stage().await;
    for (body, reason) in [
        (r#"[{"campaign":"1 - a"},{"campaign":"2 - \ud800"}"#, "truncated"),
        (r#"[{"campaign":"1 - a"},{"campaign":"2 - b","records":2]"#, "none"),
        (
            r#"{"code":"200","data":[{"campaign":"1 - a"},{"campaign":NaN}]"#,
            "truncated",
        ),
        (
            r#"{"code":"200","data":[{"campaign":"1 - a"},{"campaign":"#,
            "truncated",
        ),
        (r#"{"code":"200","data":[{"campaign":"1 - a"},garbage"#, "truncated"),
        (r#"{"code":"200","data":[{"campaign":"1 - a"}],"msg":"x"#, "truncated"),
        (r#"{"code":"200","data":NaN}"#, "decode"),
        (r#"[{"campaign":"1 - a"}] x"#, "decode"),
    ] {
        let before = stage.samples().await;
        let after = poll(&mut stage, &CAMPAIGNS, body.to_owned(), NOON).await;
        let failed = |samples: &Samples, reason| {
            let labels = [("report", "campaigns"), ("reason", reason)];
            samples.get("wolkvox_report_poll_failures_total", &labels).unwrap()
        };
        if reason == "none" {
            assert!(is_up(&after, &CAMPAIGNS), "{body}");
        } else {
            assert_eq!(failed(&after, reason) - failed(&before, reason), 1.0, "{body}");
        }
    }
}
