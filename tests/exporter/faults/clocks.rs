//! Clocks that disagree, and answers without a date.

use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};

use super::{LATER, TEN};
use crate::support::{Stage, at};

#[tokio::test]
async fn clocks_that_disagree_move_nothing() {
    let mut stage = Stage::new(TEN, "America/Bogota").await;
    for report in [&CAMPAIGNS, &CALL_DURATIONS] {
        stage.poll(report, TEN).await;
    }
    let good = stage.samples().await;
    let failures = async |stage: &Stage| {
        let samples = stage.samples().await;
        assert!(samples.of_reports() == good.of_reports());
        let failed = samples.all("wolkvox_report_poll_failures_total", &[("reason", "clock")]);
        failed.iter().sum::<f64>()
    };
    // Our clock jumps a day forth and back; the API's goes on.
    for report in [&CAMPAIGNS, &CALL_DURATIONS] {
        stage.poll_with_wrong_clock(report, "2026-11-21T15:00:00Z").await;
    }
    assert_eq!(failures(&stage).await, 2.0);
    // Both clocks jump back: what was read before ends in the future.
    let requests = stage.acme().observed().requests;
    stage.poll(&CALL_DURATIONS, "2026-11-19T15:00:00Z").await;
    assert_eq!(failures(&stage).await, 3.0);
    assert_eq!(stage.acme().observed().requests, requests, "not even asked");
    // Back in the present, all that was missed is counted, and the calls of the day are still known.
    stage.poll(&CALL_DURATIONS, LATER).await;
    let truth = |time| {
        stage
            .acme()
            .truth()
            .day_totals(jiff::civil::date(2026, 11, 20), at(time))
            .total()
            .calls
    };
    let shown = stage
        .samples()
        .await
        .all("wolkvox_calls_total", &[])
        .iter()
        .sum::<f64>();
    assert_eq!(shown, (truth(LATER) - truth(TEN)) as f64);
    assert_eq!(stage.samples().await.get("wolkvox_api_calls_used", &[]), Some(3.0));
}

#[tokio::test]
async fn an_api_without_a_date_header_is_believed() {
    let mut stage = Stage::new(TEN, "America/Bogota").await;
    stage
        .acme()
        .switch(|switches| switches.date_header = wolkvox_simulator::DateHeader::Absent);
    stage.poll(&CAMPAIGNS, TEN).await;
    assert_eq!(
        stage.samples().await.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0)
    );
}
