//! Faults of single requests: reasons, retries and the waits that the API asks for.

use std::time::{Duration, Instant};

use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};
use wolkvox_simulator::{ErrorBody, Fault, OperationPlan};

use super::{LATER, TEN};
use crate::support::{Stage, at, zone};

fn json_status(status: u16) -> Fault {
    Fault::Status {
        status,
        retry_after: None,
        body: ErrorBody::Json,
    }
}

#[tokio::test]
async fn each_fault_has_its_reason_and_touches_nothing_else() {
    let mut stage = Stage::with(
        TEN,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            for report in operation.reports.values_mut() {
                report.timeout = Duration::from_millis(300);
            }
        },
    )
    .await;
    let long = Duration::from_secs(20);
    // The fault, its reason, and how many requests the poll makes of it.
    let faults = [
        (Fault::Delay(long), "timeout", 3),
        (Fault::Stall(long), "timeout", 3),
        (
            Fault::Trickle {
                bytes: 1,
                every: Duration::from_millis(20),
            },
            "timeout",
            3,
        ),
        (Fault::status(500), "status", 3),
        (json_status(503), "status", 3),
        (json_status(429), "status", 3),
        (Fault::status(404), "status", 1),
        (json_status(400), "status", 1),
        (Fault::status(302), "status", 1),
        (json_status(401), "auth", 1),
        (Fault::WrongToken, "auth", 1),
        (Fault::status(403), "auth", 1),
        (Fault::SimultaneousLimit, "concurrency", 3),
        (Fault::Html, "decode", 1),
        (Fault::CutBody(0.5), "truncated", 1),
        (Fault::CutBody(0.0), "truncated", 1),
        (Fault::ContentLengthTooLong(10), "truncated", 1),
        (Fault::ContentLengthTooShort(10), "truncated", 1),
        (Fault::Reset, "connect", 3),
        (Fault::ResetBeforeAnswer, "connect", 3),
    ];
    let reports = [(&CAMPAIGNS, "campaigns"), (&CALL_DURATIONS, "call_durations")];
    for (report, _) in reports {
        stage.poll(report, TEN).await;
    }
    for (report, name) in reports {
        let good = stage.samples().await;
        assert!(good.of_reports().len() > 100);
        for (fault, reason, requests) in faults.clone() {
            let failed = [("report", name), ("reason", reason)];
            let before = stage.samples().await;
            stage.acme().inject(fault.clone());
            stage.poll(report, LATER).await;
            stage.acme().clear_faults();
            let after = stage.samples().await;
            let grown = |name: &str, labels: &[(&str, &str)]| {
                after.get(name, labels).unwrap() - before.get(name, labels).unwrap()
            };
            let all = |name: &str| after.all(name, &[]).iter().sum::<f64>() - before.all(name, &[]).iter().sum::<f64>();
            assert_eq!(
                grown("wolkvox_report_poll_failures_total", &failed),
                1.0,
                "{name}: {fault:?}"
            );
            assert_eq!(all("wolkvox_report_poll_failures_total"), 1.0, "{name}: {fault:?}");
            assert_eq!(all("wolkvox_report_polls_total"), 1.0, "{name}: {fault:?}");
            assert_eq!(
                grown("wolkvox_api_request_failures_total", &failed),
                f64::from(requests),
                "{name}: {fault:?}"
            );
            assert_eq!(
                grown("wolkvox_api_requests_total", &[("report", name)]),
                f64::from(requests),
                "{name}: {fault:?}"
            );
            assert_eq!(
                after.get("wolkvox_up", &[("report", name)]),
                Some(0.0),
                "{name}: {fault:?}"
            );
            assert!(after.of_reports() == good.of_reports(), "{name}: {fault:?}");
            let success = [("report", name)];
            let success_at = |samples: &crate::support::Samples| {
                samples.get("wolkvox_report_last_success_timestamp_seconds", &success)
            };
            assert_eq!(success_at(&after), success_at(&good), "{name}: {fault:?}");
        }
        stage.poll(report, LATER).await;
        assert_eq!(
            stage.samples().await.get("wolkvox_up", &[("report", name)]),
            Some(1.0),
            "recovered"
        );
    }
    let truth = stage
        .acme()
        .truth()
        .campaigns(at(LATER))
        .iter()
        .map(|campaign| campaign.records as f64)
        .sum::<f64>();
    let shown = stage
        .samples()
        .await
        .all("wolkvox_campaign_records", &[])
        .iter()
        .sum::<f64>();
    assert_eq!(shown, truth, "the next good answer is shown");
}

#[tokio::test]
async fn a_fault_that_passes_is_a_retry_and_no_failure() {
    let mut stage = Stage::new(TEN, "America/Bogota").await;
    for fault in [Fault::status(502), Fault::Reset, Fault::SimultaneousLimit] {
        stage.acme().inject(fault.times(2));
        stage.poll(&CAMPAIGNS, TEN).await;
    }
    let samples = stage.samples().await;
    assert_eq!(samples.get("wolkvox_up", &[("report", "campaigns")]), Some(1.0));
    assert_eq!(
        samples.get("wolkvox_api_requests_total", &[("report", "campaigns")]),
        Some(9.0)
    );
    assert_eq!(
        samples.get("wolkvox_api_calls_used", &[]),
        Some(9.0),
        "each request costs a call"
    );
    assert_eq!(
        samples
            .all("wolkvox_report_poll_failures_total", &[])
            .iter()
            .sum::<f64>(),
        0.0
    );
    assert_eq!(stage.acme().observed().most_in_flight, 1);
}

