//! The shapes in which the API wraps the same answer.

use serde_json::json;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};

use super::{NOON, answer, stage};
use crate::support::Stage;

/// Every envelope that somebody has seen, documented or feared means the same.
#[tokio::test]
async fn all_envelopes_mean_the_same() {
    let row = r#"{"campaign":"1 - a","records":"5"}"#;
    let full = [
        format!("[{row}]"),
        format!(" \n\t[ {row} ]\n"),
        format!("\u{feff}[{row}]"),
        format!(r#"{{"code":"200","error":null,"msg":"1 records were found","data":[{row}]}}"#),
        format!(r#"{{"code":200,"data":[{row}]}}"#),
        format!(r#"{{"data":[{row}],"msg":"x \u00f1 \" y","code":"200","extra":{{"a":[{{}}]}}}}"#),
        format!(r#"{{"d\u0061ta":[{row}]}}"#),
        format!(r#"{{"data":{{"0":{row}}}}}"#),
    ];
    let empty = [
        "[]",
        r#"{"code":"200","data":[]}"#,
        r#"{"code":"200","data":null}"#,
        r#"{"code":"200"}"#,
        r#"{"data":{}}"#,
    ];
    let broken = [
        ("", "truncated"),
        ("[", "truncated"),
        (r#"[{"campaign":"1 - a"}"#, "truncated"),
        (r#"{"code":"200","data":[{"campaign":"1 - a"}]"#, "truncated"),
        (r#"{"code":"200","data":[{"campaign":"1 - "#, "truncated"),
        (r#"[{"campaign":"1 - a"}] x"#, "decode"),
        ("<html><body>Bad gateway</body></html>", "decode"),
        ("no JSON", "decode"),
        ("{}", "decode"),
        (r#"{"msg":"x"}"#, "decode"),
        (r#"{"code":"200","data":"rows"}"#, "decode"),
        (r#"{"data":[],"data":[]}"#, "decode"),
        (r#"{"code":"500","error":"Server error","msg":"try later"}"#, "status"),
        (r#"{"code":"403","msg":"Please Validate Token"}"#, "auth"),
        (r#"{"code":"404","msg":"Not here"}"#, "status"),
    ];
    let mut stage = stage().await;
    for body in full {
        answer(&stage, &CAMPAIGNS, "[]");
        stage.poll(&CAMPAIGNS, NOON).await;
        answer(&stage, &CAMPAIGNS, body.clone());
        stage.poll(&CAMPAIGNS, NOON).await;
        let samples = stage.samples().await;
        assert_eq!(
            samples.get("wolkvox_campaign_records", &[("campaign_id", "1")]),
            Some(5.0),
            "{body}"
        );
        assert_eq!(
            samples.get("wolkvox_up", &[("report", "campaigns")]),
            Some(1.0),
            "{body}"
        );
    }
    for body in empty
        .into_iter()
        .chain([r#"{"code":"404","error":"Not Found","msg":"Validate dates entered"}"#])
    {
        answer(&stage, &CAMPAIGNS, body);
        stage.poll(&CAMPAIGNS, NOON).await;
        let samples = stage.samples().await;
        assert!(samples.all("wolkvox_campaign_records", &[]).is_empty(), "{body}");
        assert_eq!(
            samples.get("wolkvox_up", &[("report", "campaigns")]),
            Some(1.0),
            "{body}"
        );
    }
    answer(&stage, &CAMPAIGNS, r#"[{"campaign":"1 - a","records":"5"}]"#);
    stage.poll(&CAMPAIGNS, NOON).await;
    for (body, reason) in broken {
        let failures = async |stage: &Stage| {
            let failed = [("report", "campaigns"), ("reason", reason)];
            stage
                .samples()
                .await
                .get("wolkvox_report_poll_failures_total", &failed)
                .unwrap()
        };
        let before = failures(&stage).await;
        answer(&stage, &CAMPAIGNS, body);
        stage.poll(&CAMPAIGNS, NOON).await;
        assert_eq!(failures(&stage).await - before, 1.0, "{body}");
        let samples = stage.samples().await;
        assert_eq!(
            samples.get("wolkvox_up", &[("report", "campaigns")]),
            Some(0.0),
            "{body}"
        );
        assert_eq!(
            samples.get("wolkvox_campaign_records", &[("campaign_id", "1")]),
            Some(5.0),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused() {
    let mut stage = stage().await;
    let many_rows = format!("[{}0]", "0,".repeat(250_000));
    answer(&stage, &CAMPAIGNS, many_rows);
    stage.poll(&CAMPAIGNS, NOON).await;
    let samples = stage.samples().await;
    let failures = samples.get(
        "wolkvox_report_poll_failures_total",
        &[("report", "campaigns"), ("reason", "too_large")],
    );
    assert_eq!(failures, Some(1.0));
}

#[tokio::test]
async fn call_duration_buckets_are_read_in_every_shape() {
    let mut stage = stage().await;
    let zero = json!({ "calls": 0, "minutes": 0, "cost": 0 });
    let zeros = json!({ "code": "200", "data": { "0_5_seg": zero, "greater_than_121": zero } });
    let bucket = json!({ "calls": "1,200", "minutes": "2,400.5", "cost": "15,233.33", "percentage": "34.64 %" });
    let shapes = [
        json!({ "code": "200", "data": { "0_5_seg": bucket, "total": bucket, "greater_than_121": bucket } }),
        json!({ "code": 200, "data": [
            { "INTERVAL": "0_5_seg", "calls": 1300, "minutes": 2400.5, "cost": 15233.33 },
            { "interval": "greater_than_121", "calls": "1300", "minutes": null, "cost": "-" },
            { "calls": "9" },
        ] }),
    ];
    answer(&stage, &CALL_DURATIONS, zeros.to_string());
    stage.poll(&CALL_DURATIONS, NOON).await;
    for shape in shapes {
        answer(&stage, &CALL_DURATIONS, shape.to_string());
        stage.poll(&CALL_DURATIONS, NOON).await;
    }
    let samples = stage.samples().await;
    let value = |name, duration| samples.get(name, &[("duration", duration)]);
    for duration in ["0-5s", "121s+"] {
        assert_eq!(value("wolkvox_calls_total", duration), Some(1300.0));
        assert_eq!(value("wolkvox_calls_billed_seconds_total", duration), Some(144_030.0));
        assert_eq!(value("wolkvox_calls_cost_total", duration), Some(15_233.33));
    }
    assert_eq!(value("wolkvox_calls_total", "6-20s"), Some(0.0), "born with the others");
    let rows = |outcome| {
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "call_durations"), ("outcome", outcome)],
        )
    };
    assert_eq!(
        (rows("counted"), rows("ignored"), rows("invalid")),
        (Some(6.0), Some(1.0), Some(1.0))
    );
    assert_eq!(
        samples.get("wolkvox_report_corrections_total", &[("report", "call_durations")]),
        Some(0.0)
    );
}
