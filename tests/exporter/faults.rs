//! What happens when the API or the way to it fails: the right reason, nothing else touched, recovery by itself.

use std::time::{Duration, Instant};
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};

use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Config;
use wolkvox_simulator::{Api, ErrorBody, Fault, OperationPlan, ScriptedAnswer, Switches};

use crate::ledger::Disk;
use crate::support::{Stage, at, exporter, operation, serve, simulator, zone};

const TEN: &str = "2026-11-20T15:00:00Z";
const LATER: &str = "2026-11-20T15:05:00Z";

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

/// What the state brings back is ready to be scraped before anything was asked.
#[tokio::test]
async fn an_operation_with_state_is_ready_at_once() {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with_storage(TEN, plan, Disk::default().storage(), |_, _| {}).await;
    let ready = async |stage: &Stage| {
        let page = stage.page.0.replace("/metrics", "/-/ready");
        crate::support::get(&page, &[]).await.status()
    };
    assert_eq!(ready(&stage).await, 503);
    stage.poll(&CALL_DURATIONS, TEN).await;
    assert_eq!(ready(&stage.restart(|_, _| {})).await, 200);
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

#[tokio::test]
async fn a_token_that_was_replaced_in_its_file_is_read_before_the_next_poll() {
    let folder = std::env::temp_dir().join(format!("wolkvox_exporter-token-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    std::fs::write(&file, "0".repeat(52)).unwrap();
    let source = wolkvox_exporter::config::TokenSource::File(file.clone());
    let token = wolkvox_exporter::config::Token::from_source(source, &|_| None).unwrap();
    let mut stage = Stage::with(
        TEN,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            operation.token = token;
        },
    )
    .await;
    stage.poll(&CAMPAIGNS, TEN).await;
    let samples = stage.samples().await;
    let failed = [("report", "campaigns"), ("reason", "auth")];
    assert_eq!(samples.get("wolkvox_report_poll_failures_total", &failed), Some(1.0));
    std::fs::write(&file, stage.acme().token()).unwrap();
    stage.poll(&CAMPAIGNS, TEN).await;
    assert_eq!(
        stage.samples().await.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0)
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

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

/// A running exporter: gauges go when they are too old and come back with the next answer, scrapes stay fast all the
/// while, and one operation's failure is no other's.
#[tokio::test(flavor = "multi_thread")]
async fn old_gauges_go_away_and_scrapes_stay_fast() {
    let bogota = || zone("America/Bogota");
    let simulator = simulator(
        vec![
            OperationPlan::new("sick", bogota()),
            OperationPlan::new("well", bogota()),
        ],
        at(TEN),
    );
    let served = serve(&simulator).await;
    let operations = simulator.operations().iter().map(|simulated| {
        let mut operation = operation(simulated, &served.url());
        for report in operation.reports.values_mut() {
            report.interval = Duration::from_millis(200);
            report.max_age = Duration::from_millis(800);
            report.timeout = Duration::from_secs(30);
        }
        operation.daily_calls = 10_000_000;
        operation
    });
    let config = Config {
        operations: operations.collect(),
        new_series_hold: Duration::ZERO,
        ..Config::default()
    };
    let clock = simulator.clock().clone();
    let (running, page) = exporter(config, Clock::from_fn(move || clock.now())).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(running.run_until(async { stopped.await.unwrap() }));

    let sick = &simulator.operations()[0];
    let infos = async |operation: &str| {
        page.samples()
            .await
            .all("wolkvox_campaign_info", &[("operation", operation)])
            .len()
    };
    until("both operations are shown", async || {
        infos("sick").await > 0 && infos("well").await > 0
    })
    .await;
    let counters = page
        .samples()
        .await
        .all("wolkvox_calls_total", &[("operation", "sick")])
        .len();

    sick.inject(Fault::Stall(Duration::from_secs(60)));
    until("the sick operation's gauges are gone", async || {
        infos("sick").await == 0
    })
    .await;
    let samples = page.samples().await;
    assert_eq!(
        samples.all("wolkvox_calls_total", &[("operation", "sick")]).len(),
        counters,
        "counters stay"
    );
    assert!(infos("well").await > 0, "the other operation goes on");
    let polls = async || {
        page.samples().await.get(
            "wolkvox_report_polls_total",
            &[("operation", "well"), ("report", "campaigns")],
        )
    };
    let before = polls().await.unwrap();
    until("the other operation goes on", async || {
        polls().await.unwrap() > before + 3.0
    })
    .await;
    for _ in 0..20 {
        let begin = Instant::now();
        assert_eq!(page.get(&[]).await.status(), 200);
        assert!(
            begin.elapsed() < Duration::from_secs(1),
            "a scrape took {:?}",
            begin.elapsed()
        );
    }

    stop.send(()).unwrap();
    run.await.unwrap().unwrap();
    assert_eq!(sick.observed().most_in_flight, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gauges_come_back_with_the_next_good_answer() {
    let simulator = simulator(vec![OperationPlan::new("acme", zone("America/Bogota"))], at(TEN));
    let served = serve(&simulator).await;
    let acme = &simulator.operations()[0];
    let mut configured = operation(acme, &served.url());
    for report in configured.reports.values_mut() {
        report.interval = Duration::from_millis(200);
        report.max_age = Duration::from_millis(500);
    }
    configured.daily_calls = 10_000_000;
    let config = Config {
        operations: vec![configured],
        ..Config::default()
    };
    let clock = simulator.clock().clone();
    let (running, page) = exporter(config, Clock::from_fn(move || clock.now())).await;
    let run = tokio::spawn(running.run_until(std::future::pending()));
    let infos = async || page.samples().await.all("wolkvox_campaign_info", &[]).len();
    let up = async || page.samples().await.get("wolkvox_up", &[("report", "campaigns")]);
    until("shown", async || infos().await > 0).await;
    acme.inject(Fault::status(500));
    until("withdrawn", async || infos().await == 0).await;
    assert_eq!(up().await, Some(0.0));
    acme.clear_faults();
    until("shown again", async || infos().await > 0).await;
    assert_eq!(up().await, Some(1.0));
    run.abort();
}

/// No name, number or token gets out, whatever the API says.
#[tokio::test]
async fn a_token_that_the_api_repeats_is_not_shown() {
    let plan = OperationPlan::new("acme", zone("America/Bogota")).switches(Switches::default());
    let mut stage = Stage::with(TEN, plan, |_, _| {}).await;
    let token = stage.acme().token().to_owned();
    let echo = format!(r#"{{"code":"403","error":"{token}","msg":"validate token {token}"}}"#);
    for status in [200, 403, 500] {
        let answer = ScriptedAnswer {
            status,
            ..ScriptedAnswer::json(echo.clone())
        };
        stage.acme().answer_with(Api::Campaigns, answer);
        stage.poll(&CAMPAIGNS, TEN).await;
        let status_page = crate::support::get(&stage.page.0.replace("/metrics", "/"), &[])
            .await
            .text()
            .await
            .unwrap();
        assert!(status_page.contains("failing"));
        for page in [
            stage.page.text("text/plain").await,
            status_page,
            format!("{:?}", stage.poller),
        ] {
            assert!(!page.contains(&token));
        }
    }
}

/// Waits until something is so, and fails when it is not so for too long.
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !check().await {
        assert!(begin.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