/// The API works on after our time-out. A retry, or the next report, waits until it must have ended: never are there two requests.
#[tokio::test]
async fn nothing_is_asked_while_the_api_may_work_on_a_request_that_timed_out() {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with(TEN, plan, |operation, settings| {
        for report in operation.reports.values_mut() {
            report.timeout = Duration::from_millis(200);
        }
        settings.retry.answer_within = Duration::from_millis(1500);
    })
    .await;
    stage.acme().switch(|switches| switches.works_on = true);
    let slow = || Fault::Delay(Duration::from_millis(1000));
    stage.acme().inject(slow().once());
    let begin = Instant::now();
    stage.poll(&CAMPAIGNS, TEN).await;
    assert!(begin.elapsed() >= Duration::from_millis(1500), "{:?}", begin.elapsed());
    // The last attempt of a poll times out, too, and then another report is due.
    stage.acme().inject(slow().times(3));
    stage.poll(&CAMPAIGNS, TEN).await;
    stage.poll(&CALL_DURATIONS, TEN).await;
    let samples = stage.samples().await;
    let up = |report| samples.get("wolkvox_up", &[("report", report)]);
    assert_eq!((up("campaigns"), up("call_durations")), (Some(0.0), Some(1.0)));
    assert_eq!(stage.acme().observed().most_in_flight, 1);
}

#[tokio::test]
async fn a_wait_that_the_api_asks_for_is_kept() {
    let mut stage = Stage::new(TEN, "America/Bogota").await;
    let asked = |seconds: &str| Fault::Status {
        status: 503,
        retry_after: Some(seconds.to_owned()),
        body: ErrorBody::Json,
    };
    stage.acme().inject(asked("1").once());
    let begin = Instant::now();
    stage.poll(&CAMPAIGNS, TEN).await;
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        stage.samples().await.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0)
    );

    // Longer than the interval: no poll of any report until then.
    stage.acme().inject(asked("900").once());
    stage.poll(&CAMPAIGNS, TEN).await;
    let requests = stage.acme().observed().requests;
    for (time, expected) in [
        ("2026-11-20T15:14:59Z", requests),
        ("2026-11-20T15:15:00Z", requests + 1),
    ] {
        stage.simulator.clock().set(at(time));
        stage.poller.tick(&CALL_DURATIONS).await;
        assert_eq!(stage.acme().observed().requests, expected, "at {time}");
    }
}

/// However long the API asks us to wait, the next local day is tried again.
#[tokio::test]
async fn a_wait_of_days_ends_at_local_midnight() {
    // 23:50 in Bogotá.
    let mut stage = Stage::new("2026-11-21T04:50:00Z", "America/Bogota").await;
    let ten_days = Fault::Status {
        status: 503,
        retry_after: Some("864000".to_owned()),
        body: ErrorBody::Json,
    };
    stage.acme().inject(ten_days.once());
    stage.poll(&CAMPAIGNS, "2026-11-21T04:50:00Z").await;
    for (time, requests) in [("2026-11-21T04:59:59Z", 1), ("2026-11-21T05:00:00Z", 2)] {
        stage.simulator.clock().set(at(time));
        stage.poller.tick(&CAMPAIGNS).await;
        assert_eq!(stage.acme().observed().requests, requests, "at {time}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_a_connect_failure_that_mentions_the_registered_ip() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let mut stage = Stage::with(
        TEN,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            operation.base_url = url;
        },
    )
    .await;
    stage.poll(&CAMPAIGNS, TEN).await;
    let samples = stage.samples().await;
    let failed = [("report", "campaigns"), ("reason", "connect")];
    assert_eq!(samples.get("wolkvox_report_poll_failures_total", &failed), Some(1.0));
    let page = crate::support::get(&stage.page.0.replace("/metrics", "/"), &[])
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("public IP"), "{page}");
}

#[tokio::test]
async fn quota_stops_all_polls_until_local_midnight() {
    // 23:50 in Bogotá.
    let mut stage = Stage::new("2026-11-21T04:50:00Z", "America/Bogota").await;
    stage.acme().inject(Fault::QuotaExceeded.once());
    stage.poll(&CAMPAIGNS, "2026-11-21T04:50:00Z").await;
    let times = [
        ("2026-11-21T04:55:00Z", 1),
        ("2026-11-21T04:59:59Z", 1),
        ("2026-11-21T05:00:00Z", 2),
    ];
    for (time, requests) in times {
        stage.simulator.clock().set(at(time));
        stage.poller.tick(&CALL_DURATIONS).await;
        assert_eq!(stage.acme().observed().requests, requests, "at {time}");
        let up = stage.samples().await.get("wolkvox_up", &[("report", "call_durations")]);
        assert_eq!(up, Some(if requests == 1 { 0.0 } else { 1.0 }), "at {time}");
    }
    let samples = stage.samples().await;
    let skipped = [("report", "call_durations"), ("reason", "quota")];
    assert_eq!(samples.get("wolkvox_report_polls_skipped_total", &skipped), Some(2.0));
}
