//! Rows of campaigns: names, missing and unreadable fields, repeated ids, the limit.

use serde_json::json;
use wolkvox_exporter::reports::CAMPAIGNS;
use wolkvox_simulator::OperationPlan;

use super::{NOON, answer, stage};
use crate::support::{OPEN_METRICS, Stage, zone};

#[tokio::test]
async fn names_keep_their_quotes_accents_and_separators() {
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
    wolkvox_campaign_info{campaign_id="3",campaign="dos líneas",skill_id="",strategy="tel1 (100%)"} 1
    wolkvox_campaign_info{campaign_id="4",campaign="sin estrategia",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="5",campaign="(paréntesis) - no strategy",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="6",campaign="",skill_id="",strategy=""} 1
    wolkvox_campaign_info{campaign_id="7",campaign="doble  espacio",skill_id="",strategy="tel1 (80%)"} 1
    wolkvox_campaign_info{campaign_id="no id - tel1 (100%)",campaign="no id - tel1 (100%)",skill_id="",strategy=""} 1
    "#);
    assert_eq!(
        infos(stage.page.reports("text/plain").await),
        open_metrics,
        "sample lines are the same in both formats"
    );
    let samples = stage.samples().await;
    assert_eq!(
        samples.get("wolkvox_campaign_info", &[("campaign", "dos líneas")]),
        Some(1.0)
    );
    assert_eq!(
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "campaigns"), ("outcome", "invalid")]
        ),
        Some(1.0)
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
