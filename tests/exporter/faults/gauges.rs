//! What a running exporter shows while an operation fails, and after a restart.

use std::time::{Duration, Instant};

use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Config;
use wolkvox_exporter::reports::CALL_DURATIONS;
use wolkvox_simulator::{Fault, OperationPlan};

use super::{TEN, until};
use crate::ledger::Disk;
use crate::support::{Stage, at, exporter, operation, serve, simulator, zone};

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
            report.max_age = Some(Duration::from_millis(800));
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
        report.max_age = Some(Duration::from_millis(500));
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
    // The health of a poll is published just after its data.
    until("up again", async || up().await == Some(1.0)).await;
    run.abort();
}
