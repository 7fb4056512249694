//! What answers mean: the vendor's examples and every variant of them.

use serde_json::json;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS, Report};
use wolkvox_simulator::{OperationPlan, ScriptedAnswer};

use crate::support::{OPEN_METRICS, Stage, api, zone};

const NOON: &str = "2026-11-20T17:00:00Z";

/// The example of the vendor's page for real-time campaigns.
const CAMPAIGNS_EXAMPLE: &str = r#"[
        {
            "campaign": "4875 - MY CAMPAIGN - tel1 (100%)",
            "speed": "110%",
            "status": "started",
            "skill_id": "4000",
            "records": "1",
            "clean": "1",
            "dial": "0",
            "answer": "0",
            "no_answer": "0",
            "busy/congestion/failed": "0",
            "answer_machine": "0",
            "penetration_day": "0.00 %",
            "penetration_now": "0.00 %",
            "hits": "0 (0.00 %)",
            "calls_x_min": "0",
            "recycled": "0"
        } 
]"#;

/// The example of the vendor's page for `cdr_4`: one bucket, all blank.
const CALL_DURATIONS_EXAMPLE: &str = r#"{
    "code": 200,
    "error": null,
    "msg": "1 records were found",
    "data": {
        "0_5_seg": {
            "calls": "",
            "minutes": "",
            "cost": "",
            "percentage": ""
        }
    }
} "#;

async fn stage() -> Stage {
    Stage::with(
        NOON,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            operation.currency = Some("COP".to_owned());
        },
    )
    .await
}

fn answer(stage: &Stage, report: &'static Report, body: impl Into<String>) {
    stage.acme().answer_with(api(report), ScriptedAnswer::json(body.into()));
}

