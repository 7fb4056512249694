//! Clocks that disagree, and answers without a date.

use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS, IVR};

use super::{LATER, TEN};
use crate::events::all_reports;
use crate::support::{Stage, at, get, zone};

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

/// Without a date from the API, a clock that runs ahead is believed. When it is right again, the failure says until when it
/// lasts and how to end it.
#[tokio::test]
async fn a_clock_that_ran_ahead_says_until_when_it_blinds() {
    let plan = wolkvox_simulator::OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with(TEN, plan, all_reports).await;
    stage
        .acme()
        .switch(|switches| switches.date_header = wolkvox_simulator::DateHeader::Absent);
    let days_ahead = "2026-11-23T15:00:00Z";
    for report in [&IVR, &CALL_DURATIONS] {
        stage.poll(report, TEN).await;
        stage.poll(report, days_ahead).await;
    }
    let ends = ["2026-11-20T15:10:00Z", "2026-11-23T14:54:59Z"];
    for now in ends {
        for report in [&IVR, &CALL_DURATIONS] {
            stage.poll(report, now).await;
            let up = stage.samples().await.get("wolkvox_up", &[("report", report.name)]);
            assert_eq!(up, Some(0.0), "{report} at {now}");
        }
        let page = get(&stage.page.0.replace("/metrics", "/"), &[])
            .await
            .text()
            .await
            .unwrap();
        assert!(page.contains("data up to 2026-11-23T15:00:00Z has been read"), "{page}");
        assert!(page.contains("polls fail until 2026-11-23T14:55:00Z"), "{page}");
        assert!(
            page.contains("restore a state file from before, or move the file away"),
            "{page}"
        );
        assert_eq!(
            page.matches("polls fail until").count(),
            1,
            "one card for both reports: {page}"
        );
    }
    for report in [&IVR, &CALL_DURATIONS] {
        stage.poll(report, "2026-11-23T14:55:00Z").await;
        let up = stage.samples().await.get("wolkvox_up", &[("report", report.name)]);
        assert_eq!(up, Some(1.0), "{report}: as it was told");
    }
}

/// For two seconds our clock is 70 days ahead, and the API sends no date. Nothing is dropped, forgotten or moved. A clock that
/// stays ahead is believed with the second poll.
#[tokio::test]
async fn a_clock_that_jumps_ahead_for_a_moment_changes_nothing() {
    let plan = wolkvox_simulator::OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with(TEN, plan, all_reports).await;
    stage
        .acme()
        .switch(|switches| switches.date_header = wolkvox_simulator::DateHeader::Absent);
    let reports = [&CAMPAIGNS, &IVR, &CALL_DURATIONS];
    let up = async |stage: &Stage| stage.samples().await.all("wolkvox_up", &[]);
    for report in reports {
        stage.poll(report, TEN).await;
        stage.poll(report, "2026-11-20T15:05:00Z").await;
    }
    let before = stage.samples().await.of_reports();
    for report in reports {
        stage.poll_with_wrong_clock(report, "2027-01-29T15:05:02Z").await;
    }
    assert_eq!(up(&stage).await, [0.0; 3]);
    assert!(stage.samples().await.of_reports() == before);
    let born = at(TEN);
    for report in reports {
        stage.poll(report, LATER).await;
    }
    assert_eq!(up(&stage).await, [1.0; 3]);
    let shown: f64 = stage.samples().await.all("wolkvox_calls_total", &[]).iter().sum();
    let total = |time| {
        let date = jiff::civil::date(2026, 11, 20);
        stage.acme().truth().day_totals(date, time).total().calls
    };
    assert_eq!(shown, (total(at(LATER)) - total(born)) as f64);

    for report in reports {
        stage.poll_with_wrong_clock(report, "2026-11-23T15:00:00Z").await;
    }
    assert_eq!(up(&stage).await, [0.0; 3]);
    let minute = jiff::SignedDuration::from_mins(1);
    stage.simulator.clock().set(at(LATER) + minute);
    for report in reports {
        stage.poll_with_wrong_clock(report, "2026-11-23T15:01:00Z").await;
    }
    assert_eq!(up(&stage).await, [1.0; 3]);
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
