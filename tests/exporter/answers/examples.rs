//! The vendor's examples, to the last sample.

use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};

use super::{NOON, answer, stage};
use crate::support::OPEN_METRICS;

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