#[tokio::test]
async fn the_vendors_campaign_example_gives_these_samples() {
    let mut stage = stage().await;
    answer(&stage, &CAMPAIGNS, CAMPAIGNS_EXAMPLE);
    stage.poll(&CAMPAIGNS, NOON).await;
    insta::assert_snapshot!(stage.page.reports(OPEN_METRICS).await, @r#"
    # HELP wolkvox_campaign Name, skill and dialling strategy of a campaign, from the fields campaign and skill_id of real_time campaigns.
    # TYPE wolkvox_campaign info
    wolkvox_campaign_info{operation="acme",campaign_id="4875",campaign="MY CAMPAIGN",skill_id="4000",strategy="tel1 (100%)"} 1
    # HELP wolkvox_campaign_calls_per_minute Calls that a campaign dials per minute, from the field calls_x_min of real_time campaigns.
    # TYPE wolkvox_campaign_calls_per_minute gauge
    wolkvox_campaign_calls_per_minute{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_clean_records Records of a campaign that were never dialled, from the field clean of real_time campaigns. After recycling they overlap with the dialled ones.
    # TYPE wolkvox_campaign_clean_records gauge
    wolkvox_campaign_clean_records{operation="acme",campaign_id="4875"} 1
    # HELP wolkvox_campaign_dialed_records Records of a campaign that were dialled, from the field dial of real_time campaigns.
    # TYPE wolkvox_campaign_dialed_records gauge
    wolkvox_campaign_dialed_records{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_hits Hits of a campaign, from the count in the field hits of real_time campaigns.
    # TYPE wolkvox_campaign_hits gauge
    wolkvox_campaign_hits{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_hits_ratio Share of hits of a campaign as the API gives it, from the percentage in the field hits of real_time campaigns.
    # TYPE wolkvox_campaign_hits_ratio gauge
    wolkvox_campaign_hits_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_penetration_day_ratio Penetration of a campaign's records today, from the field penetration_day of real_time campaigns. May exceed 1.
    # TYPE wolkvox_campaign_penetration_day_ratio gauge
    wolkvox_campaign_penetration_day_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_penetration_now_ratio Penetration of a campaign's records now, from the field penetration_now of real_time campaigns. May exceed 1.
    # TYPE wolkvox_campaign_penetration_now_ratio gauge
    wolkvox_campaign_penetration_now_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_records Records loaded into a campaign, from the field records of real_time campaigns.
    # TYPE wolkvox_campaign_records gauge
    wolkvox_campaign_records{operation="acme",campaign_id="4875"} 1
    # HELP wolkvox_campaign_recycles How often a campaign's records were recycled, from the field recycled of real_time campaigns.
    # TYPE wolkvox_campaign_recycles gauge
    wolkvox_campaign_recycles{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_results Records of a campaign by the result of their last dial, from the fields answer, no_answer, busy/congestion/failed and answer_machine of real_time campaigns. The results are disjoint.
    # TYPE wolkvox_campaign_results gauge
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="answer"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="no_answer"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="busy_congestion_failed"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="answer_machine"} 0
    # HELP wolkvox_campaign_speed_ratio Dialling speed of a campaign, 1.1 for "110%", from the field speed of real_time campaigns.
    # TYPE wolkvox_campaign_speed_ratio gauge
    wolkvox_campaign_speed_ratio{operation="acme",campaign_id="4875"} 1.1
    # HELP wolkvox_campaign_status 1 for the state that a campaign is in, 0 for the others, from the field status of real_time campaigns.
    # TYPE wolkvox_campaign_status gauge
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="started"} 1
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="stopped"} 0
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="other"} 0
    # EOF
    "#);
    insta::assert_snapshot!(stage.page.reports("text/plain").await, @r#"
    # HELP wolkvox_campaign_info Name, skill and dialling strategy of a campaign, from the fields campaign and skill_id of real_time campaigns.
    # TYPE wolkvox_campaign_info gauge
    wolkvox_campaign_info{operation="acme",campaign_id="4875",campaign="MY CAMPAIGN",skill_id="4000",strategy="tel1 (100%)"} 1
    # HELP wolkvox_campaign_calls_per_minute Calls that a campaign dials per minute, from the field calls_x_min of real_time campaigns.
    # TYPE wolkvox_campaign_calls_per_minute gauge
    wolkvox_campaign_calls_per_minute{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_clean_records Records of a campaign that were never dialled, from the field clean of real_time campaigns. After recycling they overlap with the dialled ones.
    # TYPE wolkvox_campaign_clean_records gauge
    wolkvox_campaign_clean_records{operation="acme",campaign_id="4875"} 1
    # HELP wolkvox_campaign_dialed_records Records of a campaign that were dialled, from the field dial of real_time campaigns.
    # TYPE wolkvox_campaign_dialed_records gauge
    wolkvox_campaign_dialed_records{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_hits Hits of a campaign, from the count in the field hits of real_time campaigns.
    # TYPE wolkvox_campaign_hits gauge
    wolkvox_campaign_hits{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_hits_ratio Share of hits of a campaign as the API gives it, from the percentage in the field hits of real_time campaigns.
    # TYPE wolkvox_campaign_hits_ratio gauge
    wolkvox_campaign_hits_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_penetration_day_ratio Penetration of a campaign's records today, from the field penetration_day of real_time campaigns. May exceed 1.
    # TYPE wolkvox_campaign_penetration_day_ratio gauge
    wolkvox_campaign_penetration_day_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_penetration_now_ratio Penetration of a campaign's records now, from the field penetration_now of real_time campaigns. May exceed 1.
    # TYPE wolkvox_campaign_penetration_now_ratio gauge
    wolkvox_campaign_penetration_now_ratio{operation="acme",campaign_id="4875"} 0.0
    # HELP wolkvox_campaign_records Records loaded into a campaign, from the field records of real_time campaigns.
    # TYPE wolkvox_campaign_records gauge
    wolkvox_campaign_records{operation="acme",campaign_id="4875"} 1
    # HELP wolkvox_campaign_recycles How often a campaign's records were recycled, from the field recycled of real_time campaigns.
    # TYPE wolkvox_campaign_recycles gauge
    wolkvox_campaign_recycles{operation="acme",campaign_id="4875"} 0
    # HELP wolkvox_campaign_results Records of a campaign by the result of their last dial, from the fields answer, no_answer, busy/congestion/failed and answer_machine of real_time campaigns. The results are disjoint.
    # TYPE wolkvox_campaign_results gauge
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="answer"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="no_answer"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="busy_congestion_failed"} 0
    wolkvox_campaign_results{operation="acme",campaign_id="4875",result="answer_machine"} 0
    # HELP wolkvox_campaign_speed_ratio Dialling speed of a campaign, 1.1 for "110%", from the field speed of real_time campaigns.
    # TYPE wolkvox_campaign_speed_ratio gauge
    wolkvox_campaign_speed_ratio{operation="acme",campaign_id="4875"} 1.1
    # HELP wolkvox_campaign_status 1 for the state that a campaign is in, 0 for the others, from the field status of real_time campaigns.
    # TYPE wolkvox_campaign_status gauge
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="started"} 1
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="stopped"} 0
    wolkvox_campaign_status{operation="acme",campaign_id="4875",status="other"} 0
    "#);
}

#[tokio::test]
async fn the_vendors_call_durations_example_gives_these_samples() {
    let mut stage = stage().await;
    answer(&stage, &CALL_DURATIONS, CALL_DURATIONS_EXAMPLE);
    stage.poll(&CALL_DURATIONS, NOON).await;
    insta::assert_snapshot!(stage.page.reports(OPEN_METRICS).await, @r#"
    # HELP wolkvox_calls Calls by duration, inbound, outbound and internal, from the field calls of cdr_4.
    # TYPE wolkvox_calls counter
    wolkvox_calls_total{operation="acme",duration="0-5s"} 0
    wolkvox_calls_total{operation="acme",duration="121s+"} 0
    wolkvox_calls_total{operation="acme",duration="21-60s"} 0
    wolkvox_calls_total{operation="acme",duration="6-20s"} 0
    wolkvox_calls_total{operation="acme",duration="61-120s"} 0
    # HELP wolkvox_calls_billed_seconds Billed time of calls by duration, rounded up to minutes per call by the vendor, from the field minutes of cdr_4.
    # TYPE wolkvox_calls_billed_seconds counter
    wolkvox_calls_billed_seconds_total{operation="acme",duration="0-5s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="121s+"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="21-60s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="6-20s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="61-120s"} 0.0
    # HELP wolkvox_calls_cost Cost of calls by duration, in the configured currency, from the field cost of cdr_4.
    # TYPE wolkvox_calls_cost counter
    wolkvox_calls_cost_total{operation="acme",duration="0-5s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="121s+",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="21-60s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="6-20s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="61-120s",currency="COP"} 0.0
    # EOF
    "#);
    insta::assert_snapshot!(stage.page.reports("text/plain").await, @r#"
    # HELP wolkvox_calls_total Calls by duration, inbound, outbound and internal, from the field calls of cdr_4.
    # TYPE wolkvox_calls_total counter
    wolkvox_calls_total{operation="acme",duration="0-5s"} 0
    wolkvox_calls_total{operation="acme",duration="121s+"} 0
    wolkvox_calls_total{operation="acme",duration="21-60s"} 0
    wolkvox_calls_total{operation="acme",duration="6-20s"} 0
    wolkvox_calls_total{operation="acme",duration="61-120s"} 0
    # HELP wolkvox_calls_billed_seconds_total Billed time of calls by duration, rounded up to minutes per call by the vendor, from the field minutes of cdr_4.
    # TYPE wolkvox_calls_billed_seconds_total counter
    wolkvox_calls_billed_seconds_total{operation="acme",duration="0-5s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="121s+"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="21-60s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="6-20s"} 0.0
    wolkvox_calls_billed_seconds_total{operation="acme",duration="61-120s"} 0.0
    # HELP wolkvox_calls_cost_total Cost of calls by duration, in the configured currency, from the field cost of cdr_4.
    # TYPE wolkvox_calls_cost_total counter
    wolkvox_calls_cost_total{operation="acme",duration="0-5s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="121s+",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="21-60s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="6-20s",currency="COP"} 0.0
    wolkvox_calls_cost_total{operation="acme",duration="61-120s",currency="COP"} 0.0
    "#);
    let samples = stage.samples().await;
    assert_eq!(
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "call_durations"), ("outcome", "counted")]
        ),
        Some(1.0)
    );
}

#[tokio::test]
async fn names_keep_their_quotes_accents_separators_and_line_breaks() {
    let mut stage = stage().await;
    let names = [
        r#"1 - Cobranza "Élite" - ñandú - tel1 (100%)"#,
        r"2 - C:\campañas\nuevas - tel2 (50%)",
        "3 - dos\nlíneas - tel1 (100%)",
        "4 - sin estrategia",
        "5 - (paréntesis) - no strategy",
        "6",
        "7 - doble  espacio - tel1 (80%) ",
        "no id - tel1 (100%)",
        "",
    ];
    let rows: Vec<_> = names
        .iter()
        .map(|name| json!({ "campaign": name, "records": "5" }))
        .collect();
    answer(&stage, &CAMPAIGNS, json!(rows).to_string());
    stage.poll(&CAMPAIGNS, NOON).await;
    let infos = |text: String| {
        let infos = text.lines().filter(|line| line.starts_with("wolkvox_campaign_info"));
        infos
            .map(|line| line.replace(r#"operation="acme","#, ""))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let open_metrics = infos(stage.page.reports(OPEN_METRICS).await);
    insta::assert_snapshot!(open_metrics, @r#"
    wolkvox_campaign_info{campaign_id="1",campaign="Cobranza \"Élite\" - ñandú",skill_id="",strategy="tel1 (100%)"} 1
    wolkvox_campaign_info{campaign_id="2",campaign="C:\\campañas\\nuevas",skill_id="",strategy="tel2 (50%)"} 1
    wolkvox_campaign_info{campaign_id="3",campaign="dos\nlíneas",skill_id="",strategy="tel1 (100%)"} 1
    wolkvox_campaign_info{campaign_id="4",campaign="sin estrategia",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="5",campaign="(paréntesis) - no strategy",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="6",campaign="",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="7",campaign="doble  espacio",skill_id="",strategy="tel1 (80%)"} 1
    "#);
    assert_eq!(
        infos(stage.page.reports("text/plain").await),
        open_metrics,
        "sample lines are the same in both formats"
    );
    let samples = stage.samples().await;
    assert_eq!(
        samples.get("wolkvox_campaign_info", &[("campaign", "dos\nlíneas")]),
        Some(1.0)
    );
    assert_eq!(
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "campaigns"), ("outcome", "invalid")]
        ),
        Some(2.0)
    );
    assert_eq!(
        samples.get("wolkvox_report_invalid_fields_total", &[("field", "campaign")]),
        Some(0.0)
    );
}

#[tokio::test]
async fn absent_is_no_series_and_unreadable_is_counted() {
    let mut stage = stage().await;
    let rows = json!([
        { "campaign": "1 - blanks", "records": "", "clean": "-", "dial": "--", "answer": null, "speed": " ", "status": "" },
        { "campaign": "2 - numbers", "records": 12, "clean": 1.0, "calls_x_min": 7.5, "speed": 110, "hits": 3, "status": "Paused" },
        { "campaign": "3 - rubbish", "records": "many", "clean": [], "dial": {}, "answer": true, "hits": "3 of 4",
          "status": "STARTED", "unknown": { "deep": [1, { "deeper": null }] } },
        "a text", 7, null, [],
    ]);
    answer(&stage, &CAMPAIGNS, rows.to_string());
    stage.poll(&CAMPAIGNS, NOON).await;
    insta::assert_snapshot!(stage.page.reports("text/plain").await.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n"), @r#"
    wolkvox_campaign_info{operation="acme",campaign_id="1",campaign="blanks",skill_id="",strategy=""} 1
    wolkvox_campaign_info{operation="acme",campaign_id="2",campaign="numbers",skill_id="",strategy=""} 1
    wolkvox_campaign_info{operation="acme",campaign_id="3",campaign="rubbish",skill_id="",strategy=""} 1
    wolkvox_campaign_calls_per_minute{operation="acme",campaign_id="2"} 7.5
    wolkvox_campaign_clean_records{operation="acme",campaign_id="2"} 1
    wolkvox_campaign_hits{operation="acme",campaign_id="2"} 3
    wolkvox_campaign_records{operation="acme",campaign_id="2"} 12
    wolkvox_campaign_speed_ratio{operation="acme",campaign_id="2"} 1.1
    wolkvox_campaign_status{operation="acme",campaign_id="2",status="started"} 0
    wolkvox_campaign_status{operation="acme",campaign_id="2",status="stopped"} 0
    wolkvox_campaign_status{operation="acme",campaign_id="2",status="other"} 1
    wolkvox_campaign_status{operation="acme",campaign_id="3",status="started"} 1
    wolkvox_campaign_status{operation="acme",campaign_id="3",status="stopped"} 0
    wolkvox_campaign_status{operation="acme",campaign_id="3",status="other"} 0
    "#);
    let samples = stage.samples().await;
    let rows = |outcome| {
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "campaigns"), ("outcome", outcome)],
        )
    };
    assert_eq!(
        (rows("counted"), rows("invalid"), rows("ignored")),
        (Some(3.0), Some(4.0), Some(0.0))
    );
    let invalid = samples.all("wolkvox_report_invalid_fields_total", &[]);
    assert_eq!(invalid.iter().sum::<f64>(), 5.0);
    assert_eq!(samples.get("wolkvox_up", &[("report", "campaigns")]), Some(1.0));
}

#[tokio::test]
async fn a_good_poll_replaces_all_campaigns_and_the_first_row_of_an_id_holds() {
    let mut stage = stage().await;
    answer(
        &stage,
        &CAMPAIGNS,
        r#"[{"campaign":"1 - a","records":"1"},{"campaign":"2 - b","records":"2"},{"campaign":"2 - c","records":"3"}]"#,
    );
    stage.poll(&CAMPAIGNS, NOON).await;
    let samples = stage.samples().await;
    assert_eq!(
        samples.get("wolkvox_campaign_records", &[("campaign_id", "2")]),
        Some(2.0)
    );
    assert_eq!(
        samples.get(
            "wolkvox_report_rows_total",
            &[("outcome", "ignored"), ("report", "campaigns")]
        ),
        Some(1.0)
    );
    answer(&stage, &CAMPAIGNS, r#"[{"campaign":"2 - b","records":"4"}]"#);
    stage.poll(&CAMPAIGNS, NOON).await;
    let samples = stage.samples().await;
    assert_eq!(samples.all("wolkvox_campaign_records", &[]), [4.0]);
    answer(&stage, &CAMPAIGNS, "[]");
    stage.poll(&CAMPAIGNS, NOON).await;
    assert!(stage.samples().await.all("wolkvox_campaign_info", &[]).is_empty());
}

#[tokio::test]
async fn over_the_limit_the_lowest_ids_stay() {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with(NOON, plan, |_, settings| settings.series_limit = 6).await;
    let row = |id: u32| json!({ "campaign": format!("{id} - c"), "status": "started", "records": "1" });
    let rows: Vec<_> = [100, 9, 10, 1000, 8, 7, 11].map(row).into();
    answer(&stage, &CAMPAIGNS, json!(rows).to_string());
    stage.poll(&CAMPAIGNS, NOON).await;
    let samples = stage.samples().await;
    for (id, shown) in [
        ("7", true),
        ("8", true),
        ("9", true),
        ("10", true),
        ("11", true),
        ("100", true),
        ("1000", false),
    ] {
        assert_eq!(
            samples
                .get("wolkvox_campaign_records", &[("campaign_id", id)])
                .is_some(),
            shown,
            "{id}"
        );
    }
    assert_eq!(
        samples.all("wolkvox_campaign_status", &[]).len(),
        6,
        "two campaigns of three states"
    );
    let dropped = |family| samples.get("wolkvox_exporter_series_dropped_total", &[("family", family)]);
    assert_eq!(dropped("wolkvox_campaign_records"), Some(1.0));
    assert_eq!(dropped("wolkvox_campaign_status"), Some(15.0));
    assert_eq!(dropped("wolkvox_campaign_hits"), Some(0.0));
}

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
        (r#"[{"campaign":"1 - a"},]"#, "decode"),
        (r#"[{"campaign":"1 - a"} {"campaign":"2 - a"}]"#, "decode"),
        (r#"[{"campaign" "1 - a"}]"#, "decode"),
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
async fn answers_over_the_limits_are_refused() {
    let mut stage = stage().await;
    let long_row = format!(r#"[{{"campaign":"1 - a","x":"{}"}}]"#, "x".repeat(1_100_000));
    let many_rows = format!("[{}0]", "0,".repeat(250_000));
    for body in [long_row, many_rows] {
        answer(&stage, &CAMPAIGNS, body);
        stage.poll(&CAMPAIGNS, NOON).await;
    }
    let samples = stage.samples().await;
    let failures = samples.get(
        "wolkvox_report_poll_failures_total",
        &[("report", "campaigns"), ("reason", "too_large")],
    );
    assert_eq!(failures, Some(2.0));
}

#[tokio::test]
async fn call_duration_buckets_are_read_in_every_shape() {
    let mut stage = stage().await;
    let zeros = json!({ "code": "200", "data": {} });
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
        (Some(4.0), Some(1.0), Some(1.0))
    );
    assert_eq!(
        samples.get("wolkvox_report_corrections_total", &[("report", "call_durations")]),
        Some(0.0)
    );
}
